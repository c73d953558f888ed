//! What the rules record and which alerts fire, evaluation by evaluation, as the design defines it.

use super::counter::{Births, Counter};
use super::labels::Labels;
use super::recorded::{Recorded, Timetable};
use super::scene::{Counted, Group, Meaning, Scene};
use crate::api::v1alpha1::CounterBirths;
use crate::domain::burn_rate::{Pair, Urgency};
use crate::domain::decimal::Decimal;
use crate::domain::estimator::LongTest;
use crate::domain::slo::Slo;
use crate::domain::window::Window;

/// Events that a new series may bring without history, and the share of the history besides.
const BIRTH_FLOOR: f64 = 20.0;
const BIRTH_SHARE: f64 = 0.01;
/// Over which a mean is taken.
const HOUR: Window = Window::from_hours(1);
/// Minutes without a count after which series are absent.
const ABSENT_AFTER: i64 = 15;

/// Everything that the rules of one AgentSLO yield.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// One for each group of `groupBy`, in the order of the scene.
    pub groups: Vec<GroupAnswer>,
    /// The alert on absence.
    pub no_data: Firing,
}

/// What the rules yield for one group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupAnswer {
    /// Values of the `groupBy` labels.
    pub labels: Labels,
    /// Valid events in five minutes.
    pub total: Recorded,
    /// Bad events in five minutes.
    pub bad: Recorded,
    /// Valid events in the budget's window.
    pub total_count: Recorded,
    /// Bad events in the budget's window.
    pub bad_count: Recorded,
    /// Share of the budget that is left.
    pub remaining: Recorded,
    /// The page.
    pub page: Firing,
    /// The ticket.
    pub ticket: Firing,
    /// The alert on a spent budget.
    pub exhausted: Firing,
}

/// Whether an alert fires, evaluation by evaluation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Firing {
    hold: i64,
    keep: i64,
    true_since: Option<i64>,
    false_since: Option<i64>,
    states: Vec<bool>,
}

impl Firing {
    /// An alert with `for` and `keep_firing_for`, in minutes.
    fn new(hold: u32, keep: u32) -> Self {
        Self { hold: hold.into(), keep: keep.into(), true_since: None, false_since: None, states: Vec::new() }
    }

    fn push(&mut self, is_true: bool) {
        let now = i64::try_from(self.states.len()).unwrap_or(i64::MAX);
        let was_firing = self.states.last().copied().unwrap_or(false);
        let fires = if is_true {
            self.false_since = None;
            let since = *self.true_since.get_or_insert(now);
            was_firing || now - since >= self.hold
        } else {
            let since = *self.false_since.get_or_insert(now);
            was_firing && now - since < self.keep
        };
        if !is_true && !fires {
            self.true_since = None;
        }
        self.states.push(fires);
    }

    /// Whether it fires, for each evaluation.
    #[must_use]
    pub fn states(&self) -> &[bool] {
        &self.states
    }

    /// The first evaluation at which it fires.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.states.iter().position(|fires| *fires)
    }

    /// The evaluations at which the state is another than before.
    pub fn transitions(&self) -> impl Iterator<Item = usize> + '_ {
        (1..self.states.len()).filter(|minute| self.states[*minute] != self.states[minute - 1])
    }
}

/// Plays a scene.
#[must_use]
pub fn answer(slo: &Slo, scene: &Scene) -> Answer {
    let timetable = Timetable::behind_by(slo.query_offset());
    let mut groups: Vec<GroupAnswer> =
        scene.groups.iter().map(|group| GroupAnswer::new(slo, timetable, group.labels.clone())).collect();
    let mut no_data = Firing::new(slo.alerting().no_data_after.minutes(), 0);
    for minute in 0..scene.minutes {
        let now = timetable.stamp(minute);
        let history = history(&groups, now);
        for (answer, group) in groups.iter_mut().zip(&scene.groups) {
            answer.count(slo, group, now, history);
        }
        no_data.push(groups.iter().all(|group| is_absent(&group.total, now)));
        for group in &mut groups {
            group.judge(slo);
        }
    }
    Answer { groups, no_data }
}

/// Events in the window, as recorded five to fifteen minutes ago.
fn history(groups: &[GroupAnswer], now: i64) -> Option<f64> {
    let counts = groups.iter().filter_map(|group| group.total_count.last_between(now - 900, now - 300));
    counts.fold(None, |sum, count| Some(sum.unwrap_or(0.0) + count))
}

fn is_absent(total: &Recorded, now: i64) -> bool {
    total.last_between(now - ABSENT_AFTER * 60, now).is_none()
}

impl GroupAnswer {
    fn new(slo: &Slo, timetable: Timetable, labels: Labels) -> Self {
        let nothing = || Recorded::new(timetable);
        Self {
            labels,
            total: nothing(),
            bad: nothing(),
            total_count: nothing(),
            bad_count: nothing(),
            remaining: nothing(),
            page: Firing::new(0, keep_firing_for(slo, Urgency::Page)),
            ticket: Firing::new(0, keep_firing_for(slo, Urgency::Ticket)),
            exhausted: Firing::new(0, 0),
        }
    }

    fn count(&mut self, slo: &Slo, group: &Group, now: i64, history: Option<f64>) {
        let births = |window: Window, unit: f64| match slo.counter_births() {
            CounterBirths::Count => {
                let floor = BIRTH_FLOOR * f64::from(window.minutes() / Window::TILE.minutes());
                Births::UpTo(history.map(|events| unit * floor + unit * BIRTH_SHARE * events))
            }
            CounterBirths::Ignore => Births::Ignored,
        };
        let total = total(&group.counted, now, births);
        self.total.push(total);
        self.bad.push(bad(&group.counted, now, births, total));
    }

    fn is_burning(&self, slo: &Slo, pair: &Pair) -> bool {
        let seen = |window| both(self.bad.events_in(window), self.total.events_in(window));
        is_burning(slo, pair, seen(pair.long), seen(pair.short))
    }

    fn judge(&mut self, slo: &Slo) {
        let budget = slo.objective().budget().to_f64();
        let total = self.total.events_in_tiles(slo.window());
        let bad = self.bad.events_in_tiles(slo.window());
        let remaining =
            both(bad, total.filter(|total| *total > 0.0)).map(|(bad, total)| 1.0 - bad / (budget * total));
        self.total_count.push(total);
        self.bad_count.push(bad);
        self.remaining.push(remaining);
        let burns = |urgency| slo.alerting().pairs_of(urgency).any(|pair| self.is_burning(slo, pair));
        let (page, ticket) = (burns(Urgency::Page), burns(Urgency::Ticket));
        self.page.push(page);
        self.ticket.push(ticket);
        let enough = total.is_some_and(|total| total >= slo.fewest_events().to_f64());
        self.exhausted.push(enough && remaining.is_some_and(|remaining| remaining <= 0.0));
    }
}

/// Minutes that an alert goes on after its pairs are false.
pub(super) fn keep_firing_for(slo: &Slo, urgency: Urgency) -> u32 {
    slo.alerting().pairs_of(urgency).map(|pair| pair.short.minutes()).min().unwrap_or(0)
}

/// Whether a pair is true, given the numbers of bad and of valid events in its windows: too many bad ones
/// in the long window, and too large a share of them in the short.
pub(super) fn is_burning(
    slo: &Slo,
    pair: &Pair,
    long: Option<(f64, f64)>,
    short: Option<(f64, f64)>,
) -> bool {
    let (objective, alerting) = (slo.objective(), slo.alerting());
    let test = LongTest::of(pair, objective, alerting.estimator, alerting.min_failures);
    let threshold = pair.threshold(objective).to_f64();
    long.is_some_and(|(bad, total)| test.is_exceeded(bad, total))
        && short.is_some_and(|(bad, total)| bad > threshold * total)
}

fn total(counted: &Counted, now: i64, births: impl Fn(Window, f64) -> Births) -> Option<f64> {
    match counted {
        Counted::Events { total, meaning: Meaning::BadByIncrease, .. } => {
            sum(total, now, Window::TILE, Births::OnlyIncrease)
        }
        Counted::Events { total, .. } => sum(total, now, Window::TILE, births(Window::TILE, 1.0)),
        Counted::HourlyMean { runs, .. } => {
            let runs = sum(runs, now, HOUR, births(HOUR, 1.0))?;
            Some(f64::from(u8::from(runs > 0.0)) / 12.0)
        }
        Counted::Samples(gauges) => samples(gauges, now).map(|(count, _)| count),
    }
}

fn bad(
    counted: &Counted,
    now: i64,
    births: impl Fn(Window, f64) -> Births,
    total: Option<f64>,
) -> Option<f64> {
    let zero = total.map(|_| 0.0);
    match counted {
        Counted::Events { numerator, meaning, .. } => {
            let how = if *meaning == Meaning::BadByIncrease {
                Births::OnlyIncrease
            } else {
                births(Window::TILE, 1.0)
            };
            let part = sum(numerator, now, Window::TILE, how);
            let rest = |part: Option<f64>| both(total, part).map(|(total, part)| (total - part).max(0.0));
            match meaning {
                Meaning::Bad | Meaning::BadByIncrease => part.or(zero),
                Meaning::Good => rest(part.or(zero)),
                Meaning::AtMostGood => rest(part),
                Meaning::AtMostBad => part,
            }
        }
        Counted::HourlyMean { runs, cost, limit } => mean_is_high(runs, cost, *limit, now, births).or(zero),
        Counted::Samples(gauges) => {
            let good = samples(gauges, now).map(|(_, good)| good);
            both(total, good).map(|(total, good)| (total - good).max(0.0))
        }
    }
}

fn mean_is_high(
    runs: &[Counter],
    cost: &[Counter],
    limit: Decimal,
    now: i64,
    births: impl Fn(Window, f64) -> Births,
) -> Option<f64> {
    let limit = limit.to_f64();
    let cost = sum(cost, now, HOUR, births(HOUR, limit))?;
    let runs = sum(runs, now, HOUR, births(HOUR, 1.0)).filter(|runs| *runs > 0.0)?;
    Some(f64::from(u8::from(cost / runs > limit)) / 12.0)
}

fn sum(counters: &[Counter], now: i64, window: Window, births: Births) -> Option<f64> {
    let increases =
        counters.iter().filter_map(|counter| counter.increase(now, window.minutes().into(), births));
    increases.fold(None, |sum, increase| Some(sum.unwrap_or(0.0) + increase))
}

/// How many samples of gauges there are in five minutes, and their sum.
fn samples(gauges: &[Counter], now: i64) -> Option<(f64, f64)> {
    let values = gauges.iter().flat_map(|gauge| gauge.range(now, 5)).map(|(_, value)| value);
    values.fold(None, |seen, value| {
        let (count, sum) = seen.unwrap_or((0.0, 0.0));
        Some((count + 1.0, sum + value))
    })
}

fn both(one: Option<f64>, other: Option<f64>) -> Option<(f64, f64)> {
    Some((one?, other?))
}
