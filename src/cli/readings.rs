//! How a command reaches Prometheus: at the address that somebody gives, else at that of the AgentPlatform.
//! An address within the cluster is reached through the API server, so that kubectl's access is enough.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use super::cluster::{Cluster, Stop};
use crate::api::v1alpha1::{AgentPlatform, PrometheusEndpoint};
use crate::domain::governance;
use crate::prometheus::{Connection, QueryError, Secrets};
use crate::validate;

/// Where Prometheus is.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Source {
    /// Address of Prometheus, without `/api/v1`, in place of the AgentPlatform's.
    ///
    /// Without it the AgentPlatform says where Prometheus is, and a Service is reached through the API
    /// server, which needs permission to get `services/proxy`.
    #[arg(long, value_name = "URL", help_heading = "Prometheus")]
    prometheus: Option<String>,
    /// Bearer token for it.
    #[arg(
        long,
        env = "PROMETHEUS_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help_heading = "Prometheus"
    )]
    token: Option<String>,
}

/// The AgentPlatforms of a cluster, and what decides which of them governs a namespace.
#[derive(Default)]
pub(super) struct Platforms {
    pub(super) platforms: Vec<AgentPlatform>,
    labels: BTreeMap<String, BTreeMap<String, String>>,
}

impl Platforms {
    /// Reads them. Labels of namespaces that may not be read count as none.
    pub(super) async fn read(cluster: &Cluster) -> Result<Self, Stop> {
        let all: Api<AgentPlatform> = Api::all(cluster.client.clone());
        let platforms = all.list(&ListParams::default()).await;
        let platforms = platforms.map_err(|error| Stop::of("AgentPlatforms", &error))?.items;
        let labels = labels(&cluster.client, &cluster.namespace).await;
        Ok(Self { platforms, labels })
    }

    /// The same, with these in place of those of the same name.
    pub(super) fn replaced(&self, by: &[AgentPlatform]) -> Self {
        let is_replaced =
            |platform: &AgentPlatform| by.iter().any(|new| new.name_any() == platform.name_any());
        let kept = self.platforms.iter().filter(|platform| !is_replaced(platform));
        let old = |new: &AgentPlatform| self.platforms.iter().find(|old| old.name_any() == new.name_any());
        let new = by.iter().cloned().map(|mut new| {
            // Which of two governs depends on their age, and an edit does not make younger.
            new.metadata.creation_timestamp = old(&new).and_then(ResourceExt::creation_timestamp);
            new
        });
        Self { platforms: kept.cloned().chain(new).collect(), labels: self.labels.clone() }
    }

    /// Why the operator might go by another policy in a namespace than we do.
    pub(super) fn doubt(&self, namespace: &str) -> Option<String> {
        let selects = |platform: &AgentPlatform| platform.spec.namespace_selector.is_some();
        if !self.labels.contains_key(namespace) && self.platforms.iter().any(selects) {
            return Some(format!(
                "note: the labels of namespace '{namespace}' are not known, so another AgentPlatform may govern it"
            ));
        }
        let governing = self.governing(namespace)?;
        validate::platform(governing).err().map(|_| {
            format!(
                "note: AgentPlatform '{}' is not valid; the operator goes by its last valid form, and this by the defaults",
                governing.name_any()
            )
        })
    }

    /// Labels of a namespace, where they may be read.
    pub(super) fn labels_of(&self, namespace: &str) -> Option<&BTreeMap<String, String>> {
        self.labels.get(namespace)
    }

    /// The one that governs a namespace.
    pub(super) fn governing(&self, namespace: &str) -> Option<&AgentPlatform> {
        let none = BTreeMap::new();
        governance::governing(&self.platforms, self.labels.get(namespace).unwrap_or(&none))
    }
}

/// Labels of every namespace, or of one where not all may be listed.
async fn labels(client: &Client, namespace: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let api: Api<Namespace> = Api::all(client.clone());
    let namespaces = match api.list(&ListParams::default()).await {
        Ok(all) => all.items,
        Err(_) => api.get(namespace).await.into_iter().collect(),
    };
    namespaces.into_iter().map(|namespace| (namespace.name_any(), namespace.labels().clone())).collect()
}

/// One Prometheus, and the namespaces whose counts it has.
pub(super) struct Road {
    /// How messages name it.
    pub(super) name: String,
    pub(super) namespaces: BTreeSet<String>,
    /// The connection, or why there is none.
    pub(super) connection: Result<Connection, String>,
}

impl Source {
    /// The roads to every Prometheus that has counts of these namespaces.
    pub(super) async fn roads(&self, cluster: &Cluster, namespaces: &BTreeSet<String>) -> Vec<Road> {
        if let Some(address) = &self.prometheus {
            let connection = self.direct(&endpoint(address)).map_err(|error| error.to_string());
            return vec![Road { name: address.clone(), namespaces: namespaces.clone(), connection }];
        }
        match Platforms::read(cluster).await {
            Ok(platforms) => self.roads_of(cluster, &platforms, namespaces),
            Err(stop) => {
                let message = format!("{stop}; name Prometheus with --prometheus");
                let name = "the AgentPlatform's Prometheus".to_owned();
                vec![Road { name, namespaces: namespaces.clone(), connection: Err(message) }]
            }
        }
    }

    fn roads_of(&self, cluster: &Cluster, platforms: &Platforms, namespaces: &BTreeSet<String>) -> Vec<Road> {
        let mut governed: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
        for namespace in namespaces {
            let platform = platforms.governing(namespace).map(AgentPlatform::name_any);
            governed.entry(platform).or_default().insert(namespace.clone());
        }
        let road = |(name, namespaces): (Option<String>, BTreeSet<String>)| {
            let platform = platforms.platforms.iter().find(|platform| Some(platform.name_any()) == name);
            let connection = self.connect(&cluster.client, platform);
            let name = name.map_or_else(
                || "Prometheus".to_owned(),
                |name| format!("the Prometheus of AgentPlatform '{name}'"),
            );
            Road { name, namespaces, connection }
        };
        governed.into_iter().map(road).collect()
    }

    /// The road to the Prometheus of a platform, or why there is none.
    pub(super) fn connect(
        &self,
        cluster: &Client,
        platform: Option<&AgentPlatform>,
    ) -> Result<Connection, String> {
        if let Some(address) = &self.prometheus {
            return self.direct(&endpoint(address)).map_err(|error| error.to_string());
        }
        let endpoint = platform.and_then(|platform| platform.spec.prometheus.as_ref()).ok_or(
            "no AgentPlatform names a Prometheus; name one with --prometheus, or in spec.prometheus.address",
        )?;
        let connection = match Connection::through(cluster.clone(), endpoint) {
            Ok(connection) => Ok(connection),
            Err(_) => self.direct(endpoint),
        };
        connection.map_err(|error| error.to_string())
    }

    fn direct(&self, endpoint: &PrometheusEndpoint) -> Result<Connection, QueryError> {
        let secrets = Secrets { token: self.token.clone(), ..Secrets::default() };
        Connection::open(endpoint, &secrets)
    }
}

/// What to do about a Prometheus that does not answer.
pub(super) fn advice(error: &QueryError) -> String {
    let advice = match error {
        QueryError::Unreachable(_) => {
            "forward its port (kubectl port-forward) and name it with --prometheus http://127.0.0.1:9090"
        }
        QueryError::Status(401 | 403) => {
            "it, or the API server in front of it (get services/proxy), wants credentials; see --prometheus and PROMETHEUS_TOKEN"
        }
        QueryError::Status(_) | QueryError::NotPrometheus | QueryError::Configuration(_) => {
            "check spec.prometheus.address of the AgentPlatform, or name another with --prometheus"
        }
        QueryError::Refused(_) | QueryError::TooLarge(_) | QueryError::Partial => "try again",
    };
    format!("{error}; {advice}")
}

fn endpoint(address: &str) -> PrometheusEndpoint {
    PrometheusEndpoint { address: address.to_owned(), ..PrometheusEndpoint::default() }
}
