//! Generated PodMonitors: no pod can speak in the name of another, and a Collector's own series are told
//! from others.

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::render::{self, Part};
use agentslo::validate::{self, ObservabilityFacts};
use serde_json::{Value, json};

use crate::example;

/// The PodMonitors of an AgentObservability.
fn monitors(namespace: &str, name: &str, fields: &Value) -> Vec<Value> {
    let mut spec = json!({"agent": "support-agent"});
    fields.as_object().expect("fields should be an object").iter().for_each(|(name, value)| {
        spec[name] = value.clone();
    });
    let resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    });
    let resource: AgentObservability =
        serde_json::from_value(resource).expect("the resource should have the right types");
    let observability = validate::observability(&resource, &ObservabilityFacts::default())
        .unwrap_or_else(|violations| panic!("{:?}", violations.first()));
    let monitors = render::observability(&observability).remove(&Part::Monitors).unwrap_or_default();
    monitors.0.iter().map(agentslo::render::Artifact::to_value).collect()
}

fn endpoints(monitor: &Value) -> &Vec<Value> {
    monitor["spec"]["podMetricsEndpoints"].as_array().expect("a PodMonitor should have endpoints")
}

#[test]
fn labels_of_the_scrape_win_everywhere() {
    let both = json!({
        "scrape": {"selector": {"matchLabels": {"app": "x"}}, "port": "metrics"}, "pipeline": {},
    });
    let mut monitors = monitors("team-a", "support", &both);
    for (_, observability) in example::observabilities() {
        let part = render::observability(&observability).remove(&Part::Monitors).unwrap_or_default();
        monitors.extend(part.0.iter().map(agentslo::render::Artifact::to_value));
    }
    assert!(monitors.len() >= 3, "only {} PodMonitors", monitors.len());
    for monitor in monitors {
        assert!(endpoints(&monitor).iter().all(|endpoint| endpoint["honorLabels"] == false), "{monitor}");
        assert!(!endpoints(&monitor).is_empty(), "{monitor}");
    }
}

#[test]
fn a_collector_is_scraped_for_what_it_derives_and_for_itself() {
    let monitor = &monitors("team-a", "support", &json!({"pipeline": {}}))[0];
    let [derived, own] = endpoints(monitor).as_slice() else { panic!("two endpoints in {monitor}") };
    assert_eq!((&derived["portNumber"], &derived["relabelings"]), (&json!(8889), &Value::Null));
    let named = json!([{"action": "replace", "targetLabel": "agentslo_pipeline", "replacement": "support"}]);
    assert_eq!((&own["portNumber"], &own["relabelings"]), (&json!(8888), &named));
    let without = &monitors("team-a", "support", &json!({"pipeline": {"deriveMetrics": "Off"}}))[0];
    assert_eq!(endpoints(without).len(), 1, "{without}");
}

#[test]
fn pods_of_a_collector_are_found_by_who_runs_them() {
    let by_people = &monitors("team-a", "support", &json!({"pipeline": {}}))[0];
    assert_eq!(by_people["spec"]["selector"], json!({"matchLabels": {"agentslo.dev/pipeline": "support"}}));
    let pipeline = json!({"pipeline": {"delivery": "OpenTelemetryCollector"}});
    let selector =
        |namespace: &str, name: &str| monitors(namespace, name, &pipeline)[0]["spec"]["selector"].clone();
    let labels = |instance: &str| {
        json!({"matchLabels": {
            "app.kubernetes.io/component": "opentelemetry-collector", "app.kubernetes.io/instance": instance,
        }})
    };
    assert_eq!(selector("team-a", "support"), labels("team-a.support"));
    // As the OpenTelemetry operator does where the two do not fit into a label: it cuts the namespace.
    let (namespace, name) = ("n".repeat(40), "x".repeat(50));
    assert_eq!(selector(&namespace, &name), labels(&format!("{}.{name}", "n".repeat(12))));
}

#[test]
fn names_of_any_length_make_legal_labels_and_names() {
    for name in ["x".repeat(253), "a.b".to_owned(), format!("{}.y", "x".repeat(60))] {
        let both = json!({
            "scrape": {"selector": {"matchLabels": {"app": "x"}}, "port": "metrics"}, "pipeline": {},
        });
        let monitors = monitors("team-a", &name, &both);
        let names: Vec<&str> = monitors.iter().filter_map(|it| it["metadata"]["name"].as_str()).collect();
        assert!(names.len() == 2 && names[0] != names[1], "{names:?}");
        assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
        let value = monitors[1]["spec"]["selector"]["matchLabels"]["agentslo.dev/pipeline"].as_str();
        assert!(value.is_some_and(|value| value.len() <= 63), "{value:?}");
    }
}
