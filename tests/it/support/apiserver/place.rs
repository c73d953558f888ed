//! Where an object lives, and which kinds there are.

use serde_json::Value;

/// A kind that the API server knows.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) group_version: &'static str,
    pub(super) plural: &'static str,
    pub(super) name: &'static str,
}

/// Every kind that may be installed.
pub(super) const KINDS: [Kind; 19] = [
    Kind { group_version: "v1", plural: "namespaces", name: "Namespace" },
    Kind { group_version: "v1", plural: "configmaps", name: "ConfigMap" },
    Kind {
        group_version: "agentslo.dev/v1alpha1",
        plural: "agentobservabilities",
        name: "AgentObservability",
    },
    Kind { group_version: "agentslo.dev/v1alpha1", plural: "agentplatforms", name: "AgentPlatform" },
    Kind { group_version: "agentslo.dev/v1alpha1", plural: "agentslos", name: "AgentSLO" },
    Kind { group_version: "coordination.k8s.io/v1", plural: "leases", name: "Lease" },
    Kind { group_version: "events.k8s.io/v1", plural: "events", name: "Event" },
    Kind { group_version: "monitoring.coreos.com/v1", plural: "podmonitors", name: "PodMonitor" },
    Kind { group_version: "monitoring.coreos.com/v1", plural: "prometheusrules", name: "PrometheusRule" },
    Kind {
        group_version: "monitoring.coreos.com/v1alpha1",
        plural: "alertmanagerconfigs",
        name: "AlertmanagerConfig",
    },
    Kind {
        group_version: "opentelemetry.io/v1beta1",
        plural: "opentelemetrycollectors",
        name: "OpenTelemetryCollector",
    },
    Kind {
        group_version: "grafana.integreatly.org/v1beta1",
        plural: "grafanadashboards",
        name: "GrafanaDashboard",
    },
    Kind { group_version: "v1", plural: "services", name: "Service" },
    Kind { group_version: "v1", plural: "serviceaccounts", name: "ServiceAccount" },
    Kind { group_version: "apps/v1", plural: "deployments", name: "Deployment" },
    Kind { group_version: "batch/v1", plural: "cronjobs", name: "CronJob" },
    Kind { group_version: "networking.k8s.io/v1", plural: "networkpolicies", name: "NetworkPolicy" },
    Kind { group_version: "rbac.authorization.k8s.io/v1", plural: "roles", name: "Role" },
    Kind { group_version: "rbac.authorization.k8s.io/v1", plural: "rolebindings", name: "RoleBinding" },
];

/// An object, or without a name a collection; without a namespace that of all namespaces.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub(super) group_version: String,
    pub(super) plural: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Place {
    /// The place of a path, and the subresource that the path names. Without a plural it is the list of
    /// a group's kinds.
    pub(super) fn parse(path: &str) -> Option<(Self, String)> {
        let mut segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let group_version: Vec<&str> = match *segments.first()? {
            "api" if segments.len() > 1 => segments.drain(..2).skip(1).collect(),
            "apis" if segments.len() > 2 => segments.drain(..3).skip(1).collect(),
            _ => return None,
        };
        let mut place = Self { group_version: group_version.join("/"), ..Self::default() };
        if segments.len() > 2 && segments[0] == "namespaces" {
            segments[1].clone_into(&mut place.namespace);
            segments.drain(..2);
        }
        let mut segments = segments.into_iter().map(str::to_owned);
        place.plural = segments.next().unwrap_or_default();
        place.name = segments.next().unwrap_or_default();
        Some((place, segments.next().unwrap_or_default()))
    }

    /// The place of an object.
    pub(super) fn of(object: &Value) -> Option<Self> {
        let is_kind =
            |kind: &&Kind| object["apiVersion"] == kind.group_version && object["kind"] == kind.name;
        let kind = KINDS.iter().find(is_kind)?;
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        Some(Self {
            group_version: kind.group_version.to_owned(),
            plural: kind.plural.to_owned(),
            namespace: text("namespace"),
            name: text("name"),
        })
    }

    pub(super) fn kind(&self) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.group_version == self.group_version && kind.plural == self.plural)
    }

    /// Whether an object is in this collection.
    pub(super) fn holds(&self, object: &Self) -> bool {
        self.group_version == object.group_version
            && self.plural == object.plural
            && (self.namespace.is_empty() || self.namespace == object.namespace)
    }
}
