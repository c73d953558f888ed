//! The watches of the API server, and the caches that they fill. Each object kind is watched once.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use futures::future::join_all;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{PredicateConfig, WatchStreamExt, predicates};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use super::children::Children;
use super::incoming::Incoming;
use super::scope::{cached, watch_all};
use super::seniority::Seniority;
use super::settings::Scope;
use super::visit::{Visited, subject};
use super::wake::{Dependents, Wake};
use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use crate::render::ArtifactKind;
use crate::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};

/// A stream of objects that changed.
type Changes<K> = Pin<Box<dyn Stream<Item = Result<K, watcher::Error>> + Send>>;

/// Fills a cache for as long as it is polled.
type Filling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Everything that is watched.
pub(super) struct Watches {
    pub(super) slos: Filling,
    pub(super) observabilities: Filling,
    pub(super) platforms: Changes<AgentPlatform>,
    pub(super) namespaces: Filling,
    pub(super) children: Filling,
    /// Which kinds of children are watched; one that is added is watched from then on.
    pub(super) served: watch::Sender<BTreeSet<ArtifactKind>>,
    pub(super) stores: Stores,
}

/// The caches.
#[derive(Clone)]
pub(super) struct Stores {
    pub(super) slos: Store<Incoming<AgentSlo>>,
    pub(super) observabilities: Store<Incoming<AgentObservability>>,
    pub(super) platforms: Store<AgentPlatform>,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    pub(super) children: Arc<Children>,
    pub(super) seniority: Arc<Seniority>,
    policy: watch::Receiver<()>,
}

impl Stores {
    /// Done when everything that decisions rest on was listed once.
    pub(super) async fn synced(&self) {
        // An error means that the writer is gone, and then nobody waits for the caches.
        let _ = self.slos.wait_until_ready().await;
        let _ = self.observabilities.wait_until_ready().await;
        let _ = self.platforms.wait_until_ready().await;
        let _ = self.namespaces.wait_until_ready().await;
    }

    /// An item whenever an AgentPlatform or the labels of a namespace changed.
    pub(super) fn policy_changes(&self) -> impl Stream<Item = ()> + Send + 'static {
        WatchStream::from_changes(self.policy.clone())
    }
}

impl Watches {
    pub(super) fn start(client: &Client, scope: &Scope, wake: &Wake) -> Self {
        let (policy_changed, policy) = watch::channel(());
        let (children, seniority) = <(Arc<Children>, Arc<Seniority>)>::default();
        let (slos, slo_changes) = watch_slos(client, scope, wake, (&seniority, &children));
        let (observabilities, observability_changes) =
            watch_observabilities(client, scope, wake, (&slos, &children));
        let (platforms, platform_changes) = match &scope.platforms {
            Some(given) => given_platforms(given),
            None => watch_platforms(client, policy_changed.clone()),
        };
        let (namespaces, namespace_changes) = if scope.is_within_namespaces() {
            named_namespaces(&scope.namespaces)
        } else {
            watch_namespaces(client, policy_changed)
        };
        let served = watch::Sender::default();
        let followed = ArtifactKind::ALL
            .map(|kind| follow_children(client, scope, (kind, served.subscribe()), (wake, &children)));
        Self {
            slos: slo_changes,
            observabilities: observability_changes,
            platforms: platform_changes,
            namespaces: namespace_changes,
            children: Box::pin(join_all(followed).map(drop)),
            served,
            stores: Stores { slos, observabilities, platforms, namespaces, children, seniority, policy },
        }
    }
}

/// Our own status writes come back as changes; the generation tells them from edits.
fn watch_slos(
    client: &Client,
    scope: &Scope,
    wake: &Wake,
    (seniority, children): (&Arc<Seniority>, &Arc<Children>),
) -> (Store<Incoming<AgentSlo>>, Filling) {
    let (reader, writer) = reflector::store();
    let (cache, seniority, children) = (reader.clone(), Arc::clone(seniority), Arc::clone(children));
    let apis = scope.apis(client, |client, namespace| match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    });
    let changes = watch_all(apis, &scope.of_written(), cached(&reader))
        .reflect(writer)
        .inspect_ok(move |event| {
            seniority.follow(event, &cache);
            abandon(event, &cache, &children);
        })
        .applied_objects()
        .predicate_filter(predicates::generation, PredicateConfig::default());
    (reader, wake_each(wake, changes))
}

/// What depends on one is woken here, before the events of the watch become objects: one that is gone, or
/// was of another agent, wakes whatever depended on it too.
fn watch_observabilities(
    client: &Client,
    scope: &Scope,
    wake: &Wake,
    (slos, children): (&Store<Incoming<AgentSlo>>, &Arc<Children>),
) -> (Store<Incoming<AgentObservability>>, Filling) {
    let (reader, writer) = reflector::store();
    let (slos, observabilities, children) = (slos.clone(), reader.clone(), Arc::clone(children));
    let cache = reader.clone();
    let mut dependents = Dependents { wake: wake.clone(), slos, observabilities, known: BTreeMap::new() };
    let apis = scope.apis(client, |client, namespace| match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    });
    let changes = watch_all(apis, &scope.of_written(), cached(&reader))
        .reflect(writer)
        .inspect_ok(move |event| {
            dependents.follow(event);
            abandon(event, &cache, &children);
        })
        .touched_objects()
        .predicate_filter(predicates::generation, PredicateConfig::default());
    (reader, wake_each(wake, changes))
}

/// Wakes what changes, for as long as it is polled. The watch itself tries again after an error.
fn wake_each<K: Visited>(
    wake: &Wake,
    changes: impl Stream<Item = Result<Incoming<K>, watcher::Error>> + Send + 'static,
) -> Filling {
    let wake = wake.clone();
    let changed = changes.filter_map(|change| futures::future::ready(change.ok()));
    Box::pin(changed.for_each(move |object| {
        wake.object(subject(&object));
        futures::future::ready(())
    }))
}

/// Forgets the children of owners that are gone, by a watch whose cache has taken the event already.
fn abandon<K: Visited>(event: &Event<Incoming<K>>, cache: &Store<Incoming<K>>, children: &Children) {
    match event {
        Event::Delete(owner) => {
            children.abandon(&owner.namespace().unwrap_or_default(), &owner.uid().unwrap_or_default());
        }
        Event::InitDone => {
            let there = cache.state().iter().filter_map(|owner| owner.uid()).collect();
            children.abandon_all_but(K::KIND, &there);
        }
        Event::Init | Event::InitApply(_) | Event::Apply(_) => {}
    }
}

fn watch_platforms(
    client: &Client,
    changed: watch::Sender<()>,
) -> (Store<AgentPlatform>, Changes<AgentPlatform>) {
    let (reader, writer) = reflector::store();
    let changes = watcher(Api::<AgentPlatform>::all(client.clone()), watcher::Config::default())
        .default_backoff()
        .modify(prune)
        .reflect(writer)
        .touched_objects()
        .predicate_filter(predicates::generation, PredicateConfig::default())
        .inspect(move |_| {
            changed.send_replace(());
        });
    (reader, Box::pin(changes))
}

/// Platforms that were given at the start never change.
fn given_platforms(given: &[AgentPlatform]) -> (Store<AgentPlatform>, Changes<AgentPlatform>) {
    (filled(given.iter().cloned()), Box::pin(futures::stream::pending()))
}

/// Of namespaces that may not be read only the names are known, by the label that the API server gives.
fn named_namespaces(names: &[String]) -> (Store<PartialObjectMeta<Namespace>>, Filling) {
    let namespace = |name: &String| PartialObjectMeta {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            labels: Some([("kubernetes.io/metadata.name".to_owned(), name.clone())].into()),
            ..ObjectMeta::default()
        },
        ..PartialObjectMeta::default()
    };
    (filled(names.iter().map(namespace)), Box::pin(futures::future::pending()))
}

fn filled<K>(objects: impl Iterator<Item = K>) -> Store<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
{
    let (reader, mut writer) = reflector::store();
    let all = std::iter::once(Event::Init).chain(objects.map(Event::InitApply)).chain([Event::InitDone]);
    all.for_each(|event| writer.apply_watcher_event(&event));
    reader
}

fn watch_namespaces(
    client: &Client,
    changed: watch::Sender<()>,
) -> (Store<PartialObjectMeta<Namespace>>, Filling) {
    let (reader, writer) = reflector::store();
    let filling =
        watcher(Api::<PartialObjectMeta<Namespace>>::all(client.clone()), watcher::Config::default())
            .default_backoff()
            .modify(prune)
            .reflect(writer)
            .touched_objects()
            .predicate_filter(predicates::labels, PredicateConfig::default())
            .for_each(move |_| {
                changed.send_replace(());
                futures::future::ready(())
            });
    (reader, Box::pin(filling))
}

/// Metadata of the objects that carry our label, from the moment on at which the kind is known to be
/// installed: where it is not there is nothing to see, and nobody is asked in vain.
fn follow_children(
    client: &Client,
    scope: &Scope,
    (kind, mut served): (ArtifactKind, watch::Receiver<BTreeSet<ArtifactKind>>),
    (wake, children): (&Wake, &Arc<Children>),
) -> Filling {
    let resource = kind.api_resource();
    let apis = scope.apis(client, |client, namespace| match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    });
    let ours = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY_VALUE}"));
    let there = Arc::clone(children);
    let events = watch_all(apis, &ours, move |namespace| there.of_kind(kind, namespace));
    let (wake, children) = (wake.clone(), Arc::clone(children));
    Box::pin(async move {
        // An error means that the sender is gone, and then nobody looks at the children.
        let _ = served.wait_for(|served| served.contains(&kind)).await;
        // The watch itself tries again after an error.
        events
            .filter_map(|event| futures::future::ready(event.ok()))
            .for_each(|event| {
                children.follow(kind, event).iter().for_each(|child| wake.owner_of(child));
                futures::future::ready(())
            })
            .await;
    })
}

/// Managed fields are most of an object's size, and nobody here reads them.
fn prune<K: kube::Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
}
