//! Names of what we create: readable, unique, and never too long.

use std::fmt;

use kube::ResourceExt;
use sha2::{Digest, Sha256};

use crate::api::v1alpha1::AgentSlo;
use crate::vocabulary::label;

/// Namespace and name of an AgentSLO.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SloKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl SloKey {
    /// Those of a resource.
    #[must_use]
    pub fn of(slo: &AgentSlo) -> Self {
        Self { namespace: slo.namespace().unwrap_or_default(), name: slo.name_any() }
    }

    /// The AgentSLO that the labels of a series name.
    pub fn named_by<'a>(label: impl Fn(&str) -> Option<&'a String>) -> Option<Self> {
        Some(Self { namespace: label(label::NAMESPACE)?.clone(), name: label(label::SLO)?.clone() })
    }
}

impl fmt::Display for SloKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// Longest readable part of a child's name; with prefix and hash it stays within 63 characters, so that
/// it also fits where Kubernetes wants a DNS label.
const READABLE: usize = 40;

/// Name of the child of an object: `agentslo-<name>-<hash of namespace, name and kind>`.
#[must_use]
pub fn child_name(kind: &str, namespace: &str, name: &str) -> String {
    let readable: String = name.chars().take(READABLE).collect();
    let readable = readable.trim_end_matches(['-', '.']);
    // A slash cannot be part of any of the three, so the hashed text is unambiguous.
    format!("agentslo-{readable}-{}", short_hash(&format!("{kind}/{namespace}/{name}")))
}

/// A name that people can tell from their own: the object's, with a suffix. Two objects of one kind
/// never share it, and it may belong to somebody else, which is a conflict.
#[must_use]
pub fn suffixed_name(name: &str, suffix: &str) -> String {
    format!("{}-{suffix}", dns_label(name, 62 - suffix.len()))
}

/// The name itself where it is a DNS label of at most so many characters, else a readable part and a hash.
#[must_use]
pub fn dns_label(name: &str, longest: usize) -> String {
    if name.len() <= longest && !name.contains('.') {
        return name.to_owned();
    }
    let readable: String = name.chars().take(longest - 9).collect();
    format!("{}-{}", readable.replace('.', "-").trim_end_matches('-'), short_hash(name))
}

/// Eight hexadecimal digits of SHA-256.
#[must_use]
pub fn short_hash(text: &str) -> String {
    stable_id(text)[..8].to_owned()
}

/// Sixteen hexadecimal digits of SHA-256, for what must be unique without a readable part.
#[must_use]
pub fn stable_id(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_fit() {
        let names = [
            child_name("AgentSLO", "a-b", "c"),
            child_name("AgentSLO", "a", "b-c"),
            child_name("AgentObservability", "a", "b-c"),
            child_name("AgentSLO", "a", &"x".repeat(253)),
            child_name("AgentSLO", "a", &"x".repeat(252)),
            child_name("AgentSLO", "a", "dotted.name"),
        ];
        let suffixed = [("a", "otel"), ("a-otel", "otel"), ("a.b", "otel"), ("a-b", "otel")];
        let long = [("x".repeat(253), "collector"), ("x".repeat(252), "collector")];
        let suffixed: Vec<String> = suffixed
            .iter()
            .map(|(name, suffix)| suffixed_name(name, suffix))
            .chain(long.iter().map(|(name, suffix)| suffixed_name(name, suffix)))
            .collect();
        let names = [names.as_slice(), &suffixed].concat();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
    }
}
