//! SLI metrics out of events and spans, which are first brought to one spelling and then counted. Each
//! metric has one source. Series are the Collector's own: no session, no process, no clock of a sender is
//! in them, so that thousands of short programs make a few long series.

mod events;
mod metrics;
mod native;
mod spans;

use serde_json::{Map, Value, json};

use super::escape::quoted;
use super::statements::lenient;
use crate::api::v1alpha1::Derivation;
use crate::collector_versions::Release;
use crate::domain::observability::Observability;

pub(super) use native::others;

/// What the telemetry is derived from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// Log records.
    Events,
    /// Spans.
    Spans,
}

impl Source {
    /// How OTTL names one of them.
    fn level(self) -> &'static str {
        match self {
            Self::Events => "log",
            Self::Spans => "span",
        }
    }
}

/// Whether metrics are derived from a source.
pub(super) fn reads(derivation: Derivation, source: Source) -> bool {
    match (derivation, source) {
        (Derivation::Off, _) | (Derivation::FromEvents, Source::Spans) => false,
        // Evaluations are events everywhere.
        (Derivation::FromSpans | Derivation::RunsFromSpans, _) | (Derivation::FromEvents, Source::Events) => {
            true
        }
    }
}

/// The components between batch and connector, and those behind the connectors.
pub(super) fn components(observability: &Observability, derivation: Derivation) -> Map<String, Value> {
    let mut components = Map::new();
    if reads(derivation, Source::Events) {
        components.insert("transform/events".to_owned(), lenient(vec![], vec![events::classified()], vec![]));
    }
    if reads(derivation, Source::Spans) {
        components.insert("transform/spans".to_owned(), lenient(vec![spans::classified()], vec![], vec![]));
    }
    if derivation != Derivation::Off {
        let label = observability.platform().namespace_label.as_deref();
        components
            .insert("transform/single_writer".to_owned(), single_writer(label, observability.namespace()));
    }
    components
}

/// The connectors that count.
pub(super) fn connectors(derivation: Derivation, release: &Release) -> Map<String, Value> {
    if derivation == Derivation::Off {
        return Map::new();
    }
    let counting = &release.components.signal_to_metrics;
    [
        (format!("{counting}/derived"), metrics::derived(derivation)),
        (format!("{counting}/native"), native::summed()),
    ]
    .into_iter()
    .collect()
}

/// The identity of derived series is ours, and they have a start: with it a restart of the Collector and
/// the birth of a series can be told from a gap.
fn single_writer(label: Option<&str>, namespace: &str) -> Value {
    let start = "set(datapoint.start_time, datapoint.time - Duration(\"1s\")) where datapoint.start_time_unix_nano == 0";
    let labelled = label.map(|label| labelled(label, namespace));
    let of_points: Vec<String> = labelled.into_iter().chain([start.to_owned()]).collect();
    json!({"error_mode": "propagate", "metric_statements": [
        {"context": "resource", "statements": ["keep_keys(resource.attributes, [\"service.name\"])"]},
        {"context": "scope", "statements": ["set(scope.name, \"agentslo\")", "set(scope.version, \"\")"]},
        {"context": "datapoint", "statements": of_points},
    ]})
}

/// Gives points the label by which selectors are bound to the namespace, as a scrape would.
pub(super) fn labelled(label: &str, namespace: &str) -> String {
    format!("set(datapoint.attributes[{}], {})", quoted(label), quoted(namespace))
}

/// `set`, where there is nothing yet and where the condition holds.
fn fill(target: &str, value: &str, condition: &str) -> String {
    format!("set({target}, {value}) where {target} == nil and {condition}")
}

/// What a label may hold: a name, and not whatever a model or a sender makes up.
fn named(target: &str, unknown: &str) -> [String; 2] {
    let name = quoted("^[A-Za-z0-9_.:/@()\\[\\] -]{1,100}$");
    [
        format!("set({target}, \"{unknown}\") where {target} == nil or {target} == \"\""),
        format!("set({target}, \"other\") where not IsMatch({target}, {name})"),
    ]
}
