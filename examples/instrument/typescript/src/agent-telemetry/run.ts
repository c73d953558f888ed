/**
 * One run of the agent, observed from the messages of the Claude Agent SDK.
 *
 *     await telemetry.run({ signal: abortController.signal }, async (run) => {
 *       for await (const message of query({ prompt, options: { abortController } })) run.observe(message)
 *     })
 *
 * A run whose signal is aborted was cancelled by a user, and does not count; one that is aborted for a
 * `TimeoutError`, as `AbortSignal.timeout` does it, took too long, and is an error.
 */

import { randomUUID } from 'node:crypto'

import type {
  SDKAssistantMessage,
  SDKMessage,
  SDKPartialAssistantMessage,
  SDKResultMessage,
  SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk'
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api'
import type { Logger } from 'pino'

import type { AgentTelemetry } from './index.js'
import { traceFields, type Level } from './logs.js'
import {
  ERROR_TYPES,
  type ErrorType,
  type ModelCallStatus,
  type RunStatus,
  type Tokens,
  type ToolStatus,
} from './metrics.js'
import { allTokens, join, noSpend, noTokens, tokensOf, type Spend, type Usage } from './spend.js'

export interface RunOptions {
  /** The session that is resumed, forked or still connected, if any. */
  continues?: string
  /** Goes into logs only. */
  userId?: string
  /** Headers of the request that caused the run; the trace goes on there. */
  carrier?: Record<string, string>
  /** Aborted when the user cancels, or when time is up. */
  signal?: AbortSignal
}

/** A request to the model and its answer, which comes in several messages under one id. */
interface ModelCall {
  span: Span
  id: string
  model: string
  started: number
  last: number
  firstToken?: number
  error?: string
  status?: ModelCallStatus
  isStreamed: boolean
  tokens: Tokens
}

interface ToolCall {
  span: Span
  id: string
  name: string
  started: number
  ended?: number
  outputBytes: number
  status?: ToolStatus | 'cancelled'
}

/** The conversation of the agent, or of a subagent within the tool call that started it. */
interface Loop {
  parent: Span
  requested: number
  call?: ModelCall
  closedId?: string
}

/** How a run ended. */
interface Ending {
  status: RunStatus
  errorType?: ErrorType
  exception?: string
  ended: number
}

/** What happens between a prompt and its result. Made by `AgentTelemetry.run`. */
export class Run {
  // Durations come from the monotonic clock, so that no step of the wall clock bends them.
  private readonly offset = Date.now() - performance.now()
  private readonly started = this.now()
  private readonly tracer = trace.getTracer('agent-telemetry')
  private readonly span: Span
  private readonly loops = new Map<string | null, Loop>()
  private readonly tools = new Map<string, ToolCall>()
  private readonly denied = new Set<string>()
  private readonly calls: ModelCall[] = []
  private readonly queryId = randomUUID()
  private log: Logger
  private result?: SDKResultMessage

  constructor(private readonly telemetry: AgentTelemetry, private readonly options: RunOptions) {
    this.log = this.logOf(options.continues)
    const caller = options.carrier ? propagation.extract(ROOT_CONTEXT, options.carrier) : context.active()
    this.span = this.startSpan('invoke_agent', telemetry.agentName, SpanKind.INTERNAL, caller, this.started)
    this.span.setAttribute('gen_ai.request.model', telemetry.model)
    this.loops.set(null, { parent: this.span, requested: this.started })
    telemetry.metrics.runStarted(this)
    this.event('query_started', this.span, { model: telemetry.model })
  }

  /** Calls `work` with this run as the current span, and ends the run with it. */
  async while<T>(work: (run: Run) => Promise<T>): Promise<T> {
    // The SDK hands the current span to the program that it starts, whose spans then are children.
    const current = trace.setSpan(context.active(), this.span)
    try {
      const value = await context.with(current, () => work(this))
      this.end(undefined)
      return value
    } catch (error) {
      this.end(error ?? new Error('nothing'))
      throw error
    }
  }

  /** Takes every message of `query()`, in order. */
  observe(message: SDKMessage): void {
    switch (message.type) {
      case 'stream_event':
        return this.streamEvent(message)
      case 'assistant':
        return this.assistant(message)
      case 'user':
        return this.user(message)
      case 'result':
        this.result = message
        this.log = this.logOf(message.session_id)
        this.span.setAttribute('gen_ai.conversation.id', message.session_id)
        for (const denial of message.permission_denials) this.denied.add(denial.tool_use_id)
        return
      case 'system':
        if (message.subtype === 'init') this.log = this.logOf(message.session_id)
    }
  }

  /** Counts the verdict of an evaluator, also long after the run has ended. */
  evaluated(evaluator: string, result: string, score?: number): void {
    this.telemetry.metrics.evaluations.inc({ evaluator, result })
    if (score !== undefined) this.telemetry.metrics.score.observe({ evaluator }, score)
    this.event('gen_ai.evaluation.result', this.span, {
      'gen_ai.evaluation.name': evaluator,
      'gen_ai.evaluation.score.label': result,
      'gen_ai.evaluation.score.value': score,
    })
  }

  private end(error: unknown): void {
    const ending = this.ending(error)
    for (const loop of this.loops.values()) this.cutCall(loop, ending)
    this.settleTools(ending)
    this.telemetry.metrics.runEnded(this)
    const share = this.result && this.telemetry.sessions.share(this.result, this.options.continues)
    const spend = this.countSpend(share)
    const usd = share?.totalUsd
    this.count(ending, spend, usd)
    this.finishSpan(ending, spend, usd)
    this.report(ending, spend, usd)
  }

  // The outcome

  /** A result that has come decides, whatever is thrown after it. */
  private ending(error: unknown): Ending {
    const ended = this.now()
    // The class of an error, not its text, which may quote a prompt.
    const exception = error instanceof Error ? error.name : undefined
    const result = this.result
    if (result) {
      if (result.terminal_reason?.startsWith('aborted')) return { status: 'cancelled', ended }
      if (result.subtype === 'success' && !result.is_error) return { status: 'success', ended }
      const errorType = result.subtype === 'success' ? 'api_error' : known(result.subtype)
      return { status: 'error', errorType, exception, ended }
    }
    const { signal } = this.options
    const cause: unknown = signal?.aborted ? signal.reason : error
    if (cause instanceof Error && cause.name === 'TimeoutError') {
      return { status: 'error', errorType: 'timeout', exception, ended }
    }
    if (signal?.aborted) return { status: 'cancelled', ended }
    return { status: 'error', errorType: error === undefined ? 'no_result' : 'exception', exception, ended }
  }

  // Messages

  private streamEvent(message: SDKPartialAssistantMessage): void {
    const loop = this.loop(message.parent_tool_use_id)
    const event = message.event
    if (event.type === 'message_start') {
      this.openCall(loop, event.message.id, event.message.model)
      this.saw(loop, event.message.usage)
      if (loop.call) loop.call.isStreamed = true
    }
    if (!loop.call) return
    this.saw(loop, event.type === 'message_delta' ? event.usage : undefined)
    if (event.type === 'content_block_start' || event.type === 'content_block_delta') {
      loop.call.firstToken ??= this.now()
    }
    if (event.type === 'message_stop') {
      loop.call.isStreamed = false
      this.closeCall(loop)
    }
  }

  private assistant(message: SDKAssistantMessage): void {
    const loop = this.loop(message.parent_tool_use_id)
    const answer = message.message
    if (answer.id !== loop.closedId) {
      if (loop.call?.id !== answer.id) this.openCall(loop, answer.id, answer.model)
      this.saw(loop, answer.usage)
      if (loop.call && message.error) loop.call.error = message.error
    }
    for (const block of answer.content) {
      if (block.type === 'tool_use') this.toolCalled(loop, block.id, block.name, block.input)
    }
  }

  private user(message: SDKUserMessage): void {
    const loop = this.loop(message.parent_tool_use_id)
    this.closeCall(loop)
    const content = message.message.content
    for (const block of typeof content === 'string' ? [] : content) {
      const tool = block.type === 'tool_result' ? this.tools.get(block.tool_use_id) : undefined
      if (!tool || block.type !== 'tool_result') continue
      tool.ended ??= this.now()
      tool.outputBytes = size(block.content)
      // A denied call looks like a failed one. Only the result of the run tells which were denied.
      if (!block.is_error) this.settle(tool, 'success')
    }
    loop.requested = this.now()
  }

  private loop(parentToolUseId: string | null): Loop {
    let loop = this.loops.get(parentToolUseId)
    if (!loop) {
      const tool = this.tools.get(parentToolUseId ?? '')
      loop = { parent: tool?.span ?? this.span, requested: tool?.started ?? this.now() }
      this.loops.set(parentToolUseId, loop)
    }
    return loop
  }

  // Model calls

  private openCall(loop: Loop, id: string, named: string): void {
    this.closeCall(loop)
    // Answers that the SDK makes up, to tell of an error, have no model.
    const model = named.startsWith('<') ? this.telemetry.model : named
    const started = loop.requested
    const span = this.startSpan('chat', model, SpanKind.CLIENT, under(loop.parent), started)
    span.setAttribute('gen_ai.request.model', model)
    loop.call = { span, id, model, started, last: this.now(), isStreamed: false, tokens: noTokens() }
    this.calls.push(loop.call)
  }

  /** Notes a message of the open call. Each repeats the usage so far, so the largest counts, not the sum. */
  private saw(loop: Loop, usage: Usage | undefined): void {
    if (!loop.call) return
    loop.call.last = this.now()
    loop.call.tokens = join(loop.call.tokens, tokensOf(usage), Math.max)
  }

  /** Ends the call that is open when the run ends; only a stream shows that it was not complete. */
  private cutCall(loop: Loop, ending: Ending): void {
    if (loop.call?.isStreamed) {
      loop.call.status = ending.status === 'cancelled' ? 'cancelled' : 'error'
      if (ending.errorType) loop.call.error ??= ending.errorType
    }
    this.closeCall(loop)
  }

  /** Ends the open call at its last message: what came after is not the model's time. */
  private closeCall(loop: Loop): void {
    const call = loop.call
    if (!call) return
    delete loop.call
    loop.closedId = call.id
    const duration = seconds(call.started, call.last)
    const first = call.firstToken === undefined ? undefined : seconds(call.started, call.firstToken)
    const label = { model: this.telemetry.metrics.modelLabel(call.model) }
    const status = call.status ?? (call.error ? 'error' : 'success')
    this.telemetry.metrics.modelCalls.inc({ ...label, status })
    this.telemetry.metrics.modelCallSeconds.observe(label, duration)
    if (first !== undefined) this.telemetry.metrics.firstTokenSeconds.observe(label, first)
    this.describeCall(call, first)
    this.event('llm_response', call.span, {
      model: call.model,
      status,
      duration_seconds: duration,
      time_to_first_token_seconds: first,
      error_type: call.error,
      ...tokenFields(call.tokens),
    })
    call.span.end(call.last)
  }

  private describeCall(call: ModelCall, first: number | undefined): void {
    call.span.setAttributes({ 'gen_ai.response.model': call.model, 'gen_ai.response.id': call.id })
    call.span.setAttributes(usageAttributes(call.tokens))
    if (first !== undefined) call.span.setAttribute('gen_ai.response.time_to_first_chunk', first)
    if (call.error) fail(call.span, call.error)
  }

  // Tool calls

  private toolCalled(loop: Loop, id: string, name: string, input: unknown): void {
    if (this.tools.has(id)) return
    const started = this.now()
    const span = this.startSpan('execute_tool', name, SpanKind.INTERNAL, under(loop.parent), started)
    span.setAttributes({
      'gen_ai.tool.name': name, 'gen_ai.tool.call.id': id, 'gen_ai.tool.type': 'function',
    })
    this.tools.set(id, { span, id, name, started, outputBytes: 0 })
    this.event('tool_called', span, { tool: name, tool_use_id: id, input_bytes: size(input) })
  }

  /** Ends the calls that failed, were denied, or are still open when the run ends. */
  private settleTools(ending: Ending): void {
    for (const tool of this.tools.values()) {
      if (tool.status !== undefined) continue
      if (tool.ended === undefined && ending.status === 'cancelled') {
        // Cut off by the user: it has no outcome, and is not counted.
        tool.status = 'cancelled'
        tool.span.setAttribute('agent.tool.status', 'cancelled')
        tool.span.end(ending.ended)
      } else {
        tool.ended ??= ending.ended
        this.settle(tool, this.denied.has(tool.id) ? 'denied' : 'error')
      }
    }
    const statuses = [...this.tools.values()].map((tool) => tool.status)
    const count = (status: string): number => statuses.filter((found) => found === status).length
    this.event('tools_summary', this.span, {
      total_tool_calls: statuses.length,
      success: count('success'),
      error: count('error'),
      denied: count('denied'),
      unfinished: count('cancelled'),
    })
  }

  private settle(tool: ToolCall, status: ToolStatus): void {
    if (tool.status !== undefined) return
    tool.status = status
    const duration = seconds(tool.started, tool.ended ?? this.now())
    const tool_name = this.telemetry.metrics.toolLabel(tool.name)
    this.telemetry.metrics.toolCalls.inc({ tool_name, status })
    if (status !== 'denied') this.telemetry.metrics.toolSeconds.observe({ tool_name }, duration)
    tool.span.setAttribute('agent.tool.status', status)
    if (status === 'error') fail(tool.span, 'tool_error')
    const fields = {
      tool: tool.name, tool_use_id: tool.id, status,
      duration_seconds: duration, output_bytes: tool.outputBytes,
    }
    this.event('tool_completed', tool.span, fields, status === 'error' ? 'warn' : 'info')
    tool.span.end(tool.ended)
  }

  // The end

  /** Counts dollars and tokens. */
  private countSpend(share: Spend | undefined): Spend {
    const spend = share ?? noSpend()
    if (spend.tokens.size === 0) {
      // No result, or one without figures: add up the calls, each id once.
      for (const call of this.calls) {
        const before = spend.tokens.get(call.model) ?? noTokens()
        spend.tokens.set(call.model, join(before, call.tokens, (left, right) => left + right))
      }
    }
    const metrics = this.telemetry.metrics
    const named = [...spend.usd.values()].reduce((sum, usd) => sum + usd, 0)
    metrics.usd.inc({ model: this.telemetry.model }, Math.max(0, spend.totalUsd - named))
    for (const [model, usd] of spend.usd) metrics.usd.inc({ model: metrics.modelLabel(model) }, usd)
    for (const [model, tokens] of spend.tokens) {
      for (const [type, count] of Object.entries(tokens)) {
        metrics.tokens.inc({ model: metrics.modelLabel(model), type }, count)
      }
    }
    return spend
  }

  private count(ending: Ending, spend: Spend, usd: number | undefined): void {
    const metrics = this.telemetry.metrics
    metrics.runs.inc({ model: this.telemetry.model, status: ending.status })
    if (ending.errorType) metrics.errors.inc({ error_type: ending.errorType })
    // Not a finished run: its duration says when the user gave up.
    if (ending.status === 'cancelled') return
    metrics.runSeconds.observe(seconds(this.started, ending.ended))
    metrics.runTokens.observe(Object.values(allTokens(spend)).reduce((sum, count) => sum + count, 0))
    if (usd !== undefined) metrics.runUsd.observe(usd)
    if (this.result) metrics.runTurns.observe(this.result.num_turns)
  }

  private finishSpan(ending: Ending, spend: Spend, usd: number | undefined): void {
    this.span.setAttributes({ 'agent.status': ending.status, ...usageAttributes(allTokens(spend)) })
    if (usd !== undefined) this.span.setAttribute('agent.cost_usd', usd)
    if (this.result) this.span.setAttribute('agent.turns', this.result.num_turns)
    if (ending.errorType) fail(this.span, ending.errorType)
    this.span.end(ending.ended)
  }

  private report(ending: Ending, spend: Spend, usd: number | undefined): void {
    const names = { success: 'query_completed', error: 'query_failed', cancelled: 'query_cancelled' }
    const fields = {
      status: ending.status,
      error_type: ending.errorType,
      exception_type: ending.exception,
      duration_seconds: seconds(this.started, ending.ended),
      turns: this.result?.num_turns,
      cost_usd: usd,
      ...tokenFields(allTokens(spend)),
    }
    this.event(names[ending.status], this.span, fields, ending.status === 'error' ? 'error' : 'info')
  }

  // What all of them use

  private logOf(sessionId: string | undefined): Logger {
    const fields = { query_id: this.queryId, session_id: sessionId, user_id: this.options.userId }
    return this.telemetry.log.child(fields)
  }

  private now(): number {
    return this.offset + performance.now()
  }

  private startSpan(operation: string, of: string, kind: SpanKind, within: Context, startTime: number): Span {
    const attributes = {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.agent.name': this.telemetry.agentName,
      'gen_ai.agent.version': this.telemetry.version,
    }
    return this.tracer.startSpan(`${operation} ${of}`, { kind, startTime, attributes }, within)
  }

  private event(name: string, span: Span, fields: object, level: Level = 'info'): void {
    this.log[level]({ ...traceFields(span), ...fields }, name)
  }
}

function known(subtype: string): ErrorType {
  return ERROR_TYPES.find((errorType) => errorType === subtype) ?? 'other'
}

function under(parent: Span): Context {
  return trace.setSpan(context.active(), parent)
}

function seconds(started: number, ended: number): number {
  return Math.max(0, ended - started) / 1000
}

function size(content: unknown): number {
  return Buffer.byteLength(typeof content === 'string' ? content : JSON.stringify(content ?? null))
}

function fail(span: Span, errorType: string): void {
  // No description and no exception event: both would carry text that may quote a prompt.
  span.setAttribute('error.type', errorType)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function tokenFields(tokens: Tokens): Record<string, number> {
  return Object.fromEntries(Object.entries(tokens).map(([type, count]) => [`${type}_tokens`, count]))
}

/** The conventions count cached tokens among the input tokens; the API of the model does not. */
function usageAttributes(tokens: Tokens): Attributes {
  return {
    'gen_ai.usage.input_tokens': tokens.input + tokens.cache_read + tokens.cache_write,
    'gen_ai.usage.output_tokens': tokens.output,
    'gen_ai.usage.cache_read.input_tokens': tokens.cache_read,
    'gen_ai.usage.cache_creation.input_tokens': tokens.cache_write,
  }
}
