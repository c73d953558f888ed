"""OpenTelemetry traces and logs, configured by the standard OTEL_* variables and nothing else.

Endpoint, headers, TLS, resource, sampler, propagators and batching are read by the SDK itself; which
exporter is meant is read here. Without a Collector set OTEL_SDK_DISABLED=true.
"""

import os
from importlib.metadata import entry_points

from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# Entry point of each OTLP protocol, and the package that brings it.
_PROTOCOLS = {
    "http/protobuf": ("otlp_proto_http", "opentelemetry-exporter-otlp-proto-http"),
    "grpc": ("otlp_proto_grpc", "opentelemetry-exporter-otlp-proto-grpc"),
}


class OpenTelemetry:
    """The providers of this process."""

    def __init__(self) -> None:
        self._traces = TracerProvider()
        self._logs = LoggerProvider()
        if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true":
            for exporter in _exporters("TRACES"):
                self._traces.add_span_processor(BatchSpanProcessor(exporter))
            for exporter in _exporters("LOGS"):
                self._logs.add_log_record_processor(BatchLogRecordProcessor(exporter))
        trace.set_tracer_provider(self._traces)
        _logs.set_logger_provider(self._logs)

    def shut_down(self) -> None:
        """Sends what is still batched."""
        self._traces.shutdown()
        self._logs.shutdown()


def _exporters(signal: str) -> list:
    """The exporters that OTEL_TRACES_EXPORTER or OTEL_LOGS_EXPORTER names."""
    names = os.environ.get(f"OTEL_{signal}_EXPORTER") or "otlp"
    return [_exporter(signal, name.strip()) for name in names.split(",") if name.strip() != "none"]


def _exporter(signal: str, name: str):
    package = f"the package that has the exporter {name}"
    if name == "otlp":
        specific = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL")
        protocol = specific or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
        name, package = _PROTOCOLS.get(protocol, (f"otlp over {protocol}", f"an exporter for {protocol}"))
    for found in entry_points(group=f"opentelemetry_{signal.lower()}_exporter", name=name):
        return found.load()()
    raise RuntimeError(f"OTEL_{signal}_EXPORTER asks for {name}; install {package}")
