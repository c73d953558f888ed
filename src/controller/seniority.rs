//! Which AgentSLOs of a namespace are older than others: what a reconciliation would otherwise look for among
//! all objects of the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::reflector::Store;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use super::poison::locked;

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
