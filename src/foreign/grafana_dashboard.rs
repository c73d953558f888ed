//! `GrafanaDashboard` of grafana-operator, `grafana.integreatly.org/v1beta1`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ForeignObject;

/// A dashboard that grafana-operator brings to Grafana.
pub type GrafanaDashboard = ForeignObject<GrafanaDashboardSpec>;

/// A dashboard, and which Grafanas show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaDashboardSpec {
    /// Which Grafanas show it.
    pub instance_selector: InstanceSelector,
    /// Whether Grafanas in other namespaces are meant, too.
    pub allow_cross_namespace_import: bool,
    /// Title of the folder; none for Grafana's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The dashboard as JSON text.
    pub json: String,
}

/// Labels of Grafanas; none for all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSelector {
    /// Labels with the values that they must have.
    pub match_labels: BTreeMap<String, String>,
}
