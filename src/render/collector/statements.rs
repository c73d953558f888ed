//! OTTL statements, grouped by the level of the data that they are about. A flat list would run on the
//! lowest level that it mentions, once for each record. Every group is guarded by the namespace, so that
//! no tenant's statement ever touches another's data.

use serde_json::{Value, json};

use super::escape::quoted;

/// Attribute with the namespace, which the sender has no say in; see [`super::tenant`].
pub(super) const NAMESPACE: &str = "k8s.namespace.name";

/// Levels of traces that have attributes.
pub(super) const OF_TRACES: [&str; 4] = ["resource", "scope", "span", "spanevent"];
/// Levels of logs that have attributes.
pub(super) const OF_LOGS: [&str; 3] = ["resource", "scope", "log"];
/// Levels of metrics that have attributes.
pub(super) const OF_METRICS: [&str; 3] = ["resource", "scope", "datapoint"];

/// Statements for the data of one namespace.
#[derive(Clone, Copy)]
pub(super) struct Statements<'a> {
    /// The namespace.
    pub(super) namespace: &'a str,
}

impl Statements<'_> {
    /// Statements about one level.
    pub(super) fn about(self, level: &str, statements: &[String]) -> Value {
        let guard = format!("resource.attributes[\"{NAMESPACE}\"] == {}", quoted(self.namespace));
        json!({"context": level, "conditions": [guard], "statements": statements})
    }

    /// The same statements about several levels, each made for its level.
    pub(super) fn about_each(self, levels: &[&str], statements: impl Fn(&str) -> Vec<String>) -> Vec<Value> {
        levels.iter().map(|level| self.about(level, &statements(level))).collect()
    }
}

/// Deletes what is behind some keys of a map, but not what is behind the spared ones, which are kept aside
/// meanwhile. Both are patterns, quoted.
pub(super) fn deleted(map: &str, keys: &str, aside: &str, spared: &str) -> [String; 4] {
    [
        format!("set({aside}, {map})"),
        format!("keep_matching_keys({aside}, {spared})"),
        format!("delete_matching_keys({map}, {keys})"),
        format!("merge_maps({map}, {aside}, \"upsert\")"),
    ]
}

/// The statements of one component. An error refuses the data, so that nothing passes unread.
pub(super) fn strict(traces: Vec<Value>, logs: Vec<Value>, metrics: Vec<Value>) -> Value {
    transform("propagate", traces, logs, metrics)
}

/// The statements of one component. What one cannot do, it leaves undone.
pub(super) fn lenient(traces: Vec<Value>, logs: Vec<Value>, metrics: Vec<Value>) -> Value {
    transform("ignore", traces, logs, metrics)
}

fn transform(error_mode: &str, traces: Vec<Value>, logs: Vec<Value>, metrics: Vec<Value>) -> Value {
    let mut transform = json!({"error_mode": error_mode});
    let signals = [("trace_statements", traces), ("log_statements", logs), ("metric_statements", metrics)];
    for (key, groups) in signals.into_iter().filter(|(_, groups)| !groups.is_empty()) {
        transform[key] = Value::Array(groups);
    }
    transform
}
