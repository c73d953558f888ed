//! Who may keep the signatures, in a ConfigMap. Whoever signs makes it, and nobody owns it: signatures outlive the
//! AgentObservability, as the entries do.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};

use super::{Plan, watch};
use crate::render::Artifact;

/// What is in the name of the ConfigMap.
pub(super) const SUFFIX: &str = "ledger-anchors";

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    vec![
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

/// Any ConfigMap may be made, since the name of one that is not there cannot be granted; only this one may be read and
/// changed.
fn role(plan: &Plan<'_>) -> Role {
    let rule = |names: Option<Vec<String>>, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["configmaps".to_owned()]),
        resource_names: names,
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    };
    let rules = vec![rule(Some(vec![plan.name(SUFFIX)]), &["get", "update"]), rule(None, &["create"])];
    Role { metadata: plan.metadata(SUFFIX), rules: Some(rules) }
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
