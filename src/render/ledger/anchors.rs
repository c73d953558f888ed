//! Where the signatures are kept: a ConfigMap, which only who signs may change besides those who may change any
//! in the namespace.

use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};

use super::{Plan, watch};
use crate::render::Artifact;

/// What is in the name of the ConfigMap.
pub(super) const SUFFIX: &str = "ledger-anchors";

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    vec![
        Artifact::ConfigMap(ConfigMap { metadata: plan.metadata(SUFFIX), ..ConfigMap::default() }),
        Artifact::ServiceAccount(account(plan)),
        Artifact::Role(role(plan)),
        Artifact::RoleBinding(binding(plan)),
    ]
}

fn account(plan: &Plan<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: plan.metadata(watch::SUFFIX),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

fn role(plan: &Plan<'_>) -> Role {
    let rule = PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["configmaps".to_owned()]),
        resource_names: Some(vec![plan.name(SUFFIX)]),
        verbs: vec!["get".to_owned(), "update".to_owned()],
        ..PolicyRule::default()
    };
    Role { metadata: plan.metadata(SUFFIX), rules: Some(vec![rule]) }
}

fn binding(plan: &Plan<'_>) -> RoleBinding {
    RoleBinding {
        metadata: plan.metadata(SUFFIX),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "Role".to_owned(),
            name: plan.name(SUFFIX),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: plan.name(watch::SUFFIX),
            namespace: Some(plan.observability.namespace().to_owned()),
            api_group: None,
        }]),
    }
}
