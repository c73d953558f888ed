//! The operator's own numbers. No label carries what a user wrote.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Kind of resource and how its reconciliation ended.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Reconciled {
    /// `AgentSLO` or `AgentPlatform`.
    pub kind: &'static str,
    /// `ok`, `rejected`, or the reason of an error.
    pub result: &'static str,
}

/// Kind of object, verb and HTTP status of a write.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Written {
    /// Kind of the object.
    pub kind: &'static str,
    /// `patch` or `delete`.
    pub verb: &'static str,
    /// HTTP status, 200 for success, 0 where there was no answer.
    pub code: u16,
}

/// How a query ended.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Queried {
    /// `ok` or the reason of an error.
    pub code: &'static str,
}

/// Kind of object.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct OfKind {
    /// The kind.
    pub kind: &'static str,
}

/// Number of a shard.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct OfShard {
    /// The number, from 0.
    pub shard: usize,
}

/// Whether somebody waits.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct OfUrgency {
    /// `change` or `routine`.
    pub urgency: &'static str,
}

/// All of the operator's own numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Reconciliations.
    pub reconciled: Family<Reconciled, Counter>,
    /// Seconds that a reconciliation took.
    pub reconcile_duration: Histogram,
    /// Writes to the API server.
    pub written: Family<Written, Counter>,
    /// Statuses that were not written because they were no news.
    pub suppressed: Counter,
    /// Events that were dropped because too many waited.
    pub events_dropped: Counter,
    /// Queries to Prometheus.
    pub queried: Family<Queried, Counter>,
    /// Seconds since the newest budget sample.
    pub sample_age: Gauge<f64, AtomicU64>,
    /// Objects in the caches.
    pub objects: Family<OfKind, Gauge>,
    /// Specs that could not be rendered, by rule.
    pub rejected: Family<Queried, Counter>,
    /// Reconciliations that wait for their turn.
    pub waiting: Family<OfUrgency, Gauge>,
    /// 1 where this replica is responsible for a shard, else 0.
    pub leader: Family<OfShard, Gauge>,
    /// 1 when all caches were filled once, else 0.
    pub synced: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("agentslo");
        let reconcile_duration = Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]);
        let metrics = Self {
            reconciled: Family::default(),
            reconcile_duration,
            written: Family::default(),
            suppressed: Counter::default(),
            events_dropped: Counter::default(),
            queried: Family::default(),
            sample_age: Gauge::default(),
            objects: Family::default(),
            rejected: Family::default(),
            waiting: Family::default(),
            leader: Family::default(),
            synced: Gauge::default(),
            registry: Arc::default(),
        };
        registry.register("reconcile", "Reconciliations by kind and result", metrics.reconciled.clone());
        registry.register(
            "reconcile_duration_seconds",
            "Duration of reconciliations",
            metrics.reconcile_duration.clone(),
        );
        registry.register("api_writes", "Writes to the API server", metrics.written.clone());
        registry.register(
            "status_writes_suppressed",
            "Statuses that were no news",
            metrics.suppressed.clone(),
        );
        registry.register(
            "events_dropped",
            "Events that were dropped because too many waited",
            metrics.events_dropped.clone(),
        );
        registry.register("prometheus_queries", "Queries to Prometheus", metrics.queried.clone());
        registry.register(
            "budget_sample_age_seconds",
            "Age of the newest budget sample",
            metrics.sample_age.clone(),
        );
        registry.register("store_objects", "Objects in the caches", metrics.objects.clone());
        registry.register("render_errors", "Specs that were rejected, by rule", metrics.rejected.clone());
        registry.register(
            "queue_depth",
            "Reconciliations that wait for their turn, by urgency",
            metrics.waiting.clone(),
        );
        registry.register("leader", "Whether this replica is responsible, by shard", metrics.leader.clone());
        registry.register("stores_synced", "Whether all caches were filled once", metrics.synced.clone());
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the operator", version);
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    /// All of them in the OpenMetrics text format.
    ///
    /// # Panics
    /// Never: writing to a string does not fail.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string should not fail");
        text
    }
}
