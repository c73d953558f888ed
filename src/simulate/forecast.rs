//! What to expect of a pair: how soon it sees a total outage, how soon it is quiet again, and how often
//! it fires without cause.

use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

use super::answer::{is_burning, keep_firing_for};
use super::recorded::{Recorded, Timetable};
use crate::domain::burn_rate::Pair;
use crate::domain::estimator::LongTest;
use crate::domain::slo::Slo;

/// Hours in thirty days.
const MONTH: f64 = 720.0;

/// Minutes from the start of a total outage until the pair fires, with events at even intervals; none if
/// it does not within its long window.
#[must_use]
pub fn detection(slo: &Slo, pair: &Pair, events_per_hour: f64) -> Option<u32> {
    let calm = pair.long.minutes();
    let mut outage = Outage::new(slo, events_per_hour, calm, None);
    outage.run_until(calm, |_| false);
    let fires = outage.run_until(calm + pair.long.minutes() + 15, |outage| outage.fires(slo, pair))?;
    Some(fires - calm)
}

/// Minutes from the end of a total outage until the pair's alert stops. The outage lasts an hour, or as
/// long as it takes the pair to see it; none if it does not see it.
#[must_use]
pub fn reset(slo: &Slo, pair: &Pair, events_per_hour: f64) -> Option<u32> {
    let (calm, lasts) = (pair.long.minutes(), detection(slo, pair, events_per_hour)?.max(60));
    let end = calm + lasts;
    let mut outage = Outage::new(slo, events_per_hour, calm, Some(end));
    outage.run_until(end, |_| false);
    let mut last = end;
    outage.run_until(end + pair.long.minutes() + pair.short.minutes() + 15, |outage| {
        if outage.fires(slo, pair) {
            last = outage.minute;
        }
        false
    });
    Some(last + 1 - end + keep_firing_for(slo, pair.urgency))
}

/// Events at even intervals that are good, then bad, then good again.
struct Outage {
    minute: u32,
    per_minute: f64,
    begins: u32,
    ends: Option<u32>,
    seen: Vec<(f64, f64)>,
    delay: usize,
    total: Recorded,
    bad: Recorded,
}

impl Outage {
    fn new(slo: &Slo, events_per_hour: f64, begins: u32, ends: Option<u32>) -> Self {
        let timetable = Timetable::behind_by(slo.query_offset());
        Self {
            minute: 0,
            per_minute: events_per_hour / 60.0,
            begins,
            ends,
            seen: vec![(0.0, 0.0)],
            delay: usize::try_from(slo.query_offset().as_secs().div_ceil(60)).unwrap_or(usize::MAX),
            total: Recorded::new(timetable),
            bad: Recorded::new(timetable),
        }
    }

    /// Evaluates minute by minute; the minute at which the claim holds, if it does.
    fn run_until(&mut self, end: u32, mut is_reached: impl FnMut(&Self) -> bool) -> Option<u32> {
        while self.minute < end {
            self.minute += 1;
            let events = self.events_until(self.minute) - self.events_until(self.minute - 1);
            let is_down = self.minute > self.begins && self.ends.is_none_or(|end| self.minute <= end);
            let (total, bad) = *self.seen.last().expect("the sums should start at zero");
            self.seen.push((total + events, bad + if is_down { events } else { 0.0 }));
            self.evaluate();
            if is_reached(self) {
                return Some(self.minute);
            }
        }
        None
    }

    /// The first event comes after half an interval.
    fn events_until(&self, minute: u32) -> f64 {
        (f64::from(minute) * self.per_minute + 0.5).floor()
    }

    fn evaluate(&mut self) {
        let newest = (self.seen.len() - 1).saturating_sub(self.delay);
        let (now, before) = (self.seen[newest], self.seen[newest.saturating_sub(5)]);
        self.total.push(Some(now.0 - before.0));
        self.bad.push(Some(now.1 - before.1));
    }

    fn fires(&self, slo: &Slo, pair: &Pair) -> bool {
        is_burning(slo, pair, &self.bad, &self.total)
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
