//! The environment variables that an agent mounts with `envFrom`: where its telemetry goes, what it says
//! of itself, and the switches of Claude Code, which exports nothing unless it is told to. No secret is
//! among them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Artifact;
use super::collector;
use super::metadata::metadata;
use crate::api::v1alpha1::{ContentCapture, Derivation, EnvironmentDelivery};
use crate::domain::names;
use crate::domain::observability::Observability;
use crate::domain::pipeline::Pipeline;

/// What is encoded in values of `OTEL_RESOURCE_ATTRIBUTES`: all that could end one.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type Variables = Vec<(&'static str, String)>;

/// What the AgentObservability asks for.
pub(super) fn artifact(observability: &Observability) -> Option<Artifact> {
    match observability.environment() {
        EnvironmentDelivery::Off => None,
        EnvironmentDelivery::ConfigMap => Some(Artifact::ConfigMap(config_map(observability))),
    }
}

fn config_map(observability: &Observability) -> ConfigMap {
    let variables = match observability.pipeline() {
        Some(pipeline) => pushed(observability, pipeline),
        None => scraped(observability),
    };
    let variables = identity(observability).into_iter().chain(variables);
    let name = names::suffixed_name(observability.name(), "otel");
    ConfigMap {
        metadata: metadata(name, observability.namespace(), &BTreeMap::new()),
        data: Some(variables.map(|(name, value)| (name.to_owned(), value)).collect()),
        ..ConfigMap::default()
    }
}

/// Who it is, whoever listens.
fn identity(observability: &Observability) -> Variables {
    let attributes = [
        ("gen_ai.agent.name", observability.agent()),
        ("k8s.namespace.name", observability.namespace()),
        ("service.name", observability.agent()),
    ];
    let attributes = attributes.map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, RESERVED)));
    vec![
        ("OTEL_SERVICE_NAME", observability.agent().to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", attributes.join(",")),
        ("OTEL_PROPAGATORS", "tracecontext,baggage".to_owned()),
        // The names that profiles and the pipeline know; older ones are the default.
        ("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental".to_owned()),
    ]
}

/// Prometheus comes for the metrics, and nobody for the rest.
fn scraped(observability: &Observability) -> Variables {
    let metrics = if observability.scrape().is_some() { "prometheus" } else { "none" };
    let mut variables = vec![
        ("OTEL_METRICS_EXPORTER", metrics.to_owned()),
        ("OTEL_LOGS_EXPORTER", "none".to_owned()),
        ("OTEL_TRACES_EXPORTER", "none".to_owned()),
    ];
    if observability.scrape().is_some() {
        variables.push(("OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0".to_owned()));
    }
    variables.extend(content(ContentCapture::None));
    variables
}

/// Everything goes to the pipeline.
fn pushed(observability: &Observability, pipeline: &Pipeline) -> Variables {
    let exporter = |wanted: bool| if wanted { "otlp" } else { "none" }.to_owned();
    let takes = collector::signals(observability, pipeline);
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint(observability)),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality(pipeline.derivation).to_owned()),
        ("OTEL_METRICS_EXPORTER", exporter(true)),
        ("OTEL_LOGS_EXPORTER", exporter(takes.logs)),
        ("OTEL_TRACES_EXPORTER", exporter(takes.traces)),
    ];
    variables.extend(claude_code(takes.traces));
    variables.extend(content(pipeline.redaction.content));
    variables
}

/// Deltas of many short processes add up in the Collector; totals of each would not.
fn temporality(derivation: Derivation) -> &'static str {
    match derivation {
        Derivation::Off => "cumulative",
        Derivation::RunsFromSpans | Derivation::FromEvents | Derivation::FromSpans => "delta",
    }
}

/// The platform's gateway, or the Service of the Collector that is generated.
fn endpoint(observability: &Observability) -> String {
    let (name, namespace) = (observability.name(), observability.namespace());
    match &observability.platform().collectors.endpoint {
        Some(endpoint) => endpoint.replace("{name}", name).replace("{namespace}", namespace),
        None => format!("http://{}-collector.{namespace}.svc:4318", names::dns_label(name, 50)),
    }
}

/// Telemetry on, and nothing that would make a series for each session or user.
fn claude_code(traces: bool) -> Variables {
    let on = |wanted: bool| if wanted { "1" } else { "0" }.to_owned();
    vec![
        ("CLAUDE_CODE_ENABLE_TELEMETRY", on(true)),
        ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", on(traces)),
        ("OTEL_METRICS_INCLUDE_SESSION_ID", "false".to_owned()),
        ("OTEL_METRICS_INCLUDE_VERSION", "false".to_owned()),
        ("OTEL_METRICS_INCLUDE_ACCOUNT_UUID", "false".to_owned()),
        ("OTEL_METRICS_INCLUDE_ENTRYPOINT", "false".to_owned()),
    ]
}

/// What is not sent cannot leak: content is asked for only where it may pass.
fn content(capture: ContentCapture) -> Variables {
    let (flag, truth, messages) = match capture {
        ContentCapture::None => ("0", "false", "NO_CONTENT"),
        ContentCapture::Redacted | ContentCapture::Full => ("1", "true", "SPAN_AND_EVENT"),
    };
    vec![
        ("OTEL_LOG_USER_PROMPTS", flag.to_owned()),
        ("OTEL_LOG_ASSISTANT_RESPONSES", flag.to_owned()),
        ("OTEL_LOG_TOOL_DETAILS", flag.to_owned()),
        ("OTEL_LOG_TOOL_CONTENT", flag.to_owned()),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", messages.to_owned()),
        ("TRACELOOP_TRACE_CONTENT", truth.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_resource_attributes_cannot_end_early() {
        let encoded = utf8_percent_encode("a,b=c;d \"é%\\", RESERVED).to_string();
        assert_eq!(encoded, "a%2Cb%3Dc%3Bd%20%22%C3%A9%25%5C");
    }
}
