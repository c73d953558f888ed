/** Metrics, logs and traces of an agent that runs on the Claude Agent SDK. */

import type { Logger } from 'pino'

import { createLogger } from './logs.js'
import { AgentMetrics, type Declaration } from './metrics.js'
import { startOpenTelemetry } from './opentelemetry-setup.js'
import { Run, type RunOptions } from './run.js'
import { SessionTotals } from './spend.js'

export { Run, type Declaration, type RunOptions }

/** The telemetry of one agent. Make one when the process starts, and name everything it can count. */
export class AgentTelemetry {
  readonly agentName: string
  readonly version: string
  readonly model: string
  readonly log: Logger
  readonly metrics: AgentMetrics
  readonly sessions = new SessionTotals()
  private readonly openTelemetry = startOpenTelemetry()

  constructor(declaration: Declaration) {
    this.agentName = declaration.agentName
    this.version = declaration.version
    this.model = declaration.model
    this.log = createLogger({ agent_name: declaration.agentName })
    this.metrics = new AgentMetrics(declaration)
  }

  /** Observes one run: `work` hands it the messages. */
  async run<T>(options: RunOptions, work: (run: Run) => Promise<T>): Promise<T> {
    return new Run(this, options).while(work)
  }

  /** Counts one check. */
  guardrail(check: string, passed: boolean): void {
    this.metrics.guardrailChecks.inc({ check, result: passed ? 'passed' : 'blocked' })
    if (!passed) this.log.warn({ check }, 'guardrail_blocked')
  }

  /** Says how many runs wait to start. */
  queue(depth: number): void {
    this.metrics.queueDepth.set(depth)
  }

  /** Says how many sessions are open. */
  sessionPool(size: number): void {
    this.metrics.sessionPoolSize.set(size)
  }

  /** Sends what is still batched. */
  async shutDown(): Promise<void> {
    await this.openTelemetry.shutdown()
  }
}
