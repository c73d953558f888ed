//! Which bound of a histogram makes a threshold, and which objective the past would have met.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::fit::Fit;
use crate::domain::metric_name::stored_name;
use crate::profiles::Metric;

/// Objectives that people choose, as percentages, strictest first.
const OBJECTIVES: [(&str, f64); 10] = [
    ("99.9", 0.999),
    ("99.5", 0.995),
    ("99", 0.99),
    ("98", 0.98),
    ("95", 0.95),
    ("90", 0.90),
    ("80", 0.80),
    ("70", 0.70),
    ("60", 0.60),
    ("50", 0.50),
];
/// Fewest events from which an objective is read; with fewer, [`UNKNOWN`] is proposed.
const FEWEST_EVENTS: f64 = 50.0;
/// What is proposed where the past says nothing.
const UNKNOWN: &str = "95";
/// Which share of the past should have been within a proposed threshold.
const SHARE: f64 = 0.95;

/// How a histogram of one agent is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bounds {
    /// The bounds of its buckets, finite ones, with how many observations are at most each.
    Classic {
        /// Bound and count, ascending.
        counts: Vec<(f64, f64)>,
        /// All observations.
        total: f64,
    },
    /// Native: any threshold will do.
    Native,
    /// It is counted, and neither form is there.
    Missing,
}

/// A threshold, and the objective that goes with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Threshold {
    /// The bound.
    pub(super) bound: f64,
    /// The objective, as a percentage.
    pub(super) objective: &'static str,
}

/// The bounds of a histogram of one agent.
pub(super) fn bounds(facts: &Facts, fit: &Fit, metric: &Metric, agent: &str) -> Bounds {
    let name = stored_name(metric, fit.translation);
    let label = fit.agent_label(metric);
    let mut by_bound: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    let buckets = facts.buckets.get(&name).into_iter().flatten();
    for bucket in buckets.filter(|bucket| bucket.label(&label) == agent) {
        if let Ok(bound) = bucket.label("le").parse::<f64>() {
            // The bits of a number order as it does, where it is not negative.
            by_bound.entry(bound.max(0.0).to_bits()).or_insert((bound, 0.0)).1 += bucket.value;
        }
    }
    if by_bound.is_empty() {
        let native = fit.series_of(facts, metric, agent).iter().any(|found| found.name == name);
        return if native { Bounds::Native } else { Bounds::Missing };
    }
    let total = by_bound.values().map(|(_, count)| *count).fold(0.0, f64::max);
    Bounds::Classic { counts: by_bound.into_values().filter(|(bound, _)| bound.is_finite()).collect(), total }
}

impl Bounds {
    /// The lowest usable bound that nearly all of the past is within; where the past says nothing, the
    /// lowest from a usual value on.
    pub(super) fn at_most(&self, usual: f64, is_usable: impl Fn(f64) -> bool) -> Option<Threshold> {
        let Self::Classic { counts, total } = self else { return self.any(usual) };
        let usable: Vec<(f64, f64)> = counts.iter().copied().filter(|(bound, _)| is_usable(*bound)).collect();
        let known = *total >= FEWEST_EVENTS;
        let fits = |(bound, count): &&(f64, f64)| {
            if known { *count >= SHARE * total } else { *bound >= usual }
        };
        let (bound, count) = *usable.iter().find(fits).or_else(|| usable.last())?;
        Some(Threshold { bound, objective: objective(*total, total - count) })
    }

    /// The highest usable bound that nearly all of the past is above.
    pub(super) fn above(&self, usual: f64, is_usable: impl Fn(f64) -> bool) -> Option<Threshold> {
        let Self::Classic { counts, total } = self else { return self.any(usual) };
        let usable: Vec<(f64, f64)> = counts.iter().copied().filter(|(bound, _)| is_usable(*bound)).collect();
        let known = *total >= FEWEST_EVENTS;
        let fits = |(bound, count): &&(f64, f64)| {
            if known { total - count >= SHARE * total } else { *bound <= usual }
        };
        let (bound, count) = *usable.iter().rev().find(fits).or_else(|| usable.first())?;
        Some(Threshold { bound, objective: objective(*total, count) })
    }

    fn any(&self, usual: f64) -> Option<Threshold> {
        (*self == Self::Native).then_some(Threshold { bound: usual, objective: UNKNOWN })
    }
}

/// The strictest objective that the past met; a mild one where there was not much of a past.
pub(super) fn objective(total: f64, bad: f64) -> &'static str {
    if total < FEWEST_EVENTS {
        return UNKNOWN;
    }
    let share = (total - bad) / total;
    let met = OBJECTIVES.iter().find(|(_, objective)| *objective <= share);
    met.map_or("50", |(text, _)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic(counts: &[(f64, f64)], total: f64) -> Bounds {
        Bounds::Classic { counts: counts.to_vec(), total }
    }

    #[test]
    fn a_threshold_is_a_bound_that_the_past_was_mostly_within() {
        let known = classic(&[(5.0, 40.0), (30.0, 94.0), (60.0, 96.0), (120.0, 100.0)], 100.0);
        assert_eq!(known.at_most(30.0, |_| true), Some(Threshold { bound: 60.0, objective: "95" }));
        assert_eq!(
            known.at_most(30.0, |bound| bound > 60.0),
            Some(Threshold { bound: 120.0, objective: "99.9" })
        );
        let slow = classic(&[(5.0, 0.0), (30.0, 65.0)], 100.0);
        assert_eq!(slow.at_most(5.0, |_| true), Some(Threshold { bound: 30.0, objective: "60" }));
        let young = classic(&[(5.0, 1.0), (60.0, 1.0), (120.0, 1.0)], 1.0);
        assert_eq!(young.at_most(30.0, |_| true), Some(Threshold { bound: 60.0, objective: "95" }));
        assert_eq!(Bounds::Native.at_most(30.0, |_| true), Some(Threshold { bound: 30.0, objective: "95" }));
        assert_eq!(Bounds::Missing.at_most(30.0, |_| true), None);
        let scores = classic(&[(0.5, 2.0), (0.7, 5.0), (0.9, 50.0)], 100.0);
        assert_eq!(scores.above(0.7, |_| true), Some(Threshold { bound: 0.7, objective: "95" }));
    }
}
