//! Watches of several namespaces, as if they were one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::pin::Pin;

use futures::stream::{self, select_all};
use futures::{Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::Store;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

/// Events of a watch.
pub(super) type Events<K> = Pin<Box<dyn Stream<Item = Result<Event<K>, watcher::Error>> + Send>>;

/// Watches what all the interfaces give. Each is of a namespace of its own, or there is only one.
/// `there` says what is known to be in a namespace.
pub(super) fn watch_all<K>(
    apis: Vec<Api<K>>,
    config: &watcher::Config,
    there: impl Fn(&str) -> Vec<K> + Send + 'static,
) -> Events<K>
where
    K: Resource<DynamicType: Clone + Eq + Hash + Send + Sync>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static,
{
    let single = apis.len() == 1;
    let mut merge = Merge::new(apis.iter().filter_map(|api| api.namespace().map(str::to_owned)), there);
    let each = apis.into_iter().map(|api| {
        let namespace = api.namespace().unwrap_or_default().to_owned();
        let events = watcher(api, config.clone()).default_backoff();
        events.map(move |event| event.map(|event| (namespace.clone(), event))).boxed()
    });
    let events = select_all(each);
    if single {
        return events.map(|event| event.map(|(_, event)| event)).boxed();
    }
    let merged = events.flat_map(move |event| {
        stream::iter(match event {
            Ok((namespace, event)) => merge.take(&namespace, event).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    merged.boxed()
}

/// Makes one list of the first lists of all namespaces, and changes of every later one.
struct Merge<K, There> {
    /// Lists under way, and first ones that wait for the others.
    lists: BTreeMap<String, Vec<K>>,
    /// Namespaces whose first list is not complete.
    unlisted: BTreeSet<String>,
    there: There,
}

impl<K: Resource, There: Fn(&str) -> Vec<K>> Merge<K, There> {
    fn new(namespaces: impl Iterator<Item = String>, there: There) -> Self {
        Self { lists: BTreeMap::new(), unlisted: namespaces.collect(), there }
    }

    fn take(&mut self, namespace: &str, event: Event<K>) -> Vec<Event<K>> {
        match event {
            Event::Init => {
                self.lists.insert(namespace.to_owned(), Vec::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                self.lists.entry(namespace.to_owned()).or_default().push(object);
                Vec::new()
            }
            Event::InitDone if self.unlisted.is_empty() => self.relist(namespace),
            Event::InitDone => {
                self.unlisted.remove(namespace);
                if self.unlisted.is_empty() { self.first_list() } else { Vec::new() }
            }
            // Before all lists are complete what changes belongs to the list of its namespace.
            Event::Apply(object) if !self.unlisted.is_empty() => {
                self.amend(namespace, &object);
                self.lists.entry(namespace.to_owned()).or_default().push(object);
                Vec::new()
            }
            Event::Delete(object) if !self.unlisted.is_empty() => {
                self.amend(namespace, &object);
                Vec::new()
            }
            Event::Apply(_) | Event::Delete(_) => vec![event],
        }
    }

    /// Takes an object out of a list that waits for the others.
    fn amend(&mut self, namespace: &str, changed: &K) {
        if let Some(list) = self.lists.get_mut(namespace) {
            list.retain(|object| object.name_any() != changed.name_any());
        }
    }

    fn first_list(&mut self) -> Vec<Event<K>> {
        let listed = std::mem::take(&mut self.lists).into_values().flatten().map(Event::InitApply);
        std::iter::once(Event::Init).chain(listed).chain([Event::InitDone]).collect()
    }

    /// What a later list of a namespace changes.
    fn relist(&mut self, namespace: &str) -> Vec<Event<K>> {
        let listed = self.lists.remove(namespace).unwrap_or_default();
        let names: BTreeSet<String> = listed.iter().map(ResourceExt::name_any).collect();
        let gone = (self.there)(namespace).into_iter().filter(|object| !names.contains(&object.name_any()));
        listed.into_iter().map(Event::Apply).chain(gone.map(Event::Delete)).collect()
    }
}

/// What a cache has of a namespace.
pub(super) fn cached<K>(cache: &Store<K>) -> impl Fn(&str) -> Vec<K> + Send + 'static
where
    K: Resource<DynamicType: Clone + Eq + Hash + Send + Sync> + Clone + Send + Sync + 'static,
{
    let cache = cache.clone();
    move |namespace| {
        let of_namespace = cache.state_filter(|object| object.meta().namespace.as_deref() == Some(namespace));
        of_namespace.iter().map(|object| K::clone(object)).collect()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::runtime::reflector;
    use serde_json::json;

    use super::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        serde_json::from_value(json!({"metadata": {"namespace": namespace, "name": name}})).unwrap()
    }

    #[test]
    fn lists_of_several_namespaces_become_one() {
        let (cache, mut writer) = reflector::store::<ConfigMap>();
        let mut merge = Merge::new(["a", "b"].map(str::to_owned).into_iter(), cached(&cache));
        let mut happens = |namespace: &str, event: Event<ConfigMap>| {
            let events = merge.take(namespace, event);
            for event in &events {
                writer.apply_watcher_event(event);
            }
            events.len()
        };
        let names = || {
            let mut names: Vec<String> = cache.state().iter().map(|object| object.name_any()).collect();
            names.sort();
            names.join(" ")
        };
        happens("a", Event::Init);
        happens("a", Event::InitApply(object("a", "one")));
        happens("a", Event::InitApply(object("a", "two")));
        assert_eq!(happens("a", Event::InitDone), 0, "the other namespace is not listed");
        happens("a", Event::Delete(object("a", "two")));
        happens("a", Event::Apply(object("a", "three")));
        happens("b", Event::Init);
        happens("b", Event::InitApply(object("b", "four")));
        assert_eq!(happens("b", Event::InitDone), 5);
        assert_eq!(names(), "four one three");
        // One namespace is listed anew: what is missing there is gone, and the others stay.
        happens("a", Event::Init);
        happens("a", Event::InitApply(object("a", "five")));
        assert_eq!(names(), "four one three", "a list counts when it is complete");
        happens("a", Event::InitDone);
        assert_eq!(names(), "five four");
        happens("b", Event::Delete(object("b", "four")));
        assert_eq!(names(), "five");
    }
}
