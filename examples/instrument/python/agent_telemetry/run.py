"""One run of the agent, observed from the messages of the Claude Agent SDK.

    with telemetry.run() as run:
        async with asyncio.timeout(600):
            async for message in query(prompt=prompt, options=options):
                run.observe(message)

The timeout belongs inside: it then ends the run as an error. Outside it would reach the run as a
cancellation, which is what a user does, and would not count.
"""

import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)
from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from .metrics import ERROR_TYPES, TOKEN_TYPES
from .spend import Spend, tokens_of

if TYPE_CHECKING:
    from . import AgentTelemetry

_SECOND = 1_000_000_000


@dataclass
class _ModelCall:
    """A request to the model and its answer, which comes in several messages under one id."""

    span: Span
    id: str | None
    model: str
    started: int
    last: int
    first_token: int | None = None
    error: str | None = None
    status: str | None = None
    is_streamed: bool = False
    tokens: Counter[str] = field(default_factory=Counter)

    def saw(self, usage: dict[str, Any] | None, now: int) -> None:
        """Notes a message of this call. Each repeats the usage so far, so the largest counts, not the sum."""
        self.last = now
        self.tokens |= tokens_of(usage)


@dataclass
class _ToolCall:
    span: Span
    id: str
    name: str
    started: int
    ended: int | None = None
    output_bytes: int = 0
    status: str | None = None


@dataclass
class _Loop:
    """The conversation of the agent, or of a subagent within the tool call that started it."""

    parent: Span
    requested: int
    call: _ModelCall | None = None
    closed_id: str | None = None


class Run:
    """What happens between a prompt and its result. Made by `AgentTelemetry.run`."""

    def __init__(
        self,
        telemetry: "AgentTelemetry",
        continues: str | None,
        user_id: str | None,
        carrier: dict[str, str] | None,
    ) -> None:
        self._telemetry = telemetry
        self._metrics = telemetry.metrics
        self._tracer = trace.get_tracer("agent_telemetry")
        self._continues = continues
        self._caller = propagate.extract(carrier) if carrier else None
        known = {"session_id": continues, "user_id": user_id}
        self._log = telemetry.log.bind(
            query_id=str(uuid.uuid4()), **{name: value for name, value in known.items() if value}
        )
        self._loops: dict[str | None, _Loop] = {}
        self._tools: dict[str, _ToolCall] = {}
        self._denied: set[str] = set()
        self._calls: list[_ModelCall] = []
        self._result: ResultMessage | None = None

    def __enter__(self) -> "Run":
        # Durations come from the monotonic clock, so that no step of the wall clock bends them.
        self._offset = time.time_ns() - time.monotonic_ns()
        self._started = self._now()
        self._span = self._start_span(
            "invoke_agent", self._telemetry.agent_name, SpanKind.INTERNAL, self._caller, self._started
        )
        self._span.set_attribute("gen_ai.request.model", self._telemetry.model)
        self._loops[None] = _Loop(self._span, self._started)
        # The SDK hands the current span to the program that it starts, whose spans then are children.
        self._token = context.attach(trace.set_span_in_context(self._span))
        self._metrics.run_started(self)
        self._event("query_started", self._span, model=self._telemetry.model)
        return self

    def observe(self, message: Message) -> None:
        """Takes every message of `query()` or `receive_response()`, in order."""
        match message:
            case StreamEvent():
                self._stream_event(message)
            case AssistantMessage():
                self._assistant(message)
            case UserMessage():
                self._user(message)
            case ResultMessage():
                self._result = message
                self._log = self._log.bind(session_id=message.session_id)
                self._span.set_attribute("gen_ai.conversation.id", message.session_id)
                self._denied.update(denial["tool_use_id"] for denial in message.permission_denials or ())
            case SystemMessage(subtype="init"):
                self._log = self._log.bind(session_id=message.data.get("session_id"))

    def evaluated(self, evaluator: str, result: str, score: float | None = None) -> None:
        """Counts the verdict of an evaluator, also long after the run has ended."""
        name = self._telemetry.agent_name
        self._metrics.evaluations.labels(name, evaluator, result).inc()
        if score is not None:
            self._metrics.score.labels(name, evaluator).observe(score)
        fields = {
            "gen_ai.evaluation.name": evaluator,
            "gen_ai.evaluation.score.label": result,
            "gen_ai.evaluation.score.value": score,
        }
        self._event("gen_ai.evaluation.result", self._span, **fields)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trail: TracebackType | None
    ) -> None:
        context.detach(self._token)
        ended = self._now()
        status, error_type = self._outcome(error)
        for loop in self._loops.values():
            self._cut_call(loop, status, error_type)
        self._settle_tools(status, ended)
        self._metrics.run_ended(self)
        spend, known_usd = self._count_spend()
        self._count(status, error_type, ended, spend, known_usd)
        self._finish_span(status, error_type, spend, known_usd, ended)
        self._report(status, error_type, error, ended, spend, known_usd)

    # The outcome

    def _outcome(self, error: BaseException | None) -> tuple[str, str | None]:
        """Status and cause. A result that has come decides, whatever is raised after it."""
        result = self._result
        if result is not None:
            if (result.terminal_reason or "").startswith("aborted"):
                return "cancelled", None
            if result.subtype == "success":
                return ("error", "api_error") if result.is_error else ("success", None)
            return "error", result.subtype if result.subtype in ERROR_TYPES else "other"
        if error is None:
            return "error", "no_result"
        if isinstance(error, TimeoutError):
            return "error", "timeout"
        # Not only CancelledError: leaving by any other BaseException is no failure of the agent either.
        return ("error", "exception") if isinstance(error, Exception) else ("cancelled", None)

    # Messages

    def _stream_event(self, message: StreamEvent) -> None:
        loop = self._loop(message.parent_tool_use_id)
        event = message.event
        kind = event.get("type")
        if kind == "message_start":
            answer = event["message"]
            call = self._open_call(loop, answer.get("id"), answer["model"])
            call.is_streamed = True
            call.saw(answer.get("usage"), self._now())
        if loop.call is None:
            return
        loop.call.saw(event.get("usage"), self._now())
        if kind in ("content_block_start", "content_block_delta"):
            loop.call.first_token = loop.call.first_token or self._now()
        if kind == "message_stop":
            loop.call.is_streamed = False
            self._close_call(loop)

    def _assistant(self, message: AssistantMessage) -> None:
        loop = self._loop(message.parent_tool_use_id)
        if message.message_id is None or message.message_id != loop.closed_id:
            call = loop.call
            if call is None or call.id != message.message_id:
                call = self._open_call(loop, message.message_id, message.model)
            call.saw(message.usage, self._now())
            call.error = message.error or call.error
        for block in message.content:
            if isinstance(block, ToolUseBlock):
                self._tool_called(loop, block)

    def _user(self, message: UserMessage) -> None:
        loop = self._loop(message.parent_tool_use_id)
        self._close_call(loop)
        for block in message.content if isinstance(message.content, list) else ():
            if isinstance(block, ToolResultBlock) and block.tool_use_id in self._tools:
                self._tool_answered(self._tools[block.tool_use_id], block)
        loop.requested = self._now()

    def _loop(self, parent_tool_use_id: str | None) -> _Loop:
        if parent_tool_use_id not in self._loops:
            tool = self._tools.get(parent_tool_use_id)
            parent = tool.span if tool else self._span
            self._loops[parent_tool_use_id] = _Loop(parent, tool.started if tool else self._now())
        return self._loops[parent_tool_use_id]

    # Model calls

    def _open_call(self, loop: _Loop, message_id: str | None, model: str) -> _ModelCall:
        self._close_call(loop)
        # Answers that the SDK makes up, to tell of an error, have no model.
        model = self._telemetry.model if model.startswith("<") else model
        within = trace.set_span_in_context(loop.parent)
        span = self._start_span("chat", model, SpanKind.CLIENT, within, loop.requested)
        span.set_attribute("gen_ai.request.model", model)
        loop.call = _ModelCall(span, message_id, model, loop.requested, self._now())
        self._calls.append(loop.call)
        return loop.call

    def _cut_call(self, loop: _Loop, run_status: str, error_type: str | None) -> None:
        """Ends the call that is open when the run ends; only a stream shows that it was not complete."""
        if loop.call and loop.call.is_streamed:
            loop.call.status = "cancelled" if run_status == "cancelled" else "error"
            loop.call.error = loop.call.error or error_type
        self._close_call(loop)

    def _close_call(self, loop: _Loop) -> None:
        """Ends the open call at its last message: what came after is not the model's time."""
        call, loop.call = loop.call, None
        if call is None:
            return
        loop.closed_id = call.id
        seconds = _seconds(call.started, call.last)
        labels = (self._telemetry.agent_name, self._metrics.model_label(call.model))
        status = call.status or ("error" if call.error else "success")
        self._metrics.model_calls.labels(*labels, status).inc()
        self._metrics.model_call_seconds.labels(*labels).observe(seconds)
        first = _seconds(call.started, call.first_token) if call.first_token else None
        if first is not None:
            self._metrics.first_token_seconds.labels(*labels).observe(first)
        self._describe_call(call, first)
        self._event(
            "llm_response",
            call.span,
            model=call.model,
            status=status,
            duration_seconds=seconds,
            time_to_first_token_seconds=first,
            error_type=call.error,
            **_token_fields(call.tokens),
        )
        call.span.end(call.last)

    def _describe_call(self, call: _ModelCall, first: float | None) -> None:
        call.span.set_attributes({"gen_ai.response.model": call.model, **_usage_attributes(call.tokens)})
        if call.id:
            call.span.set_attribute("gen_ai.response.id", call.id)
        if first is not None:
            call.span.set_attribute("gen_ai.response.time_to_first_chunk", first)
        if call.error:
            _fail(call.span, call.error)

    # Tool calls

    def _tool_called(self, loop: _Loop, block: ToolUseBlock) -> None:
        if block.id in self._tools:
            return
        within = trace.set_span_in_context(loop.parent)
        started = self._now()
        span = self._start_span("execute_tool", block.name, SpanKind.INTERNAL, within, started)
        span.set_attributes(
            {"gen_ai.tool.name": block.name, "gen_ai.tool.call.id": block.id, "gen_ai.tool.type": "function"}
        )
        self._tools[block.id] = _ToolCall(span, block.id, block.name, started)
        self._event(
            "tool_called", span, tool=block.name, tool_use_id=block.id, input_bytes=_size(block.input)
        )

    def _tool_answered(self, tool: _ToolCall, block: ToolResultBlock) -> None:
        tool.ended = tool.ended or self._now()
        tool.output_bytes = _size(block.content)
        # A denied call looks like a failed one. Only the result of the run tells which were denied.
        if not block.is_error:
            self._settle(tool, "success")

    def _settle_tools(self, run_status: str, now: int) -> None:
        """Ends the calls that failed, were denied, or are still open when the run ends."""
        for tool in self._tools.values():
            if tool.status is None and tool.ended is None and run_status == "cancelled":
                # Cut off by the user: it has no outcome, and is not counted.
                tool.status = "cancelled"
                tool.span.set_attribute("agent.tool.status", "cancelled")
                tool.span.end(now)
            elif tool.status is None:
                tool.ended = tool.ended or now
                self._settle(tool, "denied" if tool.id in self._denied else "error")
        counts = Counter(tool.status for tool in self._tools.values())
        self._event(
            "tools_summary",
            self._span,
            total_tool_calls=len(self._tools),
            success=counts["success"],
            error=counts["error"],
            denied=counts["denied"],
            unfinished=counts["cancelled"],
        )

    def _settle(self, tool: _ToolCall, status: str) -> None:
        if tool.status is not None:
            return
        tool.status = status
        seconds = _seconds(tool.started, tool.ended)
        labels = (self._telemetry.agent_name, self._metrics.tool_label(tool.name))
        self._metrics.tool_calls.labels(*labels, status).inc()
        if status != "denied":
            self._metrics.tool_seconds.labels(*labels).observe(seconds)
        tool.span.set_attribute("agent.tool.status", status)
        if status == "error":
            _fail(tool.span, "tool_error")
        self._event(
            "tool_completed",
            tool.span,
            level="warning" if status == "error" else "info",
            tool=tool.name,
            tool_use_id=tool.id,
            status=status,
            duration_seconds=seconds,
            output_bytes=tool.output_bytes,
        )
        tool.span.end(tool.ended)

    # The end

    def _count_spend(self) -> tuple[Spend, bool]:
        """Counts dollars and tokens; False where the dollars are not known."""
        share = self._telemetry.sessions.share(self._result, self._continues) if self._result else None
        spend = share or Spend()
        if not spend.tokens:
            # No result, or one without figures: add up the calls, each id once.
            for call in self._calls:
                spend.tokens.setdefault(call.model, Counter()).update(call.tokens)
        name = self._telemetry.agent_name
        unnamed = spend.total_usd - sum(spend.usd.values())
        for model, usd in [*spend.usd.items(), (self._telemetry.model, max(0.0, unnamed))]:
            self._metrics.usd.labels(name, self._metrics.model_label(model)).inc(usd)
        for model, tokens in spend.tokens.items():
            for kind, count in tokens.items():
                self._metrics.tokens.labels(name, self._metrics.model_label(model), kind).inc(count)
        return spend, share is not None

    def _count(self, status: str, error_type: str | None, ended: int, spend: Spend, known_usd: bool) -> None:
        metrics, name = self._metrics, self._telemetry.agent_name
        metrics.runs.labels(name, self._telemetry.model, status).inc()
        if error_type:
            metrics.errors.labels(name, error_type).inc()
        if status == "cancelled":
            # Not a finished run: its duration says when the user gave up.
            return
        metrics.run_seconds.labels(name).observe(_seconds(self._started, ended))
        metrics.run_tokens.labels(name).observe(spend.all_tokens().total())
        if known_usd:
            metrics.run_usd.labels(name).observe(spend.total_usd)
        if self._result:
            metrics.run_turns.labels(name).observe(self._result.num_turns)

    def _finish_span(
        self, status: str, error_type: str | None, spend: Spend, known_usd: bool, ended: int
    ) -> None:
        self._span.set_attributes({"agent.status": status, **_usage_attributes(spend.all_tokens())})
        if known_usd:
            self._span.set_attribute("agent.cost_usd", spend.total_usd)
        if self._result:
            self._span.set_attribute("agent.turns", self._result.num_turns)
        if error_type:
            _fail(self._span, error_type)
        self._span.end(ended)

    def _report(
        self,
        status: str,
        error_type: str | None,
        error: BaseException | None,
        ended: int,
        spend: Spend,
        known_usd: bool,
    ) -> None:
        name = {"success": "query_completed", "error": "query_failed", "cancelled": "query_cancelled"}[status]
        level = "error" if status == "error" else "info"
        # The class of an exception, not its text, which may quote a prompt.
        exception = type(error).__name__ if error and status == "error" else None
        self._event(
            name,
            self._span,
            level=level,
            status=status,
            error_type=error_type,
            exception_type=exception,
            duration_seconds=_seconds(self._started, ended),
            turns=self._result.num_turns if self._result else None,
            cost_usd=spend.total_usd if known_usd else None,
            **_token_fields(spend.all_tokens()),
        )

    # What all of them use

    def _now(self) -> int:
        return time.monotonic_ns() + self._offset

    def _start_span(
        self, operation: str, of: str, kind: SpanKind, within: context.Context | None, started: int
    ) -> Span:
        attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": "anthropic",
            "gen_ai.agent.name": self._telemetry.agent_name,
            "gen_ai.agent.version": self._telemetry.version,
        }
        return self._tracer.start_span(
            f"{operation} {of}", context=within, kind=kind, attributes=attributes, start_time=started
        )

    def _event(self, name: str, span: Span, level: str = "info", **fields: Any) -> None:
        known = {field: value for field, value in fields.items() if value is not None}
        getattr(self._log, level)(name, span=span, **known)


def _seconds(started: int, ended: int) -> float:
    return max(0, ended - started) / _SECOND


def _size(content: Any) -> int:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)
    return len(text.encode())


def _fail(span: Span, error_type: str) -> None:
    # No description and no exception event: both would carry text that may quote a prompt.
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


def _token_fields(tokens: Counter) -> dict[str, int]:
    return {f"{kind}_tokens": tokens[kind] for kind in TOKEN_TYPES}


def _usage_attributes(tokens: Counter) -> dict[str, int]:
    """The conventions count cached tokens among the input tokens; the API of the model does not."""
    cached = tokens["cache_read"] + tokens["cache_write"]
    return {
        "gen_ai.usage.input_tokens": tokens["input"] + cached,
        "gen_ai.usage.output_tokens": tokens["output"],
        "gen_ai.usage.cache_read.input_tokens": tokens["cache_read"],
        "gen_ai.usage.cache_creation.input_tokens": tokens["cache_write"],
    }
