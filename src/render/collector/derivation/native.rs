//! Claude Code's own counters. It sends them as deltas, from a process for each query: summed by session
//! they would be series without end, summed by total they would overwrite each other. So each point is
//! added to a counter of the Collector's.

use serde_json::{Value, json};

/// Names, units and labels that are kept. A session, a user or a version is none of them.
const COUNTERS: [(&str, &str, &[&str]); 8] = [
    ("claude_code.cost.usage", "USD", &["model", "query_source"]),
    ("claude_code.token.usage", "tokens", &["type", "model", "query_source"]),
    ("claude_code.session.count", "", &["start_type"]),
    ("claude_code.active_time.total", "s", &["type"]),
    ("claude_code.code_edit_tool.decision", "", &["tool_name", "decision", "source", "language"]),
    ("claude_code.lines_of_code.count", "", &["type"]),
    ("claude_code.commit.count", "", &[]),
    ("claude_code.pull_request.count", "", &[]),
];

/// Names of derived metrics, in the spelling of OTLP or of Prometheus.
const DERIVED: &str = "^agent[._](runs|run[._](duration|cost)|tool[._](calls|duration)|llm[._](calls|call[._]duration|ttft)|cost[._]usd|tokens|prompts|evaluations|evaluation[._]score)([._]|$)";

/// Points that are deltas.
const IS_DELTA: &str = "metric.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA";

/// An integer has no double, and the other way round.
const NUMBER: &str = "Double(datapoint.value_int) + datapoint.value_double";

/// What the connector is told.
pub(super) fn summed() -> Value {
    json!({"error_mode": "ignore", "datapoints": COUNTERS.map(counter)})
}

fn counter((name, unit, labels): (&str, &str, &[&str])) -> Value {
    let labels: Vec<Value> = labels.iter().map(|label| json!({"key": label, "optional": true})).collect();
    // The bounds keep out what is no number.
    let condition = format!(
        "metric.name == \"{name}\" and {IS_DELTA} and {NUMBER} >= 0.0 and {NUMBER} < 1000000000000.0"
    );
    json!({
        "name": name,
        "unit": unit,
        "include_resource_attributes": [{"key": "service.name", "default_value": "unknown_service"}],
        "attributes": labels,
        "conditions": [condition],
        "sum": {"value": NUMBER, "monotonic": true},
    })
}

/// The filter in front of the agent's other metrics: what is counted here does not come by twice, and no
/// metric has the name of a derived one.
pub(in super::super) fn others() -> Value {
    let names = COUNTERS.map(|(name, _, _)| format!("metric.name == \"{name}\"")).join(" or ");
    json!({"error_mode": "propagate", "metric_conditions": [
        format!("({names}) and {IS_DELTA}"),
        format!("IsMatch(metric.name, \"{DERIVED}\")"),
    ]})
}
