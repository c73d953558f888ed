//! What this replica is responsible for just now. Everyone who writes asks first.

use std::sync::Mutex;
use std::time::Duration;

use futures::Stream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_stream::wrappers::WatchStream;

use super::super::poison::locked;
use super::decide::RELIANCE;
use crate::domain::shard::Shards;
use crate::metrics::{Metrics, OfShard};

/// Longest time in which whoever keeps the Leases says nothing and is believed to live.
const SILENCE: Duration = Duration::from_mins(1);

/// The shards that this replica holds.
pub(in super::super) struct Tenure {
    shards: Shards,
    terms: Mutex<Vec<Term>>,
    kept: Mutex<Option<Instant>>,
    changed: watch::Sender<()>,
    metrics: Metrics,
}

#[derive(Clone, Copy)]
enum Term {
    /// There is no election; since the start.
    ForEver { from: Instant },
    /// Not held.
    Over,
    /// Held since a moment, and renewed at another.
    Renewed { from: Instant, at: Instant },
}

impl Term {
    fn is_held(self) -> bool {
        match self {
            Self::ForEver { .. } => true,
            Self::Over => false,
            Self::Renewed { at, .. } => at.elapsed() < RELIANCE,
        }
    }

    fn from(self) -> Option<Instant> {
        match self {
            Self::ForEver { from } | Self::Renewed { from, .. } => Some(from),
            Self::Over => None,
        }
    }
}

impl Tenure {
    /// Everything is held, for ever: there is no other replica.
    pub(in super::super) fn unlimited(metrics: Metrics) -> Self {
        Self::starting(Shards::ONE, Term::ForEver { from: Instant::now() }, metrics)
    }

    /// Nothing is held yet.
    pub(in super::super) fn none(shards: Shards, metrics: Metrics) -> Self {
        Self::starting(shards, Term::Over, metrics)
    }

    fn starting(shards: Shards, term: Term, metrics: Metrics) -> Self {
        let terms = Mutex::new(vec![term; shards.count()]);
        let tenure =
            Self { shards, terms, kept: Mutex::default(), changed: watch::Sender::default(), metrics };
        tenure.tell();
        tenure
    }

    /// Whether this replica is responsible for a namespace.
    pub(in super::super) fn holds(&self, namespace: &str) -> bool {
        locked(&self.terms)[self.shards.of(namespace)].is_held()
    }

    /// For how long it has been responsible for a namespace.
    pub(in super::super) fn held_for(&self, namespace: &str) -> Duration {
        let from = locked(&self.terms)[self.shards.of(namespace)].from();
        from.map_or(Duration::ZERO, |from| from.elapsed())
    }

    /// Whether it is responsible for what is in no namespace.
    pub(in super::super) fn holds_the_cluster(&self) -> bool {
        locked(&self.terms)[0].is_held()
    }

    /// An item whenever what is held may have changed.
    pub(in super::super) fn changes(&self) -> impl Stream<Item = ()> + Send + 'static {
        WatchStream::from_changes(self.changed.subscribe())
    }

    /// Whether whoever keeps the Leases, if anybody does, is at it.
    pub(in super::super) fn is_kept(&self) -> bool {
        locked(&self.kept).is_none_or(|kept| kept.elapsed() < SILENCE)
    }

    /// How long ago a shard was renewed, if this replica relies on it.
    pub(super) fn renewed(&self, shard: usize) -> Option<Duration> {
        match locked(&self.terms)[shard] {
            Term::Renewed { at, .. } => Some(at.elapsed()).filter(|elapsed| *elapsed < RELIANCE),
            Term::ForEver { .. } | Term::Over => None,
        }
    }

    /// Notes that a shard is held by a request that was sent at a moment.
    pub(super) fn extend(&self, shard: usize, sent: Instant) {
        let before = {
            let mut terms = locked(&self.terms);
            let before = terms[shard];
            let from = before.from().filter(|_| before.is_held()).unwrap_or(sent);
            terms[shard] = Term::Renewed { from, at: sent };
            before
        };
        if !before.is_held() {
            tracing::info!(shard, "this replica is responsible now");
            self.tell();
        }
    }

    /// Notes that a shard is not held.
    pub(super) fn end(&self, shard: usize) {
        let before = std::mem::replace(&mut locked(&self.terms)[shard], Term::Over);
        if !matches!(before, Term::Over) {
            tracing::info!(shard, "this replica is no longer responsible");
            self.tell();
        }
    }

    /// Notes that somebody keeps the Leases, and which of them ran out.
    pub(super) fn keep(&self) {
        *locked(&self.kept) = Some(Instant::now());
        let ran_out = |term: &Term| matches!(term, Term::Renewed { .. }) && !term.is_held();
        let over: Vec<usize> = {
            let terms = locked(&self.terms);
            terms.iter().enumerate().filter(|(_, term)| ran_out(term)).map(|(shard, _)| shard).collect()
        };
        for shard in over {
            tracing::warn!(shard, "the Lease could not be renewed in time; another replica may take over");
            self.end(shard);
        }
    }

    fn tell(&self) {
        for (shard, term) in locked(&self.terms).iter().enumerate() {
            let is_held = i64::from(term.is_held());
            self.metrics.leader.get_or_create(&OfShard { shard }).set(is_held);
        }
        self.changed.send_replace(());
    }
}
