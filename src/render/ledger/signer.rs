//! Who verifies the agent's chain all the time and signs where it ends. The signatures are in a ConfigMap that it makes
//! and nobody owns: they outlive the AgentObservability, as the entries do.

use serde_json::{Value, json};

use super::pods::{Work, file, selector, template};
use super::{Plan, network};
use crate::render::{Artifact, ArtifactKind};

/// What its pods do.
const COMPONENT: &str = "watch";
/// What is in its names.
const SUFFIX: &str = "ledger-watch";
/// What is in the name of the ConfigMap, and of who may keep it.
const ANCHORS: &str = "ledger-anchors";
/// Memory that it may have: pieces of a chain are read side by side.
const MEMORY: &str = "256Mi";

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    vec![
        plan.account(SUFFIX),
        plan.object(ArtifactKind::Role, ANCHORS, role(plan)),
        plan.object(ArtifactKind::RoleBinding, ANCHORS, binding(plan)),
        plan.object(ArtifactKind::NetworkPolicy, SUFFIX, network::of_signer(plan, COMPONENT)),
        plan.object(ArtifactKind::Deployment, SUFFIX, deployment(plan)),
    ]
}

/// Any ConfigMap may be made, since the name of one that is not there cannot be granted; only this one may be read and
/// changed.
fn role(plan: &Plan<'_>) -> Value {
    json!({"rules": [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [plan.name(ANCHORS)], "verbs": ["get", "update"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
    ]})
}

fn binding(plan: &Plan<'_>) -> Value {
    let namespace = plan.observability.namespace();
    json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": plan.name(ANCHORS)},
        "subjects": [{"kind": "ServiceAccount", "name": plan.name(SUFFIX), "namespace": namespace}],
    })
}

/// One at a time: two would sign the same.
fn deployment(plan: &Plan<'_>) -> Value {
    let written = &plan.ledger.offer.written;
    let namespace = plan.observability.namespace();
    let work = Work {
        component: COMPONENT,
        account: plan.name(SUFFIX),
        has_token: true,
        arguments: vec![
            "watch".to_owned(),
            format!("--key={}", file("anchor-key")),
            format!("--anchors-configmap={namespace}/{}", plan.name(ANCHORS)),
            plan.observability.stream(),
        ],
        credentials: &written.reader_secret,
        files: vec![("anchor-key", written.anchor_key_secret.clone())],
        ports: Some(Vec::new()),
        memory: MEMORY,
    };
    json!({"spec": {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": selector(plan, COMPONENT),
        "template": template(plan, &work),
    }})
}
