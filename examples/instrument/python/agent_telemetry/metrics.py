"""The contract metrics: names, labels, buckets, and every label value from the start.

A counter that is born with its first failure hides that failure from `increase`. So every label value
that can occur is declared when the agent starts, and is there with 0; a tool or model that nobody
declared is counted as `other`, which also keeps the number of series bounded.
"""

import re
import time
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

RUN_STATUSES = ("success", "error", "cancelled")
MODEL_CALL_STATUSES = ("success", "error", "cancelled")
TOOL_STATUSES = ("success", "error", "denied")
TOKEN_TYPES = ("input", "output", "cache_read", "cache_write")
GUARDRAIL_RESULTS = ("passed", "blocked")
ERROR_TYPES = (
    "error_during_execution",
    "error_max_turns",
    "error_max_budget_usd",
    "error_max_structured_output_retries",
    "api_error",
    "timeout",
    "exception",
    "no_result",
    "other",
)
OTHER = "other"

# The threshold of a latency or cost objective must be one of these bounds. The TypeScript example has
# the same lists: buckets of agents that are summed must agree.
RUN_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
TOOL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
FIRST_TOKEN_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
MODEL_CALL_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
RUN_USD = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
RUN_TOKENS = (1024, 4096, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 4194304, 16777216)
RUN_TURNS = (1, 2, 4, 8, 16, 32, 64, 128)
SCORES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)

# Without this, text exposition has a gauge `..._created` beside each counter and histogram.
disable_created_metrics()


class AgentMetrics:
    """The metrics of one agent, in a registry of their own."""

    def __init__(
        self,
        agent_name: str,
        version: str,
        models: tuple[str, ...],
        tools: Iterable[str],
        evaluators: Mapping[str, Iterable[str]],
        guardrails: Iterable[str],
    ) -> None:
        self.registry = CollectorRegistry()
        self.agent_name = agent_name
        self._models = models
        self._tools = (*tools, OTHER)
        self._evaluators = {name: tuple(results) for name, results in evaluators.items()}
        self._guardrails = tuple(guardrails)
        self._declare()
        self._initialise(version)
        self._active: dict[object, float] = {}

    def _declare(self) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, ("agent_name", *labels), registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, ("agent_name", *labels), registry=self.registry)

        def histogram(name: str, text: str, buckets: tuple, *labels: str) -> Histogram:
            return Histogram(name, text, ("agent_name", *labels), registry=self.registry, buckets=buckets)

        self.runs = counter("agent_queries_total", "Ended runs by outcome", "model", "status")
        self.run_seconds = histogram("agent_query_duration_seconds", "Duration of finished runs", RUN_SECONDS)
        self.tool_calls = counter("agent_tool_calls_total", "Tool calls by outcome", "tool_name", "status")
        self.tool_seconds = histogram(
            "agent_tool_duration_seconds", "Duration of executed tool calls", TOOL_SECONDS, "tool_name"
        )
        self.first_token_seconds = histogram(
            "agent_time_to_first_token_seconds",
            "From the request to the model to its first token",
            FIRST_TOKEN_SECONDS,
            "model",
        )
        self.model_calls = counter("agent_llm_calls_total", "Model calls by outcome", "model", "status")
        self.model_call_seconds = histogram(
            "agent_llm_call_duration_seconds", "Duration of model calls", MODEL_CALL_SECONDS, "model"
        )
        self.run_usd = histogram("agent_query_cost_usd", "Estimated cost of finished runs", RUN_USD)
        self.usd = counter("agent_cost_usd_total", "Estimated cost", "model")
        self.run_tokens = histogram("agent_tokens_per_query", "Tokens of finished runs", RUN_TOKENS)
        self.tokens = counter("agent_tokens_total", "Tokens by type", "model", "type")
        self.run_turns = histogram("agent_query_turns", "Turns of finished runs", RUN_TURNS)
        self.evaluations = counter("agent_evaluations_total", "Evaluated runs", "evaluator", "result")
        self.score = histogram("agent_evaluation_score", "Scores of evaluated runs", SCORES, "evaluator")
        self.guardrail_checks = counter(
            "agent_guardrail_checks_total", "Checks by guardrails", "check", "result"
        )
        self.errors = counter("agent_errors_total", "Failed runs by cause", "error_type")
        self.active = gauge("agent_active_queries", "Runs in flight")
        self.oldest_start = gauge(
            "agent_oldest_active_query_start_timestamp_seconds",
            "Start of the run that is in flight longest, 0 when none is",
        )
        self.queue_depth = gauge("agent_queue_depth", "Runs that wait to start")
        self.session_pool_size = gauge("agent_session_pool_size", "Open sessions")
        self.build_info = gauge("agent_build_info", "Always 1", "version", "model")

    def _initialise(self, version: str) -> None:
        name = self.agent_name
        for metric in (
            self.run_seconds,
            self.run_usd,
            self.run_tokens,
            self.run_turns,
            self.active,
            self.oldest_start,
            self.queue_depth,
            self.session_pool_size,
        ):
            metric.labels(name)
        for model in (*self._models, OTHER):
            self.usd.labels(name, model)
            self.first_token_seconds.labels(name, model)
            self.model_call_seconds.labels(name, model)
            for status in MODEL_CALL_STATUSES:
                self.model_calls.labels(name, model, status)
            for kind in TOKEN_TYPES:
                self.tokens.labels(name, model, kind)
        for status in RUN_STATUSES:
            self.runs.labels(name, self._models[0], status)
        for tool in self._tools:
            self.tool_seconds.labels(name, tool)
            for status in TOOL_STATUSES:
                self.tool_calls.labels(name, tool, status)
        for evaluator, results in self._evaluators.items():
            self.score.labels(name, evaluator)
            for result in results:
                self.evaluations.labels(name, evaluator, result)
        for check in self._guardrails:
            for result in GUARDRAIL_RESULTS:
                self.guardrail_checks.labels(name, check, result)
        for error_type in ERROR_TYPES:
            self.errors.labels(name, error_type)
        self.build_info.labels(name, version, self._models[0]).set(1)

    def model_label(self, model: str | None) -> str:
        """The declared model of an id, which may end with its date."""
        for declared in self._models:
            if model == declared or (model and re.fullmatch(re.escape(declared) + r"-\d{8}", model)):
                return declared
        return OTHER

    def tool_label(self, tool: str) -> str:
        return tool if tool in self._tools else OTHER

    def run_started(self, run: object) -> None:
        self._active[run] = time.time()
        self._show_active()

    def run_ended(self, run: object) -> None:
        self._active.pop(run, None)
        self._show_active()

    def _show_active(self) -> None:
        self.active.labels(self.agent_name).set(len(self._active))
        self.oldest_start.labels(self.agent_name).set(min(self._active.values(), default=0))
