//! Which traces are kept, decided when a trace has ended; one condition that holds is enough.

use serde_json::{Value, json};

use crate::api::v1alpha1::ErrorSampling;
use crate::domain::pipeline::Sampling;

/// Traces that are under way at a time. Above it the oldest is decided early.
const TRACES: u32 = 50_000;
/// Decisions that are remembered, for spans that come late.
const REMEMBERED: u32 = 100_000;
/// Attributes with the cost of a span, in US dollars.
const COSTS: [&str; 3] = ["agent.cost_usd", "gen_ai.usage.cost", "cost_usd"];

/// The component.
pub(super) fn component(sampling: &Sampling) -> Value {
    let policies = [errors(sampling), slow(sampling), costly(sampling), vec![rest(sampling)]].concat();
    json!({
        "decision_wait": format!("{}s", sampling.decision_wait.as_secs()),
        "num_traces": TRACES,
        "decision_cache": {"sampled_cache_size": REMEMBERED, "non_sampled_cache_size": REMEMBERED},
        "policies": policies,
    })
}

fn errors(sampling: &Sampling) -> Vec<Value> {
    if sampling.errors == ErrorSampling::Sample {
        return Vec::new();
    }
    let failed = ["span.attributes[\"error.type\"] != nil", "span.attributes[\"success\"] == false"];
    vec![
        json!({"name": "status", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}),
        condition("failed", &failed.map(str::to_owned)),
    ]
}

fn slow(sampling: &Sampling) -> Vec<Value> {
    let milliseconds = sampling.slower_than.map(|duration| duration.as_millis().to_string());
    // A number that is written as it is meant, without a type that could be too small for it.
    let threshold = milliseconds.and_then(|text| text.parse::<u64>().ok());
    threshold
        .map(|threshold| json!({"name": "slow", "type": "latency", "latency": {"threshold_ms": threshold}}))
        .into_iter()
        .collect()
}

fn costly(sampling: &Sampling) -> Vec<Value> {
    let Some(amount) = sampling.costlier_than else { return Vec::new() };
    // OTTL takes a number with a point for a double, and one without for an integer.
    let amount = if amount.to_string().contains('.') { amount.to_string() } else { format!("{amount}.0") };
    let costs = COSTS.map(|key| format!("Double(span.attributes[\"{key}\"]) >= {amount}"));
    vec![condition("costly", &costs)]
}

fn rest(sampling: &Sampling) -> Value {
    let percent = sampling.percent_of_rest.to_f64();
    json!({"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": percent}})
}

/// An attribute that is no number is no error.
fn condition(name: &str, any: &[String]) -> Value {
    json!({"name": name, "type": "ottl_condition", "ottl_condition": {"error_mode": "ignore", "span": any}})
}
