//! What every reconciliation has at hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use tokio::sync::SetOnce;
use tokio::time::Instant;

use super::apply::Applied;
use super::budget::Budget;
use super::children::Children;
use super::clock::Clock;
use super::contests::Contests;
use super::election::Tenure;
use super::error::ReconcileError;
use super::events::Events;
use super::incoming::Incoming;
use super::kinds::Kinds;
use super::limits::Limits;
use super::pace::{Later, Subject};
use super::poison::locked;
use super::references::References;
use super::registry::Registry;
use super::rollout;
use super::seniority::Seniority;
use super::sightings::Sightings;
use super::visit::Visit;
use super::workqueue::{Urgency, WorkQueue};
use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use crate::domain::platform::Platform;
use crate::metrics::Metrics;
use crate::plan::Existing;

/// Time to the report of children that others did not let come to word.
const REPORT_LATER: Duration = Duration::from_secs(1);

/// Whether a Prometheus answered: reason and message where it did not.
pub(super) type PrometheusAnswer = Result<(), (&'static str, String)>;

/// What every reconciliation has at hand.
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) slos: Store<Incoming<AgentSlo>>,
    pub(super) observabilities: Store<Incoming<AgentObservability>>,
    pub(super) platforms: Store<AgentPlatform>,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    /// Set when everything that decisions rest on was listed once. Without the AgentPlatforms, say, rules
    /// would lose the labels by which their Prometheus selects them.
    pub(super) caches_full: SetOnce<()>,
    pub(super) children: Arc<Children>,
    pub(super) kinds: Kinds,
    pub(super) registry: Registry,
    pub(super) sightings: Sightings,
    pub(super) references: References,
    pub(super) metrics: Metrics,
    /// Who is being reconciled, and who waits.
    pub(super) queue: Mutex<WorkQueue>,
    /// How often each object was looked at.
    pub(super) limits: Limits,
    /// Children that somebody else keeps changing.
    pub(super) contests: Contests,
    /// Writes that nobody waits for.
    pub(super) budget: Budget,
    /// Ages of the AgentSLOs.
    pub(super) seniority: Arc<Seniority>,
    /// What this replica is responsible for.
    pub(super) tenure: Arc<Tenure>,
    /// Where Events wait until there is time.
    pub(super) events: Events,
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
    /// How long to wait with a write that replaces something and that nobody waits for.
    pub(super) fn put_off(&self, visit: &Visit) -> Later {
        match visit.urgency {
            Urgency::Change => None,
            Urgency::Routine => self.budget.spend(&visit.subject, Instant::now()).err(),
        }
    }

    /// How long to wait with the report of children that were just written: while others wait for theirs,
    /// these come first.
    pub(super) fn put_off_report(&self, applied: &Applied) -> Later {
        let is_all_well = applied.error.is_none() && applied.later.is_none();
        (applied.wrote && is_all_well && locked(&self.queue).waiting(Urgency::Change) > 0)
            .then_some(REPORT_LATER)
    }

    /// How long to wait with the replacement of a child. One that is missing is made at once.
    pub(super) fn put_off_replacing(&self, visit: &Visit, existing: Option<&Existing>) -> Later {
        match existing {
            // It was never looked at, and what we make of its owner differs: a new version of ours.
            Some(Existing::Live { known: None, .. }) if visit.urgency == Urgency::Routine => {
                let due = rollout::due(&visit.subject, self.slos.len() + self.observabilities.len());
                let left = due.saturating_sub(self.tenure.held_for(&visit.subject.namespace));
                if left.is_zero() { self.put_off(visit) } else { Some(left) }
            }
            Some(Existing::Live { .. } | Existing::Settled { .. }) => self.put_off(visit),
            Some(Existing::Gone(_) | Existing::Foreign { .. }) | None => None,
        }
    }
}
