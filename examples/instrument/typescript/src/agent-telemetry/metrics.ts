/**
 * The contract metrics: names, labels, buckets, and every label value from the start.
 *
 * A counter that is born with its first failure hides that failure from `increase`. So every label value
 * that can occur is declared when the agent starts, and is there with 0; a tool or model that nobody
 * declared is counted as `other`, which also keeps the number of series bounded.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const RUN_STATUSES = ['success', 'error', 'cancelled'] as const
const MODEL_CALL_STATUSES = ['success', 'error', 'cancelled'] as const
const TOOL_STATUSES = ['success', 'error', 'denied'] as const
export const TOKEN_TYPES = ['input', 'output', 'cache_read', 'cache_write'] as const
const GUARDRAIL_RESULTS = ['passed', 'blocked'] as const
export const ERROR_TYPES = [
  'error_during_execution',
  'error_max_turns',
  'error_max_budget_usd',
  'error_max_structured_output_retries',
  'api_error',
  'timeout',
  'exception',
  'no_result',
  'other',
] as const
const OTHER = 'other'

export type RunStatus = (typeof RUN_STATUSES)[number]
export type ModelCallStatus = (typeof MODEL_CALL_STATUSES)[number]
export type ToolStatus = (typeof TOOL_STATUSES)[number]
export type ErrorType = (typeof ERROR_TYPES)[number]
export type Tokens = Record<(typeof TOKEN_TYPES)[number], number>

// The threshold of a latency or cost objective must be one of these bounds. The Python example has the
// same lists: buckets of agents that are summed must agree.
const RUN_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200]
const TOOL_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
const FIRST_TOKEN_SECONDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60]
const MODEL_CALL_SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300]
const RUN_USD = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
const RUN_TOKENS = [1024, 4096, 16384, 32768, 65536, 131072, 262144, 524288, 1048576, 4194304, 16777216]
const RUN_TURNS = [1, 2, 4, 8, 16, 32, 64, 128]
const SCORES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

/** What an agent says of itself, and names of everything it can count. */
export interface Declaration {
  agentName: string
  version: string
  /** The model that runs ask for. */
  model: string
  /** Models of subagents and of the SDK's own calls. */
  otherModels?: readonly string[]
  tools?: readonly string[]
  /** The results of each evaluator. */
  evaluators?: Readonly<Record<string, readonly string[]>>
  guardrails?: readonly string[]
}

/** The metrics of one agent, in a registry of their own. */
export class AgentMetrics {
  readonly registry = new Registry()
  readonly runs = this.counter('agent_queries_total', 'Ended runs by outcome', 'model', 'status')
  readonly runSeconds = this.histogram(
    'agent_query_duration_seconds', 'Duration of finished runs', RUN_SECONDS)
  readonly toolCalls = this.counter(
    'agent_tool_calls_total', 'Tool calls by outcome', 'tool_name', 'status')
  readonly toolSeconds = this.histogram(
    'agent_tool_duration_seconds', 'Duration of executed tool calls', TOOL_SECONDS, 'tool_name')
  readonly firstTokenSeconds = this.histogram(
    'agent_time_to_first_token_seconds', 'From the request to the model to its first token',
    FIRST_TOKEN_SECONDS, 'model')
  readonly modelCalls = this.counter(
    'agent_llm_calls_total', 'Model calls by outcome', 'model', 'status')
  readonly modelCallSeconds = this.histogram(
    'agent_llm_call_duration_seconds', 'Duration of model calls', MODEL_CALL_SECONDS, 'model')
  readonly runUsd = this.histogram('agent_query_cost_usd', 'Estimated cost of finished runs', RUN_USD)
  readonly usd = this.counter('agent_cost_usd_total', 'Estimated cost', 'model')
  readonly runTokens = this.histogram('agent_tokens_per_query', 'Tokens of finished runs', RUN_TOKENS)
  readonly tokens = this.counter('agent_tokens_total', 'Tokens by type', 'model', 'type')
  readonly runTurns = this.histogram('agent_query_turns', 'Turns of finished runs', RUN_TURNS)
  readonly evaluations = this.counter(
    'agent_evaluations_total', 'Evaluated runs', 'evaluator', 'result')
  readonly score = this.histogram(
    'agent_evaluation_score', 'Scores of evaluated runs', SCORES, 'evaluator')
  readonly guardrailChecks = this.counter(
    'agent_guardrail_checks_total', 'Checks by guardrails', 'check', 'result')
  readonly errors = this.counter('agent_errors_total', 'Failed runs by cause', 'error_type')
  readonly queueDepth = this.gauge('agent_queue_depth', 'Runs that wait to start')
  readonly sessionPoolSize = this.gauge('agent_session_pool_size', 'Open sessions')
  private readonly active = this.gauge('agent_active_queries', 'Runs in flight')
  private readonly oldestStart = this.gauge(
    'agent_oldest_active_query_start_timestamp_seconds',
    'Start of the run that is in flight longest, 0 when none is')
  private readonly buildInfo = this.gauge('agent_build_info', 'Always 1', 'version', 'model')
  private readonly models: readonly string[]
  private readonly tools: readonly string[]
  private readonly starts = new Map<object, number>()

  constructor(declaration: Declaration) {
    this.registry.setDefaultLabels({ agent_name: declaration.agentName })
    this.models = [declaration.model, ...(declaration.otherModels ?? [])]
    this.tools = [...(declaration.tools ?? []), OTHER]
    this.initialise(declaration)
  }

  private initialise(declaration: Declaration): void {
    for (const model of [...this.models, OTHER]) {
      this.usd.inc({ model }, 0)
      this.firstTokenSeconds.zero({ model })
      this.modelCallSeconds.zero({ model })
      for (const status of MODEL_CALL_STATUSES) this.modelCalls.inc({ model, status }, 0)
      for (const type of TOKEN_TYPES) this.tokens.inc({ model, type }, 0)
    }
    for (const status of RUN_STATUSES) this.runs.inc({ model: declaration.model, status }, 0)
    for (const tool_name of this.tools) {
      this.toolSeconds.zero({ tool_name })
      for (const status of TOOL_STATUSES) this.toolCalls.inc({ tool_name, status }, 0)
    }
    for (const [evaluator, results] of Object.entries(declaration.evaluators ?? {})) {
      this.score.zero({ evaluator })
      for (const result of results) this.evaluations.inc({ evaluator, result }, 0)
    }
    for (const check of declaration.guardrails ?? []) {
      for (const result of GUARDRAIL_RESULTS) this.guardrailChecks.inc({ check, result }, 0)
    }
    for (const error_type of ERROR_TYPES) this.errors.inc({ error_type }, 0)
    this.buildInfo.set({ version: declaration.version, model: declaration.model }, 1)
  }

  /** The declared model of an id, which may end with its date. */
  modelLabel(model: string): string {
    return this.models.find((name) => name === model || name === model.replace(/-\d{8}$/, '')) ?? OTHER
  }

  toolLabel(tool: string): string {
    return this.tools.includes(tool) ? tool : OTHER
  }

  runStarted(run: object): void {
    this.starts.set(run, Date.now() / 1000)
    this.showActive()
  }

  runEnded(run: object): void {
    this.starts.delete(run)
    this.showActive()
  }

  private showActive(): void {
    this.active.set(this.starts.size)
    this.oldestStart.set(this.starts.size === 0 ? 0 : Math.min(...this.starts.values()))
  }

  private counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  private gauge<L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  private histogram<L extends string>(
    name: string, help: string, buckets: number[], ...labelNames: L[]
  ): Histogram<L> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] })
  }
}
