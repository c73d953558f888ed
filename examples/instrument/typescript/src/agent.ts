/**
 * A support agent that answers from a queue, with its telemetry. The model behind it is simulated.
 *
 *     OTEL_SDK_DISABLED=true node dist/agent.js --listen 127.0.0.1:23000 --runs 20 --fail 3 --cancel 1 --hold
 *     curl 127.0.0.1:23000/metrics
 */

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { parseArgs } from 'node:util'

import { AgentTelemetry, type Run } from './agent-telemetry/index.js'
import * as claude from './simulated-claude.js'
import { query, sessionOf, type Script } from './simulated-claude.js'

// A simulated run ends within a tenth of a second, or never; an agent of yours needs minutes.
const TIMEOUT = 3000
// The request that caused the first run: its trace goes on in ours.
const CALLER = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

const USAGE = `Run a simulated support agent with its telemetry.

  --listen HOST:PORT    where metrics are served
  --agent NAME          name of the agent (support-agent)
  --runs N              how many runs end
  --fail N              how many of them fail, each kind in turn
  --cancel N            how many of them a user cancels
  --tool-fail N         how many of them have a failing tool call
  --tool-deny N         how many of them have a denied tool call
  --evaluation-fail N   how many of them an evaluator finds bad
  --continued N         how many of them, the last, go on in one session
  --block N             how many requests more a guardrail blocks
  --in-flight N         how many runs more do not end
  --hold                serve metrics until SIGTERM`

type Counts = Record<
  'runs' | 'fail' | 'cancel' | 'toolFail' | 'toolDeny' | 'evaluationFail' | 'continued' | 'block' | 'inFlight',
  number
>

function given(): { host: string; port: number; agentName: string; holds: boolean; counts: Counts } {
  const text = { type: 'string' } as const
  const number = { type: 'string', default: '0' } as const
  const { values } = parseArgs({
    options: {
      listen: text, agent: { ...text, default: 'support-agent' }, runs: number, fail: number, cancel: number,
      'tool-fail': number, 'tool-deny': number, 'evaluation-fail': number, continued: number, block: number,
      'in-flight': number, hold: { type: 'boolean', default: false },
    },
  })
  const [, host, port] = /^(.+):(\d+)$/.exec(values.listen ?? '') ?? []
  if (!host || !port) {
    console.error(USAGE)
    process.exit(2)
  }
  const counts = {
    runs: Number(values.runs), fail: Number(values.fail), cancel: Number(values.cancel),
    toolFail: Number(values['tool-fail']), toolDeny: Number(values['tool-deny']),
    evaluationFail: Number(values['evaluation-fail']), continued: Number(values.continued),
    block: Number(values.block), inFlight: Number(values['in-flight']),
  }
  return { host, port: Number(port), agentName: values.agent, holds: values.hold, counts }
}

/** Failures first, then cancellations, failing tools, denied tools, and runs without fault. */
function scripts(counts: Counts): Script[] {
  return Array.from({ length: counts.runs }, (_, given): Script => {
    const number = given + 1
    let index = given
    if (index < counts.fail) return { number, failure: claude.FAILURES[index % claude.FAILURES.length] }
    index -= counts.fail
    if (index < counts.cancel) {
      return { number, cancellation: claude.CANCELLATIONS[index % claude.CANCELLATIONS.length] }
    }
    index -= counts.cancel
    const toolFails = index < counts.toolFail
    const toolIsDenied = !toolFails && index < counts.toolFail + counts.toolDeny
    const began = counts.runs - counts.continued
    const isOfSession = counts.continued > 0 && number >= began
    return { number, toolFails, toolIsDenied, ...(isOfSession ? { began, runsBefore: number - began } : {}) }
  })
}

/** Answers one request after the other. */
class Agent {
  constructor(private readonly telemetry: AgentTelemetry) {}

  /** One run, and what an evaluator says of its answer. */
  async answer(script: Script, isGood: boolean, abortController: AbortController): Promise<void> {
    const options = {
      userId: 'user-1',
      signal: abortController.signal,
      ...(script.number === 1 ? { carrier: CALLER } : {}),
      ...(script.runsBefore ? { continues: sessionOf(script) } : {}),
    }
    const run = await this.telemetry.run(options, async (run: Run) => {
      for await (const message of query({ prompt: claude.PROMPT, script, abortController })) run.observe(message)
      // The agent's own line: it has the ids of the trace because a run is current.
      this.telemetry.log.info({ characters: claude.ANSWER.length }, 'answer_sent')
      return run
    })
    if (!script.failure && !script.cancellation) {
      run.evaluated('helpfulness', isGood ? 'pass' : 'fail', isGood ? 0.9 : 0.4)
    }
  }

  /** Takes one request from the queue; that it fails is told by the telemetry already. */
  async serve(script: Script, isGood: boolean): Promise<void> {
    const abortController = new AbortController()
    const late = new DOMException('time is up', 'TimeoutError')
    const timer = setTimeout(() => abortController.abort(late), TIMEOUT)
    await this.answer(script, isGood, abortController).catch(() => undefined)
    clearTimeout(timer)
  }
}

async function main(): Promise<void> {
  const { host, port, agentName, holds, counts } = given()
  const telemetry = new AgentTelemetry({
    agentName,
    version: '1.0.0',
    model: claude.MODEL,
    otherModels: [claude.SMALL_MODEL],
    tools: [claude.SEARCH, claude.LOOKUP, claude.SUBAGENT],
    evaluators: { helpfulness: ['pass', 'fail'] },
    guardrails: ['prompt-injection'],
  })
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  const server = await serveMetrics(telemetry, host, port)
  await simulate(telemetry, counts)
  const agent = new Agent(telemetry)
  const end = new AbortController()
  const openRuns = Array.from({ length: counts.inFlight }, (_, index) =>
    agent.answer({ number: counts.runs + index + 1, hangs: true }, true, end))
  if (holds) await stopped
  end.abort()
  await Promise.allSettled(openRuns)
  server.close()
  server.closeAllConnections()
  await telemetry.shutDown()
}

async function serveMetrics(telemetry: AgentTelemetry, host: string, port: number): Promise<Server> {
  const { registry } = telemetry.metrics
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end()
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

/** Works through the requests, one at a time. */
async function simulate(telemetry: AgentTelemetry, counts: Counts): Promise<void> {
  const agent = new Agent(telemetry)
  telemetry.sessionPool(1)
  const waiting = scripts(counts)
  const evaluated = waiting.filter((script) => !script.failure && !script.cancellation)
  const bad = new Set(evaluated.slice(0, counts.evaluationFail).map((script) => script.number))
  for (let number = 0; number < counts.block + counts.runs; number += 1) {
    telemetry.guardrail('prompt-injection', number >= counts.block)
  }
  for (let script = waiting.shift(); script; script = waiting.shift()) {
    telemetry.queue(waiting.length)
    await agent.serve(script, !bad.has(script.number))
  }
  telemetry.log.info({ runs: counts.runs }, 'simulation_ended')
}

await main()
// A timer of an agent's own library may hold the process open; everything is flushed by now.
process.exit(0)
