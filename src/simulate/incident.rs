//! The canned incidents, as scripts: which process saw how many good and bad events in which minute, and
//! what became of its counters. Independent of what the indicator counts.

use super::counter::Sample;
use crate::domain::decimal::Decimal;
use crate::domain::indicator::Measure;
use crate::domain::slo::Slo;

/// Minutes of calm before anything happens.
const CALM: usize = 60;
/// Value that counters have when a script begins: old counters, not new ones.
const OLD_GOOD: u32 = 1000;
const OLD_BAD: u32 = 10;

/// Something that may befall an agent or its telemetry.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Incident {
    /// Every event is bad for an hour.
    TotalOutage,
    /// A quarter of events are bad for two hours.
    QuarterFailing,
    /// A little more than the slowest pair allows.
    SlowLeak,
    /// Five runs in an hour, one of which fails.
    OneFailureInFiveRuns,
    /// No events for seven hours.
    IdleNight,
    /// The process restarts under the same labels, twice.
    CounterReset,
    /// Each failure comes with a label set of its own, which never moves again.
    BirthAtFirstFailure,
    /// One of two replicas is down.
    TwoReplicas,
    /// The agent is well but not scraped for ten minutes.
    ScrapeGap,
    /// All series end, and come back much later.
    TelemetryGone,
    /// The outage lasts until the budget is spent.
    BudgetExhausted,
}

/// Whether an event is good.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// It counts for the objective.
    Good,
    /// It counts against it.
    Bad,
}

/// What happens to a source in one minute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// So many events, then a scrape.
    Events(u32),
    /// So many events, but the scrape fails.
    Unscraped(u32),
    /// The counter starts from zero, then so many events.
    Restart(u32),
    /// The series does not exist.
    Absent,
}

/// Events of one outcome in one process.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Their outcome.
    pub outcome: Outcome,
    /// Number of the process.
    pub replica: u32,
    /// Value of the counter before the script begins.
    pub old: u32,
    /// Minute by minute.
    pub steps: Vec<Step>,
}

impl Source {
    /// The counter as it is scraped.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let (mut value, mut seen) = (f64::from(self.old), false);
        let scrape = |step: &Step| {
            let visible = match step {
                Step::Events(events) => {
                    value += f64::from(*events);
                    true
                }
                Step::Restart(events) => {
                    value = f64::from(*events);
                    true
                }
                Step::Unscraped(events) => {
                    value += f64::from(*events);
                    false
                }
                Step::Absent => false,
            };
            let ended = seen && !visible;
            seen = visible;
            match (visible, ended) {
                (true, _) => Sample::Value(value),
                (false, true) => Sample::Stale,
                (false, false) => Sample::Missing,
            }
        };
        self.steps.iter().map(scrape).collect()
    }

    /// Events in a minute, seen or not.
    #[must_use]
    pub fn events(&self, minute: usize) -> u32 {
        match self.steps[minute] {
            Step::Events(events) | Step::Unscraped(events) | Step::Restart(events) => events,
            Step::Absent => 0,
        }
    }

    /// Whether the source is scraped in a minute.
    #[must_use]
    pub fn is_scraped(&self, minute: usize) -> bool {
        matches!(self.steps[minute], Step::Events(_) | Step::Restart(_))
    }
}

/// What happens, minute by minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Number of minutes.
    pub minutes: usize,
    /// Who sees events.
    pub sources: Vec<Source>,
}

impl Script {
    /// All events of one outcome.
    #[must_use]
    pub fn events(&self, outcome: Outcome) -> u32 {
        let sources = self.sources.iter().filter(|source| source.outcome == outcome);
        sources.map(|source| (0..self.minutes).map(|minute| source.events(minute)).sum::<u32>()).sum()
    }

    fn of(minutes: usize, sources: Vec<Source>) -> Self {
        Self { minutes, sources }
    }

    /// One process; in each minute a number of good and of bad events.
    fn one_process(minutes: usize, events: impl Fn(usize) -> (u32, u32)) -> Self {
        let good = source(Outcome::Good, 0, minutes, |minute| Step::Events(events(minute).0));
        let bad = source(Outcome::Bad, 0, minutes, |minute| Step::Events(events(minute).1));
        Self::of(minutes, vec![good, bad])
    }

    /// A healthy agent, for comparison.
    #[must_use]
    pub fn calm(minutes: usize) -> Self {
        Self::one_process(minutes, |_| (1, 0))
    }
}

fn source(outcome: Outcome, replica: u32, minutes: usize, step: impl Fn(usize) -> Step) -> Source {
    let old = match outcome {
        Outcome::Good => OLD_GOOD,
        Outcome::Bad => OLD_BAD,
    };
    Source { outcome, replica, old, steps: (0..minutes).map(step).collect() }
}

impl Incident {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::TotalOutage,
        Self::QuarterFailing,
        Self::SlowLeak,
        Self::OneFailureInFiveRuns,
        Self::IdleNight,
        Self::CounterReset,
        Self::BirthAtFirstFailure,
        Self::TwoReplicas,
        Self::ScrapeGap,
        Self::TelemetryGone,
        Self::BudgetExhausted,
    ];

    /// Its name in file names and on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TotalOutage => "total-outage",
            Self::QuarterFailing => "a-quarter-failing",
            Self::SlowLeak => "slow-leak",
            Self::OneFailureInFiveRuns => "one-failure-in-five-runs",
            Self::IdleNight => "idle-night",
            Self::CounterReset => "counter-reset",
            Self::BirthAtFirstFailure => "birth-at-first-failure",
            Self::TwoReplicas => "two-replicas",
            Self::ScrapeGap => "scrape-gap",
            Self::TelemetryGone => "telemetry-gone",
            Self::BudgetExhausted => "budget-exhausted",
        }
    }

    /// Whether it can befall what is measured. Samples of a gauge are neither born nor reset, and a gauge
    /// without samples is gone, not idle.
    #[must_use]
    pub fn applies_to(self, measure: &Measure) -> bool {
        let is_about_counters = matches!(
            self,
            Self::OneFailureInFiveRuns | Self::IdleNight | Self::CounterReset | Self::BirthAtFirstFailure
        );
        !(is_about_counters && matches!(measure, Measure::Samples { .. }))
    }

    /// What happens.
    #[must_use]
    pub fn script(self, slo: &Slo) -> Script {
        match self {
            Self::TotalOutage => Script::one_process(CALM + 60 + 540, |minute| {
                if (CALM..CALM + 60).contains(&minute) { (0, 1) } else { (1, 0) }
            }),
            Self::QuarterFailing => Script::one_process(CALM + 120 + 60, |minute| {
                let fails = (CALM..CALM + 120).contains(&minute) && minute % 4 == 3;
                if fails { (0, 1) } else { (1, 0) }
            }),
            Self::SlowLeak => slow_leak(slo),
            Self::OneFailureInFiveRuns => Script::one_process(CALM + 180, |minute| {
                let runs = (CALM..CALM + 60).contains(&minute) && minute % 12 == 0;
                (u32::from(runs && minute != CALM + 24), u32::from(runs && minute == CALM + 24))
            }),
            Self::IdleNight => Script::one_process(CALM + 420 + 30, |minute| {
                (u32::from(!(CALM..CALM + 420).contains(&minute)), 0)
            }),
            Self::CounterReset => restarts(),
            Self::BirthAtFirstFailure => births(),
            Self::TwoReplicas => one_of_two_down(),
            Self::ScrapeGap => gap(),
            Self::TelemetryGone => gone(slo),
            Self::BudgetExhausted => exhausted(slo),
        }
    }
}

/// Enough events that eight are bad in four hours, at half more than the slowest pair allows.
fn slow_leak(slo: &Slo) -> Script {
    let thresholds = slo.alerting().pairs.iter().map(|pair| pair.threshold(slo.objective()));
    let slowest = thresholds.min().unwrap_or_else(|| slo.objective().budget());
    let share = (slowest * Decimal::from_ratio(3, 2)).to_f64().min(1.0);
    let per_minute = most_events_a_minute(slo, 8.0 / share / 240.0);
    let every = whole(1.0 / share).max(1);
    Script::one_process(CALM + 240 + 120, |minute| {
        let leaks = (CALM..CALM + 240).contains(&minute);
        let before = u32::try_from(minute).unwrap_or(u32::MAX) * per_minute;
        let bad = if leaks { (before + per_minute) / every - before / every } else { 0 };
        (per_minute - bad, bad)
    })
}

fn restarts() -> Script {
    let minutes = CALM * 4;
    let restarts_at = |minute| minute == CALM || minute == CALM + 45;
    let good = source(Outcome::Good, 0, minutes, |minute| {
        if restarts_at(minute) { Step::Restart(1) } else { Step::Events(1) }
    });
    let bad = source(Outcome::Bad, 0, minutes, |minute| {
        let fails = u32::from(minute == CALM + 70);
        if restarts_at(minute) { Step::Restart(0) } else { Step::Events(fails) }
    });
    Script::of(minutes, vec![good, bad])
}

fn births() -> Script {
    let minutes = CALM * 3;
    let good = source(Outcome::Good, 0, minutes, |_| Step::Events(1));
    let failures = (1..=12).map(|replica: u32| {
        let born = CALM + 2 * usize::try_from(replica).unwrap_or_default();
        let step = |minute| match minute {
            minute if minute < born => Step::Absent,
            minute => Step::Events(u32::from(minute == born)),
        };
        Source { old: 0, ..source(Outcome::Bad, replica, minutes, step) }
    });
    Script::of(minutes, std::iter::once(good).chain(failures).collect())
}

fn one_of_two_down() -> Script {
    let minutes = CALM + 60 + 60;
    let is_down = |minute: usize| (CALM..CALM + 60).contains(&minute);
    let replica = |number: u32, fails: bool| {
        let bad = move |minute| u32::from(fails && is_down(minute));
        let good = move |minute| u32::from(!(fails && is_down(minute)));
        [
            source(Outcome::Good, number, minutes, move |minute| Step::Events(good(minute))),
            source(Outcome::Bad, number, minutes, move |minute| Step::Events(bad(minute))),
        ]
    };
    Script::of(minutes, [replica(0, false), replica(1, true)].concat())
}

fn gap() -> Script {
    let minutes = CALM + 10 + 60;
    let step = |events| {
        move |minute: usize| {
            if (CALM..CALM + 10).contains(&minute) { Step::Unscraped(events) } else { Step::Events(events) }
        }
    };
    let good = source(Outcome::Good, 0, minutes, step(1));
    let bad = source(Outcome::Bad, 0, minutes, step(0));
    Script::of(minutes, vec![good, bad])
}

/// For as long as the alert waits, at most a day.
fn gone(slo: &Slo) -> Script {
    let after = usize::try_from(slo.alerting().no_data_after.minutes()).unwrap_or(usize::MAX).min(1440);
    let back = CALM + after + 30;
    let minutes = back + 30;
    let step = |events| {
        move |minute: usize| {
            if (CALM..back).contains(&minute) { Step::Absent } else { Step::Events(events) }
        }
    };
    let good = source(Outcome::Good, 0, minutes, step(1));
    let bad = source(Outcome::Bad, 0, minutes, step(0));
    Script::of(minutes, vec![good, bad])
}

/// Enough events for a verdict within two hours.
fn exhausted(slo: &Slo) -> Script {
    let per_minute = most_events_a_minute(slo, slo.fewest_events().to_f64() / 100.0);
    Script::one_process(CALM + 120 + 60, |minute| {
        if (CALM..CALM + 120).contains(&minute) { (0, per_minute) } else { (per_minute, 0) }
    })
}

/// At least so many events a minute; of a gauge at most four, because each is a series.
fn most_events_a_minute(slo: &Slo, wanted: f64) -> u32 {
    let most = match slo.indicator().measure {
        Measure::Samples { .. } => 4,
        Measure::Events { .. }
        | Measure::Distribution { .. }
        | Measure::HourlyMean { .. }
        | Measure::Raw { .. } => u32::MAX,
    };
    whole(wanted.ceil()).clamp(1, most)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> u32 {
    value.clamp(0.0, 1e9) as u32
}
