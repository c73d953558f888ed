//! Who verifies the agent's chain all the time and signs where it ends.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};

use super::pods::{Work, file, selector, template};
use super::{Plan, anchors, network};
use crate::render::Artifact;

/// What its pods do.
const COMPONENT: &str = "watch";
/// What is in its names.
pub(super) const SUFFIX: &str = "ledger-watch";
/// Memory that it may have: pieces of a chain are read side by side.
const MEMORY: &str = "256Mi";

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    vec![
        Artifact::NetworkPolicy(network::of_watch(plan, SUFFIX, COMPONENT)),
        Artifact::Deployment(Box::new(deployment(plan))),
    ]
}

/// One at a time: two would sign the same.
fn deployment(plan: &Plan<'_>) -> Deployment {
    let written = &plan.ledger.offer.written;
    let namespace = plan.observability.namespace();
    let work = Work {
        component: COMPONENT,
        account: plan.name(SUFFIX),
        has_token: true,
        arguments: vec![
            "watch".to_owned(),
            format!("--key={}", file("anchor-key")),
            format!("--anchors-configmap={namespace}/{}", plan.name(anchors::SUFFIX)),
            plan.observability.stream(),
        ],
        credentials: &written.reader_secret,
        files: vec![("anchor-key", &written.anchor_key_secret)],
        ports: Some(Vec::new()),
        memory: MEMORY,
    };
    Deployment {
        metadata: plan.metadata(SUFFIX),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            strategy: Some(DeploymentStrategy {
                type_: Some("Recreate".to_owned()),
                ..DeploymentStrategy::default()
            }),
            selector: selector(plan, COMPONENT),
            template: template(plan, &work),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}
