//! Where an agent's log events and traces are: LogQL and TraceQL. Ids are structured metadata in Loki, not
//! labels; of the resource only `service.name` and a few others are.

use super::slots::in_query;
use crate::api::v1alpha1::BackendKind;
use crate::domain::observability::Observability;
use crate::domain::promql::quoted;

/// What fills a slot about logs or traces.
pub(super) fn text(observability: &Observability, name: &str) -> Option<String> {
    let is_jaeger = keeps_traces_in_jaeger(observability);
    match name {
        "logs" => Some(stream(observability)),
        "lines" => (!speaks_in_events(observability)).then(|| stream(observability)),
        "events" => speaks_in_events(observability).then(|| stream(observability)),
        "tempo" => (!is_jaeger).then(String::new),
        "jaeger" => is_jaeger.then(String::new),
        "tempo.service" => (!is_jaeger).then(|| format!("resource.service.name = {}", agent(observability))),
        "jaeger.service" => is_jaeger.then(|| jaeger_service(observability)).flatten(),
        _ => None,
    }
}

fn stream(observability: &Observability) -> String {
    format!("{{service_name={}}}", agent(observability))
}

/// The agent as a literal, which LogQL and TraceQL write as PromQL does.
fn agent(observability: &Observability) -> String {
    in_query(&quoted(observability.agent()))
}

/// Jaeger's search takes the plain name, where nothing can keep Grafana from reading a variable.
fn jaeger_service(observability: &Observability) -> Option<String> {
    let agent = observability.agent();
    (!agent.contains('$') && !agent.contains("[[")).then(|| agent.to_owned())
}

/// Claude Code sends events with attributes; other agents write lines of JSON.
fn speaks_in_events(observability: &Observability) -> bool {
    observability.series().profile().name.starts_with("ClaudeCode")
}

fn keeps_traces_in_jaeger(observability: &Observability) -> bool {
    let backends = observability.pipeline().map(|pipeline| pipeline.traces.as_slice()).unwrap_or_default();
    let has = |kind| backends.iter().any(|backend| backend.kind == kind);
    has(BackendKind::Jaeger) && !has(BackendKind::Tempo)
}
