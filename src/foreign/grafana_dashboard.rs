//! `GrafanaDashboard` of grafana-operator, `grafana.integreatly.org/v1beta1`.

use serde::Serialize;

use super::ForeignObject;

/// A dashboard that grafana-operator brings to Grafana.
pub type GrafanaDashboard = ForeignObject<GrafanaDashboardSpec>;

/// A dashboard.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaDashboardSpec {
    /// The dashboard as JSON text.
    pub json: String,
}
