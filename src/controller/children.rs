//! What we know of our children without asking: their metadata from a watch, and the content that they
//! were last found to have. At rest no reconciliation reads anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::watch;
use tokio::time::Instant;

use super::kinship::Owned;
use super::poison::locked;
use crate::plan::{ChildName, Fingerprint};
use crate::render::ArtifactKind;
use crate::report::Acceptance;

/// Metadata of a child.
pub(super) type ChildMeta = PartialObjectMeta<DynamicObject>;

/// How long a kind that is not installed is believed to be missing.
const MISSING_FOR: Duration = Duration::from_secs(10);

/// How long a start waits for the lists of children.
const LISTED_WITHIN: Duration = Duration::from_secs(10);

/// How long it is enough to have said that a child is being changed by somebody else.
const DRIFT_SAID_FOR: Duration = Duration::from_hours(1);

/// What a child was last found to be.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// The version that was looked at.
    pub(super) resource_version: String,
    /// The content that it has.
    pub(super) fingerprint: Fingerprint,
    /// What prometheus-operator said of it.
    pub(super) acceptance: Acceptance,
}

/// What we know of all children.
pub(super) struct Children {
    stores: BTreeMap<ArtifactKind, Store<ChildMeta>>,
    owned: Arc<Owned>,
    settled: Mutex<BTreeMap<(String, ChildName), Settled>>,
    /// Kinds that the API server was found to have. Each is watched from then on.
    served: watch::Sender<BTreeSet<ArtifactKind>>,
    missing: Mutex<BTreeMap<ArtifactKind, Instant>>,
    drifted: Mutex<BTreeMap<(String, ChildName), Instant>>,
}

impl Children {
    pub(super) fn new(
        (stores, owned): (BTreeMap<ArtifactKind, Store<ChildMeta>>, Arc<Owned>),
        served: watch::Sender<BTreeSet<ArtifactKind>>,
    ) -> Self {
        Self {
            stores,
            owned,
            settled: Mutex::default(),
            served,
            missing: Mutex::default(),
            drifted: Mutex::default(),
        }
    }

    /// Metadata of a child from the watch, if it was seen.
    pub(super) fn meta(&self, namespace: &str, (kind, name): &ChildName) -> Option<Arc<ChildMeta>> {
        let key = ObjectRef::new_with(name, kind.api_resource()).within(namespace);
        self.stores.get(kind)?.get(&key)
    }

    /// Names of the children of an owner that were seen.
    pub(super) fn owned_by(&self, namespace: &str, owner: &str) -> BTreeSet<ChildName> {
        let mut names = self.owned.of(namespace, owner);
        names.retain(|name| {
            self.meta(namespace, name).is_some_and(|meta| controller_uid(&meta) == Some(owner))
        });
        names
    }

    /// Whether somebody changed or deleted a child since it was last looked at.
    pub(super) fn is_disturbed(&self, namespace: &str, name: &ChildName) -> bool {
        let seen = self.meta(namespace, name).and_then(|meta| meta.metadata.resource_version.clone());
        self.settled(namespace, name).is_some_and(|settled| seen.as_ref() != Some(&settled.resource_version))
    }

    /// How many owners have children.
    pub(super) fn owners(&self) -> usize {
        self.owned.owners()
    }

    /// What the child was last found to be.
    pub(super) fn settled(&self, namespace: &str, name: &ChildName) -> Option<Settled> {
        locked(&self.settled).get(&(namespace.to_owned(), name.clone())).cloned()
    }

    /// Notes what a child was found to be.
    pub(super) fn settle(&self, namespace: &str, name: &ChildName, settled: Settled) {
        locked(&self.settled).insert((namespace.to_owned(), name.clone()), settled);
    }

    /// Forgets a child that is gone.
    pub(super) fn forget(&self, namespace: &str, name: &ChildName) {
        locked(&self.settled).remove(&(namespace.to_owned(), name.clone()));
    }

    /// Notes that somebody else had changed a child; says whether that is worth saying again.
    pub(super) fn note_drift(&self, namespace: &str, name: &ChildName) -> bool {
        let mut drifted = locked(&self.drifted);
        drifted.retain(|_, said| said.elapsed() < DRIFT_SAID_FOR);
        let key = (namespace.to_owned(), name.clone());
        let is_news = !drifted.contains_key(&key);
        drifted.entry(key).or_insert_with(Instant::now);
        is_news
    }

    /// Which of the kinds the API server knows. A kind that is missing is asked for again after a while,
    /// so that it may be installed later without a restart.
    pub(super) async fn installed(
        &self,
        kinds: &BTreeSet<ArtifactKind>,
        client: &Client,
    ) -> Result<BTreeSet<ArtifactKind>, kube::Error> {
        let mut installed = BTreeSet::new();
        for kind in kinds.iter().copied() {
            if self.is_installed(client, kind).await? {
                installed.insert(kind);
            }
        }
        Ok(installed)
    }

    /// Done when what there is of these kinds was listed, or after a while: where a list is refused, a child is
    /// read when its owner is looked at.
    pub(super) async fn listed(&self, kinds: &BTreeSet<ArtifactKind>) {
        let lists = kinds.iter().filter_map(|kind| self.stores.get(kind)).map(Store::wait_until_ready);
        let _ = tokio::time::timeout(LISTED_WITHIN, join_all(lists)).await;
    }

    async fn is_installed(&self, client: &Client, kind: ArtifactKind) -> Result<bool, kube::Error> {
        if self.served.borrow().contains(&kind) {
            return Ok(true);
        }
        if locked(&self.missing).get(&kind).is_some_and(|since| since.elapsed() < MISSING_FOR) {
            return Ok(false);
        }
        let served = is_served(client, kind).await?;
        self.note_installed(kind, served);
        Ok(served)
    }

    /// Notes whether a kind was found to be installed.
    pub(super) fn note_installed(&self, kind: ArtifactKind, installed: bool) {
        if installed {
            locked(&self.missing).remove(&kind);
            self.served.send_if_modified(|served| served.insert(kind));
        } else {
            locked(&self.missing).insert(kind, Instant::now());
            self.served.send_if_modified(|served| served.remove(&kind));
        }
    }
}

async fn is_served(client: &Client, kind: ArtifactKind) -> Result<bool, kube::Error> {
    let resource = kind.api_resource();
    if resource.group.is_empty() {
        return Ok(true);
    }
    match client.list_api_group_resources(&resource.api_version).await {
        Ok(list) => Ok(list.resources.iter().any(|served| served.kind == resource.kind)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error),
    }
}

/// UID of the controller in an object's metadata.
pub(super) fn controller_uid(meta: &ChildMeta) -> Option<&str> {
    let owners = meta.metadata.owner_references.as_deref()?;
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
}
