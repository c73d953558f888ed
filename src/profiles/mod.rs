//! Telemetry profiles as data: which series play which role, for each emitter and generation. A
//! profile is one YAML file in this folder; adding one is adding a file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::api::v1alpha1::{CounterBirths, Matcher};

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
    /// Metrics of which an emitter of this kind has at least one, and others have none.
    #[serde(default)]
    pub fingerprint: Vec<Metric>,
    /// Finished runs, with their outcome.
    pub runs: Option<Outcomes>,
    /// Finished calls of models, with their outcome.
    pub model_calls: Option<Outcomes>,
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
    /// Cost in US dollars: a counter, or a histogram whose sum is the cost.
    pub cost: Option<Metric>,
    /// Tokens of runs, a histogram.
    pub run_tokens: Option<Metric>,
    /// Tokens by their type: counters, or histograms whose sums are the tokens.
    #[serde(default)]
    pub tokens: BTreeMap<TokenType, Metric>,
    /// Turns of runs, a histogram.
    pub run_turns: Option<Metric>,
    /// Runs that are under way, a gauge.
    pub active_runs: Option<Metric>,
    /// When the oldest run that is under way began, in seconds since the epoch; 0 or absent without one.
    pub oldest_active_run_start: Option<Metric>,
    /// Work that waits for an agent, a gauge.
    pub queue_depth: Option<Metric>,
    /// Errors by their type.
    pub errors: Option<Typed>,
    /// Evaluated runs, with their verdict.
    pub evaluations: Option<Outcomes>,
    /// Scores of evaluated runs, a histogram.
    pub evaluation_score: Option<Named>,
    /// Guardrail checks, with their verdict.
    pub guardrails: Option<Outcomes>,
    /// What may be wrong with its series.
    #[serde(default)]
    pub hazards: Vec<Hazard>,
}

impl Profile {
    /// Every metric that plays a role, in the order of the fields.
    #[must_use]
    pub fn roles(&self) -> Vec<Role<'_>> {
        let events = [
            ("runs", &self.runs),
            ("modelCalls", &self.model_calls),
            ("tools", &self.tools),
            ("evaluations", &self.evaluations),
            ("guardrails", &self.guardrails),
        ];
        let distributions = [
            ("runDuration", &self.run_duration),
            ("modelCallDuration", &self.model_call_duration),
            ("toolDuration", &self.tool_duration),
            ("timeToFirstToken", &self.time_to_first_token),
            ("runCost", &self.run_cost),
            ("runTokens", &self.run_tokens),
            ("runTurns", &self.run_turns),
        ];
        let levels = [
            ("activeRuns", &self.active_runs),
            ("oldestActiveRunStart", &self.oldest_active_run_start),
            ("queueDepth", &self.queue_depth),
        ];
        let score = self.evaluation_score.as_ref().map(|scores| &scores.metric);
        let errors = self.errors.as_ref().map(|errors| &errors.metric);
        let mut roles = Vec::new();
        for (name, events) in events {
            roles.extend(events.as_ref().map(|events| Role::new(name, Shape::Events, &events.metric)));
        }
        for (name, metric) in distributions {
            roles.extend(metric.as_ref().map(|metric| Role::new(name, Shape::Distribution, metric)));
        }
        roles.extend(score.map(|metric| Role::new("evaluationScore", Shape::Distribution, metric)));
        roles.extend(self.cost.as_ref().map(|metric| Role::new("cost", Shape::Amount, metric)));
        roles.extend(self.tokens.values().map(|metric| Role::new("tokens", Shape::Amount, metric)));
        for (name, metric) in levels {
            roles.extend(metric.as_ref().map(|metric| Role::new(name, Shape::Level, metric)));
        }
        roles.extend(errors.map(|metric| Role::new("errors", Shape::Events, metric)));
        roles
    }
}

/// One metric and the role that it plays.
#[derive(Clone, Copy, Debug)]
pub struct Role<'a> {
    /// Name of the role, as profiles write it.
    pub name: &'static str,
    /// What of the metric is read.
    pub shape: Shape,
    /// The metric; of events with a metric for failures, the one of all events.
    pub metric: &'a Metric,
}

impl<'a> Role<'a> {
    fn new(name: &'static str, shape: Shape, metric: &'a Metric) -> Self {
        Self { name, shape, metric }
    }
}

/// What of a metric a role reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// How many.
    Events,
    /// How they are distributed.
    Distribution,
    /// The sum of what was used.
    Amount,
    /// The value now.
    Level,
}

/// Events and how the failed ones among them are known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcomes {
    /// All events: a counter, or a histogram whose observations are the events.
    pub metric: Metric,
    /// How good and bad events are told apart.
    pub outcome: Outcome,
    /// Label with the name of the tool, evaluator or check.
    pub name_label: Option<String>,
}

/// How good and bad events are told apart.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// By a label of the metric.
    Label(OutcomeLabel),
    /// Failed events are counted by a metric of their own, whose other labels may differ.
    Failed(Metric),
    /// Good events are counted by a metric of their own, whose other labels may differ.
    Succeeded(Metric),
    /// Not at all: events are counted whatever became of them.
    Untold,
}

impl Outcome {
    /// The label that tells, where it is a label.
    #[must_use]
    pub fn label(&self) -> Option<&OutcomeLabel> {
        match self {
            Self::Label(label) => Some(label),
            Self::Failed(_) | Self::Succeeded(_) | Self::Untold => None,
        }
    }
}

/// A label with the outcome of an event, and what it means. Any value that is neither good nor excluded
/// is bad.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutcomeLabel {
    /// Name of the label.
    pub name: String,
    /// Values that are good; an empty string means that the label is missing.
    #[serde(default)]
    pub good: Vec<String>,
    /// Values that are not valid events.
    #[serde(default)]
    pub excluded: Vec<String>,
    /// Where good values are too many to list: an RE2 expression for the bad ones, and all others are good.
    pub bad: Option<String>,
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

/// A metric whose series carry the type of an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Typed {
    /// The metric: a counter, or a histogram whose observations are the errors.
    pub metric: Metric,
    /// Label with the type.
    pub type_label: String,
}

/// What a token was used for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "camelCase")]
pub enum TokenType {
    /// Read by the model.
    Input,
    /// Written by the model.
    Output,
    /// Read from the cache of prompts.
    CacheRead,
    /// Written to the cache of prompts.
    CacheWrite,
    /// Written by the model for itself.
    Reasoning,
}

/// What may be wrong with the series of an emitter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hazard {
    /// Its name, for example `LabelPerCall`.
    pub name: String,
    /// How it shows in Prometheus.
    pub sign: String,
    /// What mends it.
    pub fix: String,
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
    /// Which of its series play the role; labels in the emitter's own naming. Empty for all.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
    /// Label with the name of the agent, where it is another than that of the profile.
    pub agent_label: Option<String>,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub enum MetricKind {
    /// A monotonic counter.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A histogram, classic or native.
    Histogram,
}

impl MetricKind {
    /// As Prometheus calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
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
        let expected = [
            "AgentGateway",
            "AgentMetrics",
            "ClaudeCode",
            "ClaudeCodeNative",
            "EnvoyAIGateway",
            "GenAI",
            "GenAI136",
            "GenAI137",
            "GoogleADK",
            "Kagent",
            "LiteLLM",
            "MicrosoftAgentFramework",
            "OpenLIT",
            "OpenLLMetry",
            "Strands",
            "VLLM",
        ];
        assert_eq!(names(), expected);
        assert!(find(DEFAULT).is_some());
    }

    #[test]
    fn roles_have_the_kind_of_metric_that_is_counted_there() {
        for profile in names().into_iter().filter_map(find) {
            for role in profile.roles() {
                let (kind, name) = (role.metric.kind, &role.metric.name);
                let fits = match role.shape {
                    Shape::Events | Shape::Amount => kind != MetricKind::Gauge,
                    Shape::Distribution => kind == MetricKind::Histogram,
                    Shape::Level => kind == MetricKind::Gauge,
                };
                assert!(fits, "{}: {} is {name}, a {kind:?}", profile.name, role.name);
            }
        }
    }

    #[test]
    fn every_profile_can_be_recognised_and_says_how_to_mend_its_hazards() {
        for profile in names().into_iter().filter_map(find) {
            assert!(!profile.fingerprint.is_empty(), "{} cannot be recognised", profile.name);
            for hazard in &profile.hazards {
                assert!(!hazard.sign.is_empty() && !hazard.fix.is_empty(), "{}: {hazard:?}", profile.name);
            }
        }
    }
}
