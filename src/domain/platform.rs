//! What the platform team decided, with every default filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ledger::Offer;
use super::window::Window;
use crate::api::v1alpha1::{Backend, CollectorSharing, Estimator, MailServer, PrometheusEndpoint};

/// Labels that hold ids: grouping by one would make a series for each run.
pub const NEVER_GROUPED: [&str; 9] = [
    "trace_id",
    "span_id",
    "session_id",
    "conversation_id",
    "request_id",
    "run_id",
    "pod_uid",
    "tool_use_id",
    "query_id",
];

/// What the platform team decided for a namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Platform {
    /// Name of the AgentPlatform; none where there is none and safe defaults hold.
    pub name: Option<String>,
    /// Where budgets are read.
    pub prometheus: Option<Arc<PrometheusEndpoint>>,
    /// Labels of every PrometheusRule.
    pub rule_labels: BTreeMap<String, String>,
    /// Labels of every PodMonitor.
    pub monitor_labels: BTreeMap<String, String>,
    /// Labels of every AlertmanagerConfig.
    pub route_labels: BTreeMap<String, String>,
    /// Where e-mail is sent; none where it is not offered.
    pub mail: Option<MailServer>,
    /// Back ends that tenants may name.
    pub backends: Vec<Backend>,
    /// Ledgers that tenants may ask for; none where there are none.
    pub ledger: Option<Arc<Offer>>,
    /// How Collectors are run.
    pub collectors: Collectors,
    /// How Grafana finds dashboards.
    pub grafana: Grafana,
    /// Label that binds every selector to the namespace, unless isolation is off.
    pub namespace_label: Option<String>,
    /// Whether `raw` indicators are accepted.
    pub allows_raw: bool,
    /// Labels by which nobody may group.
    pub group_by_deny_list: BTreeSet<String>,
    /// Most series that one rule may produce.
    pub series_per_rule: i32,
    /// Most AgentSLOs in one namespace.
    pub slos_per_namespace: i32,
    /// Default window.
    pub window: Window,
    /// Default estimator.
    pub estimator: Estimator,
    /// Default severity of pages.
    pub page_severity: String,
    /// Default severity of tickets.
    pub ticket_severity: String,
    /// Severities that may be used; none listed means any.
    pub allowed_severities: Vec<String>,
}

/// How Collectors are run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collectors {
    /// Where agents send OTLP over HTTP, with `{name}` and `{namespace}`; none for the generated Service.
    pub endpoint: Option<String>,
    /// Whether a Collector serves more than one namespace.
    pub sharing: CollectorSharing,
    /// Directory for the persistent queues.
    pub storage_directory: String,
    /// Memory from which on a Collector refuses data, in MiB.
    pub memory_limit_mib: i32,
}

impl Default for Collectors {
    fn default() -> Self {
        Self {
            endpoint: None,
            sharing: CollectorSharing::default(),
            storage_directory: "/var/lib/otelcol".to_owned(),
            memory_limit_mib: 400,
        }
    }
}

/// How Grafana finds dashboards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grafana {
    /// Label by which the sidecar finds dashboard ConfigMaps.
    pub sidecar_label: String,
    /// Value of that label.
    pub sidecar_label_value: String,
    /// Annotation that names the folder; none where the sidecar reads none.
    pub folder_annotation: Option<String>,
    /// Folders that tenants may choose.
    pub allowed_folders: Vec<String>,
    /// Labels of the Grafanas of grafana-operator that show dashboards of every namespace; none where each
    /// namespace has its own.
    pub instance_labels: BTreeMap<String, String>,
    /// Base URL, for links; none where nobody said.
    pub url: Option<String>,
}

impl Default for Grafana {
    fn default() -> Self {
        Self {
            sidecar_label: "grafana_dashboard".to_owned(),
            sidecar_label_value: "1".to_owned(),
            folder_annotation: None,
            allowed_folders: Vec::new(),
            instance_labels: BTreeMap::new(),
            url: None,
        }
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            name: None,
            prometheus: None,
            rule_labels: BTreeMap::new(),
            monitor_labels: BTreeMap::new(),
            route_labels: BTreeMap::new(),
            mail: None,
            backends: Vec::new(),
            ledger: None,
            collectors: Collectors::default(),
            grafana: Grafana::default(),
            namespace_label: Some("namespace".to_owned()),
            allows_raw: false,
            group_by_deny_list: NEVER_GROUPED.into_iter().map(str::to_owned).collect(),
            series_per_rule: 200,
            slos_per_namespace: 1500,
            window: Window::from_days(30),
            estimator: Estimator::default(),
            page_severity: "critical".to_owned(),
            ticket_severity: "warning".to_owned(),
            allowed_severities: Vec::new(),
        }
    }
}

impl Platform {
    /// How messages name it.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.name.as_ref().map_or_else(
            || "the default policy (there is no AgentPlatform)".to_owned(),
            |name| format!("AgentPlatform '{name}'"),
        )
    }
}
