//! What the operator reports back about an AgentObservability.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, ConditionStatus};

/// State of an AgentObservability, written by the operator.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentObservabilityStatus {
    /// Generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Telemetry profile in force. Example: `ClaudeCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub profile: Option<String>,
    /// Version of the Collector that the pipeline is made for, or `Off`. Example: `0.165`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub pipeline: Option<String>,
    /// Signals that the pipeline carries on to a back end: `L` logs, `M` metrics, `T` traces; `-` for
    /// none. Example: `LT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub signals: Option<String>,
    /// What the agent's telemetry was found to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<Detected>,
    /// What the agent is estimated to cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Spend>,
    /// What was found when the agent's chain in the ledger was last verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// Conditions: `Ready`, `Accepted`, `PipelineApplied`, `DashboardsApplied`, `GuardsApplied`,
    /// `RoutesApplied`, `MonitorsApplied`, `LedgerApplied`, `AuditIntact`, `DataAvailable`, and
    /// `Reconciling` and `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// What the agent's telemetry was found to have.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detected {
    /// Roles of the profile that have series. Example: `[runs, tools]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Vec<String>,
    /// Roles of the profile that have none, so that nothing can be said of them. Example: `[queueDepth]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub roles_without_series: Vec<String>,
    /// Bounds of the buckets of the durations of runs, in seconds, where guard `slowShare` is asked for and
    /// the histogram has any. Its threshold must be one of them. Example: `["10", "60"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(max = 24)), extend("x-kubernetes-list-type" = "set"))]
    pub run_duration_buckets: Vec<String>,
}

/// What the agent is estimated to cost, in US dollars. Telemetry's prices are list prices; this is no
/// bill.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spend {
    /// In the last 24 hours. Example: `12.40`.
    #[serde(rename = "estimatedLast24hUSD")]
    #[schemars(length(max = 24))]
    pub estimated_last24h_usd: String,
    /// In the last 7 days. Example: `80.12`.
    #[serde(rename = "estimatedLast7dUSD")]
    #[schemars(length(max = 24))]
    pub estimated_last7d_usd: String,
    /// In this calendar month at the rate of the days observed. Example: `351.60`.
    #[serde(rename = "estimatedMonthUSD")]
    #[schemars(length(max = 24))]
    pub estimated_month_usd: String,
    /// Days of the last 7 for which there are samples, on which the estimate rests. Example: `6.5`.
    #[schemars(length(max = 8))]
    pub days_observed: String,
    /// Who says so: the ledger where there is one, else the agent's metrics. Default: `Metrics`.
    #[serde(default)]
    pub source: SpendSource,
}

/// Who says what an agent costs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SpendSource {
    /// The agent's metrics.
    #[default]
    Metrics,
    /// The ledger.
    Ledger,
}

/// What was found when the agent's chain in the ledger was last verified.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// Whether nothing was done to the chain: `True` or `False`.
    pub intact: ConditionStatus,
    /// When it was last verified.
    pub last_verified: Time,
    /// Place of the last entry that was signed; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sequence: Option<i64>,
    /// Its hash, in hexadecimal digits. Whoever has written it down can tell later that nothing before it was
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub head_hash: Option<String>,
}
