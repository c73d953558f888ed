//! The derived metrics. Every number is made a double or an integer on the spot: a sum whose type differs
//! from one record to the next ends the process. Bounds keep out what is no number, since one would stay
//! in a counter for good.

use serde_json::{Value, json};

use super::{Source, reads};
use crate::api::v1alpha1::Derivation;

/// Bounds of runs, in seconds.
const RUN_SECONDS: [f64; 12] =
    [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0];
/// Bounds of calls of models and tools, in seconds.
const CALL_SECONDS: [f64; 14] =
    [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
/// Bounds of the time to the first token, in seconds.
const TTFT_SECONDS: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0];
/// Bounds of the cost of a run, in US dollars.
const DOLLARS: [f64; 12] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];
/// Bounds of scores, which most evaluators give from 0 to 1 or to 100.
const SCORES: [f64; 21] = [
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0,
    100.0,
];
/// Types of tokens, as the label and the normalised number name them.
const TOKENS: [&str; 4] = ["input", "output", "cache_read", "cache_write"];

/// What the connector is told.
pub(super) fn derived(derivation: Derivation) -> Value {
    let mut connector = json!({"error_mode": "ignore"});
    for (key, source) in [("logs", Source::Events), ("spans", Source::Spans)] {
        if reads(derivation, source) {
            connector[key] = Value::Array(of_source(derivation, source));
        }
    }
    connector
}

/// What is derived from a source: no metric from both.
fn of_source(derivation: Derivation, source: Source) -> Vec<Value> {
    let from = Definitions(source);
    match (derivation, source) {
        (Derivation::Off, _) | (Derivation::FromEvents, Source::Spans) => Vec::new(),
        (Derivation::RunsFromSpans, Source::Spans) => [from.runs(), from.first_tokens()].concat(),
        (Derivation::RunsFromSpans, Source::Events) => {
            [from.calls(), from.spending(), from.prompts(), from.evaluations()].concat()
        }
        (Derivation::FromSpans, Source::Spans) => {
            [from.runs(), from.calls(), from.first_tokens(), from.spending()].concat()
        }
        (Derivation::FromSpans, Source::Events) => from.evaluations(),
        (Derivation::FromEvents, Source::Events) => [
            from.runs(),
            from.calls(),
            from.first_tokens(),
            from.spending(),
            from.prompts(),
            from.evaluations(),
        ]
        .concat(),
    }
}

#[derive(Clone, Copy)]
struct Definitions(Source);

impl Definitions {
    fn runs(self) -> Vec<Value> {
        vec![
            self.counted("agent.runs", "run", &["outcome"]),
            self.distributed("agent.run.duration", "s", "run", "seconds", &[], &RUN_SECONDS),
            self.distributed("agent.run.cost.usd", "", "run", "cost", &[], &DOLLARS),
        ]
    }

    fn calls(self) -> Vec<Value> {
        vec![
            self.counted("agent.tool.calls", "tool", &["tool_name", "outcome"]),
            self.distributed("agent.tool.duration", "s", "tool", "seconds", &["tool_name"], &CALL_SECONDS),
            self.counted("agent.llm.calls", "llm", &["model", "outcome"]),
            self.distributed("agent.llm.call.duration", "s", "llm", "seconds", &["model"], &CALL_SECONDS),
        ]
    }

    fn first_tokens(self) -> Vec<Value> {
        vec![self.distributed("agent.llm.ttft", "s", "llm", "ttft", &["model"], &TTFT_SECONDS)]
    }

    /// A unit would make the name `agent_cost_usd_USD_total`.
    fn spending(self) -> Vec<Value> {
        let dollars = self.number("cost");
        let bounded = format!("{dollars} >= 0.0 and {dollars} < 10000.0");
        let cost = summed("agent.cost.usd", &["model"], &bounded, &dollars);
        let tokens = TOKENS.map(|of_type| {
            let number = self.number(of_type);
            let bounded = format!("{number} >= 0.0 and {number} < 1000000000.0");
            let whole = format!("Int({})", self.attribute(&format!("sli.{of_type}")));
            let mut tokens = summed("agent.tokens", &["model"], &bounded, &whole);
            // No attribute has this name, so the default is what is taken.
            let labels = tokens["attributes"].as_array_mut().expect("attributes should be a list");
            labels.push(json!({"key": "type", "default_value": of_type}));
            tokens
        });
        [cost].into_iter().chain(tokens).collect()
    }

    fn prompts(self) -> Vec<Value> {
        vec![self.counted("agent.prompts", "prompt", &[])]
    }

    fn evaluations(self) -> Vec<Value> {
        vec![
            self.counted("agent.evaluations", "evaluation", &["name", "outcome"]),
            self.distributed("agent.evaluation.score", "", "evaluation", "score", &["name"], &SCORES),
        ]
    }

    fn counted(self, name: &str, kind: &str, labels: &[&str]) -> Value {
        summed(name, labels, &self.is(kind), "1")
    }

    #[allow(clippy::too_many_arguments, reason = "each call is a line of a table")]
    fn distributed(
        self,
        name: &str,
        unit: &str,
        kind: &str,
        number: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Value {
        let value = self.number(number);
        let condition = format!("{} and {value} >= 0.0 and {value} < 10000000.0", self.is(kind));
        let mut metric = metric(name, unit, labels, &condition);
        metric["histogram"] = json!({"buckets": buckets, "value": value});
        metric
    }

    fn is(self, kind: &str) -> String {
        format!("{} == \"{kind}\"", self.attribute("sli.kind"))
    }

    fn number(self, name: &str) -> String {
        format!("Double({})", self.attribute(&format!("sli.{name}")))
    }

    fn attribute(self, key: &str) -> String {
        format!("{}.attributes[\"{key}\"]", self.0.level())
    }
}

fn summed(name: &str, labels: &[&str], condition: &str, value: &str) -> Value {
    let mut metric = metric(name, "", labels, condition);
    metric["sum"] = json!({"value": value, "monotonic": true});
    metric
}

fn metric(name: &str, unit: &str, labels: &[&str], condition: &str) -> Value {
    let labels = ["agent_name"].iter().chain(labels);
    // Without a default, a record that lacks the attribute would not be counted.
    let attributes: Vec<Value> =
        labels.map(|label| json!({"key": label, "default_value": "unknown"})).collect();
    let mut metric = json!({
        "name": name,
        "include_resource_attributes": [{"key": "service.name", "default_value": "unknown_service"}],
        "attributes": attributes,
        "conditions": [condition],
    });
    if !unit.is_empty() {
        metric["unit"] = Value::from(unit);
    }
    metric
}
