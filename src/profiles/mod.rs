//! Telemetry profiles as data: which series play which role, for each emitter and generation. A
//! profile is one YAML file in this folder; adding one is adding a file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::api::v1alpha1::CounterBirths;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/profiles");

static PROFILES: LazyLock<BTreeMap<String, Profile>> = LazyLock::new(|| {
    FILES
        .files()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "yaml"))
        .map(|file| {
            let text = file.contents_utf8().expect("profiles should be UTF-8");
            let profile: Profile =
                serde_saphyr::from_str(text).expect("profiles should parse, as a test shows");
            (profile.name.clone(), profile)
        })
        .collect()
});

/// Name of the profile that an AgentSLO has when it names none.
pub const DEFAULT: &str = "AgentMetrics";

/// Names of all profiles, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PROFILES.keys().map(String::as_str).collect()
}

/// The profile of this name, if there is one.
#[must_use]
pub fn find(name: &str) -> Option<&'static Profile> {
    PROFILES.get(name)
}

/// Which series of one emitter play which role. A role that is missing is not emitted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Name, as in `spec.telemetry.profile`.
    pub name: String,
    /// What emits it.
    pub description: String,
    /// Where the names were read.
    pub source: String,
    /// Label with the name of the agent.
    pub agent_label: String,
    /// How late samples may come, for example `60s`.
    pub query_offset: String,
    /// What the first value of a counter means.
    pub counter_births: CounterBirths,
    /// Finished runs, with their outcome.
    pub runs: Option<Outcomes>,
    /// Finished tool executions, with their outcome.
    pub tools: Option<Outcomes>,
    /// Duration of runs, in seconds.
    pub run_duration: Option<Metric>,
    /// Duration of model calls, in seconds.
    pub model_call_duration: Option<Metric>,
    /// Duration of tool executions, in seconds.
    pub tool_duration: Option<Metric>,
    /// Time to the first token of streaming model calls, in seconds.
    pub time_to_first_token: Option<Metric>,
    /// Cost of runs, a histogram in US dollars.
    pub run_cost: Option<Metric>,
    /// Cost, a counter in US dollars.
    pub cost: Option<Metric>,
    /// Tokens of runs, a histogram.
    pub run_tokens: Option<Metric>,
    /// Turns of runs, a histogram.
    pub run_turns: Option<Metric>,
    /// Evaluated runs, with their verdict.
    pub evaluations: Option<Outcomes>,
    /// Scores of evaluated runs, a histogram.
    pub evaluation_score: Option<Named>,
    /// Guardrail checks, with their verdict.
    pub guardrails: Option<Outcomes>,
}

/// Events with an outcome in a label.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcomes {
    /// A counter, or a histogram whose observations are the events.
    pub metric: Metric,
    /// Where the outcome is, and what it means.
    pub outcome: Outcome,
    /// Label with the name of the tool, evaluator or check.
    pub name_label: Option<String>,
}

/// A metric whose series carry the name of an evaluator.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Named {
    /// The metric.
    pub metric: Metric,
    /// Label with the name.
    pub name_label: String,
}

/// Where the outcome of an event is, and what it means. Any other value is bad.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    /// The label.
    pub label: String,
    /// Values that are good; an empty string means that the label is missing.
    pub good: Vec<String>,
    /// Values that are not valid events.
    pub excluded: Vec<String>,
}

/// A metric as its emitter names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metric {
    /// Name in the emitter's own naming; histograms without `_bucket`, `_count` or `_sum`.
    pub name: String,
    /// Unit in UCUM, for OpenTelemetry names.
    pub unit: Option<String>,
    /// What it is.
    pub kind: MetricKind,
    /// Whose naming it is in.
    pub naming: Naming,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub enum MetricKind {
    /// A monotonic counter.
    Counter,
    /// A histogram, classic or native.
    Histogram,
}

/// Whose naming a metric is in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub enum Naming {
    /// As Prometheus stores it.
    Prometheus,
    /// As OpenTelemetry names it; it is translated on its way to Prometheus.
    OpenTelemetry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_parses_and_the_default_is_there() {
        assert_eq!(names(), ["AgentMetrics", "ClaudeCode", "GenAI", "GenAI136", "GenAI137"]);
        assert!(find(DEFAULT).is_some());
    }
}
