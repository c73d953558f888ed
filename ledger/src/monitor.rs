//! What whoever verifies chains all the time has found, as metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::anchor::Anchor;
use crate::status::{self, Status};
use crate::verify::Verdict;

/// Which chain.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfStream {
    stream: String,
}

/// Which chain, and over which time.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Over {
    stream: String,
    over: &'static str,
}

/// What an agent spent, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spending {
    /// In the last 24 hours.
    pub day: i64,
    /// In the last 7 days.
    pub week: i64,
    /// Days of the last 7 since the first of its events.
    pub days: f64,
}

/// An anchor, whole: whoever scrapes it keeps it.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Signed {
    stream: String,
    sequence: u64,
    hash: String,
    at: String,
    key: String,
    signature: String,
}

/// What was found. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Monitor {
    registry: Arc<Registry>,
    intact: Family<OfStream, Gauge>,
    sequence: Family<OfStream, Gauge>,
    verified: Family<OfStream, Gauge>,
    anchors: Family<Signed, Gauge>,
    spend: Family<Over, Gauge<f64, AtomicU64>>,
    days: Family<OfStream, Gauge<f64, AtomicU64>>,
    failures: Counter,
    state: Arc<Mutex<Found>>,
    is_done: Arc<AtomicBool>,
}

/// What was found of each stream so far.
#[derive(Debug, Default)]
struct Found {
    /// Whether its whole was intact when it was read last.
    whole: BTreeMap<String, bool>,
    anchors: BTreeMap<String, Signed>,
}

impl Default for Monitor {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("agentslo_ledger");
        let (intact, sequence, verified) = (Family::default(), Family::default(), Family::default());
        let (anchors, failures) = (Family::default(), Counter::default());
        let help = "Whether nothing was done to a chain: 1, or 0";
        registry.register("chain_intact", help, Family::clone(&intact));
        registry.register("chain_head_sequence", "Entries of a chain", Family::clone(&sequence));
        let help = "When a chain was last verified";
        registry.register_with_unit(
            "chain_verified_timestamp",
            help,
            Unit::Seconds,
            Family::clone(&verified),
        );
        registry.register("anchor_info", "The last anchor of a chain", Family::clone(&anchors));
        let (spend, days) = (Family::default(), Family::default());
        let help = "Estimated US dollars that an agent spent in a time";
        registry.register("spend_usd", help, Family::clone(&spend));
        let help = "Days of the last seven since the first of an agent's events";
        registry.register("spend_observed_days", help, Family::clone(&days));
        let help = "Rounds in which the chains could not be read";
        registry.register("verifications_failed", help, Counter::clone(&failures));
        let (state, is_done) = (Arc::default(), Arc::default());
        let registry = Arc::new(registry);
        Self { registry, intact, sequence, verified, anchors, spend, days, failures, state, is_done }
    }
}

impl Monitor {
    /// Notes what is to be said of a chain, of which all was read or only its end, at a time in seconds since the
    /// epoch. A whole that was not intact stays so until it is read again.
    pub fn verified(&self, stream: &str, verdict: &Verdict, is_whole: bool, at: i64) {
        let is_intact = verdict.findings.is_empty();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = state.whole.entry(stream.to_owned()).or_insert(true);
        if is_whole {
            *whole = is_intact;
        }
        let of = OfStream { stream: stream.to_owned() };
        self.intact.get_or_create(&of).set(i64::from(*whole && is_intact));
        self.sequence.get_or_create(&of).set(verdict.head.sequence.cast_signed());
        self.verified.get_or_create(&of).set(at);
    }

    /// Notes the last anchor of a chain.
    pub fn anchored(&self, anchor: &Anchor) {
        let statement = &anchor.statement;
        let signed = Signed {
            stream: statement.stream.clone(),
            sequence: statement.head.sequence,
            hash: statement.head.hash.to_string(),
            at: statement.at.clone(),
            key: anchor.key.to_string(),
            signature: anchor.signature.clone(),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = state.anchors.insert(statement.stream.clone(), signed.clone()) {
            self.anchors.remove(&before);
        }
        self.anchors.get_or_create(&signed).set(1);
    }

    /// Notes what the agent of a stream spent.
    pub fn spent(&self, stream: &str, spending: Spending) {
        #[allow(clippy::cast_precision_loss, reason = "amounts are far below 2^52 millionths")]
        let dollars = |micro: i64| micro as f64 / 1e6;
        for (over, micro) in [("1d", spending.day), ("7d", spending.week)] {
            self.spend.get_or_create(&Over { stream: stream.to_owned(), over }).set(dollars(micro));
        }
        self.days.get_or_create(&OfStream { stream: stream.to_owned() }).set(spending.days);
    }

    /// Notes that all chains were read.
    pub fn done(&self) {
        self.is_done.store(true, Ordering::Relaxed);
    }

    /// Notes that they could not be.
    pub fn failed(&self) {
        self.failures.inc();
        self.is_done.store(false, Ordering::Relaxed);
    }

    /// `/livez`, `/readyz` and `/metrics`.
    pub fn routes(&self) -> Router {
        status::routes(self.clone())
    }
}

impl Status for Monitor {
    fn unready(&self) -> Option<&'static str> {
        (!self.is_done.load(Ordering::Relaxed)).then_some("the chains were not read")
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }
}
