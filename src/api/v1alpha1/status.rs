//! What the operator reports back. Numbers are strings, rounded so that noise is not news.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PairSeverity;

/// One aspect of the state of an object, by the conventions of Kubernetes.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What the condition is about, in CamelCase. Example: `Ready`.
    #[serde(rename = "type")]
    #[schemars(length(max = 64))]
    pub type_: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Generation of the spec that it was judged for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When `status` last flipped.
    pub last_transition_time: Time,
    /// Why, as one CamelCase word for machines. Example: `NoSeries`.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Why, as a sentence for people, and what would help.
    #[schemars(length(max = 4096))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told.
    Unknown,
}

/// State of an AgentSLO, written by the operator.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentSloStatus {
    /// Generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The objective in force, for display. Example: `99%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub objective: Option<String>,
    /// The window in force, with the AgentPlatform's default filled in. Example: `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub window: Option<String>,
    /// Kind of the indicator in force. Example: `success`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub indicator: Option<String>,
    /// Share of the events in the window that were good. Example: `99.41%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub sli: Option<String>,
    /// How many events the window holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// How many events there are in an hour, which the windows of alerts are fitted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficReading>,
    /// Where the true share lies with a probability of 95 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What is left of the error budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// How fast the budget is being spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<Burn>,
    /// The burn-rate pairs in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub alerts: Vec<AlertStatus>,
    /// The most urgent alert that fires now. Example: `Page`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub firing: Option<String>,
    /// With `groupBy`: the budgets of the groups that have least left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub groups: Vec<GroupStatus>,
    /// What the rules cost Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<RuleCost>,
    /// Conditions: `Ready`, `Accepted`, `RulesApplied`, `RulesAccepted`, `DataAvailable`,
    /// `BudgetHealthy`, the warnings `AlertsReachable`, `TrafficSufficient` and `Plausible`, and
    /// `Reconciling` and `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// How many events the window holds, rounded to whole events.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// Valid events. Example: `4210`.
    #[schemars(length(max = 24))]
    pub total: String,
    /// Bad events among them. Example: `25`.
    #[schemars(length(max = 24))]
    pub bad: String,
    /// The window that was counted. Example: `30d`.
    #[schemars(length(max = 16))]
    pub since: String,
    /// Share of the window for which Prometheus has counts. Example: `100%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub coverage: Option<String>,
}

/// How many valid events there are in an hour; with `groupBy`, in the busiest group.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficReading {
    /// As measured over the last week, or since it is counted if that is a day or more. Example: `12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub per_hour: Option<String>,
    /// What the rules are made for: the nearest power of two. It follows `perHour` only where the two
    /// differ by a factor of two, so that rules do not change with every event. Example: `16`.
    #[schemars(length(max = 16))]
    pub used: String,
}

/// Jeffreys interval of the share of good events, 95 %.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confidence {
    /// Lower bound. Example: `99.13%`.
    #[schemars(length(max = 16))]
    pub low: String,
    /// Upper bound. Example: `99.61%`.
    #[schemars(length(max = 16))]
    pub high: String,
}

/// State of a budget.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum BudgetState {
    /// More than a quarter is left.
    Met,
    /// At most a quarter is left.
    AtRisk,
    /// Nothing is left.
    Exhausted,
    /// No series match.
    #[default]
    NoData,
    /// Series match, but no event happened in the window.
    Idle,
    /// Fewer events than one budget event needs: a single failure would exhaust the budget.
    Insufficient,
    /// The newest count is older than three evaluations, or the telemetry has been gone for `noData.after`.
    Stale,
}

/// What is left of the error budget.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// State in one word.
    pub state: BudgetState,
    /// Share that is left; negative when overspent. Example: `41%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub remaining: Option<String>,
    /// Bad events that may still happen in this window. Example: `17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    pub remaining_events: Option<String>,
}

/// How fast the budget is being spent.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum BurnState {
    /// No burn alert fires.
    #[default]
    Steady,
    /// The ticket alert fires.
    SlowBurn,
    /// The page alert fires.
    FastBurn,
}

/// How fast the budget is being spent.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Burn {
    /// State in one word, from the alerts that fire.
    pub state: BurnState,
    /// Burn rates: 1 spends exactly the budget over the window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "atomic"))]
    pub rates: Vec<BurnRateReading>,
}

/// Burn rate in one window.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnRateReading {
    /// The window. Example: `1h`.
    #[schemars(length(max = 16))]
    pub window: String,
    /// The rate, to two significant digits. Example: `0.3`.
    #[schemars(length(max = 16))]
    pub rate: String,
}

/// One burn-rate pair in force, and what it can do at the traffic seen.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// Urgency of the pair.
    pub severity: PairSeverity,
    /// Its long window. Example: `1h`.
    #[schemars(length(max = 16))]
    pub long_window: String,
    /// Its short window. Example: `5m`.
    #[schemars(length(max = 16))]
    pub short_window: String,
    /// Burn rate above which it fires. Example: `14.4`.
    #[schemars(length(max = 16))]
    pub burn_rate: String,
    /// Time from the start of a total outage until it fires, at the traffic used. Example: `9m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub detection: Option<String>,
    /// Time from the end of an outage until it stops. Example: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub reset: Option<String>,
    /// False alarms a month if failures came at exactly the rate that the budget allows. Example: `0.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub false_pages_per_month: Option<String>,
    /// Whether the alert that the pair belongs to fires now.
    #[serde(default)]
    pub firing: bool,
}

/// Budget of one combination of `groupBy` labels.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupStatus {
    /// The labels and their values. Example: `model=opus`.
    #[schemars(length(max = 512))]
    pub group: String,
    /// Share of good events. Example: `99.2%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub sli: Option<String>,
    /// State of its budget.
    pub state: BudgetState,
    /// Share of its budget that is left. Example: `41%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub remaining: Option<String>,
}

/// What the rules cost Prometheus.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleCost {
    /// Rules rendered. Example: `11`.
    pub rules: i32,
    /// Series recorded for each group. Example: `8`.
    pub series: i32,
    /// Recorded samples that the rules read in an hour, without the raw series. Example: `0.4M`.
    #[schemars(length(max = 16))]
    pub samples_per_hour: String,
}

/// State of an AgentPlatform, written by the operator.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentPlatformStatus {
    /// Generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Number of AgentSLOs that the platform governs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slos: Option<i64>,
    /// Conditions: `Ready`, `Accepted`, `PrometheusReachable`, `Reconciling`, `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
