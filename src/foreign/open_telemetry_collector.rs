//! `OpenTelemetryCollector` of the OpenTelemetry operator, `opentelemetry.io/v1beta1`.

use serde::Serialize;

use super::ForeignObject;

/// A Collector that the OpenTelemetry operator runs.
pub type OpenTelemetryCollector = ForeignObject<OpenTelemetryCollectorSpec>;

/// How it runs, and with what configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenTelemetryCollectorSpec {
    /// The configuration, as the Collector reads it.
    pub config: serde_json::Value,
}
