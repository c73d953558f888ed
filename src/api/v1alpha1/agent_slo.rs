//! `AgentSLO`: one objective for one agent.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AgentSloStatus, Estimator, Indicator, LocalReference, TelemetrySource, messages};

/// One objective for one agent: how many of its runs may go wrong in a rolling window.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "agentslo.dev",
    version = "v1alpha1",
    kind = "AgentSLO",
    root = "AgentSlo",
    plural = "agentslos",
    singular = "agentslo",
    shortname = "agslo",
    category = "agents",
    category = "observability",
    namespaced,
    status = "AgentSloStatus",
    derive = "PartialEq",
    doc = "AgentSLO is one objective for one AI agent. The operator turns it into recording and burn-rate alerting rules and reports the error budget in its status.",
    selectable = ".spec.agent",
    printcolumn(
        name = "Objective",
        type_ = "string",
        json_path = ".status.objective",
        description = "Share of events that must be good."
    ),
    printcolumn(
        name = "SLI",
        type_ = "string",
        json_path = ".status.sli",
        description = "Share of events in the window that were good."
    ),
    printcolumn(
        name = "Budget",
        type_ = "string",
        json_path = ".status.budget.remaining",
        description = "Share of the error budget that is left."
    ),
    printcolumn(
        name = "State",
        type_ = "string",
        json_path = ".status.budget.state",
        description = "Met, AtRisk, Exhausted, NoData, Idle, Insufficient or Stale."
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether the rules are in force."
    ),
    printcolumn(
        name = "Window",
        type_ = "string",
        json_path = ".status.window",
        priority = "1",
        description = "Rolling window of the budget."
    ),
    printcolumn(
        name = "Burn",
        type_ = "string",
        json_path = ".status.burn.state",
        priority = "1",
        description = "Steady, SlowBurn (ticket) or FastBurn (page)."
    ),
    printcolumn(
        name = "Agent",
        type_ = "string",
        json_path = ".spec.agent",
        priority = "1",
        description = "The agent, as its telemetry names it."
    ),
    printcolumn(
        name = "Indicator",
        type_ = "string",
        json_path = ".status.indicator",
        priority = "1",
        description = "What is counted."
    ),
    printcolumn(
        name = "Events",
        type_ = "string",
        json_path = ".status.events.total",
        priority = "1",
        description = "Valid events in the window."
    ),
    printcolumn(
        name = "Alert",
        type_ = "string",
        json_path = ".status.firing",
        priority = "1",
        description = "The most urgent alert that fires."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = "1",
        description = "Why the rules are, or are not, in force."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("self.objective.matches('^[0-9]{1,3}([.][0-9]{1,5})?$')").message(messages::OBJECTIVE_FORMAT).field_path(".objective"),
    validation = Rule::new("!self.objective.matches('^[0-9]{1,3}([.][0-9]{1,5})?$') || double(self.objective) < 100.0").message(messages::OBJECTIVE_TOO_HIGH).field_path(".objective"),
    validation = Rule::new("!self.objective.matches('^[0-9]{1,3}([.][0-9]{1,5})?$') || double(self.objective) >= 50.0").message(messages::OBJECTIVE_TOO_LOW).field_path(".objective"),
    validation = Rule::new("!has(self.window) || self.window.matches('^[1-9][0-9]{0,5}(m|h|d|w)$')").message(messages::WINDOW_FORMAT).field_path(".window"),
    validation = Rule::new("!has(self.window) || !self.window.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') || [self.window].map(w, int(w.substring(0, size(w) - 1)) * (w.endsWith('w') ? 10080 : w.endsWith('d') ? 1440 : w.endsWith('h') ? 60 : 1)).all(m, m >= 1440 && m <= 129600)").message(messages::WINDOW_RANGE).field_path(".window"),
    validation = Rule::new("!(has(self.observabilityRef) && has(self.telemetry))").message(messages::ONE_TELEMETRY),
    validation = Rule::new("!self.agent.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x9f]') && !self.agent.contains('{{')").message(messages::AGENT_TEXT).field_path(".agent"),
    validation = Rule::new("!has(self.description) || !self.description.contains('{{')").message(messages::NO_TEMPLATE).field_path(".description"),
    validation = Rule::new("[has(self.indicator.success), has(self.indicator.latency), has(self.indicator.timeToFirstToken), has(self.indicator.toolSuccess), has(self.indicator.costPerRun), has(self.indicator.tokensPerRun), has(self.indicator.turns), has(self.indicator.evaluation), has(self.indicator.guardrail), has(self.indicator.availability), has(self.indicator.ratio), has(self.indicator.histogram), has(self.indicator.raw)].filter(x, x).size() == 1").message(messages::ONE_INDICATOR).field_path(".indicator"),
    validation = Rule::new("!has(self.groupBy) || self.groupBy.all(l, l.matches('^[a-zA-Z_][a-zA-Z0-9_.]*$') && !l.startsWith('__'))").message(messages::LABEL_NAME).field_path(".groupBy"),
    validation = Rule::new("!has(self.groupBy) || self.groupBy.all(l, !(l in ['namespace', 'agent', 'alertname', 'severity', 'urgency', 'le', 'quantile']) && !l.startsWith('agentslo'))").message(messages::RESERVED_GROUP).field_path(".groupBy"),
    validation = Rule::new("!has(self.queryOffset) || (self.queryOffset.matches('^[0-9]{1,4}(s|m)$') && duration(self.queryOffset) <= duration('15m'))").message(messages::QUERY_OFFSET).field_path(".queryOffset"),
    validation = Rule::new("!has(self.alerting) || !has(self.alerting.burnRates) || !has(self.window) || !self.window.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') || !self.objective.matches('^[0-9]{1,3}([.][0-9]{1,5})?$') || self.alerting.burnRates.all(r, !r.budgetPercent.matches('^[0-9]{1,3}([.][0-9]{1,3})?$') || !r.longWindow.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') || [self.window].map(w, int(w.substring(0, size(w) - 1)) * (w.endsWith('w') ? 10080 : w.endsWith('d') ? 1440 : w.endsWith('h') ? 60 : 1)).all(m, double(r.budgetPercent) * double(m) * (100.0 - double(self.objective)) < 10000.0 * double([r.longWindow].map(w, int(w.substring(0, size(w) - 1)) * (w.endsWith('w') ? 10080 : w.endsWith('d') ? 1440 : w.endsWith('h') ? 60 : 1))[0])))").message(messages::UNREACHABLE).field_path(".alerting")
)]
pub struct AgentSloSpec {
    /// Name of the agent, exactly as its telemetry reports it. Example: `support-agent`.
    #[schemars(length(min = 1, max = 128))]
    pub agent: String,
    /// What the objective promises, in a sentence; it is repeated in alerts. Default: none.
    /// Example: `Finished support conversations end without error.`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Percentage of valid events that must be good, as a decimal string with at most 5 decimals, at
    /// least 50 and below 100. The rest is the error budget. Example: `"99.5"`.
    #[schemars(length(min = 1, max = 9))]
    pub objective: String,
    /// Rolling window over which the budget is counted, 1 to 90 days. Prometheus must keep its data
    /// longer. Default: the AgentPlatform's, in most `30d`. Example: `28d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 7))]
    pub window: Option<String>,
    /// AgentObservability in the same namespace whose telemetry profile and matchers are used, and to whose
    /// dashboards and runbooks alerts link. Set this or `telemetry`. Default: none. Example: `{name: support-agent}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observability_ref: Option<LocalReference>,
    /// Which metrics the agent emits. Set this or `observabilityRef`. Default: profile `AgentMetrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetrySource>,
    /// What is counted. Exactly one kind. Example: `success: {}`.
    pub indicator: Indicator,
    /// Labels that split the objective: each combination of values gets a budget and alerts of its
    /// own. At most 5. Default: none. Example: `[model]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub group_by: Vec<String>,
    /// How and when to alert. Default: a page and a ticket by the SRE Workbook's burn rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerting: Option<Alerting>,
    /// How far behind the present rules are evaluated, so that late telemetry is in, at most 15m.
    /// Default: from the profile. Example: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    pub query_offset: Option<String>,
    /// Whether the objective rests: its rules stay as they are and are not updated, its alerts go on,
    /// and its status says `Suspended`. Default: `false`.
    #[serde(default)]
    pub suspend: bool,
}

/// How and when to alert.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.labels) || self.labels.all(k, !(k in ['namespace', 'alertname', 'severity', 'urgency', 'agent', 'le', 'quantile', 'job', 'instance']) && !k.startsWith('agentslo'))").message(messages::RESERVED_LABEL).field_path(".labels"),
    validation = Rule::new("!has(self.labels) || self.labels.all(k, k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !k.startsWith('__'))").message(messages::ALERT_LABEL_NAME).field_path(".labels"),
    validation = Rule::new("!has(self.labels) || self.labels.all(k, !self.labels[k].contains('{{'))").message(messages::NO_TEMPLATE).field_path(".labels"),
    validation = Rule::new("!has(self.annotations) || self.annotations.all(k, k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !(k in ['summary', 'description', 'runbook_url']))").message(messages::ANNOTATION_NAME).field_path(".annotations"),
    validation = Rule::new("!has(self.annotations) || self.annotations.all(k, !self.annotations[k].contains('{{'))").message(messages::NO_TEMPLATE).field_path(".annotations"),
    validation = Rule::new("!has(self.runbookURL) || (self.runbookURL.startsWith('https://') && !self.runbookURL.contains('@') && self.runbookURL.matches('^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^ \"<>\\\\\\\\^`|]*)?$') && !self.runbookURL.contains('{{'))").message(messages::HTTPS_URL).field_path(".runbookURL")
)]
pub struct Alerting {
    /// How bad events must pile up in the long window before an alert fires. Default: the
    /// AgentPlatform's, in most `Smoothed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::shared_schema::optional_word::<Estimator>")]
    pub estimator: Option<Estimator>,
    /// Fewest bad events in the long window that may fire an alert, 1 to 1000; `Ratio` ignores it.
    /// Default: `3`.
    #[serde(default = "default_min_failures")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_failures: i32,
    /// The alert that wakes somebody. Default: severity `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Urgency>,
    /// The alert that waits for working hours. Default: severity `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Urgency>,
    /// Burn-rate pairs that replace the default catalogue; at most 8, and none means no burn alerts.
    /// Default: the Workbook's four pairs, scaled to the window.
    /// Example: `[{severity: Page, budgetPercent: "2", longWindow: 1h, shortWindow: 5m}]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["severity", "longWindow"]))]
    pub burn_rates: Option<Vec<BurnRatePair>>,
    /// The alert on missing telemetry. Default: after `6h`, severity `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_data: Option<NoData>,
    /// Further labels of every alert, for routing; at most 16, and never those that the operator sets.
    /// Default: none. Example: `{team: support}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::alert_labels")]
    pub labels: BTreeMap<String, String>,
    /// Further annotations of every alert, inserted literally; at most 16. Default: none.
    /// Example: `{dashboard: "https://grafana.example/d/abc"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::alert_annotations")]
    pub annotations: BTreeMap<String, String>,
    /// Where the responder finds help: an https URL; `{alert}`, `{name}`, `{namespace}` and `{agent}` are
    /// replaced. Default: `guards.runbookURL` of the AgentObservability of `observabilityRef`, else none.
    /// Example: `https://runbooks.example/agent/{name}`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "runbookURL")]
    #[schemars(length(max = 512))]
    pub runbook_url: Option<String>,
}

fn default_min_failures() -> i32 {
    3
}

/// One urgency of alerts.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct Urgency {
    /// Value of the label `severity`. Default: the AgentPlatform's. Example: `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

/// Which urgency a burn-rate pair has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum PairSeverity {
    /// The pair can fire the page.
    Page,
    /// The pair can fire the ticket.
    Ticket,
}

/// A pair of windows: the share of the budget that, once spent within the long window, is too much.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.longWindow.matches('^[1-9][0-9]{0,5}(m|h|d|w)$')").message(messages::WINDOW_FORMAT).field_path(".longWindow"),
    validation = Rule::new("self.shortWindow.matches('^[1-9][0-9]{0,5}(m|h|d|w)$')").message(messages::WINDOW_FORMAT).field_path(".shortWindow"),
    validation = Rule::new("!self.longWindow.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') || !self.shortWindow.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') || [[self.shortWindow, self.longWindow].map(w, int(w.substring(0, size(w) - 1)) * (w.endsWith('w') ? 10080 : w.endsWith('d') ? 1440 : w.endsWith('h') ? 60 : 1))].all(m, m[0] < m[1])").message(messages::SHORT_BELOW_LONG).field_path(".shortWindow"),
    validation = Rule::new("self.budgetPercent.matches('^[0-9]{1,3}([.][0-9]{1,3})?$') && double(self.budgetPercent) > 0.0 && double(self.budgetPercent) <= 100.0").message(messages::BUDGET_PERCENT).field_path(".budgetPercent")
)]
pub struct BurnRatePair {
    /// Which alert the pair belongs to. Example: `Page`.
    pub severity: PairSeverity,
    /// Percentage of the whole budget that, spent within `longWindow`, fires the alert; decimal string
    /// with at most 3 decimals. Example: `"2"`.
    #[schemars(length(min = 1, max = 7))]
    pub budget_percent: String,
    /// Window in which the share is counted, a multiple of 5 minutes and at most a third of `window`.
    /// Example: `1h`.
    #[schemars(length(min = 2, max = 7))]
    pub long_window: String,
    /// Window that must still burn, so that the alert ends soon after the incident; a multiple of 5
    /// minutes, most often a twelfth of `longWindow`. Example: `5m`.
    #[schemars(length(min = 2, max = 7))]
    pub short_window: String,
}

/// The alert on missing telemetry.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.after) || (self.after.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') && [self.after].map(w, int(w.substring(0, size(w) - 1)) * (w.endsWith('w') ? 10080 : w.endsWith('d') ? 1440 : w.endsWith('h') ? 60 : 1)).all(m, m >= 5 && m <= 43200))").message(messages::NO_DATA_RANGE).field_path(".after"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct NoData {
    /// How long the series may be absent before the alert fires, 5m to 30d. Default: `6h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 7))]
    pub after: Option<String>,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets. Example: `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}
