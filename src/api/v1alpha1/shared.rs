//! Pieces that several kinds use: selectors, telemetry, references.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::messages;

/// How a matcher compares the value of a label.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum MatchOp {
    /// `label="value"`.
    #[default]
    Equal,
    /// `label!="value"`.
    NotEqual,
    /// `label=~"value"`, RE2, anchored at both ends.
    Regex,
    /// `label!~"value"`, RE2, anchored at both ends.
    NotRegex,
}

/// One condition on a label of a series.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.label.matches('^[a-zA-Z_][a-zA-Z0-9_.]*$') && !self.label.startsWith('__')").message(messages::LABEL_NAME).field_path(".label"),
    validation = Rule::new("!self.value.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x9f]')").message(messages::NO_CONTROL).field_path(".value")
)]
pub struct Matcher {
    /// Name of the label, as Prometheus stores it. Example: `cluster`.
    #[schemars(length(min = 1, max = 128))]
    pub label: String,
    /// How the label is compared. Default: `Equal`.
    #[serde(default)]
    pub op: MatchOp,
    /// The value, or an RE2 expression for `Regex` and `NotRegex`. Written into the query with every
    /// special character escaped, so it can never end the selector. Example: `eu-1`.
    #[schemars(length(max = 512))]
    pub value: String,
}

/// A metric with conditions on its labels.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.metric.matches('^[a-zA-Z_:][a-zA-Z0-9_:.]*$')").message(messages::METRIC_NAME).field_path(".metric")
)]
pub struct Selector {
    /// Name of the metric, as Prometheus stores it. Example: `http_requests_total`.
    #[schemars(length(min = 1, max = 200))]
    pub metric: String,
    /// Conditions on its labels, all of which must hold. Default: none. Example: `[{label: code, op: Regex, value: "5.."}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["label", "op"]))]
    pub matchers: Vec<Matcher>,
}

/// How OpenTelemetry names became Prometheus names on their way into the database.
/// The values are those of Prometheus' `otlp.translation_strategy`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum NameTranslation {
    /// `gen_ai.invoke_agent.duration` becomes `gen_ai_invoke_agent_duration_seconds`.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// `gen_ai.invoke_agent.duration` becomes `gen_ai_invoke_agent_duration`.
    UnderscoreEscapingWithoutSuffixes,
    /// `gen_ai.invoke_agent.duration` becomes `gen_ai.invoke_agent.duration_seconds`.
    NoUTF8EscapingWithSuffixes,
    /// `gen_ai.invoke_agent.duration` stays as it is.
    NoTranslation,
}

/// Which metrics the agent emits, and how to tell its series from others.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TelemetrySource {
    /// Telemetry profile: the set of metric names that the agent emits. `AgentMetrics` is this
    /// project's contract; `GenAI`, `GenAI137` and `GenAI136` are the three generations of the
    /// OpenTelemetry GenAI conventions; `ClaudeCode` and `Kagent` are for metrics derived by the
    /// generated Collector pipeline; the others are named after what emits them. `agentslo discover`
    /// finds the one that fits. Default: `AgentMetrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), extend("enum" = crate::profiles::names()))]
    pub profile: Option<String>,
    /// How OpenTelemetry names were translated to Prometheus names. Affects profiles whose metrics
    /// arrive by OTLP. Default: `UnderscoreEscapingWithSuffixes`.
    #[serde(default)]
    pub name_translation: NameTranslation,
    /// Further conditions that every series of this agent meets. Default: none.
    /// Example: `[{label: cluster, value: eu-1}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["label", "op"]))]
    pub matchers: Vec<Matcher>,
    /// Whether a counter that is first seen above zero brings its first value as events. `Count` is
    /// right for labels created with their first event and for short-lived processes; `Ignore` is
    /// right where series are relabelled often. Default: from the profile, in most `Count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::shared_schema::optional_word::<CounterBirths>")]
    pub counter_births: Option<CounterBirths>,
}

/// What the first value of a new counter means.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CounterBirths {
    /// The first value counts, up to a bound taken from history.
    #[default]
    Count,
    /// Only increases of a series that was seen before count.
    Ignore,
}

/// A reference to an object of a fixed kind in the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalReference {
    /// Name of the object. Example: `support-agent`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: String,
}

/// A key of a Secret in the namespace of the operator.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret. Example: `prometheus-token`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: String,
    /// Key in the Secret. Example: `token`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// How bad runs must pile up before an alert fires.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Estimator {
    /// The ratio, drawn towards the objective while events are few: two failures alone never fire.
    #[default]
    Smoothed,
    /// The plain ratio, and at least `minFailures` bad events.
    MinFailures,
    /// The lower bound of a Wilson interval (z = 1.645) above the threshold.
    Wilson,
    /// Wald's sequential probability ratio test between the objective and the burn rate.
    SequentialTest,
    /// The plain ratio alone: one failed run may page.
    Ratio,
}
