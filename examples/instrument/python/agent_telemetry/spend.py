"""What one run cost, from figures that run on through a session.

`total_cost_usd` and `model_usage` of a result cover the session so far: every earlier turn of a client
that stays connected, and of a session that is resumed or forked. A run's own share is the difference to
the last result of the session.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from claude_agent_sdk import ResultMessage

# One entry is a few hundred bytes; a session forgotten after so many others is one that nobody resumes.
REMEMBERED_SESSIONS = 10_000

_FIELDS = {
    "inputTokens": "input",
    "outputTokens": "output",
    "cacheReadInputTokens": "cache_read",
    "cacheCreationInputTokens": "cache_write",
}


@dataclass
class Spend:
    """Dollars and tokens by model; `total_usd` also has what no model is named for."""

    total_usd: float = 0.0
    usd: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, Counter[str]] = field(default_factory=dict)

    def all_tokens(self) -> Counter[str]:
        return sum(self.tokens.values(), Counter())


def tokens_of(usage: dict | None) -> Counter[str]:
    """Tokens by type from the usage of one model call. The four types do not overlap."""
    usage = usage or {}
    names = {
        "input": "input_tokens",
        "output": "output_tokens",
        "cache_read": "cache_read_input_tokens",
        "cache_write": "cache_creation_input_tokens",
    }
    return Counter({kind: usage.get(name) or 0 for kind, name in names.items()})


class SessionTotals:
    """The last totals of each session."""

    def __init__(self) -> None:
        self._totals: OrderedDict[str, Spend] = OrderedDict()

    def share(self, result: ResultMessage, continues: str | None) -> Spend | None:
        """The run's own spend; None where it cannot be told.

        It cannot when no cost was reported, and when the session was begun by another process: then its
        first result includes runs that were counted elsewhere.
        """
        if result.total_cost_usd is None:
            return None
        total = Spend(result.total_cost_usd)
        for model, usage in (result.model_usage or {}).items():
            total.usd[model] = usage["costUSD"]
            total.tokens[model] = Counter({kind: usage[name] for name, kind in _FIELDS.items()})
        before = self._totals.get(result.session_id) or self._totals.get(continues or "")
        self._remember(result.session_id, total)
        if before is None:
            return None if continues else total
        # A reset conversation starts again from zero.
        return total if total.total_usd < before.total_usd else _difference(total, before)

    def _remember(self, session: str, total: Spend) -> None:
        # A run that crashed reports zeros, and the session goes on from its old total.
        if total.total_usd > 0:
            self._totals[session] = total
            self._totals.move_to_end(session)
        if len(self._totals) > REMEMBERED_SESSIONS:
            self._totals.popitem(last=False)


def _difference(total: Spend, before: Spend) -> Spend:
    return Spend(
        total.total_usd - before.total_usd,
        {model: max(0.0, usd - before.usd.get(model, 0.0)) for model, usd in total.usd.items()},
        {model: tokens - before.tokens.get(model, Counter()) for model, tokens in total.tokens.items()},
    )
