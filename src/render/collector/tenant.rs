//! Whose data it is. A sender's word for its namespace counts for nothing.

use serde_json::{Map, Value, json};

use super::escape::quoted;
use super::statements::NAMESPACE;
use crate::api::v1alpha1::CollectorSharing;
use crate::collector_versions::Release;
use crate::domain::observability::Observability;

/// Attributes that say where a pod is; a claim about one is taken out before the pod is looked up, since
/// what is already there would stay.
const LOOKED_UP: [&str; 3] = [NAMESPACE, "k8s.pod.name", "k8s.pod.uid"];

/// Names of the components, in the order in which data passes them.
pub(super) fn steps(observability: &Observability, release: &Release) -> Vec<String> {
    match observability.platform().collectors.sharing {
        CollectorSharing::PerNamespace => vec!["resource/tenant".to_owned()],
        CollectorSharing::Shared => vec![
            "resource/claims".to_owned(),
            format!("{}/tenant", release.components.kubernetes_attributes),
            "filter/tenant".to_owned(),
        ],
    }
}

/// The components.
pub(super) fn components(observability: &Observability, release: &Release) -> Map<String, Value> {
    let components = match observability.platform().collectors.sharing {
        CollectorSharing::PerNamespace => vec![stamp(observability.namespace())],
        CollectorSharing::Shared => vec![unclaim(), look_up(), keep_own(observability.namespace())],
    };
    steps(observability, release).into_iter().zip(components).collect()
}

/// Everything that arrives is of the namespace.
fn stamp(namespace: &str) -> Value {
    json!({"attributes": [{"key": NAMESPACE, "value": namespace, "action": "upsert"}]})
}

fn unclaim() -> Value {
    let delete = LOOKED_UP.map(|key| json!({"key": key, "action": "delete"}));
    json!({"attributes": delete})
}

/// By the address that the data came from.
fn look_up() -> Value {
    json!({
        "auth_type": "serviceAccount",
        "passthrough": false,
        // Or what arrives before the pods are known is dropped as nobody's.
        "wait_for_metadata": true,
        "extract": {"metadata": LOOKED_UP},
        "pod_association": [{"sources": [{"from": "connection"}]}],
    })
}

/// What is not of the namespace, or of nobody known, is dropped.
fn keep_own(namespace: &str) -> Value {
    let foreign = format!("resource.attributes[\"{NAMESPACE}\"] != {}", quoted(namespace));
    json!({
        "error_mode": "propagate",
        "trace_conditions": [foreign],
        "log_conditions": [foreign],
        "metric_conditions": [foreign],
    })
}
