//! What Prometheus said about one AgentSLO.

use std::collections::BTreeMap;

/// What Prometheus said, or why it did not.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// No AgentPlatform names a Prometheus, so nobody was asked.
    NoPrometheus,
    /// Not asked yet.
    Pending,
    /// Prometheus did not answer usefully.
    Failed {
        /// Bounded reason from [`crate::vocabulary::reason`].
        reason: &'static str,
        /// What happened, in our own words.
        message: String,
    },
    /// It answered.
    Answered(Observation),
}

/// What one AgentSLO's recorded series hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Seconds since the epoch when the answer was made, by Prometheus' clock.
    pub asked_at: f64,
    /// Seconds since the epoch of the newest info sample; none means that the rules are not evaluated.
    pub evaluated_at: Option<f64>,
    /// Counts, one for each combination of `groupBy` labels.
    pub groups: Vec<GroupCounts>,
    /// Alerts that fire.
    pub firing: Vec<Firing>,
    /// Share of the window for which there are counts.
    pub coverage: Option<f64>,
    /// What is wrong with the raw series, where counts are missing and somebody looked.
    pub diagnosis: Option<Diagnosis>,
    /// What Prometheus' rules API says of our groups.
    pub rules: RulesSeen,
}

/// Counts of one group in the budget's window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupCounts {
    /// The `groupBy` labels.
    pub labels: BTreeMap<String, String>,
    /// Valid events.
    pub total: f64,
    /// Bad events; none where the rule yields nothing, as without the bucket asked for.
    pub bad: Option<f64>,
    /// Seconds since the epoch of the counts.
    pub counted_at: f64,
    /// Burn rates by window.
    pub burn_rates: BTreeMap<String, f64>,
}

/// An alert that fires.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Firing {
    /// The page.
    Page,
    /// The ticket.
    Ticket,
    /// The budget is spent.
    Exhausted,
    /// The telemetry is gone.
    NoData,
}

/// What is wrong with the raw series.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Diagnosis {
    /// The selector matches nothing.
    NoSeries {
        /// The selector.
        selector: String,
    },
    /// The histogram has no such bucket.
    NoSuchBucket {
        /// The bound asked for.
        bound: String,
        /// Nearest bounds, smaller and larger.
        nearest: Vec<String>,
    },
}

/// What Prometheus' rules API says of our groups.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum RulesSeen {
    /// Nobody looked.
    #[default]
    NotAsked,
    /// No group of ours is loaded.
    Missing,
    /// Loaded and evaluated without error.
    Healthy,
    /// A rule fails.
    Failing {
        /// Name of the rule.
        rule: String,
        /// Prometheus' words, cut.
        error: String,
    },
}
