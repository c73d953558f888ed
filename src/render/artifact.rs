//! What we make: objects that somebody else consumes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::{ApiResource, GroupVersionKind};
use serde::Serialize;
use serde_json::Value;

use crate::foreign::PrometheusRule;

/// Kinds of artifacts. Each has an entry in the operator's permissions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ArtifactKind {
    /// `monitoring.coreos.com/v1` `PrometheusRule`.
    PrometheusRule,
}

impl ArtifactKind {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::PrometheusRule];

    /// How the API server names the kind.
    #[must_use]
    pub fn api_resource(self) -> ApiResource {
        match self {
            Self::PrometheusRule => ApiResource::from_gvk_with_plural(
                &GroupVersionKind::gvk("monitoring.coreos.com", "v1", "PrometheusRule"),
                "prometheusrules",
            ),
        }
    }

    /// Largest object that its reader takes, in bytes.
    #[must_use]
    pub fn size_limit(self) -> usize {
        match self {
            // prometheus-operator refuses 512 KiB and more.
            Self::PrometheusRule => 400_000,
        }
    }
}

/// One object to be applied.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Artifact {
    /// Recording and alerting rules.
    PrometheusRule(PrometheusRule),
}

impl Artifact {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ArtifactKind {
        match self {
            Self::PrometheusRule(_) => ArtifactKind::PrometheusRule,
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::PrometheusRule(rule) => &rule.metadata,
        }
    }

    /// The name of the object.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// The same, owned, so that Kubernetes deletes it with its owner.
    #[must_use]
    pub fn owned_by(mut self, owner: OwnerReference) -> Self {
        match &mut self {
            Self::PrometheusRule(rule) => rule.metadata.owner_references = Some(vec![owner]),
        }
        self
    }

    /// As JSON, with ordered keys.
    ///
    /// # Panics
    /// Never: the types have only string keys.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("artifacts should have only string keys")
    }
}

/// Everything that one resource asks for, in the order in which it is applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Artifacts(pub Vec<Artifact>);
