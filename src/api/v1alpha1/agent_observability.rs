//! `AgentObservability`: what one agent's telemetry becomes.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AgentObservabilityStatus, Guards, LabelRequirement, Ledger, Pipeline, Routing, TelemetrySource, messages,
};

/// What one agent's telemetry becomes: a Collector pipeline, dashboards, guards, alert routes and a ledger.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "agentslo.dev",
    version = "v1alpha1",
    kind = "AgentObservability",
    plural = "agentobservabilities",
    singular = "agentobservability",
    shortname = "agobs",
    category = "agents",
    category = "observability",
    namespaced,
    status = "AgentObservabilityStatus",
    derive = "PartialEq",
    doc = "AgentObservability describes the telemetry of one AI agent. The operator turns it into a Collector pipeline, an environment for the agent, a PodMonitor, guards, alert routes, dashboards and a ledger.",
    selectable = ".spec.agent",
    printcolumn(
        name = "Agent",
        type_ = "string",
        json_path = ".spec.agent",
        description = "The agent, as its telemetry names it."
    ),
    printcolumn(
        name = "Profile",
        type_ = "string",
        json_path = ".status.profile",
        description = "Which metrics it emits."
    ),
    printcolumn(
        name = "Pipeline",
        type_ = "string",
        json_path = ".status.pipeline",
        description = "Version of the Collector that the pipeline is made for, or Off."
    ),
    printcolumn(
        name = "Signals",
        type_ = "string",
        json_path = ".status.signals",
        description = "Signals that the pipeline carries on: L logs, M metrics, T traces."
    ),
    printcolumn(
        name = "Spend24h",
        type_ = "string",
        json_path = ".status.spend.estimatedLast24hUSD",
        description = "Estimated cost of the last 24 hours in US dollars."
    ),
    printcolumn(
        name = "Audit",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"AuditIntact\")].status",
        priority = "1",
        description = "Whether nothing was done to what was entered of the agent."
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether everything that was asked for is in force."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = "1",
        description = "Why it is, or is not, in force."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("!self.agent.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x9f]') && !self.agent.contains('{{')").message(messages::AGENT_TEXT).field_path(".agent"),
    validation = Rule::new("!has(self.ledger) || has(self.pipeline)").message(messages::LEDGER_PIPELINE).field_path(".ledger"),
    validation = Rule::new("!has(self.ledger) || self.ledger.audit == 'Metadata' || !has(self.pipeline) || (has(self.pipeline.redaction) && self.pipeline.redaction.contentCapture != 'None')").message(messages::LEDGER_CONTENTS).field_path(".ledger.audit")
)]
pub struct AgentObservabilitySpec {
    /// Name of the agent, exactly as its telemetry reports it. Of two AgentObservabilities for one agent
    /// in a namespace the older is in force. Example: `support-agent`.
    #[schemars(length(min = 1, max = 128))]
    pub agent: String,
    /// Which metrics the agent emits, and how to tell its series from others. AgentSLOs with
    /// `observabilityRef` use the same. Default: profile `AgentMetrics`, or `ClaudeCode` where `pipeline`
    /// derives metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetrySource>,
    /// Pods whose metrics Prometheus scrapes, which becomes a PodMonitor. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape: Option<Scrape>,
    /// The workload that runs the agent, whose roll-outs are marked on dashboards. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// The OpenTelemetry Collector pipeline of the agent. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Pipeline>,
    /// Whether a ConfigMap of environment variables is made, for the agent to mount with `envFrom`: where
    /// to send telemetry, as whom, and without content. Default: `ConfigMap` with a `pipeline`, else `Off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::shared_schema::optional_word::<EnvironmentDelivery>")]
    pub environment: Option<EnvironmentDelivery>,
    /// Grafana dashboards of the agent. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboards: Option<DashboardDelivery>,
    /// Plain alerts that no error budget expresses. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<Guards>,
    /// Who is told of the agent's alerts, which becomes an AlertmanagerConfig. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// Whether what the agent does and costs is entered into the platform's ledger, which keeps it so that
    /// nobody changes it unseen. Needs `pipeline`. Default: nothing is entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// Whether the resource rests: what it made stays as it is and is not updated. Default: `false`.
    #[serde(default)]
    pub suspend: bool,
}

/// Pods whose metrics Prometheus scrapes, in the namespace of the AgentObservability.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.interval.matches('^[1-9][0-9]{0,3}(s|m)$') && duration(self.interval) >= duration('5s') && duration(self.interval) <= duration('5m')").message(messages::SCRAPE_INTERVAL).field_path(".interval")
)]
pub struct Scrape {
    /// Labels of the pods.
    pub selector: PodSelector,
    /// Name of the container port that serves the metrics. Example: `metrics`.
    #[schemars(length(min = 1, max = 15), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub port: String,
    /// Path of the metrics. Default: `/metrics`.
    #[serde(default = "default_path")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^/[A-Za-z0-9._/-]*$"))]
    pub path: String,
    /// Time between two scrapes, 5s to 5m. Default: `30s`.
    #[serde(default = "default_interval")]
    #[schemars(length(min = 2, max = 5))]
    pub interval: String,
}

fn default_path() -> String {
    "/metrics".to_owned()
}

fn default_interval() -> String {
    "30s".to_owned()
}

/// Labels of pods; all conditions must hold, and there must be one.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)").message(messages::POD_SELECTOR)
)]
pub struct PodSelector {
    /// Labels with the values that they must have. Default: none. Example: `{app: support-agent}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::object_labels")]
    pub match_labels: BTreeMap<String, String>,
    /// Further conditions on labels. Default: none. Example: `[{key: app, operator: Exists}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub match_expressions: Vec<LabelRequirement>,
}

/// The workload that runs the agent.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Its kind. Default: `Deployment`.
    #[serde(default)]
    pub kind: WorkloadKind,
    /// Its name. Example: `support-agent`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: String,
}

/// Kinds of workloads.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum WorkloadKind {
    /// Replicas that can be exchanged.
    #[default]
    Deployment,
    /// Replicas with a name each.
    StatefulSet,
    /// Runs on a schedule.
    CronJob,
}

/// Whether a ConfigMap of environment variables is made.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum EnvironmentDelivery {
    /// One is made.
    #[default]
    ConfigMap,
    /// None is made.
    Off,
}

/// How dashboards reach Grafana.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DashboardDelivery {
    /// What carries a dashboard. Default: `ConfigMap`.
    #[serde(default)]
    pub delivery: DashboardKind,
    /// Folder in Grafana; one of those that the AgentPlatform allows. Default: none, so Grafana's own.
    /// Example: `Agents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9 _-]+$"))]
    pub folder: Option<String>,
}

/// What carries a dashboard.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DashboardKind {
    /// A ConfigMap for Grafana's sidecar.
    #[default]
    ConfigMap,
    /// A `GrafanaDashboard` for grafana-operator.
    GrafanaDashboard,
}
