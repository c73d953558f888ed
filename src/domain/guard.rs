//! A validated guard: a plain alert that no error budget expresses.

use std::collections::BTreeSet;

use super::burn_rate::Urgency;
use super::decimal::Decimal;
use super::time_zone::TimeZone;
use super::window::Window;
use crate::api::v1alpha1::{Forecast, Weekday};

/// A plain alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Guard {
    /// What it looks for.
    pub watch: Watch,
    /// Value of the label `severity`.
    pub severity: String,
    /// Where the responder finds help, with placeholders.
    pub runbook_url: Option<String>,
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
        period: Window,
        /// Whether to alert before.
        forecast: Forecast,
    },
    /// Nothing is done for too long.
    Activity {
        /// Longest time without a finished run.
        expected_every: Window,
        /// When work is expected; none for always.
        active_hours: Option<ActiveHours>,
    },
    /// A run does not end.
    Stuck {
        /// Time after which it is stuck.
        after: Window,
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
        after: Window,
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
    /// Something was done to what was entered into the ledger.
    LedgerIntegrity,
    /// Events are not entered into the ledger, or nobody verifies them.
    LedgerLoss,
}

impl Watch {
    /// Whether it wakes somebody: only money that is being lost does, and whoever covers up what was done.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self {
            Self::SpendRate { .. } | Self::LedgerIntegrity => Urgency::Page,
            Self::SpendBudget { .. }
            | Self::Activity { .. }
            | Self::Stuck { .. }
            | Self::Queue { .. }
            | Self::ToolFailure { .. }
            | Self::TelemetryMissing { .. }
            | Self::CardinalityOverflow
            | Self::SlowShare { .. }
            | Self::PipelineLoss
            | Self::LedgerLoss => Urgency::Ticket,
        }
    }
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
    /// Time zone of the two.
    pub time_zone: TimeZone,
}

/// Minutes of a day.
const DAY: u32 = 24 * 60;
/// Minutes of a week.
const WEEK: u32 = 7 * DAY;

impl ActiveHours {
    /// The active times of a week in minutes since Monday's midnight: in order, and none touches another.
    #[must_use]
    pub fn intervals(&self) -> Vec<(u32, u32)> {
        let (from, to) = (u32::from(self.from), u32::from(self.to));
        let length = if to > from { to - from } else { DAY + to - from };
        let starts = self.days.iter().map(|day| *day as u32 * DAY + from);
        let mut pieces: Vec<(u32, u32)> =
            starts.flat_map(|start| within_week(start, start + length)).collect();
        pieces.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::new();
        for (start, end) in pieces {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
    }
}

/// What goes on past the end of Sunday is at the start of Monday.
fn within_week(start: u32, end: u32) -> Vec<(u32, u32)> {
    if end <= WEEK { vec![(start, end)] } else { vec![(start, WEEK), (0, end - WEEK)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weekday::{Friday, Monday, Saturday, Sunday};

    fn intervals(days: &[Weekday], from: u16, to: u16) -> Vec<(u32, u32)> {
        let time_zone = TimeZone::find("UTC").expect("UTC should be a time zone");
        let days = days.iter().copied().collect();
        ActiveHours { days, from: from * 60, to: to * 60, time_zone }.intervals()
    }

    #[test]
    fn times_of_a_week_are_in_order_and_apart() {
        let hours = |from: u32, to: u32| (from * 60, to * 60);
        assert_eq!(intervals(&[Monday, Friday], 8, 18), [hours(8, 18), hours(104, 114)]);
        assert_eq!(intervals(&[Friday, Saturday], 0, 24), [hours(96, 144)]);
        assert_eq!(intervals(&[Friday], 22, 6), [hours(118, 126)]);
        assert_eq!(intervals(&[Sunday], 22, 6), [hours(0, 6), hours(166, 168)]);
    }
}
