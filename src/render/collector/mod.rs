//! The configuration of the Collector that carries an agent's telemetry: OTLP in, secrets out, metrics
//! derived, back ends fed. What a tenant writes ends in it as text in quotes or as one of our own words,
//! never as a component, an address or a reference.

mod content;
mod delivery;
mod derivation;
mod dialect;
mod escape;
mod exporters;
mod logs;
mod nested;
mod patterns;
mod receivers;
mod redaction;
pub mod samples;
mod sampling;
mod service;
mod statements;
mod tenant;

use serde_json::{Map, Value, json};

use self::derivation::Source;
use self::escape::literal;
use self::service::Plan;
use self::statements::Statements;
use super::{Artifact, ledger};
use crate::collector_versions;
use crate::domain::ledger::Ledger;
use crate::domain::observability::Observability;
use crate::domain::pipeline::Pipeline;

/// What the AgentObservability asks for.
pub(super) fn artifact(observability: &Observability) -> Option<Artifact> {
    let pipeline = observability.pipeline()?;
    let release = collector_versions::find(pipeline.version)
        .expect("validation should let only known releases through");
    let plan = Plan { observability, pipeline, release, ledger: ledger::backend(observability) };
    Some(delivery::artifact(&plan, &configuration(&plan)))
}

/// Which signals a pipeline takes; metrics it always does.
pub(super) struct Signals {
    pub(super) logs: bool,
    pub(super) traces: bool,
}

/// Which signals a pipeline takes.
pub(super) fn signals(observability: &Observability, pipeline: &Pipeline) -> Signals {
    let reads = |source| derivation::reads(pipeline.derivation, source);
    let ledger = observability.ledger();
    let enters_spans = ledger.is_some_and(Ledger::enters_spans);
    Signals {
        logs: reads(Source::Events) || !pipeline.logs.is_empty() || ledger.is_some(),
        traces: reads(Source::Spans) || !pipeline.traces.is_empty() || enters_spans,
    }
}

/// The whole configuration. Only what refers to the environment is not made literal here.
fn configuration(plan: &Plan<'_>) -> Value {
    let (extensions, pipelines) = (extensions(plan), plan.pipelines());
    let between = components(plan).into_iter().filter(|(name, _)| is_used(name, &pipelines));
    json!({
        "receivers": receivers::receivers(plan.pipeline),
        "processors": literal(Value::Object(between.collect())),
        "connectors": literal(Value::Object(connectors(plan, &pipelines))),
        "exporters": exporters::exporters(plan),
        "service": service::service(plan, &extensions, &pipelines),
        "extensions": extensions,
    })
}

fn extensions(plan: &Plan<'_>) -> Value {
    let mut extensions = json!({
        "health_check": {"endpoint": format!("{}:13133", receivers::address(plan.pipeline))},
    });
    if !exporters::backends(plan).is_empty() {
        let directory = &plan.observability.platform().collectors.storage_directory;
        extensions[exporters::STORAGE] = literal(json!({"directory": directory, "create_directory": true}));
    }
    extensions
}

/// Everything between receivers and exporters, used or not.
fn components(plan: &Plan<'_>) -> Map<String, Value> {
    let (observability, pipeline) = (plan.observability, plan.pipeline);
    let namespace = observability.namespace();
    let statements = Statements { namespace };
    let limit = observability.platform().collectors.memory_limit_mib;
    let label = observability.platform().namespace_label.as_deref();
    let mut all: Map<String, Value> = [
        ("memory_limiter", json!({"check_interval": "1s", "limit_mib": limit, "spike_limit_mib": limit / 4})),
        ("batch", json!({"timeout": "1s", "send_batch_size": 1024, "send_batch_max_size": 2048})),
        ("transform/correlation", logs::correlation(statements)),
        ("transform/namespace", namespace_label(label, namespace)),
        ("filter/others", derivation::others()),
        ("filter/repeat", repeated()),
    ]
    .into_iter()
    .map(|(name, component)| (name.to_owned(), component))
    .collect();
    all.extend(logs::level(pipeline.min_level).map(|level| ("filter/level".to_owned(), level)));
    all.extend(pipeline.sampling.iter().map(|it| ("tail_sampling".to_owned(), sampling::component(it))));
    let total = plan.release.components.delta_to_cumulative.clone();
    all.insert(total, json!({"max_stale": "720h", "max_streams": 20_000}));
    all.extend(tenant::components(observability, plan.release));
    all.extend(redaction::components(&pipeline.redaction, statements, plan.release));
    all.extend(derivation::components(observability, pipeline.derivation));
    all
}

/// Whether a pipeline names a component; what none names is left out, so that nobody reads it in vain.
fn is_used(name: &str, pipelines: &Map<String, Value>) -> bool {
    pipelines
        .values()
        .any(|pipeline| pipeline["processors"].as_array().is_some_and(|steps| steps.contains(&json!(name))))
}

fn connectors(plan: &Plan<'_>, pipelines: &Map<String, Value>) -> Map<String, Value> {
    let signals = ["logs", "traces", "metrics"].into_iter();
    let present = signals.filter(|signal| pipelines.contains_key(&format!("{signal}/in")));
    let forwards = present.map(|signal| (format!("forward/{signal}"), json!({})));
    forwards.chain(derivation::connectors(plan.pipeline.derivation, plan.release)).collect()
}

/// The label by which selectors are bound to the namespace, for series that are pushed; a scrape gives it
/// too.
fn namespace_label(label: Option<&str>, namespace: &str) -> Value {
    let statements: Vec<String> = label.iter().map(|label| derivation::labelled(label, namespace)).collect();
    json!({"error_mode": "propagate", "metric_statements": [
        {"context": "datapoint", "statements": statements},
    ]})
}

/// Numbers about the scrape of ourselves are nobody's.
fn repeated() -> Value {
    json!({"error_mode": "ignore", "metric_conditions": ["IsMatch(metric.name, \"^(up|scrape_.*)$\")"]})
}
