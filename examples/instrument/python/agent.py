"""A support agent that answers from a queue, with its telemetry. The model behind it is simulated.

OTEL_SDK_DISABLED=true python agent.py --listen 127.0.0.1:23000 --runs 20 --fail 3 --cancel 1 --hold
curl 127.0.0.1:23000/metrics
"""

import argparse
import asyncio
import signal

from prometheus_client import start_http_server

import simulated_claude as claude
from agent_telemetry import AgentTelemetry
from simulated_claude import Script, query

# A simulated run ends within a tenth of a second, or never; an agent of yours needs minutes.
TIMEOUT = 3.0
# The request that caused the first run: its trace goes on in ours.
CALLER = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a simulated support agent with its telemetry.")
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="where metrics are served")
    parser.add_argument("--agent", default="support-agent", help="name of the agent")
    number = {"type": int, "default": 0, "metavar": "N"}
    parser.add_argument("--runs", **number, help="how many runs end")
    parser.add_argument("--fail", **number, help="how many of them fail, each kind in turn")
    parser.add_argument("--cancel", **number, help="how many of them a user cancels")
    parser.add_argument("--tool-fail", **number, help="how many of them have a failing tool call")
    parser.add_argument("--tool-deny", **number, help="how many of them have a denied tool call")
    parser.add_argument("--evaluation-fail", **number, help="how many of them an evaluator finds bad")
    parser.add_argument("--continued", **number, help="how many of them, the last, go on in one session")
    parser.add_argument("--block", **number, help="how many requests more a guardrail blocks")
    parser.add_argument("--in-flight", **number, help="how many runs more do not end")
    parser.add_argument("--hold", action="store_true", help="serve metrics until SIGTERM")
    return parser.parse_args()


def scripts(given: argparse.Namespace) -> list[Script]:
    """Failures first, then cancellations, failing tools, denied tools, and runs without fault."""
    result = []
    for number in range(1, given.runs + 1):
        index = number - 1
        if index < given.fail:
            failure = claude.FAILURES[index % len(claude.FAILURES)]
            result.append(Script(number, failure=failure))
            continue
        index -= given.fail
        if index < given.cancel:
            cancellation = claude.CANCELLATIONS[index % len(claude.CANCELLATIONS)]
            result.append(Script(number, cancellation=cancellation))
            continue
        index -= given.cancel
        is_failing = index < given.tool_fail
        is_denied = not is_failing and index < given.tool_fail + given.tool_deny
        began = given.runs - given.continued
        is_of_session = given.continued > 0 and number >= began
        result.append(
            Script(
                number,
                tool_fails=is_failing,
                tool_is_denied=is_denied,
                began=began if is_of_session else None,
                runs_before=number - began if is_of_session else 0,
            )
        )
    return result


class Agent:
    """Answers one request after the other."""

    def __init__(self, telemetry: AgentTelemetry) -> None:
        self.telemetry = telemetry

    async def answer(self, script: Script, is_good: bool) -> None:
        """One run, and what an evaluator says of its answer."""
        carrier = CALLER if script.number == 1 else None
        continues = script.session if script.runs_before else None
        with self.telemetry.run(continues=continues, user_id="user-1", carrier=carrier) as run:
            async with asyncio.timeout(None if script.hangs else TIMEOUT):
                async for message in query(prompt=claude.PROMPT, script=script):
                    run.observe(message)
            # The agent's own line: it has the ids of the trace because a run is current.
            self.telemetry.log.info("answer_sent", characters=len(claude.ANSWER))
        if not script.failure and not script.cancellation:
            run.evaluated("helpfulness", "pass" if is_good else "fail", 0.9 if is_good else 0.4)

    async def serve(self, script: Script, is_good: bool) -> None:
        """Takes one request from the queue; that it fails is told by the telemetry already."""
        await asyncio.gather(asyncio.create_task(self.answer(script, is_good)), return_exceptions=True)


async def main() -> None:
    given = arguments()
    telemetry = AgentTelemetry(
        agent_name=given.agent,
        version="1.0.0",
        model=claude.MODEL,
        other_models=(claude.SMALL_MODEL,),
        tools=(claude.SEARCH, claude.LOOKUP, claude.SUBAGENT),
        evaluators={"helpfulness": ("pass", "fail")},
        guardrails=("prompt-injection",),
    )
    host, port = given.listen.rsplit(":", 1)
    start_http_server(int(port), host, telemetry.metrics.registry)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await simulate(given, telemetry)
    agent = Agent(telemetry)
    in_flight = [Script(given.runs + number, hangs=True) for number in range(1, given.in_flight + 1)]
    open_runs = [asyncio.create_task(agent.answer(script, True)) for script in in_flight]
    if given.hold:
        await stop.wait()
    for task in open_runs:
        task.cancel()
    await asyncio.gather(*open_runs, return_exceptions=True)
    telemetry.opentelemetry.shut_down()


async def simulate(given: argparse.Namespace, telemetry: AgentTelemetry) -> None:
    """Works through the requests, one at a time."""
    agent = Agent(telemetry)
    telemetry.session_pool(1)
    waiting = scripts(given)
    evaluated = [script for script in waiting if not script.failure and not script.cancellation]
    bad = {script.number for script in evaluated[: given.evaluation_fail]}
    for number in range(given.block + given.runs):
        telemetry.guardrail("prompt-injection", passed=number >= given.block)
    while waiting:
        script = waiting.pop(0)
        telemetry.queue(len(waiting))
        await agent.serve(script, is_good=script.number not in bad)
    telemetry.log.info("simulation_ended", runs=given.runs)


if __name__ == "__main__":
    asyncio.run(main())
