//! The tables of `docs/guides/instrument.md`, as what the agents are held to.

use std::collections::{BTreeMap, BTreeSet};

const GUIDE: &str = include_str!("../../../docs/guides/instrument.md");

/// A row of the table of metrics. All have the label `agent_name` too.
#[derive(Debug, PartialEq)]
pub(super) struct Metric {
    pub(super) kind: String,
    pub(super) labels: BTreeSet<String>,
    pub(super) buckets: Vec<f64>,
}

/// The metrics by name.
pub(super) fn metrics() -> BTreeMap<String, Metric> {
    let metrics: BTreeMap<String, Metric> = rows("| metric |")
        .map(|cells| {
            let labels = cells[2].split(", ").filter_map(|part| code(part).into_iter().next());
            // A label comes first in its part, or before a colon; the words after that are its values.
            let labels = labels.filter(|word| LABELS.contains(&word.as_str())).collect();
            let buckets = cells[4].split_whitespace();
            let buckets = buckets.map(|bound| bound.parse().expect("a bound should be a number")).collect();
            let name = code(&cells[0]).remove(0);
            (name, Metric { kind: cells[1].clone(), labels, buckets })
        })
        .collect();
    assert!(metrics.len() > 15, "the table of metrics should be found");
    metrics
}

/// Label names of the contract, to tell them from label values in the same cell.
const LABELS: [&str; 9] =
    ["model", "status", "tool_name", "type", "evaluator", "result", "check", "error_type", "version"];

/// The values of each label that the table of metrics enumerates, by metric and label.
pub(super) fn label_values() -> BTreeMap<(String, String), BTreeSet<String>> {
    let enumerated = rows("| metric |").filter_map(|cells| {
        let (before, after) = cells[2].split_once(": ")?;
        let label = code(before).pop().expect("a label should be before the colon");
        Some(((code(&cells[0]).remove(0), label), code(after).into_iter().collect()))
    });
    enumerated.collect()
}

/// The events by name, with all their fields.
pub(super) fn events() -> BTreeMap<String, BTreeSet<String>> {
    let shared = [
        "timestamp",
        "level",
        "event",
        "agent_name",
        "query_id",
        "session_id",
        "user_id",
        "trace_id",
        "span_id",
    ];
    let ended = ["status", "duration_seconds", "turns", "cost_usd"];
    let tokens = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"];
    let mut events = BTreeMap::new();
    for cells in rows("| event |") {
        let mut fields: BTreeSet<String> = code(&cells[2]).into_iter().collect();
        fields.extend(shared.map(str::to_owned));
        if cells[2].contains("the same") {
            fields.extend(ended.map(str::to_owned));
        }
        if cells[2].contains("the same") || cells[2].contains("tokens as above") {
            fields.extend(tokens.map(str::to_owned));
        }
        for name in code(&cells[0]) {
            events.insert(name, fields.clone());
        }
    }
    assert!(events.len() > 8, "the table of events should be found");
    events
}

/// The cells of the rows of the table with this head.
fn rows(head: &str) -> impl Iterator<Item = Vec<String>> {
    let lines = GUIDE.lines().skip_while(move |line| !line.starts_with(head)).skip(2);
    lines.take_while(|line| line.starts_with('|')).map(|line| {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<String>>()
    })
}

/// The words between back-ticks.
fn code(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
