//! From a resource of the cluster to what it means there: under the AgentPlatform that governs it, and with
//! what the operator remembers in the status. The operator judges by the same facts.

use std::collections::BTreeSet;

use kube::api::Api;
use kube::{Resource, ResourceExt};

use super::cluster::Cluster;
use super::readings::Platforms;
use crate::api::v1alpha1::{AgentObservability, AgentSlo};
use crate::domain::decimal::Decimal;
use crate::domain::observability::Observability;
use crate::domain::platform::Platform;
use crate::domain::role::Role;
use crate::domain::slo::Slo;
use crate::domain::traffic::Traffic;
use crate::domain::violation::Violations;
use crate::validate::{self, ObservabilityFacts, Referred, SloFacts};

/// What holds in a cluster.
pub(super) struct Policy<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) platforms: &'a Platforms,
    /// AgentObservabilities in place of those of the cluster.
    pub(super) referred: Vec<AgentObservability>,
}

impl Policy<'_> {
    /// The decision of the platform team for a namespace. An AgentPlatform that is not valid decides nothing
    /// here; the operator holds on to its last valid form.
    fn platform(&self, resource: &impl Resource) -> Platform {
        let namespace = resource.meta().namespace.clone().unwrap_or_default();
        let governing = self.platforms.governing(&namespace);
        governing.and_then(|platform| validate::platform(platform).ok()).unwrap_or_default()
    }

    /// What an AgentSLO means, if `live` is what the cluster has of it.
    pub(super) async fn slo(&self, slo: &AgentSlo, live: Option<&AgentSlo>) -> Result<Slo, Violations> {
        let status = live.and_then(|live| live.status.as_ref());
        let facts = SloFacts {
            platform: self.platform(slo),
            observability: self.referred(slo).await,
            traffic: status.and_then(|status| Traffic::parse(&status.traffic.as_ref()?.used)),
            ..SloFacts::default()
        };
        validate::slo(slo, &facts)
    }

    async fn referred(&self, slo: &AgentSlo) -> Option<Referred> {
        let reference = slo.spec.observability_ref.as_ref()?;
        let namespace = slo.namespace().unwrap_or_default();
        let is_meant = |other: &&AgentObservability| {
            other.namespace() == slo.namespace() && other.name_any() == reference.name
        };
        if let Some(written) = self.referred.iter().find(is_meant) {
            return Some(Referred::of(&written.spec));
        }
        let api: Api<AgentObservability> = Api::namespaced(self.cluster.client.clone(), &namespace);
        api.get_opt(&reference.name).await.ok().flatten().map(|referred| Referred::of(&referred.spec))
    }

    /// What an AgentObservability means, if `live` is what the cluster has of it.
    pub(super) fn observability(
        &self,
        resource: &AgentObservability,
        live: Option<&AgentObservability>,
    ) -> Result<Observability, Violations> {
        let detected = live.and_then(|live| live.status.as_ref()?.detected.as_ref());
        let roles: Option<BTreeSet<Role>> =
            detected.map(|detected| detected.roles.iter().filter_map(|role| Role::parse(role)).collect());
        let buckets = detected.into_iter().flat_map(|detected| &detected.run_duration_buckets);
        let facts = ObservabilityFacts {
            platform: self.platform(resource),
            roles,
            run_buckets: buckets.filter_map(|bound| Decimal::parse(bound)).collect(),
            ..ObservabilityFacts::default()
        };
        validate::observability(resource, &facts)
    }
}
