//! What the rules cost Prometheus, as far as it does not depend on the raw series.

use super::budget::burn_windows;
use super::lookback::samples_in;
use super::{BUDGET_INTERVAL, COUNTS_INTERVAL, groups};
use crate::domain::burn_rate::Urgency;
use crate::domain::slo::Slo;
use crate::domain::window::Window;

/// Predicted cost of the rules of one AgentSLO, for one group of `groupBy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// Rules in both groups.
    pub rules: usize,
    /// Series that they record.
    pub series: usize,
    /// Recorded samples that they read in an hour.
    pub samples_per_hour: u64,
}

/// Predicts the cost.
#[must_use]
pub fn cost(slo: &Slo) -> Cost {
    let rules: Vec<_> = groups(slo).into_iter().flat_map(|group| group.rules).collect();
    let recorded = rules.iter().filter(|rule| rule.record.is_some()).count();
    let windows = burn_windows(slo);
    let both = |window: Window| 2 * u64::from(samples_in(window));
    let pairs = |urgency| -> u64 {
        slo.alerting().pairs_of(urgency).map(|pair| both(pair.long) + both(pair.short)).sum()
    };
    let burn: u64 = windows.iter().map(|window| both(*window)).sum();
    let window = 2 * u64::from(slo.window().minutes() / 5);
    Cost {
        rules: rules.len(),
        // The burn rate is one rule with a series for each window.
        series: recorded + windows.len() - 1,
        samples_per_hour: pairs(Urgency::Page) * evaluations(COUNTS_INTERVAL)
            + (window + burn + pairs(Urgency::Ticket)) * evaluations(BUDGET_INTERVAL),
    }
}

fn evaluations(interval_minutes: u32) -> u64 {
    u64::from(60 / interval_minutes)
}
