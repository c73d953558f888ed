//! How the operator runs.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kube::runtime::watcher;
use kube::{Api, Client};

use crate::api::v1alpha1::AgentPlatform;
use crate::domain::shard::Shards;
use crate::render::ArtifactKind;

/// How the operator runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where probes and metrics are served.
    pub listen: SocketAddr,
    /// Time between two reads of the budgets.
    pub poll_interval: Duration,
    /// Namespace of the Leases, and of the Secrets that an AgentPlatform refers to.
    pub operator_namespace: String,
    /// What it looks at.
    pub scope: Scope,
    /// Kinds of children that it may make.
    pub kinds: BTreeSet<ArtifactKind>,
    /// How it shares the work with other replicas, if there are any.
    pub election: Option<Election>,
}

impl Default for Settings {
    /// One replica that looks at everything, on any free port of the machine itself.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            poll_interval: Duration::from_secs(30),
            operator_namespace: "agentslo-system".to_owned(),
            scope: Scope::default(),
            kinds: without_ledgers(),
            election: None,
        }
    }
}

/// All kinds but those that only ledgers need.
#[must_use]
pub fn without_ledgers() -> BTreeSet<ArtifactKind> {
    let all = ArtifactKind::ALL.into_iter();
    all.filter(|kind| !ArtifactKind::OF_LEDGERS.contains(kind)).collect()
}

/// What the operator looks at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The namespaces; none stands for all.
    pub namespaces: Vec<String>,
    /// Label selector of AgentSLOs and AgentObservabilities, as the API server takes it.
    pub selector: Option<String>,
    /// AgentPlatforms to go by instead of those in the cluster, of which nothing is read then.
    pub platforms: Option<Vec<AgentPlatform>>,
}

impl Scope {
    /// Whether nothing outside the namespaces is read.
    pub(super) fn is_within_namespaces(&self) -> bool {
        !self.namespaces.is_empty() && self.platforms.is_some()
    }

    /// What is watched of the kinds that people write.
    pub(super) fn of_written(&self) -> watcher::Config {
        watcher::Config { label_selector: self.selector.clone(), ..watcher::Config::default() }
    }

    /// An interface for each namespace, or one for all of them.
    pub(super) fn apis<K>(
        &self,
        client: &Client,
        api: impl Fn(Client, Option<&str>) -> Api<K>,
    ) -> Vec<Api<K>> {
        if self.namespaces.is_empty() {
            return vec![api(client.clone(), None)];
        }
        let each = self.namespaces.iter().map(|namespace| api(client.clone(), Some(namespace)));
        each.collect()
    }
}

/// How replicas share the work.
#[derive(Clone, Debug)]
pub struct Election {
    /// Name of the Lease; with several shards each has one, with its number at the end.
    pub lease: String,
    /// Ranges into which the namespaces are divided.
    pub shards: Shards,
    /// What this replica calls itself; no other may have the same.
    pub identity: String,
}
