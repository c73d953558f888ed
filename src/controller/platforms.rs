//! Which AgentPlatform governs a namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::context::Context;
use super::poison::locked;
use crate::api::v1alpha1::{AgentPlatform, LabelOperator, LabelRequirement, NamespaceSelector};
use crate::domain::platform::Platform;
use crate::domain::violation::{Rule, Violation, Violations};
use crate::validate;

/// What the platform team decided for a namespace, or safe defaults where it decided nothing.
///
/// # Errors
/// Where the decision is not valid, and no valid one is known from before. Defaults would change the rules
/// that are in force.
pub(super) fn decision(ctx: &Context, namespace: &str) -> Result<Arc<Platform>, Violations> {
    let Some(platform) = governing(ctx, namespace) else { return Ok(Arc::default()) };
    let message = format!(
        "AgentPlatform '{}' governs this namespace and is not valid; the rules stay as they are until it is",
        platform.name_any()
    );
    let violation = Violation { path: "metadata.namespace".to_owned(), rule: Rule::NotPermitted, message };
    match in_force(ctx, &platform) {
        Some(decision) => Ok(decision),
        None => Violations::unless_any(vec![violation], None),
    }
}

/// The oldest platform that selects a namespace, else the oldest that selects none.
pub(super) fn governing(ctx: &Context, namespace: &str) -> Option<Arc<AgentPlatform>> {
    let labels = ctx
        .namespaces
        .get(&ObjectRef::new(namespace))
        .and_then(|namespace| namespace.metadata.labels.clone())
        .unwrap_or_default();
    let mut platforms = ctx.platforms.state();
    platforms.sort_by_key(|platform| (platform.creation_timestamp(), platform.name_any()));
    let selected = platforms.iter().find(|platform| {
        platform.spec.namespace_selector.as_ref().is_some_and(|selector| selects(selector, &labels))
    });
    let fallback = || platforms.iter().find(|platform| platform.spec.namespace_selector.is_none());
    selected.or_else(fallback).cloned()
}

/// The platform, or its last valid form where an edit is not valid.
fn in_force(ctx: &Context, platform: &AgentPlatform) -> Option<Arc<Platform>> {
    let name = platform.name_any();
    let mut valid = locked(&ctx.valid_platforms);
    if let Ok(parsed) = validate::platform(platform) {
        valid.insert(name.clone(), Arc::new(parsed));
    }
    valid.get(&name).cloned()
}

fn selects(selector: &NamespaceSelector, labels: &BTreeMap<String, String>) -> bool {
    selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && selector.match_expressions.iter().all(|requirement| meets(requirement, labels))
}

fn meets(requirement: &LabelRequirement, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&requirement.key);
    match requirement.operator {
        LabelOperator::In => value.is_some_and(|value| requirement.values.contains(value)),
        LabelOperator::NotIn => value.is_none_or(|value| !requirement.values.contains(value)),
        LabelOperator::Exists => value.is_some(),
        LabelOperator::DoesNotExist => value.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_selected_when_every_condition_holds() {
        let labels = BTreeMap::from([("tier".to_owned(), "agents".to_owned())]);
        let requirement = |operator, values: &[&str]| LabelRequirement {
            key: "tier".to_owned(),
            operator,
            values: values.iter().map(ToString::to_string).collect(),
        };
        let cases = [
            (requirement(LabelOperator::In, &["agents"]), true),
            (requirement(LabelOperator::In, &["web"]), false),
            (requirement(LabelOperator::NotIn, &["web"]), true),
            (requirement(LabelOperator::Exists, &[]), true),
            (requirement(LabelOperator::DoesNotExist, &[]), false),
        ];
        for (requirement, expected) in cases {
            let selector = NamespaceSelector {
                match_expressions: vec![requirement.clone()],
                ..NamespaceSelector::default()
            };
            assert_eq!(selects(&selector, &labels), expected, "{requirement:?}");
        }
    }
}
