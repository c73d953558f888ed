//! Which kinds of children the API server has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::Instant;

use super::poison::locked;
use crate::render::ArtifactKind;

/// How long a kind that is not installed is believed to be missing.
const MISSING_FOR: Duration = Duration::from_secs(10);

/// Longest time between two questions to an API server that does not answer them.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Which kinds were found to be installed.
pub(super) struct Kinds {
    /// Those that we may make.
    allowed: BTreeSet<ArtifactKind>,
    /// Those that were. Each is watched from then on.
    served: watch::Sender<BTreeSet<ArtifactKind>>,
    missing: Mutex<BTreeMap<ArtifactKind, Instant>>,
}

impl Kinds {
    pub(super) fn new(
        allowed: BTreeSet<ArtifactKind>,
        served: watch::Sender<BTreeSet<ArtifactKind>>,
    ) -> Self {
        Self { allowed, served, missing: Mutex::default() }
    }

    /// Which of the kinds we may make and the API server knows. A kind that is missing is asked for again after a while,
    /// so that it may be installed later without a restart.
    pub(super) async fn installed(
        &self,
        kinds: &BTreeSet<ArtifactKind>,
        client: &Client,
    ) -> Result<BTreeSet<ArtifactKind>, kube::Error> {
        let mut installed = BTreeSet::new();
        for kind in kinds.intersection(&self.allowed).copied() {
            if self.is_installed(client, kind).await? {
                installed.insert(kind);
            }
        }
        Ok(installed)
    }

    /// Asks for every kind until the API server answers, so that each that is installed is watched from then on.
    pub(super) async fn ask_until_answered(&self, client: &Client) {
        let mut pause = MISSING_FOR;
        while self.installed(&ArtifactKind::ALL.into(), client).await.is_err() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
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
