//! Which AgentPlatform governs a namespace.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use crate::api::v1alpha1::{AgentPlatform, LabelOperator, LabelRequirement, NamespaceSelector};

/// The oldest platform that selects a namespace with these labels, else the oldest that selects none.
pub fn governing<'a>(
    platforms: impl IntoIterator<Item = &'a AgentPlatform>,
    labels: &BTreeMap<String, String>,
) -> Option<&'a AgentPlatform> {
    let mut platforms: Vec<&AgentPlatform> = platforms.into_iter().collect();
    let age = |platform: &AgentPlatform| -> (Option<Time>, String) {
        (platform.creation_timestamp(), platform.name_any())
    };
    platforms.sort_by_key(|platform| age(platform));
    let selected = platforms.iter().find(|platform| {
        platform.spec.namespace_selector.as_ref().is_some_and(|selector| selects(selector, labels))
    });
    let fallback = || platforms.iter().find(|platform| platform.spec.namespace_selector.is_none());
    selected.or_else(fallback).copied()
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
