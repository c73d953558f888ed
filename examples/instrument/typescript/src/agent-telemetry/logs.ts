/**
 * Logs: one JSON object a line on stdout, and the same record by OTLP, both with the ids of the trace.
 *
 * A container logs to stdout; rotation and shipping belong to the node. Records carry sizes, durations and
 * names, never the text of prompts, answers, tool inputs, tool outputs or errors: what is not logged needs
 * no redaction.
 */

import { context, isSpanContextValid, trace, TraceFlags, type Context, type Span } from '@opentelemetry/api'
import { logs, SeverityNumber, type AnyValueMap } from '@opentelemetry/api-logs'
import { pino, stdTimeFunctions, multistream, type Logger } from 'pino'

export type Level = 'info' | 'warn' | 'error'

/** A line as it is written. */
interface Line {
  level: string
  timestamp: string
  event: string
  trace_id?: string
  span_id?: string
  [field: string]: unknown
}

const SEVERITIES: Record<string, SeverityNumber> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warning: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  critical: SeverityNumber.FATAL,
}

// Python's words, so that one query finds the lines of both.
const LEVELS: Record<string, string> = { trace: 'debug', warn: 'warning', fatal: 'critical' }

/** A logger; LOG_LEVEL (default info) is the least level that is written. */
export function createLogger(fields: Record<string, string>): Logger {
  const level = process.env['LOG_LEVEL'] ?? 'info'
  const streams = [
    { level: 'trace' as const, stream: pino.destination({ fd: 1, sync: true }) },
    { level: 'trace' as const, stream: { write: send } },
  ]
  const options = {
    level,
    base: fields,
    messageKey: 'event',
    timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
    formatters: { level: (label: string) => ({ level: LEVELS[label] ?? label }) },
    mixin: (given: object) => ('trace_id' in given ? {} : traceFields(trace.getActiveSpan())),
  }
  return pino(options, multistream(streams))
}

/** The ids of a span. */
export function traceFields(span: Span | undefined): { trace_id?: string; span_id?: string } {
  const ids = span?.spanContext()
  return ids && isSpanContextValid(ids) ? { trace_id: ids.traceId, span_id: ids.spanId } : {}
}

/** Hands a line to OpenTelemetry, which has fields of its own for time, level and ids. */
function send(text: string): void {
  const { level, timestamp, event, trace_id, span_id, ...attributes } = JSON.parse(text) as Line
  logs.getLogger('agent-telemetry').emit({
    context: within(trace_id, span_id),
    timestamp: new Date(timestamp),
    severityNumber: SEVERITIES[level] ?? SeverityNumber.INFO,
    severityText: level.toUpperCase(),
    body: event,
    eventName: event,
    attributes: attributes as AnyValueMap,
  })
}

function within(traceId: string | undefined, spanId: string | undefined): Context {
  if (!traceId || !spanId) return context.active()
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
}
