//! Labels of Kubernetes objects, and selectors of them. The API server refuses an object with an illegal label,
//! and prometheus-operator a monitor with an illegal selector; neither would tell whoever wrote it.

use std::collections::BTreeMap;

use super::findings::Findings;
use crate::api::v1alpha1::{LabelOperator, LabelRequirement, messages};
use crate::domain::violation::Rule;

/// Labels that an object will carry, or must have.
pub(super) fn check(labels: &BTreeMap<String, String>, path: &str, findings: &mut Findings) {
    for (key, value) in labels {
        let legal = is_key(key) && is_value(value);
        findings.require(legal, format!("{path}.{key}"), Rule::InvalidName, messages::OBJECT_LABEL);
    }
}

/// The key of one label or annotation.
pub(super) fn check_key(key: Option<&String>, path: &str, findings: &mut Findings) {
    let legal = key.is_none_or(|key| is_key(key));
    findings.require(legal, path, Rule::InvalidName, messages::OBJECT_KEY);
}

/// Conditions of a selector.
pub(super) fn check_requirements(requirements: &[LabelRequirement], path: &str, findings: &mut Findings) {
    for (index, LabelRequirement { key, operator, values }) in requirements.iter().enumerate() {
        let place = format!("{path}[{index}]");
        let takes_values = match operator {
            LabelOperator::In | LabelOperator::NotIn => true,
            LabelOperator::Exists | LabelOperator::DoesNotExist => false,
        };
        let legal = is_key(key) && values.iter().all(|value| is_value(value));
        findings.require(legal, place.clone(), Rule::InvalidName, messages::OBJECT_LABEL);
        findings.require(
            takes_values != values.is_empty(),
            place,
            Rule::Contradiction,
            messages::LABEL_REQUIREMENT,
        );
    }
}

/// A name, perhaps behind a domain.
fn is_key(key: &str) -> bool {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    !name.is_empty() && is_value(name) && domain.is_none_or(is_domain)
}

fn is_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let is_end = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_domain(domain: &str) -> bool {
    let is_part = |part: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && !part.starts_with('-') && !part.ends_with('-') && part.bytes().all(is_inner)
    };
    domain.len() <= 253 && domain.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::{is_key, is_value};

    #[test]
    fn keys_are_those_of_kubernetes() {
        for key in ["a", "release", "app.kubernetes.io/name", "x/A_b.c-d", &"a".repeat(63)] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "/", "a/", "/a", "a/b/c", "-a", "a.", "A.b/c", "a b", "é", "a..b/c", &"a".repeat(64)]
        {
            assert!(!is_key(key), "{key}");
        }
    }

    #[test]
    fn values_are_those_of_kubernetes() {
        for value in ["", "1", "kube-prometheus-stack", "A.b_c"] {
            assert!(is_value(value), "{value}");
        }
        for value in ["-a", "a-", "a b", "a/b", "\"", "é"] {
            assert!(!is_value(value), "{value}");
        }
    }
}
