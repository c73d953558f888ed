/**
 * What one run cost, from figures that run on through a session.
 *
 * `total_cost_usd` and `modelUsage` of a result cover the session so far: every earlier turn of a query
 * with streaming input, and of a session that is resumed or forked. A run's own share is the difference to
 * the last result of the session.
 */

import type { SDKResultMessage } from '@anthropic-ai/claude-agent-sdk'

import { TOKEN_TYPES, type Tokens } from './metrics.js'

// One entry is a few hundred bytes; a session forgotten after so many others is one that nobody resumes.
const REMEMBERED_SESSIONS = 10_000

/** Dollars and tokens by model; `totalUsd` also has what no model is named for. */
export interface Spend {
  totalUsd: number
  usd: Map<string, number>
  tokens: Map<string, Tokens>
}

/** What the API reports with each model call. The four types do not overlap. */
export interface Usage {
  input_tokens?: number | null
  output_tokens?: number | null
  cache_read_input_tokens?: number | null
  cache_creation_input_tokens?: number | null
}

export function noTokens(): Tokens {
  return { input: 0, output: 0, cache_read: 0, cache_write: 0 }
}

export function noSpend(): Spend {
  return { totalUsd: 0, usd: new Map(), tokens: new Map() }
}

export function tokensOf(usage: Usage | null | undefined): Tokens {
  return {
    input: usage?.input_tokens ?? 0,
    output: usage?.output_tokens ?? 0,
    cache_read: usage?.cache_read_input_tokens ?? 0,
    cache_write: usage?.cache_creation_input_tokens ?? 0,
  }
}

/** Joins two token counts type by type. */
export function join(left: Tokens, right: Tokens, by: (left: number, right: number) => number): Tokens {
  const joined = noTokens()
  for (const type of TOKEN_TYPES) joined[type] = by(left[type], right[type])
  return joined
}

export function allTokens(spend: Spend): Tokens {
  return [...spend.tokens.values()].reduce((left, right) => join(left, right, (a, b) => a + b), noTokens())
}

/** The last totals of each session. */
export class SessionTotals {
  private readonly totals = new Map<string, Spend>()

  /**
   * The run's own spend; undefined where it cannot be told.
   *
   * It cannot when the session was begun by another process: then its first result includes runs that
   * were counted elsewhere.
   */
  share(result: SDKResultMessage, continues: string | undefined): Spend | undefined {
    const total = totalOf(result)
    const before = this.totals.get(result.session_id) ?? this.totals.get(continues ?? '')
    this.remember(result.session_id, total)
    if (before === undefined) return continues === undefined ? total : undefined
    // A reset conversation starts again from zero.
    return total.totalUsd < before.totalUsd ? total : difference(total, before)
  }

  private remember(session: string, total: Spend): void {
    // A run that crashed reports zeros, and the session goes on from its old total.
    if (total.totalUsd > 0) {
      this.totals.delete(session)
      this.totals.set(session, total)
    }
    const oldest = this.totals.keys().next()
    if (this.totals.size > REMEMBERED_SESSIONS && !oldest.done) this.totals.delete(oldest.value)
  }
}

function totalOf(result: SDKResultMessage): Spend {
  const total: Spend = { ...noSpend(), totalUsd: result.total_cost_usd }
  for (const [model, usage] of Object.entries(result.modelUsage)) {
    total.usd.set(model, usage.costUSD)
    total.tokens.set(model, {
      input: usage.inputTokens,
      output: usage.outputTokens,
      cache_read: usage.cacheReadInputTokens,
      cache_write: usage.cacheCreationInputTokens,
    })
  }
  return total
}

function difference(total: Spend, before: Spend): Spend {
  const minus = (left: number, right: number): number => Math.max(0, left - right)
  const share: Spend = { ...noSpend(), totalUsd: total.totalUsd - before.totalUsd }
  for (const [model, usd] of total.usd) share.usd.set(model, minus(usd, before.usd.get(model) ?? 0))
  for (const [model, tokens] of total.tokens) {
    share.tokens.set(model, join(tokens, before.tokens.get(model) ?? noTokens(), minus))
  }
  return share
}
