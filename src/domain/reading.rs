//! What Prometheus said about one AgentSLO.

use std::collections::BTreeMap;

use super::slo::Slo;
use super::window::Window;

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

/// Bad and valid events of each combination of `groupBy` labels.
pub type RecentCounts = BTreeMap<BTreeMap<String, String>, (f64, f64)>;

/// What the alerts of one AgentSLO see, for each of their windows.
pub type Recent = BTreeMap<Window, RecentCounts>;

/// What one AgentSLO's recorded series hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Seconds since the epoch when the answer was made, by Prometheus' clock.
    pub asked_at: f64,
    /// Seconds since the epoch of the newest info sample; none means that the rules are not evaluated.
    pub evaluated_at: Option<f64>,
    /// Counts, one for each combination of `groupBy` labels.
    pub groups: Vec<GroupCounts>,
    /// Alerts that fired within the last minutes, with the seconds since the epoch of their last sample.
    pub alerts: BTreeMap<Firing, f64>,
    /// What the recorded past says; none where nobody looked yet.
    pub survey: Option<Survey>,
    /// What is wrong with the raw series, where counts are missing; none where nobody looked yet.
    pub diagnosis: Option<Diagnosis>,
    /// What Prometheus' rules API says of our groups.
    pub rules: RulesSeen,
}

/// Seconds between two evaluations of the long group.
const BUDGET_INTERVAL: f64 = 300.0;
/// Seconds between two evaluations of the short group.
const COUNTS_INTERVAL: f64 = 60.0;
/// Evaluations that may be missed before an alert counts as over.
const MISSED: f64 = 2.5;

impl Observation {
    /// Whether Prometheus evaluates the rules.
    #[must_use]
    pub fn is_evaluated(&self, slo: &Slo) -> bool {
        self.evaluated_at.is_some_and(|at| self.is_fresh(slo, at, 3.0 * BUDGET_INTERVAL))
    }

    /// Whether the budget is that of the past: the newest count is older than three evaluations, or the
    /// raw series have been gone for so long that the alert on absence fires. Counts over the window go on
    /// for as long as there is a count in it.
    #[must_use]
    pub fn is_stale(&self, slo: &Slo) -> bool {
        self.is_gone(slo)
            || self.groups.iter().all(|group| !self.is_fresh(slo, group.counted_at, 3.0 * BUDGET_INTERVAL))
    }

    /// Whether the alert on absence fires.
    #[must_use]
    pub fn is_gone(&self, slo: &Slo) -> bool {
        self.firing(slo).contains(&Firing::NoData)
    }

    /// Alerts that fire, the most urgent first.
    #[must_use]
    pub fn firing(&self, slo: &Slo) -> Vec<Firing> {
        self.alerts
            .iter()
            .filter(|(firing, at)| self.is_fresh(slo, **at, MISSED * firing.interval()))
            .map(|(firing, _)| *firing)
            .collect()
    }

    fn is_fresh(&self, slo: &Slo, at: f64, seconds: f64) -> bool {
        self.asked_at - at <= seconds + slo.query_offset().as_secs_f64()
    }
}

/// What the recorded past says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Share of the window for which there are counts.
    pub coverage: f64,
    /// Valid events an hour, where long enough was counted.
    pub events_per_hour: Option<f64>,
    /// How long Prometheus keeps samples.
    pub retention: Option<Window>,
    /// A metric whose increase is counted, and that its targets call a gauge.
    pub gauge: Option<String>,
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

impl Firing {
    /// Seconds between two evaluations of the alert.
    fn interval(self) -> f64 {
        match self {
            Self::Page | Self::NoData => COUNTS_INTERVAL,
            Self::Ticket | Self::Exhausted => BUDGET_INTERVAL,
        }
    }
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
    /// Nothing that this operator looks for.
    Unexplained,
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
