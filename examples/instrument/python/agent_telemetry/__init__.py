"""Metrics, logs and traces of an agent that runs on the Claude Agent SDK."""

from collections.abc import Iterable, Mapping

import structlog

from . import logs
from .metrics import AgentMetrics
from .opentelemetry_setup import OpenTelemetry
from .run import Run
from .spend import SessionTotals

__all__ = ["AgentTelemetry", "Run"]


class AgentTelemetry:
    """The telemetry of one agent. Make one when the process starts, and name everything it can count.

    `model` is the one that runs ask for; `other_models` are those of subagents and of the SDK's own
    calls. `evaluators` maps each evaluator to its results.
    """

    def __init__(
        self,
        agent_name: str,
        version: str,
        model: str,
        other_models: Iterable[str] = (),
        tools: Iterable[str] = (),
        evaluators: Mapping[str, Iterable[str]] | None = None,
        guardrails: Iterable[str] = (),
    ) -> None:
        self.agent_name = agent_name
        self.version = version
        self.model = model
        self.opentelemetry = OpenTelemetry()
        logs.configure()
        self.log = structlog.get_logger().bind(agent_name=agent_name)
        self.metrics = AgentMetrics(
            agent_name, version, (model, *other_models), tools, evaluators or {}, guardrails
        )
        self.sessions = SessionTotals()

    def run(
        self,
        continues: str | None = None,
        user_id: str | None = None,
        carrier: dict[str, str] | None = None,
    ) -> Run:
        """A run, to be used with `with`.

        `continues` is the session that is resumed, forked or still connected, if any. `user_id` goes into
        logs only. `carrier` are the headers of the request that caused the run; the trace goes on there.
        """
        return Run(self, continues, user_id, carrier)

    def guardrail(self, check: str, passed: bool) -> None:
        """Counts one check."""
        result = "passed" if passed else "blocked"
        self.metrics.guardrail_checks.labels(self.agent_name, check, result).inc()
        if not passed:
            self.log.warning("guardrail_blocked", check=check)

    def queue(self, depth: int) -> None:
        """Says how many runs wait to start."""
        self.metrics.queue_depth.labels(self.agent_name).set(depth)

    def session_pool(self, size: int) -> None:
        """Says how many sessions are open."""
        self.metrics.session_pool_size.labels(self.agent_name).set(size)
