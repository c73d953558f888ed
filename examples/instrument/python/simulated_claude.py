"""A stand-in for `claude_agent_sdk.query`: the SDK's own message classes, without model or network.

What a run does follows from its number alone, so that a test can tell every count beforehand. Prompts,
tool inputs and errors carry texts that must not turn up in any telemetry.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    ResultError,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

MODEL = "claude-sonnet-4-5"
SMALL_MODEL = "claude-haiku-4-5"
SEARCH = "mcp__knowledge_base__search"
LOOKUP = "mcp__orders__lookup"
SUBAGENT = "Agent"

PROMPT = "prompt-text: where is my order? My card is 4111 1111 1111 1111."
TOOL_INPUT = {"query": "tool-input-text", "api_key": "sk-ant-tool-input-secret-000000"}
TOOL_OUTPUT = "tool-output-text"
ANSWER = "answer-text"
FAILURE = "error-text: request with key sk-ant-error-secret-000000 was refused"

# Failing runs go through these in turn.
FAILURES = (
    "error_during_execution",
    "error_max_turns",
    "api_error",
    "timeout",
    "exception",
    "error_max_budget_usd",
    "error_max_structured_output_retries",
    "no_result",
)
# So do cancelled ones: the task that consumes the messages is cancelled, or the client interrupts.
CANCELLATIONS = ("task", "interrupt")

FIRST_TOKEN = 0.005
MODEL_TIME = 0.01
TOOL_TIME = 0.01
# What a hanging run waits for; its end comes from elsewhere.
FOREVER = 3600.0


@dataclass(frozen=True)
class Script:
    """What goes wrong in a run; nothing by default."""

    number: int
    failure: str | None = None
    cancellation: str | None = None
    tool_fails: bool = False
    tool_is_denied: bool = False
    hangs: bool = False
    # The run that began the session, and the runs that it has had before this one.
    began: int | None = None
    runs_before: int = 0

    @property
    def session(self) -> str:
        return f"session-{self.began or self.number:04}"

    @property
    def delegates(self) -> bool:
        """Every fifth run asks a subagent, which runs on a smaller model; none of a longer session does."""
        return self.number % 5 == 0 and self.began is None


async def query(prompt: str, script: Script) -> AsyncIterator[Message]:
    """The messages of one run."""
    yield SystemMessage("init", {"session_id": script.session, "model": MODEL})
    if script.hangs:
        await asyncio.sleep(FOREVER)
    if script.failure == "api_error":
        yield AssistantMessage([TextBlock(f"API Error: {FAILURE}")], "<synthetic>", error="server_error")
        yield _result(script, "success", is_error=True, api_error_status=529, result=FAILURE)
        raise ResultError(f"Claude Code returned an error result: {FAILURE}", exit_code=1)
    async for message in _first_turn(script):
        yield message
    if script.failure == "timeout":
        async for message in _answer(f"msg-{script.number}-2", [TextBlock(ANSWER)], hangs=True):
            yield message
    if script.failure == "exception":
        raise ConnectionError(FAILURE)
    if script.failure == "no_result":
        return
    if script.failure:
        yield _result(script, script.failure, is_error=True, errors=[FAILURE])
        raise ResultError(f"Claude Code returned an error result: {FAILURE}", exit_code=1)
    if script.cancellation == "interrupt":
        yield _result(script, "error_during_execution", is_error=True, terminal_reason="aborted_tools")
        return
    async for message in _answer(f"msg-{script.number}-2", [TextBlock(ANSWER)]):
        yield message
    yield _result(script, "success", result=ANSWER)


async def _first_turn(script: Script) -> AsyncIterator[Message]:
    """Two tool calls side by side, and a third to a subagent in every fifth run."""
    number = script.number
    calls = [
        ToolUseBlock(f"tool-{number}-1", SEARCH, TOOL_INPUT),
        ToolUseBlock(f"tool-{number}-2", LOOKUP, TOOL_INPUT),
    ]
    if script.delegates:
        calls.append(ToolUseBlock(f"tool-{number}-3", SUBAGENT, {"prompt": PROMPT}))
    async for message in _answer(f"msg-{number}-1", calls):
        yield message
    if script.cancellation == "task":
        # As if the user closed the window while a tool is at work.
        asyncio.current_task().cancel()
        await asyncio.sleep(FOREVER)
    if script.delegates:
        async for message in _subagent(script):
            yield message
    await asyncio.sleep(TOOL_TIME)
    is_bad = script.tool_fails or script.tool_is_denied
    if script.cancellation != "interrupt":
        yield UserMessage([ToolResultBlock(f"tool-{number}-1", TOOL_OUTPUT)])
        yield UserMessage([ToolResultBlock(f"tool-{number}-2", FAILURE if is_bad else TOOL_OUTPUT, is_bad)])


async def _subagent(script: Script) -> AsyncIterator[Message]:
    within = f"tool-{script.number}-3"
    async for message in _answer(f"msg-{script.number}-sub", [TextBlock(ANSWER)], SMALL_MODEL, within):
        yield message
    yield UserMessage([ToolResultBlock(within, [{"type": "text", "text": TOOL_OUTPUT}])])


async def _answer(
    message_id: str, blocks: list, model: str = MODEL, within: str | None = None, hangs: bool = False
) -> AsyncIterator[Message]:
    """One model call, as it comes with `include_partial_messages`: events, and a message per block."""
    usage = {
        "input_tokens": 100,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 300,
        "output_tokens": 1,
    }

    def event(kind: str, **fields) -> StreamEvent:
        return StreamEvent("uuid", "session", {"type": kind, **fields}, within)

    await asyncio.sleep(FIRST_TOKEN)
    yield event("message_start", message={"id": message_id, "model": model, "usage": usage})
    for block in blocks:
        yield event("content_block_delta", delta={"type": "text_delta", "text": ANSWER})
        await asyncio.sleep(FOREVER if hangs else MODEL_TIME)
        yield AssistantMessage([block], model, within, usage=usage, message_id=message_id)
    yield event("message_delta", usage={"output_tokens": 50})
    yield event("message_stop")


def _denials(script: Script) -> list[dict]:
    if not script.tool_is_denied:
        return []
    return [{"tool_name": LOOKUP, "tool_use_id": f"tool-{script.number}-2", "tool_input": TOOL_INPUT}]


def _result(script: Script, subtype: str, is_error: bool = False, **fields) -> ResultMessage:
    """The end of a run: two calls of the model for $0.03, and one of the smaller model for $0.004.

    As the SDK does it, cost and usage are those of the session so far.
    """
    usage = {MODEL: _model_usage(2, 0.03, script.runs_before + 1)}
    if script.delegates and subtype == "success" and not is_error:
        usage[SMALL_MODEL] = _model_usage(1, 0.004, 1)
    return ResultMessage(
        subtype=subtype,
        duration_ms=50,
        duration_api_ms=30,
        is_error=is_error,
        num_turns=2,
        session_id=script.session,
        total_cost_usd=sum(entry["costUSD"] for entry in usage.values()),
        usage={"input_tokens": 200, "output_tokens": 100},
        model_usage=usage,
        permission_denials=_denials(script),
        **fields,
    )


def _model_usage(calls: int, usd: float, runs: int) -> dict:
    return {
        "inputTokens": 100 * calls * runs,
        "outputTokens": 50 * calls * runs,
        "cacheReadInputTokens": 2000 * calls * runs,
        "cacheCreationInputTokens": 300 * calls * runs,
        "webSearchRequests": 0,
        "costUSD": usd * runs,
        "contextWindow": 200_000,
        "maxOutputTokens": 64_000,
    }
