//! Keeps the Leases: watches them, takes what is free, renews what is held, and gives it up at the end.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::super::error::code_of;
use super::decide::{self, DURATION, Step, decide};
use super::tenure::Tenure;
use crate::domain::shard::Shards;
use crate::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE, WANTED_BY_ANNOTATION};

/// Time between two looks at the clock.
const TICK: Duration = Duration::from_secs(1);
/// Longest wait for one answer of the API server.
const PATIENCE: Duration = Duration::from_secs(4);

/// Keeps the Leases of one replica.
pub(in super::super) struct Keeper {
    leases: Api<Lease>,
    names: Vec<String>,
    identity: String,
    known: Vec<Seen>,
    tenure: Arc<Tenure>,
}

/// A Lease as it was last seen.
struct Seen {
    lease: Option<Lease>,
    /// Since when it has said the same.
    since: Instant,
}

impl Keeper {
    /// Of the Leases `<name>`, or `<name>-0` and so on where there are several shards.
    pub(in super::super) fn new(
        client: Client,
        namespace: &str,
        name: &str,
        (shards, identity): (Shards, String),
        tenure: Arc<Tenure>,
    ) -> Self {
        let names: Vec<String> = match shards.count() {
            1 => vec![name.to_owned()],
            count => (0..count).map(|shard| format!("{name}-{shard}")).collect(),
        };
        let known = names.iter().map(|_| Seen { lease: None, since: Instant::now() }).collect();
        Self { leases: Api::namespaced(client, namespace), names, identity, known, tenure }
    }

    /// Keeps them until `stop` is done, and then gives up what is held.
    pub(in super::super) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.keep() => {}
            () = stop => {}
        }
        self.release_all().await;
    }

    async fn keep(&mut self) {
        let ours = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY_VALUE}"));
        let mut events = watcher(self.leases.clone(), ours).default_backoff().boxed();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_listed = false;
        loop {
            tokio::select! {
                event = events.try_next() => match event {
                    Ok(Some(event)) => {
                        is_listed |= matches!(event, Event::InitDone);
                        self.follow(event);
                    }
                    Ok(None) => return,
                    Err(error) => tracing::warn!(%error, "the Leases cannot be watched"),
                },
                _ = ticks.tick() => {}
            }
            self.tenure.keep();
            if is_listed {
                self.act().await;
            }
        }
    }

    fn follow(&mut self, event: Event<Lease>) {
        match event {
            Event::Apply(lease) | Event::InitApply(lease) => {
                if let Some(shard) = self.shard_of(&lease) {
                    self.note(shard, Some(lease));
                }
            }
            Event::Delete(lease) => {
                if let Some(shard) = self.shard_of(&lease) {
                    self.note(shard, None);
                }
            }
            Event::Init | Event::InitDone => {}
        }
    }

    fn shard_of(&self, lease: &Lease) -> Option<usize> {
        self.names.iter().position(|name| *name == lease.name_any())
    }

    /// Notes what a Lease says. An event that is older than our own last answer says nothing new.
    fn note(&mut self, shard: usize, lease: Option<Lease>) {
        let seen = &mut self.known[shard];
        let version = |lease: &Lease| lease.resource_version()?.parse::<u64>().ok();
        if let (Some(before), Some(now)) = (&seen.lease, &lease)
            && version(now) < version(before)
        {
            return;
        }
        let saying = |lease: &Option<Lease>| {
            let spec = lease.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
            (spec.holder_identity, spec.renew_time, spec.acquire_time)
        };
        if saying(&seen.lease) != saying(&lease) {
            seen.since = Instant::now();
        }
        seen.lease = lease;
        if self.holder(shard).as_deref() != Some(&self.identity) && self.tenure.renewed(shard).is_some() {
            self.tenure.end(shard);
        }
    }

    fn holder(&self, shard: usize) -> Option<String> {
        let spec = self.known[shard].lease.as_ref()?.spec.as_ref()?;
        spec.holder_identity.clone().filter(|holder| !holder.is_empty())
    }

    fn view(&self) -> Vec<decide::Known> {
        let known = |(shard, seen): (usize, &Seen)| decide::Known {
            holder: self.holder(shard),
            wanted_by: seen
                .lease
                .as_ref()
                .and_then(|lease| lease.annotations().get(WANTED_BY_ANNOTATION).cloned()),
            unchanged_for: seen.since.elapsed(),
            renewed: self.tenure.renewed(shard),
        };
        self.known.iter().enumerate().map(known).collect()
    }

    async fn act(&mut self) {
        for (shard, step) in decide(&self.identity, &self.view()) {
            self.take(shard, step).await;
        }
    }

    /// Takes a step. One that another replica was faster than is no error.
    async fn take(&mut self, shard: usize, step: Step) {
        let sent = Instant::now();
        if step == Step::Release {
            self.tenure.end(shard);
        }
        let lease = self.after(shard, step);
        match timeout(PATIENCE, self.write(&lease)).await {
            Ok(Ok(lease)) => {
                self.note(shard, Some(lease));
                if matches!(step, Step::Claim | Step::Renew) {
                    self.tenure.extend(shard, sent);
                }
            }
            // The watch tells what the Lease says by now.
            Ok(Err(error)) if [404, 409].contains(&code_of(&error)) => {
                tracing::debug!(lease = self.names[shard], ?step, "another replica was faster");
            }
            Ok(Err(error)) => {
                let lease = &self.names[shard];
                tracing::warn!(lease, ?step, %error, "the Lease could not be written");
            }
            Err(_) => tracing::warn!(lease = self.names[shard], ?step, "the API server does not answer"),
        }
    }

    async fn write(&self, lease: &Lease) -> Result<Lease, kube::Error> {
        let parameters = PostParams::default();
        match lease.resource_version() {
            Some(_) => self.leases.replace(&lease.name_any(), &parameters, lease).await,
            None => self.leases.create(&parameters, lease).await,
        }
    }

    /// The Lease as a step makes it.
    fn after(&self, shard: usize, step: Step) -> Lease {
        let mut lease = self.known[shard].lease.clone().unwrap_or_else(|| self.blank(shard));
        if step == Step::Ask {
            lease.annotations_mut().insert(WANTED_BY_ANNOTATION.to_owned(), self.identity.clone());
            return lease;
        }
        lease.annotations_mut().remove(WANTED_BY_ANNOTATION);
        let spec = lease.spec.get_or_insert_default();
        let now = MicroTime(Timestamp::now());
        match step {
            Step::Claim => {
                spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
                spec.acquire_time = Some(now.clone());
                spec.holder_identity = Some(self.identity.clone());
                spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
            }
            Step::Renew | Step::Ask => {}
            // As client-go releases one: nobody holds it, and nobody has to wait.
            Step::Release => {
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
            }
        }
        spec.renew_time = Some(now);
        lease
    }

    fn blank(&self, shard: usize) -> Lease {
        let labels = [(MANAGED_BY_LABEL.to_owned(), MANAGED_BY_VALUE.to_owned())];
        let metadata = ObjectMeta {
            name: Some(self.names[shard].clone()),
            namespace: self.leases.namespace().map(str::to_owned),
            labels: Some(labels.into()),
            ..ObjectMeta::default()
        };
        Lease { metadata, spec: Some(LeaseSpec::default()) }
    }

    async fn release_all(&mut self) {
        for shard in 0..self.names.len() {
            if self.tenure.renewed(shard).is_some() {
                self.take(shard, Step::Release).await;
            }
        }
    }
}
