//! A validated guard: a plain alert that no error budget expresses.

use std::collections::BTreeSet;
use std::time::Duration;

use super::decimal::Decimal;
use crate::api::v1alpha1::{Forecast, Weekday};

/// A plain alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Guard {
    /// What it looks for.
    pub watch: Watch,
    /// Value of the label `severity`.
    pub severity: String,
}

/// What a guard looks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Watch {
    /// Money is spent too fast; one of the two is set.
    SpendRate {
        /// Most US dollars an hour.
        max_per_hour: Option<Decimal>,
        /// Most times the usual rate.
        times_usual: Option<Decimal>,
    },
    /// More money is spent than is allowed.
    SpendBudget {
        /// US dollars.
        amount: Decimal,
        /// The rolling period.
        period: Duration,
        /// Whether to alert before.
        forecast: Forecast,
    },
    /// Nothing is done for too long.
    Activity {
        /// Longest time without a finished run.
        expected_every: Duration,
        /// When work is expected; none for always.
        active_hours: Option<ActiveHours>,
    },
    /// A run does not end.
    Stuck {
        /// Time after which it is stuck.
        after: Duration,
    },
    /// Work piles up.
    Queue {
        /// Most waiting items.
        max_depth: i32,
    },
    /// A tool fails too often.
    ToolFailure {
        /// Percentage of its calls.
        percent: Decimal,
        /// Fewest failures.
        min_failures: i32,
    },
    /// The series are gone.
    TelemetryMissing {
        /// Time without a sample.
        after: Duration,
    },
    /// The SDK drops labels.
    CardinalityOverflow,
    /// Too many runs are slow.
    SlowShare {
        /// Duration above which a run is slow, in seconds.
        slower_than: Decimal,
        /// Percentage of runs.
        percent: Decimal,
        /// Fewest slow runs.
        min_slow: i32,
    },
    /// The pipeline loses telemetry.
    PipelineLoss,
}

/// When an agent is expected to work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActiveHours {
    /// Days on which the time begins; never empty.
    pub days: BTreeSet<Weekday>,
    /// First minute, counted from midnight.
    pub from: u16,
    /// End, counted from midnight, exclusive; before `from` it is of the next day.
    pub to: u16,
    /// IANA name of the time zone.
    pub time_zone: String,
}
