//! `OpenTelemetryCollector` of the OpenTelemetry operator, `opentelemetry.io/v1beta1`.

use k8s_openapi::api::core::v1::{EnvVar, Volume, VolumeMount};
use serde::Serialize;

use super::ForeignObject;

/// A Collector that the OpenTelemetry operator runs.
pub type OpenTelemetryCollector = ForeignObject<OpenTelemetryCollectorSpec>;

/// How it runs, and with what configuration. The image is the operator's choice.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenTelemetryCollectorSpec {
    /// What kind of workload runs it.
    pub mode: CollectorMode,
    /// How many of it there are.
    pub replicas: i32,
    /// Environment variables, beside those that the operator sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvVar>,
    /// Ports of the Service that the operator cannot read out of the configuration.
    pub ports: Vec<CollectorPort>,
    /// Volumes of the pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Where the container sees them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volume_mounts: Vec<VolumeMount>,
    /// The configuration, as the Collector reads it.
    pub config: serde_json::Value,
}

/// What kind of workload runs a Collector.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectorMode {
    /// A Deployment.
    Deployment,
}

/// A port of a Collector's Service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectorPort {
    /// Its name.
    pub name: String,
    /// Its number.
    pub port: u16,
}
