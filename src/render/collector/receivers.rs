//! Where telemetry comes in.

use serde_json::{Value, json};

use crate::api::v1alpha1::PipelineDelivery;
use crate::domain::pipeline::Pipeline;

/// Variable with the address to listen on, for a Collector that somebody else runs.
const LISTEN: &str = "AGENTSLO_LISTEN";
/// Port on which derived metrics are scraped.
pub(super) const METRICS_PORT: u16 = 8889;

/// The address to listen on.
pub(super) fn address(pipeline: &Pipeline) -> String {
    match pipeline.delivery {
        PipelineDelivery::ConfigMap => format!("${{env:{LISTEN}:-0.0.0.0}}"),
        // The OpenTelemetry operator reads addresses to know the ports.
        PipelineDelivery::OpenTelemetryCollector => "0.0.0.0".to_owned(),
    }
}

/// Where a scrape of ourselves finds us: who listens on one address does not answer on another.
fn own_address(pipeline: &Pipeline) -> String {
    match pipeline.delivery {
        PipelineDelivery::ConfigMap => format!("${{env:{LISTEN}:-127.0.0.1}}"),
        PipelineDelivery::OpenTelemetryCollector => "127.0.0.1".to_owned(),
    }
}

/// OTLP by gRPC and HTTP. Where metrics are pushed, also what is scraped from ourselves: derived series
/// move only when something happens, and a store that hears of a series once an hour forgets it.
pub(super) fn receivers(pipeline: &Pipeline) -> Value {
    let address = address(pipeline);
    let mut receivers = json!({"otlp": {"protocols": {
        "grpc": {"endpoint": format!("{address}:4317")},
        "http": {"endpoint": format!("{address}:4318")},
    }}});
    if !pipeline.metrics.is_empty() {
        receivers["prometheus/repeat"] = json!({"config": {"scrape_configs": [{
            "job_name": "agentslo",
            "scrape_interval": "30s",
            // The labels are the agent's, not the Collector's.
            "honor_labels": true,
            "static_configs": [{"targets": [format!("{}:{METRICS_PORT}", own_address(pipeline))]}],
        }]}});
    }
    receivers
}
