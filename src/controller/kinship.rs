//! Who owns which children, and which AgentSLOs of a namespace are older than others: what a reconciliation
//! would otherwise look for among all objects of the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::reflector::Store;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use super::children::{ChildMeta, controller_uid};
use super::poison::locked;
use crate::plan::ChildName;
use crate::render::ArtifactKind;

/// Namespace and UID of an owner.
type Owner = (String, String);

/// Names of the children of each owner. One that is gone may still be named for a moment.
#[derive(Default)]
pub(super) struct Owned {
    names: Mutex<BTreeMap<Owner, BTreeSet<ChildName>>>,
}

impl Owned {
    /// Follows a watch whose cache has taken the event already.
    pub(super) fn follow(&self, kind: ArtifactKind, event: &Event<ChildMeta>, cache: &Store<ChildMeta>) {
        match event {
            Event::Init => {}
            Event::Apply(child) | Event::InitApply(child) => note(&mut locked(&self.names), kind, child),
            Event::Delete(child) => self.forget(kind, child),
            Event::InitDone => self.rebuild(kind, cache),
        }
    }

    /// How many owners there are.
    pub(super) fn owners(&self) -> usize {
        locked(&self.names).len()
    }

    /// Names of the children of an owner.
    pub(super) fn of(&self, namespace: &str, uid: &str) -> BTreeSet<ChildName> {
        locked(&self.names).get(&(namespace.to_owned(), uid.to_owned())).cloned().unwrap_or_default()
    }

    fn forget(&self, kind: ArtifactKind, child: &ChildMeta) {
        let Some(owner) = owner(child) else { return };
        let mut names = locked(&self.names);
        if let Some(of_owner) = names.get_mut(&owner) {
            of_owner.remove(&(kind, child.name_any()));
            if of_owner.is_empty() {
                names.remove(&owner);
            }
        }
    }

    fn rebuild(&self, kind: ArtifactKind, cache: &Store<ChildMeta>) {
        let mut names = locked(&self.names);
        for of_owner in names.values_mut() {
            of_owner.retain(|(other, _)| *other != kind);
        }
        names.retain(|_, of_owner| !of_owner.is_empty());
        for child in cache.state() {
            note(&mut names, kind, &child);
        }
    }
}

fn note(names: &mut BTreeMap<Owner, BTreeSet<ChildName>>, kind: ArtifactKind, child: &ChildMeta) {
    if let Some(owner) = owner(child) {
        names.entry(owner).or_default().insert((kind, child.name_any()));
    }
}

fn owner(child: &ChildMeta) -> Option<Owner> {
    Some((child.metadata.namespace.clone()?, controller_uid(child)?.to_owned()))
}

/// Age, for people: when it was created, and of two of the same moment the name decides.
type Age = (Option<Time>, String);

/// The objects of a kind in each namespace, by age.
#[derive(Default)]
pub(super) struct Seniority {
    ages: Mutex<BTreeMap<String, BTreeSet<Age>>>,
}

impl Seniority {
    /// Follows a watch whose cache has taken the event already.
    pub(super) fn follow<K>(&self, event: &Event<K>, cache: &Store<K>)
    where
        K: Resource<DynamicType = ()> + Clone + 'static,
    {
        match event {
            Event::Init => {}
            Event::Apply(object) | Event::InitApply(object) => enter(&mut locked(&self.ages), object),
            Event::Delete(object) => {
                if let Some(of_namespace) =
                    locked(&self.ages).get_mut(&object.namespace().unwrap_or_default())
                {
                    of_namespace.remove(&age(object));
                }
            }
            Event::InitDone => {
                let mut ages = locked(&self.ages);
                ages.clear();
                for object in cache.state() {
                    enter(&mut ages, &*object);
                }
            }
        }
    }

    /// How many of the namespace are older, or `most` where there are more.
    pub(super) fn older(&self, object: &impl Resource<DynamicType = ()>, most: usize) -> usize {
        let ages = locked(&self.ages);
        let of_namespace = ages.get(&object.namespace().unwrap_or_default());
        of_namespace.map_or(0, |of_namespace| of_namespace.range(..age(object)).take(most).count())
    }
}

fn enter(ages: &mut BTreeMap<String, BTreeSet<Age>>, object: &impl Resource<DynamicType = ()>) {
    ages.entry(object.namespace().unwrap_or_default()).or_default().insert(age(object));
}

fn age(object: &impl Resource<DynamicType = ()>) -> Age {
    (object.meta().creation_timestamp.clone(), object.name_any())
}
