//! What we make: objects that somebody else consumes.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use kube::core::{ApiResource, GroupVersionKind};
use serde::Serialize;
use serde_json::Value;

use super::plain::Plain;
use crate::foreign::{
    AlertmanagerConfig, GrafanaDashboard, OpenTelemetryCollector, PodMonitor, PrometheusRule,
};

/// Kinds of artifacts. Each has an entry in the operator's permissions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ArtifactKind {
    /// `monitoring.coreos.com/v1` `PrometheusRule`.
    PrometheusRule,
    /// `v1` `ConfigMap`.
    ConfigMap,
    /// `opentelemetry.io/v1beta1` `OpenTelemetryCollector`.
    OpenTelemetryCollector,
    /// `monitoring.coreos.com/v1` `PodMonitor`.
    PodMonitor,
    /// `monitoring.coreos.com/v1alpha1` `AlertmanagerConfig`.
    AlertmanagerConfig,
    /// `grafana.integreatly.org/v1beta1` `GrafanaDashboard`.
    GrafanaDashboard,
    /// `v1` `ServiceAccount`.
    ServiceAccount,
    /// `rbac.authorization.k8s.io/v1` `Role`.
    Role,
    /// `rbac.authorization.k8s.io/v1` `RoleBinding`.
    RoleBinding,
    /// `networking.k8s.io/v1` `NetworkPolicy`.
    NetworkPolicy,
    /// `v1` `Service`.
    Service,
    /// `apps/v1` `Deployment`.
    Deployment,
    /// `batch/v1` `CronJob`.
    CronJob,
}

impl ArtifactKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::PrometheusRule,
        Self::ConfigMap,
        Self::OpenTelemetryCollector,
        Self::PodMonitor,
        Self::AlertmanagerConfig,
        Self::GrafanaDashboard,
        Self::ServiceAccount,
        Self::Role,
        Self::RoleBinding,
        Self::NetworkPolicy,
        Self::Service,
        Self::Deployment,
        Self::CronJob,
    ];
    /// Those that only ledgers need, which the operator makes where it was told that it may.
    pub const OF_LEDGERS: [Self; 7] = [
        Self::ServiceAccount,
        Self::Role,
        Self::RoleBinding,
        Self::NetworkPolicy,
        Self::Service,
        Self::Deployment,
        Self::CronJob,
    ];

    /// Its name in Kubernetes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PrometheusRule => "PrometheusRule",
            Self::ConfigMap => "ConfigMap",
            Self::OpenTelemetryCollector => "OpenTelemetryCollector",
            Self::PodMonitor => "PodMonitor",
            Self::AlertmanagerConfig => "AlertmanagerConfig",
            Self::GrafanaDashboard => "GrafanaDashboard",
            Self::ServiceAccount => "ServiceAccount",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::Service => "Service",
            Self::Deployment => "Deployment",
            Self::CronJob => "CronJob",
        }
    }

    /// How the API server names the kind.
    #[must_use]
    pub fn api_resource(self) -> ApiResource {
        let (group, version, plural) = match self {
            Self::PrometheusRule => ("monitoring.coreos.com", "v1", "prometheusrules"),
            Self::ConfigMap => ("", "v1", "configmaps"),
            Self::OpenTelemetryCollector => ("opentelemetry.io", "v1beta1", "opentelemetrycollectors"),
            Self::PodMonitor => ("monitoring.coreos.com", "v1", "podmonitors"),
            Self::AlertmanagerConfig => ("monitoring.coreos.com", "v1alpha1", "alertmanagerconfigs"),
            Self::GrafanaDashboard => ("grafana.integreatly.org", "v1beta1", "grafanadashboards"),
            Self::ServiceAccount => ("", "v1", "serviceaccounts"),
            Self::Role => ("rbac.authorization.k8s.io", "v1", "roles"),
            Self::RoleBinding => ("rbac.authorization.k8s.io", "v1", "rolebindings"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "networkpolicies"),
            Self::Service => ("", "v1", "services"),
            Self::Deployment => ("apps", "v1", "deployments"),
            Self::CronJob => ("batch", "v1", "cronjobs"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, self.name()), plural)
    }

    /// Group and version, as objects carry them.
    #[must_use]
    pub fn api_version(self) -> String {
        self.api_resource().api_version
    }

    /// Who brings the kind into a cluster, for people; none where every cluster has it.
    #[must_use]
    pub fn provider(self) -> Option<&'static str> {
        match self {
            Self::ConfigMap
            | Self::ServiceAccount
            | Self::Role
            | Self::RoleBinding
            | Self::NetworkPolicy
            | Self::Service
            | Self::Deployment
            | Self::CronJob => None,
            Self::PrometheusRule | Self::PodMonitor | Self::AlertmanagerConfig => Some("prometheus-operator"),
            Self::OpenTelemetryCollector => Some("the OpenTelemetry operator"),
            Self::GrafanaDashboard => Some("grafana-operator"),
        }
    }

    /// Largest object that its reader takes, in bytes.
    #[must_use]
    pub fn size_limit(self) -> usize {
        match self {
            // prometheus-operator refuses 512 KiB and more.
            Self::PrometheusRule | Self::PodMonitor | Self::AlertmanagerConfig => 400_000,
            // etcd takes 1.5 MB, and an object is stored with what others add to it.
            Self::ConfigMap
            | Self::OpenTelemetryCollector
            | Self::GrafanaDashboard
            | Self::ServiceAccount
            | Self::Role
            | Self::RoleBinding
            | Self::NetworkPolicy
            | Self::Service
            | Self::Deployment
            | Self::CronJob => 900_000,
        }
    }

    /// Whether what is in a list must be exactly what was asked for: what is added to an alert can silence it. An API
    /// server fills in what a workload leaves open, in lists too.
    #[must_use]
    pub fn has_exact_lists(self) -> bool {
        !Self::OF_LEDGERS.contains(&self)
    }
}

/// One object to be applied.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Artifact {
    /// Recording and alerting rules.
    PrometheusRule(PrometheusRule),
    /// A Collector's configuration, an agent's environment, or a dashboard.
    ConfigMap(ConfigMap),
    /// A Collector.
    OpenTelemetryCollector(OpenTelemetryCollector),
    /// Pods to be scraped.
    PodMonitor(PodMonitor),
    /// Routes and receivers.
    AlertmanagerConfig(AlertmanagerConfig),
    /// A dashboard.
    GrafanaDashboard(GrafanaDashboard),
    /// An object of one of Kubernetes' own kinds.
    Plain(Box<Plain>),
}

impl Artifact {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ArtifactKind {
        match self {
            Self::PrometheusRule(_) => ArtifactKind::PrometheusRule,
            Self::ConfigMap(_) => ArtifactKind::ConfigMap,
            Self::OpenTelemetryCollector(_) => ArtifactKind::OpenTelemetryCollector,
            Self::PodMonitor(_) => ArtifactKind::PodMonitor,
            Self::AlertmanagerConfig(_) => ArtifactKind::AlertmanagerConfig,
            Self::GrafanaDashboard(_) => ArtifactKind::GrafanaDashboard,
            Self::Plain(plain) => plain.of(),
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::PrometheusRule(rule) => &rule.metadata,
            Self::ConfigMap(map) => &map.metadata,
            Self::OpenTelemetryCollector(collector) => &collector.metadata,
            Self::PodMonitor(monitor) => &monitor.metadata,
            Self::AlertmanagerConfig(config) => &config.metadata,
            Self::GrafanaDashboard(dashboard) => &dashboard.metadata,
            Self::Plain(plain) => &plain.metadata,
        }
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::PrometheusRule(rule) => &mut rule.metadata,
            Self::ConfigMap(map) => &mut map.metadata,
            Self::OpenTelemetryCollector(collector) => &mut collector.metadata,
            Self::PodMonitor(monitor) => &mut monitor.metadata,
            Self::AlertmanagerConfig(config) => &mut config.metadata,
            Self::GrafanaDashboard(dashboard) => &mut dashboard.metadata,
            Self::Plain(plain) => &mut plain.metadata,
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
        self.metadata_mut().owner_references = Some(vec![owner]);
        self
    }

    /// As JSON, the same bytes as long as it is the same.
    ///
    /// # Panics
    /// Never: the types have only string keys.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("artifacts should have only string keys")
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

impl Artifacts {
    /// The same, each owned by the resource that asks for them; one that is in no cluster owns nothing.
    #[must_use]
    pub fn owned_by<K: Resource<DynamicType = ()>>(self, owner: &K) -> Self {
        let Some(owner) = owner.controller_owner_ref(&()) else { return self };
        Self(self.0.into_iter().map(|artifact| artifact.owned_by(owner.clone())).collect())
    }
}
