//! The sink's own numbers. No label carries what somebody sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::intake::Intake;
use crate::status::Status;
use crate::store::Appended;

/// What became of an event.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Became {
    /// `entered`, `known`, `refused` or `passed_over`.
    result: &'static str,
}

/// All of them. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    registry: Arc<Registry>,
    events: Family<Became, Counter>,
    busy: Counter,
    transactions: Histogram,
    failures: Counter,
    last_commit: Gauge<f64, AtomicU64>,
    is_connected: Arc<AtomicBool>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("agentslo_ledger");
        let events = Family::<Became, Counter>::default();
        for result in ["entered", "known", "refused", "passed_over"] {
            drop(events.get_or_create(&Became { result }));
        }
        let transactions = Histogram::new([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
        let (busy, failures, last_commit) = (Counter::default(), Counter::default(), Gauge::default());
        registry.register("events", "Log records by what became of them", events.clone());
        registry.register("requests_busy", "Requests that were to come back later", busy.clone());
        let (name, help) = ("transaction_duration", "Time from the begin of a transaction to its commit");
        registry.register_with_unit(name, help, Unit::Seconds, transactions.clone());
        let help = "Attempts to commit that failed";
        registry.register("transactions_failed", help, failures.clone());
        let help = "When events were last committed, by the clock of the sink";
        registry.register_with_unit("last_commit_timestamp", help, Unit::Seconds, last_commit.clone());
        let is_connected = Arc::default();
        Self { registry: Arc::new(registry), events, busy, transactions, failures, last_commit, is_connected }
    }

    pub(super) fn received(&self, intake: &Intake) {
        self.count("refused", intake.refused.len());
        self.count("passed_over", intake.passed_over);
    }

    pub(super) fn turned_away(&self) {
        self.busy.inc();
    }

    pub(super) fn committed(&self, appended: Appended, took: Duration, now: f64) {
        self.count("entered", appended.entered);
        self.count("known", appended.known);
        self.transactions.observe(took.as_secs_f64());
        self.last_commit.set(now);
        self.connected(true);
    }

    pub(super) fn failed(&self) {
        self.failures.inc();
        self.connected(false);
    }

    /// Notes whether the database takes anything.
    pub(super) fn connected(&self, is_connected: bool) {
        self.is_connected.store(is_connected, Ordering::Relaxed);
    }

    fn count(&self, result: &'static str, number: usize) {
        self.events.get_or_create(&Became { result }).inc_by(number as u64);
    }
}

/// A sink that cannot commit says so, and a Service sends nobody there.
impl Status for Metrics {
    fn unready(&self) -> Option<&'static str> {
        (!self.is_connected.load(Ordering::Relaxed)).then_some("the database takes nothing")
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }
}
