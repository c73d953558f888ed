"""Logs: one JSON object a line on stdout, and the same record by OTLP, both with the ids of the trace.

A container logs to stdout; rotation and shipping belong to the node. Records carry sizes, durations and
names, never the text of prompts, answers, tool inputs, tool outputs or exceptions: what is not logged
needs no redaction.
"""

import json
import logging
import os

import structlog
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber, get_logger

_SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}


def configure() -> None:
    """Configures structlog; LOG_LEVEL (default info) is the least level that is written."""
    level = logging.getLevelNamesMapping()[os.environ.get("LOG_LEVEL", "info").upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace,
            _send,
            structlog.processors.JSONRenderer(serializer=_compact),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _compact(record: dict, **options) -> str:
    # No space after the colon, as pino writes it, so that one text search finds the lines of both.
    return json.dumps(record, separators=(",", ":"), **options)


def _add_trace(_logger, _method: str, record: dict) -> dict:
    """Adds the ids of the span in field `span`, or else of the current one."""
    span = record.pop("span", None) or trace.get_current_span()
    context = span.get_span_context()
    if context.is_valid:
        record["trace_id"] = trace.format_trace_id(context.trace_id)
        record["span_id"] = trace.format_span_id(context.span_id)
    record["_span"] = span
    return record


def _send(_logger, _method: str, record: dict) -> dict:
    """Hands the record to OpenTelemetry, which has fields of its own for time, level and ids."""
    span = record.pop("_span")
    own = ("event", "level", "timestamp", "trace_id", "span_id")
    get_logger("agent_telemetry").emit(
        context=trace.set_span_in_context(span),
        severity_number=_SEVERITIES[record["level"]],
        severity_text=record["level"].upper(),
        body=record["event"],
        event_name=record["event"],
        attributes={name: value for name, value in record.items() if name not in own and value is not None},
    )
    return record
