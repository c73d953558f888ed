//! Who is to be looked at again, and when: owners whose children changed, AgentSLOs whose telemetry is
//! described anew, resources of which Prometheus has news.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::children::ChildMeta;
use super::context::{Incoming, IncomingObservability};
use crate::api::v1alpha1::{AgentObservability, AgentSlo};

/// Wakes reconciliations. Sending fails only while the operator stops, when nobody waits for it.
#[derive(Clone)]
pub(super) struct Wake {
    slos: UnboundedSender<ObjectRef<Incoming>>,
    observabilities: UnboundedSender<ObjectRef<IncomingObservability>>,
}

/// Where those that are woken arrive.
pub(super) struct Woken {
    pub(super) slos: UnboundedReceiver<ObjectRef<Incoming>>,
    pub(super) observabilities: UnboundedReceiver<ObjectRef<IncomingObservability>>,
}

impl Wake {
    pub(super) fn new() -> (Self, Woken) {
        let (slos, woken_slos) = unbounded_channel();
        let (observabilities, woken_observabilities) = unbounded_channel();
        (Self { slos, observabilities }, Woken { slos: woken_slos, observabilities: woken_observabilities })
    }

    /// An AgentSLO.
    pub(super) fn slo(&self, namespace: &str, name: &str) {
        let _ = self.slos.send(ObjectRef::new(name).within(namespace));
    }

    /// An AgentObservability.
    pub(super) fn observability(&self, namespace: &str, name: &str) {
        let _ = self.observabilities.send(ObjectRef::new(name).within(namespace));
    }

    /// The owner of a child.
    pub(super) fn owner_of(&self, child: &ChildMeta) {
        let namespace = child.metadata.namespace.as_deref().unwrap_or_default();
        let owners = child.metadata.owner_references.iter().flatten();
        for owner in owners.filter(|owner| owner.controller == Some(true)) {
            if is::<AgentSlo>(owner) {
                self.slo(namespace, &owner.name);
            } else if is::<AgentObservability>(owner) {
                self.observability(namespace, &owner.name);
            }
        }
    }

    /// What depends on an AgentObservability: AgentSLOs that refer to it, and others of the same agent.
    pub(super) fn dependents_of(
        &self,
        changed: &IncomingObservability,
        slos: &Store<Incoming>,
        observabilities: &Store<IncomingObservability>,
    ) {
        let namespace = changed.meta().namespace.clone().unwrap_or_default();
        let name = changed.meta().name.clone().unwrap_or_default();
        let refers = |slo: &AgentSlo| {
            slo.spec.observability_ref.as_ref().is_some_and(|reference| reference.name == name)
        };
        for slo in slos.state().iter().filter_map(|slo| slo.0.as_ref().ok()).filter(|slo| refers(slo)) {
            if slo.metadata.namespace.as_ref() == Some(&namespace) {
                self.slo(&namespace, slo.metadata.name.as_deref().unwrap_or_default());
            }
        }
        let Ok(changed) = &changed.0 else { return };
        for other in observabilities.state().iter().filter_map(|other| other.0.as_ref().ok()) {
            let is_other = other.metadata.name.as_ref() != Some(&name);
            let is_same_agent = other.spec.agent == changed.spec.agent
                && other.metadata.namespace.as_ref() == Some(&namespace);
            if is_other && is_same_agent {
                self.observability(&namespace, other.metadata.name.as_deref().unwrap_or_default());
            }
        }
    }
}

fn is<K: Resource<DynamicType = ()>>(owner: &OwnerReference) -> bool {
    owner.kind == K::kind(&()) && owner.api_version == K::api_version(&())
}
