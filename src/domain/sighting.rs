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
    /// What the agent spent by its metrics; none where they do not say.
    pub spend: Option<SpendSeen>,
    /// What it spent by the ledger; none where there is none.
    pub ledger_spend: Option<SpendSeen>,
    /// What is said of its chain in the ledger; none where nothing is.
    pub audit: Option<AuditSeen>,
}

/// What whoever verifies a chain says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditSeen {
    /// Whether nothing was done to it.
    pub is_intact: bool,
    /// When it was last verified, in seconds since the epoch.
    pub verified_at: i64,
    /// The last link that was signed: its place and its hash.
    pub head: Option<(i64, String)>,
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
