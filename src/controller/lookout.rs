//! Looks, now and then, at what the telemetry of each AgentObservability has. Prometheus being down is a
//! sighting, not an error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use super::connect::connect;
use super::context::Context;
use super::sightings::{ObservabilityKey, Watched};
use super::wake::Wake;
use crate::api::v1alpha1::PrometheusEndpoint;
use crate::domain::sighting::{Seen, Sighting};
use crate::metrics::Queried;
use crate::prometheus::{QueryError, sighting};

/// Polls of budgets between two looks at an agent of which all that can be seen is known.
const POLLS_WHEN_KNOWN: u32 = 10;

/// Looks at telemetry.
pub(super) struct Lookout {
    pub(super) ctx: Arc<Context>,
    /// Namespace of the Secrets that endpoints refer to.
    pub(super) operator_namespace: String,
    /// Time between two looks at an agent that has not been seen yet.
    pub(super) interval: Duration,
    pub(super) wake: Wake,
}

impl Lookout {
    /// Looks until the future is dropped.
    pub(super) async fn run(self) {
        let mut looked: BTreeMap<ObservabilityKey, Instant> = BTreeMap::new();
        loop {
            let all = self.present();
            looked.retain(|key, _| all.contains_key(key));
            for (key, watched) in all {
                let last = looked.get(&key).copied();
                if last.is_none_or(|last| last.elapsed() >= self.pause(&watched)) {
                    self.look(&key, &watched).await;
                    looked.insert(key, Instant::now());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.interval) => {}
                () = self.ctx.sightings.changed.notified() => {}
            }
        }
    }

    /// The entries whose AgentObservability still exists and is not another replica's.
    fn present(&self) -> BTreeMap<ObservabilityKey, Watched> {
        let mut all = self.ctx.sightings.all();
        let exists = |(namespace, name): &ObservabilityKey| {
            self.ctx.observabilities.get(&ObjectRef::new(name).within(namespace)).is_some()
        };
        self.ctx.references.retain(exists);
        all.retain(|key, _| {
            let is_present = exists(key) && self.ctx.tenure.holds(&key.0);
            if !is_present {
                self.ctx.sightings.forget(key);
            }
            is_present
        });
        all
    }

    fn pause(&self, watched: &Watched) -> Duration {
        let waits_for_collector = |seen: &Seen| watched.has_pipeline && !seen.has_collector;
        match &*watched.sighting {
            Sighting::Seen(seen) if !seen.roles.is_empty() && !waits_for_collector(seen) => {
                self.interval * POLLS_WHEN_KNOWN
            }
            Sighting::Seen(_) | Sighting::NoPrometheus | Sighting::Pending | Sighting::Failed { .. } => {
                self.interval
            }
        }
    }

    async fn look(&self, key: &ObservabilityKey, watched: &Watched) {
        let Some(endpoint) = &watched.endpoint else { return };
        let seen = match self.ask(endpoint, watched).await {
            Ok(seen) => seen,
            Err(error) => Sighting::Failed { reason: error.reason(), message: error.to_string() },
        };
        let (namespace, name) = key;
        if self.ctx.sightings.note(key, &watched.question, seen) {
            self.wake.observability(namespace, name);
        }
    }

    async fn ask(&self, endpoint: &PrometheusEndpoint, watched: &Watched) -> Result<Sighting, QueryError> {
        let connection = connect(endpoint, &self.operator_namespace, &self.ctx).await?;
        let seen = sighting(&connection, &watched.question).await;
        let code = seen.as_ref().err().map_or("ok", QueryError::reason);
        self.ctx.metrics.queried.get_or_create(&Queried { code }).inc();
        Ok(Sighting::Seen(seen?))
    }
}
