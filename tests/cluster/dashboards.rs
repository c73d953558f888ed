//! Dashboards on real servers: every query is put to a Prometheus or a Loki that holds an agent's day, the
//! JSON to Grafana's own types, and the pictures in the documents are drawn from the same day.

mod day;
mod loki;
mod pictures;
mod prometheus;
mod types;

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::foreign::dashboard::Dashboard;
use agentslo::render::{self, Artifact, Part};
use agentslo::validate::{self, ObservabilityFacts};
use serde_json::{Value, json};

/// A file of the checkout.
fn read(file: &str) -> String {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
}

/// The dashboards of an agent of a profile, as Grafana reads them.
fn of_profile(profile: &str) -> Vec<Value> {
    let resource: AgentObservability = serde_json::from_value(json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"namespace": day::NAMESPACE, "name": day::AGENT},
        "spec": {
            "agent": day::AGENT,
            "workload": {"name": day::AGENT},
            "telemetry": {"profile": profile},
            "dashboards": {},
        },
    }))
    .expect("the spec should have the shape");
    let observability = validate::observability(&resource, &ObservabilityFacts::default());
    let observability = observability.expect("the spec should be valid");
    let artifacts = render::observability(&observability).remove(&Part::Dashboards).unwrap_or_default().0;
    let text = |artifact: Artifact| {
        let Artifact::ConfigMap(map) = artifact else { panic!("dashboards should be in ConfigMaps") };
        map.data.and_then(|data| data.into_values().next()).expect("a ConfigMap should have its dashboard")
    };
    artifacts.into_iter().map(|artifact| json_of(&text(artifact))).collect()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("dashboards should be JSON")
}

/// Every dashboard there is.
fn all() -> Vec<Value> {
    let imported = ["fleet", "operator"].map(|name| json_of(&read(&format!("dashboards/{name}.json"))));
    let rendered = ["AgentMetrics", "ClaudeCode", "GenAI"].into_iter().flat_map(of_profile);
    imported.into_iter().chain(rendered).collect()
}

fn typed(json: &Value) -> Dashboard {
    serde_json::from_value(json.clone()).expect("dashboards should have the shape that is drawn")
}
