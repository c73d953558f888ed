//! What Prometheus says of one agent's telemetry.

use std::collections::BTreeSet;

use super::decimal::Decimal;
use super::role::Role;

/// What Prometheus says of one agent's telemetry.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Sighting {
    /// No Prometheus is known.
    #[default]
    NoPrometheus,
    /// It was not asked yet.
    Pending,
    /// It does not answer.
    Failed {
        /// Bounded reason from [`crate::vocabulary::reason`].
        reason: &'static str,
        /// What happened, in our own words.
        message: String,
    },
    /// It answered.
    Seen(Seen),
}

/// What it answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Roles that have series now.
    pub roles: BTreeSet<Role>,
    /// Bounds of the buckets of the durations of runs, in seconds; none where nobody asked, or where the
    /// histogram is native and any bound will do.
    pub run_buckets: BTreeSet<Decimal>,
    /// Whether a Collector of the pipeline was scraped in the last minutes; not where there is no pipeline.
    pub has_collector: bool,
    /// What the agent spent; none where its telemetry does not say.
    pub spend: Option<SpendSeen>,
}

/// What an agent spent, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpendSeen {
    /// In the last 24 hours.
    pub last_24h: f64,
    /// In the last 7 days.
    pub last_7d: f64,
    /// Days of the last 7 that were counted.
    pub days: f64,
}
