/**
 * A stand-in for the SDK's `query`: messages of its own types, without model or network.
 *
 * What a run does follows from its number alone, so that a test can tell every count beforehand. Prompts,
 * tool inputs and errors carry texts that must not turn up in any telemetry.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import type {
  ModelUsage,
  SDKMessage,
  SDKPartialAssistantMessage,
  SDKPermissionDenial,
  SDKResultError,
  SDKResultSuccess,
} from '@anthropic-ai/claude-agent-sdk'

type UUID = SDKMessage extends { uuid?: infer U } ? NonNullable<U> : ReturnType<typeof randomUUID>
type Block =
  | { type: 'text'; text: string; citations: null }
  | { type: 'tool_use'; id: string; name: string; input: unknown }

export const MODEL = 'claude-sonnet-4-5'
export const SMALL_MODEL = 'claude-haiku-4-5'
export const SEARCH = 'mcp__knowledge_base__search'
export const LOOKUP = 'mcp__orders__lookup'
export const SUBAGENT = 'Agent'

export const PROMPT = 'prompt-text: where is my order? My card is 4111 1111 1111 1111.'
const TOOL_INPUT = { query: 'tool-input-text', api_key: 'sk-ant-tool-input-secret-000000' }
const TOOL_OUTPUT = 'tool-output-text'
export const ANSWER = 'answer-text'
const TEXT: Block = { type: 'text', text: ANSWER, citations: null }
const FAILURE = 'error-text: request with key sk-ant-error-secret-000000 was refused'

/** Failing runs go through these in turn. */
export const FAILURES = [
  'error_during_execution',
  'error_max_turns',
  'api_error',
  'timeout',
  'exception',
  'error_max_budget_usd',
  'error_max_structured_output_retries',
  'no_result',
] as const
/** So do cancelled ones: the caller aborts, or interrupts and still gets a result. */
export const CANCELLATIONS = ['abort', 'interrupt'] as const

const FIRST_TOKEN = 5
const MODEL_TIME = 10
const TOOL_TIME = 10
// What a hanging run waits for; its end comes from elsewhere.
const FOREVER = 3_600_000

/** What goes wrong in a run; nothing by default. */
export interface Script {
  number: number
  failure?: (typeof FAILURES)[number]
  cancellation?: (typeof CANCELLATIONS)[number]
  toolFails?: boolean
  toolIsDenied?: boolean
  hangs?: boolean
  /** The run that began the session, and the runs that it has had before this one. */
  began?: number
  runsBefore?: number
}

export function sessionOf(script: Script): string {
  return `session-${String(script.began ?? script.number).padStart(4, '0')}`
}

/** Every fifth run asks a subagent, which runs on a smaller model; none of a longer session does. */
function delegates(script: Script): boolean {
  return script.number % 5 === 0 && script.began === undefined
}

/** The messages of one run. */
export async function* query(
  { script, abortController }: { prompt: string; script: Script; abortController: AbortController }
): AsyncGenerator<SDKMessage> {
  yield { type: 'system', subtype: 'init', model: MODEL, ...ids(), session_id: sessionOf(script) } as SDKMessage
  const { signal } = abortController
  if (script.hangs) await sleep(FOREVER, undefined, { signal })
  if (script.failure === 'api_error') {
    yield answerMessage('msg-error', '<synthetic>', { type: 'text', text: FAILURE, citations: null }, null, true)
    yield { ...success(script), is_error: true, api_error_status: 529, result: FAILURE }
    throw new Error(`Claude Code returned an error result: ${FAILURE}`)
  }
  yield* firstTurn(script, abortController)
  if (script.failure === 'timeout') yield* answer(`msg-${script.number}-2`, [TEXT], MODEL, null, signal)
  if (script.failure === 'exception') throw new TypeError(FAILURE)
  if (script.failure === 'no_result') return
  if (script.failure && script.failure !== 'timeout') {
    yield failure(script, script.failure)
    throw new Error(`Claude Code returned an error result: ${FAILURE}`)
  }
  if (script.cancellation === 'interrupt') {
    const interrupted: SDKResultError = failure(script, 'error_during_execution')
    interrupted.terminal_reason = 'aborted_tools'
    yield interrupted
    return
  }
  yield* answer(`msg-${script.number}-2`, [TEXT])
  yield success(script)
}

/** Two tool calls side by side, and a third to a subagent in every fifth run. */
async function* firstTurn(script: Script, abortController: AbortController): AsyncGenerator<SDKMessage> {
  const { number } = script
  const call = (index: number, name: string, input: unknown): Block =>
    ({ type: 'tool_use', id: `tool-${number}-${index}`, name, input })
  const calls = [call(1, SEARCH, TOOL_INPUT), call(2, LOOKUP, TOOL_INPUT)]
  if (delegates(script)) calls.push(call(3, SUBAGENT, { prompt: PROMPT }))
  yield* answer(`msg-${number}-1`, calls)
  if (script.cancellation === 'abort') {
    // As if the user closed the window while a tool is at work.
    abortController.abort()
    await sleep(FOREVER, undefined, { signal: abortController.signal })
  }
  if (delegates(script)) yield* subagent(script)
  await sleep(TOOL_TIME)
  const isBad = script.toolFails === true || script.toolIsDenied === true
  if (script.cancellation !== 'interrupt') {
    yield toolResult(`tool-${number}-1`, TOOL_OUTPUT, false)
    yield toolResult(`tool-${number}-2`, isBad ? FAILURE : TOOL_OUTPUT, isBad)
  }
}

async function* subagent(script: Script): AsyncGenerator<SDKMessage> {
  const within = `tool-${script.number}-3`
  yield* answer(`msg-${script.number}-sub`, [TEXT], SMALL_MODEL, within)
  yield toolResult(within, TOOL_OUTPUT, false)
}

/** One model call, as it comes with `includePartialMessages`: events, and a message per block. */
async function* answer(
  id: string, blocks: Block[], model = MODEL, within: string | null = null, hangsUntil?: AbortSignal
): AsyncGenerator<SDKMessage> {
  await sleep(FIRST_TOKEN)
  yield event(within, { type: 'message_start', message: { id, model, usage: usage() } })
  for (const block of blocks) {
    yield event(within, { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ANSWER } })
    await sleep(hangsUntil ? FOREVER : MODEL_TIME, undefined, hangsUntil ? { signal: hangsUntil } : {})
    yield answerMessage(id, model, block, within)
  }
  yield event(within, { type: 'message_delta', usage: { output_tokens: 50 } })
  yield event(within, { type: 'message_stop' })
}

function usage(): Record<string, number> {
  return {
    input_tokens: 100, cache_read_input_tokens: 2000, cache_creation_input_tokens: 300, output_tokens: 1,
  }
}

// The SDK's types name far more fields than a reader of messages needs, so these few are cast.

function event(within: string | null, fields: object): SDKMessage {
  const message = { type: 'stream_event', event: fields, parent_tool_use_id: within, ...ids() }
  return message as unknown as SDKPartialAssistantMessage
}

function answerMessage(
  id: string, model: string, block: Block, within: string | null, isError = false
): SDKMessage {
  const message = { id, type: 'message', role: 'assistant', model, content: [block], usage: usage() }
  if (isError) message.usage = {}
  return {
    type: 'assistant', message, parent_tool_use_id: within, ...ids(),
    ...(isError ? { error: 'server_error' } : {}),
  } as unknown as SDKMessage
}

function toolResult(id: string, content: string, is_error: boolean): SDKMessage {
  return {
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content, is_error }] },
    parent_tool_use_id: null,
    ...ids(),
  }
}

function success(script: Script): SDKResultSuccess {
  return { ...result(script, delegates(script)), subtype: 'success', is_error: false, result: ANSWER }
}

function failure(script: Script, subtype: SDKResultError['subtype']): SDKResultError {
  return { ...result(script, false), subtype, is_error: true, errors: [FAILURE] }
}

/**
 * The end of a run: two calls of the model for $0.03, and one of the smaller model for $0.004. As the SDK
 * does it, cost and usage are those of the session so far.
 */
function result(script: Script, hasSubagent: boolean): Omit<SDKResultSuccess, 'subtype' | 'is_error' | 'result'> {
  const modelUsage: Record<string, ModelUsage> = { [MODEL]: modelUsageOf(2, 0.03, (script.runsBefore ?? 0) + 1) }
  if (hasSubagent) modelUsage[SMALL_MODEL] = modelUsageOf(1, 0.004, 1)
  return {
    type: 'result',
    duration_ms: 50,
    duration_api_ms: 30,
    num_turns: 2,
    stop_reason: null,
    total_cost_usd: Object.values(modelUsage).reduce((sum, entry) => sum + entry.costUSD, 0),
    usage: { input_tokens: 200, output_tokens: 100 } as SDKResultSuccess['usage'],
    modelUsage,
    permission_denials: denials(script),
    ...ids(),
    session_id: sessionOf(script),
  }
}

function denials(script: Script): SDKPermissionDenial[] {
  if (!script.toolIsDenied) return []
  return [{ tool_name: LOOKUP, tool_use_id: `tool-${script.number}-2`, tool_input: TOOL_INPUT }]
}

function modelUsageOf(calls: number, usd: number, runs: number): ModelUsage {
  return {
    inputTokens: 100 * calls * runs,
    outputTokens: 50 * calls * runs,
    cacheReadInputTokens: 2000 * calls * runs,
    cacheCreationInputTokens: 300 * calls * runs,
    webSearchRequests: 0,
    costUSD: usd * runs,
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
  }
}

function ids(): { uuid: UUID; session_id: string } {
  return { uuid: randomUUID(), session_id: 'session' }
}
