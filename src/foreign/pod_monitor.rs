//! `PodMonitor` of prometheus-operator, `monitoring.coreos.com/v1`.

use serde::Serialize;

use super::ForeignObject;
use crate::api::v1alpha1::PodSelector;

/// Pods that Prometheus scrapes.
pub type PodMonitor = ForeignObject<PodMonitorSpec>;

/// Which pods, and where in them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodMonitorSpec {
    /// Labels of the pods, in the namespace of the PodMonitor.
    pub selector: PodSelector,
    /// Ports and paths.
    pub pod_metrics_endpoints: Vec<PodMetricsEndpoint>,
}

/// A port that serves metrics, by its name or its number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodMetricsEndpoint {
    /// Name of the container port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Number of the container port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_number: Option<u16>,
    /// Path of the metrics.
    pub path: String,
    /// Time between two scrapes.
    pub interval: String,
    /// Whether labels of the target may replace those of the scrape.
    pub honor_labels: bool,
    /// Labels that every series gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relabelings: Vec<Relabeling>,
}

/// A label that every series gets.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Relabeling {
    /// `replace`.
    pub action: String,
    /// Name of the label.
    pub target_label: String,
    /// Its value; `$` has a meaning.
    pub replacement: String,
}
