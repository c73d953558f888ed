//! Who is to be looked at again, and when: owners whose children changed, AgentSLOs whose telemetry is
//! described anew, resources of which Prometheus has news.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use kube::runtime::reflector::Store;
use kube::runtime::watcher::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::children::ChildMeta;
use super::incoming::Incoming;
use super::pace::Subject;
use super::sightings::ObservabilityKey;
use super::visit::Visited;
use crate::api::v1alpha1::{AgentObservability, AgentSlo};

/// Wakes reconciliations. Sending fails only while the operator stops, when nobody waits for it.
#[derive(Clone)]
pub(super) struct Wake(UnboundedSender<Subject>);

impl Wake {
    /// And where those who are woken arrive.
    pub(super) fn new() -> (Self, UnboundedReceiver<Subject>) {
        let (wake, woken) = unbounded_channel();
        (Self(wake), woken)
    }

    /// An object.
    pub(super) fn object(&self, subject: Subject) {
        let _ = self.0.send(subject);
    }

    /// An AgentSLO.
    pub(super) fn slo(&self, namespace: &str, name: &str) {
        self.named(AgentSlo::KIND, namespace, name);
    }

    /// An AgentObservability.
    pub(super) fn observability(&self, namespace: &str, name: &str) {
        self.named(AgentObservability::KIND, namespace, name);
    }

    fn named(&self, kind: &'static str, namespace: &str, name: &str) {
        self.object(Subject { kind, namespace: namespace.to_owned(), name: name.to_owned() });
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
}

/// Wakes what depends on AgentObservabilities: AgentSLOs that refer to one, and others of the same agent.
pub(super) struct Dependents {
    pub(super) wake: Wake,
    pub(super) slos: Store<Incoming<AgentSlo>>,
    pub(super) observabilities: Store<Incoming<AgentObservability>>,
    /// What dependents last knew of each.
    pub(super) known: BTreeMap<ObservabilityKey, Known>,
}

/// What dependents know of an AgentObservability. All of it but the generation stands beside the spec; the
/// status is none of it, so that a write of ours wakes nobody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Known {
    uid: Option<String>,
    generation: Option<i64>,
    is_leaving: bool,
    /// None where the object does not fit its schema.
    agent: Option<String>,
}

impl Dependents {
    /// Follows a watch whose cache has taken the event already. What a list brings counts when the cache
    /// has it, which is when the list is done.
    pub(super) fn follow(&mut self, event: &Event<Incoming<AgentObservability>>) {
        match event {
            Event::Init | Event::InitApply(_) => {}
            Event::Apply(changed) => self.note(&key(changed), Some(known(changed))),
            Event::Delete(gone) => self.note(&key(gone), None),
            Event::InitDone => self.note_all(),
        }
    }

    fn note_all(&mut self) {
        let listed = self.observabilities.state();
        let mut all: BTreeMap<_, _> = self.known.keys().map(|gone| (gone.clone(), None)).collect();
        all.extend(listed.iter().map(|listed| (key(listed), Some(known(listed)))));
        for (key, now) in all {
            self.note(&key, now);
        }
    }

    /// Wakes those who knew it as it was, and those who know it as it is.
    fn note(&mut self, key: &ObservabilityKey, now: Option<Known>) {
        let before = match &now {
            Some(now) => self.known.insert(key.clone(), now.clone()),
            None => self.known.remove(key),
        };
        if before == now {
            return;
        }
        self.wake_slos_of(key);
        let agents: BTreeSet<String> =
            [before, now].into_iter().flatten().filter_map(|known| known.agent).collect();
        self.wake_others_of(key, &agents);
    }

    fn wake_slos_of(&self, (namespace, name): &ObservabilityKey) {
        let refers = |slo: &Incoming<AgentSlo>| {
            slo.meta().namespace.as_ref() == Some(namespace) && slo.looked_up_by() == Some(name)
        };
        for slo in self.slos.state_filter(refers) {
            self.wake.slo(namespace, slo.meta().name.as_deref().unwrap_or_default());
        }
    }

    /// Of several for one agent the oldest is in force, also of those whose agent it was.
    fn wake_others_of(&self, changed: &ObservabilityKey, agents: &BTreeSet<String>) {
        for other in self.observabilities.state() {
            let other_key = key(&other);
            let is_of_them = other.looked_up_by().is_some_and(|agent| agents.contains(agent));
            if is_of_them && other_key.0 == changed.0 && other_key.1 != changed.1 {
                self.wake.observability(&other_key.0, &other_key.1);
            }
        }
    }
}

fn key(observability: &Incoming<AgentObservability>) -> ObservabilityKey {
    let meta = observability.meta();
    (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}

fn known(observability: &Incoming<AgentObservability>) -> Known {
    let meta = observability.meta();
    Known {
        uid: meta.uid.clone(),
        generation: meta.generation,
        is_leaving: meta.deletion_timestamp.is_some(),
        agent: observability.looked_up_by().map(str::to_owned),
    }
}

fn is<K: Resource<DynamicType = ()>>(owner: &OwnerReference) -> bool {
    owner.kind == K::kind(&()) && owner.api_version == K::api_version(&())
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector::{self, store::Writer};
    use serde_json::{Value, json};

    use super::super::incoming::Kept;
    use super::*;

    /// Dependents, the caches that a watch would fill, and who was woken.
    struct Stage {
        dependents: Dependents,
        observabilities: Writer<Incoming<AgentObservability>>,
        woken: UnboundedReceiver<Subject>,
    }

    impl Stage {
        /// An AgentSLO that refers to `old`, and AgentObservabilities `old` and `new` of one agent.
        fn given() -> Self {
            let (slos, mut slo_writer) = reflector::store();
            let slo = json!({
                "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
                "metadata": {"namespace": "team-a", "name": "referring"},
                "spec": {
                    "agent": "support", "objective": "99", "indicator": {"success": {}},
                    "observabilityRef": {"name": "old"},
                },
            });
            slo_writer.apply_watcher_event(&Event::Apply(parsed(slo)));
            let (observabilities, writer) = reflector::store();
            let (wake, woken) = Wake::new();
            let dependents = Dependents { wake, slos, observabilities, known: BTreeMap::new() };
            let mut stage = Self { dependents, observabilities: writer, woken };
            let both = [observability("old", "support", 1), observability("new", "support", 1)];
            stage.happens(&Event::Init);
            for one in both {
                stage.happens(&Event::InitApply(one));
            }
            stage.happens(&Event::InitDone);
            stage.woken();
            stage
        }

        fn happens(&mut self, event: &Event<Incoming<AgentObservability>>) {
            self.observabilities.apply_watcher_event(event);
            self.dependents.follow(event);
        }

        /// Names of those who were woken since they were last asked for.
        fn woken(&mut self) -> Vec<String> {
            std::iter::from_fn(|| Some(self.woken.try_recv().ok()?.name)).collect()
        }
    }

    fn parsed<K: Kept>(object: Value) -> Incoming<K> {
        serde_json::from_value(object).expect("every object should arrive")
    }

    fn observability(name: &str, agent: &str, generation: i64) -> Incoming<AgentObservability> {
        parsed(json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
            "metadata": {"namespace": "team-a", "name": name, "generation": generation},
            "spec": {"agent": agent},
        }))
    }

    #[test]
    fn a_status_wakes_nobody_and_a_spec_wakes_all_who_read_it() {
        let mut stage = Stage::given();
        stage.happens(&Event::Apply(observability("old", "support", 1)));
        assert_eq!(stage.woken(), Vec::<String>::new(), "nothing that others read has changed");
        stage.happens(&Event::Apply(observability("old", "support", 2)));
        assert_eq!(stage.woken(), ["referring", "new"]);
        stage.happens(&Event::Delete(observability("old", "support", 2)));
        assert_eq!(stage.woken(), ["referring", "new"]);
    }

    #[test]
    fn an_agent_that_is_left_wakes_its_others_too() {
        let mut stage = Stage::given();
        stage.happens(&Event::Apply(observability("old", "billing", 2)));
        assert_eq!(stage.woken(), ["referring", "new"]);
        stage.happens(&Event::Apply(observability("old", "billing", 3)));
        assert_eq!(stage.woken(), ["referring"], "they are no longer of one agent");
    }

    #[test]
    fn what_is_missing_from_a_later_list_is_gone() {
        let mut stage = Stage::given();
        stage.happens(&Event::Init);
        stage.happens(&Event::InitApply(observability("new", "support", 1)));
        assert_eq!(stage.woken(), Vec::<String>::new(), "the cache has the list only when it is done");
        stage.happens(&Event::InitDone);
        assert_eq!(stage.woken(), ["referring", "new"]);
    }
}
