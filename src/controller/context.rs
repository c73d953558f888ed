//! What every reconciliation has at hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::events::Recorder;
use kube::runtime::reflector::Store;
use tokio::sync::SetOnce;

use super::children::Children;
use super::election::Tenure;
use super::error::ReconcileError;
use super::pace::Subject;
use super::registry::Registry;
use super::sightings::Sightings;
use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use crate::domain::platform::Platform;
use crate::metrics::Metrics;

/// An AgentSLO as it arrives: one that does not even parse must not stop the others.
pub(super) type Incoming = DeserializeGuard<AgentSlo>;

/// An AgentObservability as it arrives.
pub(super) type IncomingObservability = DeserializeGuard<AgentObservability>;

/// Whether a Prometheus answered: reason and message where it did not.
pub(super) type PrometheusAnswer = Result<(), (&'static str, String)>;

/// What every reconciliation has at hand.
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) slos: Store<Incoming>,
    pub(super) observabilities: Store<IncomingObservability>,
    pub(super) platforms: Store<AgentPlatform>,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    /// Set when everything that decisions rest on was listed once. Without the AgentPlatforms, say, rules
    /// would lose the labels by which their Prometheus selects them.
    pub(super) caches_full: SetOnce<()>,
    pub(super) children: Children,
    pub(super) registry: Registry,
    pub(super) sightings: Sightings,
    pub(super) metrics: Metrics,
    /// What this replica is responsible for.
    pub(super) tenure: Arc<Tenure>,
    pub(super) recorder: Recorder,
    /// The last valid form of each AgentPlatform, which stays in force while an edit is not valid.
    pub(super) valid_platforms: Mutex<BTreeMap<String, Arc<Platform>>>,
    /// Whether the Prometheus of each AgentPlatform answered: reason and message where it did not.
    pub(super) answers: Mutex<BTreeMap<String, PrometheusAnswer>>,
    /// Failures in a row of each object, for the pause before the next attempt.
    pub(super) failures: Mutex<BTreeMap<Subject, u32>>,
}

impl Context {
    /// Asked before each write: a replica that was stopped for a while may not go on as if it had not.
    ///
    /// # Errors
    /// If another replica may be responsible for the namespace, or for what is in none, by now.
    pub(super) fn may_write(&self, namespace: Option<&str>) -> Result<(), ReconcileError> {
        let is_held = match namespace {
            Some(namespace) => self.tenure.holds(namespace),
            None => self.tenure.holds_the_cluster(),
        };
        let namespace = namespace.unwrap_or_default().to_owned();
        if is_held { Ok(()) } else { Err(ReconcileError::Deposed { namespace }) }
    }
}
