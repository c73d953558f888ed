//! What to expect of a pair: how soon it sees a total outage, how soon it is quiet again, and how often
//! it fires without cause.

use std::ops::Range;

use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

use super::answer::{is_burning, keep_firing_for};
use crate::domain::burn_rate::Pair;
use crate::domain::estimator::LongTest;
use crate::domain::slo::Slo;
use crate::domain::window::Window;

/// Hours in thirty days.
const MONTH: f64 = 720.0;

/// Minutes from the start of a total outage until the pair fires, with events at even intervals; none if
/// it does not within its long window.
#[must_use]
pub fn detection(slo: &Slo, pair: &Pair, events_per_hour: f64) -> Option<u32> {
    let begins = begins(pair);
    let last = begins + pair.long.minutes() + SLACK;
    let outage = Outage::of(slo, events_per_hour, begins..last, last);
    (begins + 1..=last).find(|minute| outage.fires(slo, pair, *minute)).map(|minute| minute - begins)
}

/// Minutes from the end of a total outage until the pair's alert stops. The outage lasts an hour, or as
/// long as it takes the pair to see it; none if it does not see it.
#[must_use]
pub fn reset(slo: &Slo, pair: &Pair, events_per_hour: f64) -> Option<u32> {
    let begins = begins(pair);
    let ends = begins + detection(slo, pair, events_per_hour)?.max(60);
    let last = ends + pair.long.minutes() + SLACK;
    let outage = Outage::of(slo, events_per_hour, begins..ends, last);
    let fired = (ends..=last).rev().find(|minute| outage.fires(slo, pair, *minute)).unwrap_or(ends);
    Some(fired + 1 - ends + keep_firing_for(slo, pair.urgency))
}

/// Minutes until the rules have seen what there is to see.
const SLACK: u32 = 30;

/// Events were good for as long as the pair looks back, and a little longer.
fn begins(pair: &Pair) -> u32 {
    pair.long.minutes() + SLACK
}

/// Events at even intervals, which are bad for a while.
struct Outage {
    /// Minutes from an event to the evaluation that sees it.
    delay: u32,
    /// Evaluations that are behind by a full minute use the tile of that minute.
    tile_shift: u32,
    query_offset: i64,
    total: Sums,
    bad: Sums,
}

/// Events until each minute, and the sum of these sums.
struct Sums {
    events: Vec<f64>,
    sums: Vec<f64>,
}

impl Sums {
    fn of(events: Vec<f64>) -> Self {
        let sums = events.iter().scan(0.0, |sum, events| {
            *sum += events;
            Some(*sum)
        });
        Self { sums: sums.collect(), events }
    }

    /// Events in so many minutes until that one.
    fn events_in(&self, until: u32, minutes: u32) -> f64 {
        at(&self.events, until, 0) - at(&self.events, until, minutes)
    }

    /// As the rules have it up to six hours: overlapping counts of five minutes, a fifth of each.
    fn overlapping(&self, until: u32, minutes: u32) -> f64 {
        let sum = |back: u32| at(&self.sums, until, back) - at(&self.sums, until, back + minutes);
        (sum(0) - sum(5)) / 5.0
    }
}

fn at(values: &[f64], minute: u32, back: u32) -> f64 {
    minute
        .checked_sub(back)
        .and_then(|minute| values.get(usize::try_from(minute).ok()?))
        .copied()
        .unwrap_or(0.0)
}

impl Outage {
    fn of(slo: &Slo, events_per_hour: f64, is_down: Range<u32>, last: u32) -> Self {
        // The first event comes after half an interval.
        let until = |minute: u32| (f64::from(minute) * events_per_hour / 60.0 + 0.5).floor();
        let bad = |minute: u32| until(minute.clamp(is_down.start, is_down.end)) - until(is_down.start);
        let offset = slo.query_offset().as_secs();
        let whole = |minutes: u64| u32::try_from(minutes).unwrap_or(u32::MAX);
        Self {
            delay: whole(offset.div_ceil(60)),
            tile_shift: whole(offset / 60),
            query_offset: i64::try_from(offset).unwrap_or(i64::MAX),
            total: Sums::of((0..=last).map(until).collect()),
            bad: Sums::of((0..=last).map(bad).collect()),
        }
    }

    fn fires(&self, slo: &Slo, pair: &Pair, minute: u32) -> bool {
        let seen =
            |window| (self.events_in(&self.bad, window, minute), self.events_in(&self.total, window, minute));
        is_burning(slo, pair, Some(seen(pair.long)), Some(seen(pair.short)))
    }

    fn events_in(&self, sums: &Sums, window: Window, minute: u32) -> f64 {
        let newest = minute.saturating_sub(self.delay);
        match window.minutes() {
            5 => sums.events_in(newest, 5),
            minutes if minutes <= 360 => sums.overlapping(newest, minutes),
            minutes => {
                let step = (i64::from(minute) * 60 - self.query_offset).div_euclid(300) * 5;
                let step = u32::try_from(step).unwrap_or(0);
                sums.events_in((step + self.tile_shift).saturating_sub(self.delay), minutes)
            }
        }
    }
}

/// Expected number of times a month that the pair starts to fire while failures come at exactly the rate
/// that the budget allows.
///
/// Good and bad events are independent Poisson streams. The long test starts to be true either when a
/// bad event comes, or when a good one leaves the window; both rates follow from the distribution of
/// the window's counts. Each start counts with the probability that the short window burns too, taken
/// as independent. Starts that `keep_firing_for` would join are counted singly, so that this errs on
/// the high side.
#[must_use]
pub fn false_pages_per_month(slo: &Slo, pair: &Pair, events_per_hour: f64) -> f64 {
    let Some(long) = Counts::new(slo, pair.long.hours() * events_per_hour) else { return 0.0 };
    let Some(short) = Counts::new(slo, pair.short.hours() * events_per_hour) else { return 0.0 };
    let alerting = slo.alerting();
    let test = LongTest::of(pair, slo.objective(), alerting.estimator, alerting.min_failures);
    let threshold = pair.threshold(slo.objective()).to_f64();
    let burns = |bad: f64, total: f64| bad > threshold * total;
    let budget = slo.objective().budget().to_f64();
    let bad_per_month = events_per_hour * budget * MONTH;
    let good_per_month = events_per_hour * (1.0 - budget) * MONTH;
    let at_bad_event =
        long.begins_with_a_bad_event(|bad, total| test.is_exceeded(bad, total)) * short.holds(1.0, burns);
    let at_leaving = long.begins_when_a_good_one_leaves(|bad, total| test.is_exceeded(bad, total))
        * short.holds(0.0, burns);
    bad_per_month * at_bad_event + good_per_month * at_leaving
}

/// Independent numbers of bad and good events in a window.
struct Counts {
    bad: Poisson,
    good: Poisson,
    most_bad: u64,
    most_good: u64,
}

impl Counts {
    fn new(slo: &Slo, events: f64) -> Option<Self> {
        let budget = slo.objective().budget().to_f64();
        let (bad, good) = (events * budget, events * (1.0 - budget));
        Some(Self {
            bad: Poisson::new(bad).ok()?,
            good: Poisson::new(good).ok()?,
            most_bad: beyond(bad),
            most_good: beyond(good),
        })
    }

    /// Most good events beside which so many bad ones are too many.
    fn most_good_beside(&self, bad: u64, is_exceeded: &impl Fn(f64, f64) -> bool) -> Option<u64> {
        let exceeded = |good: u64| is_exceeded(float(bad), float(bad + good));
        if !exceeded(0) {
            return None;
        }
        let (mut below, mut above) = (0, self.most_good + 1);
        while above - below > 1 {
            let middle = below.midpoint(above);
            if exceeded(middle) { below = middle } else { above = middle }
        }
        Some(below)
    }

    fn good_up_to(&self, most: Option<u64>) -> f64 {
        most.map_or(0.0, |most| self.good.cdf(most))
    }

    fn begins_with_a_bad_event(&self, is_exceeded: impl Fn(f64, f64) -> bool) -> f64 {
        let begins = |bad: u64| {
            let before = self.good_up_to(self.most_good_beside(bad, &is_exceeded));
            let after = self.good_up_to(self.most_good_beside(bad + 1, &is_exceeded));
            self.bad.pmf(bad) * (after - before).max(0.0)
        };
        (0..=self.most_bad).map(begins).sum()
    }

    fn begins_when_a_good_one_leaves(&self, is_exceeded: impl Fn(f64, f64) -> bool) -> f64 {
        let begins = |bad: u64| {
            let at_the_edge = self.most_good_beside(bad, &is_exceeded).filter(|good| *good <= self.most_good);
            self.bad.pmf(bad) * at_the_edge.map_or(0.0, |good| self.good.pmf(good))
        };
        (0..=self.most_bad).map(begins).sum()
    }

    /// Probability that the test holds with so many more bad events.
    fn holds(&self, more: f64, is_true: impl Fn(f64, f64) -> bool) -> f64 {
        let holds = |bad: u64| {
            let exceeded = |one: f64, total: f64| is_true(one + more, total + more);
            self.bad.pmf(bad) * self.good_up_to(self.most_good_beside(bad, &exceeded))
        };
        (0..=self.most_bad).map(holds).sum()
    }
}

/// A number that a Poisson variable of this mean practically never reaches.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn beyond(mean: f64) -> u64 {
    (mean + 12.0 * mean.sqrt() + 12.0).min(1e9) as u64
}

#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}
