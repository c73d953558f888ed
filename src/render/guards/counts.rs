//! What guards count: events and dollars in the last five minutes, exactly, as series of one name. Runs
//! and dollars are always recorded, for the status and dashboards tell of them; the rest where a guard reads it.

use super::super::exact::{Births, Cumulative, increase};
use super::{made, own, recording};
use crate::api::v1alpha1::{CounterBirths, HistogramType};
use crate::domain::decimal::Decimal;
use crate::domain::guard::Watch;
use crate::domain::indicator::{Counter, Measure, Numerator};
use crate::domain::observability::Observability;
use crate::domain::promql::{LabelMatcher, by_clause};
use crate::domain::role::Role;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::vocabulary::{label, series};

/// Up to this window the counts of every minute are summed; five of them overlap, hence the division.
/// Longer windows take one count in five minutes.
const EVERY_MINUTE_UP_TO: Window = Window::from_hours(6);
/// Events that one new series may bring in five minutes without history.
const BIRTH_FLOOR: i64 = 20;
/// US dollars that it may bring where no guard says what is much.
const DOLLAR_FLOOR: i64 = 10;
/// The same where a guard alerts on more than is usual, and what is usual may be little.
const USUAL_DOLLAR_FLOOR: i64 = 1;
/// Share of the last day that it may bring besides.
const BIRTH_SHARE: &str = "0.1";

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Event {
    /// Finished runs, whatever became of them.
    Run,
    /// US dollars.
    Dollar,
    /// Tool executions with an outcome.
    ToolCall,
    /// Failed ones among them.
    ToolFailure,
    /// Runs whose duration is known.
    TimedRun,
    /// Slow ones among them.
    SlowRun,
}

impl Event {
    /// Value of label `event`.
    fn label(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Dollar => "dollar",
            Self::ToolCall => "tool_call",
            Self::ToolFailure => "tool_failure",
            Self::TimedRun => "timed_run",
            Self::SlowRun => "slow_run",
        }
    }

    /// The events of which these are some, whose history says how many may come at once.
    fn all(self) -> Self {
        match self {
            Self::Run | Self::Dollar | Self::ToolCall | Self::TimedRun => self,
            Self::ToolFailure => Self::ToolCall,
            Self::SlowRun => Self::TimedRun,
        }
    }
}

/// The recordings that the guards, the status and the dashboards need.
pub(super) fn recordings(observability: &Observability) -> Vec<Rule> {
    let always = [
        observability.has(Role::Cost).then(|| dollars(observability)),
        observability.has(Role::Runs).then(|| runs(observability)),
    ];
    let mut rules: Vec<Rule> = always.into_iter().flatten().flatten().collect();
    for guard in made(observability) {
        let wanted = match &guard.watch {
            Watch::SpendRate { .. } | Watch::SpendBudget { .. } => dollars(observability),
            Watch::Activity { .. } => runs(observability),
            Watch::Stuck { .. } if !observability.has(Role::OldestActiveRunStart) => runs(observability),
            Watch::ToolFailure { .. } => tool_rules(observability),
            Watch::SlowShare { slower_than, .. } => durations(observability, *slower_than),
            Watch::Stuck { .. }
            | Watch::Queue { .. }
            | Watch::TelemetryMissing { .. }
            | Watch::CardinalityOverflow
            | Watch::PipelineLoss
            | Watch::LedgerIntegrity
            | Watch::LedgerLoss => Vec::new(),
        };
        let new: Vec<Rule> = wanted.into_iter().filter(|rule| !rules.contains(rule)).collect();
        rules.extend(new);
    }
    rules
}

/// The number of events in a window, for each of these labels.
pub(super) fn counted(observability: &Observability, event: Event, window: Window, by: &[String]) -> String {
    let own = recorded(observability, event);
    let by = by_clause(by);
    if window <= EVERY_MINUTE_UP_TO {
        format!("sum{by} (sum_over_time({own}[{window}])) / 5")
    } else {
        format!("sum{by} (sum_over_time({own}[{window}:5m]))")
    }
}

/// The recorded series of an event.
pub(super) fn recorded(observability: &Observability, event: Event) -> String {
    own(observability, series::GUARD_5M).with([LabelMatcher::equal(label::EVENT, event.label())]).to_string()
}

/// The label with the name of a tool, where there is one.
pub(super) fn tool_label(observability: &Observability) -> Vec<String> {
    let tools = observability.series().profile().tools.as_ref();
    let label = tools.and_then(|tools| tools.name_label.as_ref());
    label.map(|label| observability.series().label(label)).into_iter().collect()
}

/// Tool executions, all and failed; none where nothing tells how they ended.
pub(super) fn tools(observability: &Observability) -> Option<(Counter, Numerator)> {
    let tools = observability.series().profile().tools.as_ref()?;
    match observability.series().outcomes(tools, &[])? {
        Measure::Events { total, numerator } => Some((total, numerator)),
        Measure::Distribution { .. }
        | Measure::HourlyMean { .. }
        | Measure::Samples { .. }
        | Measure::Raw { .. } => None,
    }
}

fn runs(observability: &Observability) -> Vec<Rule> {
    let runs = observability.series().profile().runs.iter();
    let counters = runs.map(|runs| observability.series().events(&runs.metric, Vec::new()));
    counters.map(|counter| of_counter(observability, Event::Run, &counter, &[])).collect()
}

fn dollars(observability: &Observability) -> Vec<Rule> {
    let cost = observability.series().profile().cost.iter();
    let selectors = cost.map(|cost| Cumulative::Counter(observability.series().select_amount(cost)));
    selectors
        .map(|cost| count(observability, Event::Dollar, exactly(observability, Event::Dollar, &cost, &[])))
        .collect()
}

fn tool_rules(observability: &Observability) -> Vec<Rule> {
    let by = tool_label(observability);
    let Some((calls, numerator)) = tools(observability) else { return Vec::new() };
    let failures = match &numerator {
        Numerator::Bad(bad) => of_counter(observability, Event::ToolFailure, bad, &by),
        Numerator::Good(good) => {
            let all = format!("sum{} ({})", by_clause(&by), recorded(observability, Event::ToolCall));
            let good = exactly(observability, Event::ToolFailure, &Cumulative::events(good), &by);
            let expr = format!("clamp_min(\n{all} - ({good} or 0 * {all}),\n0)");
            count(observability, Event::ToolFailure, expr)
        }
    };
    vec![of_counter(observability, Event::ToolCall, &calls, &by), failures]
}

/// Without a bucket of this bound nothing counts as slow.
fn durations(observability: &Observability, slower_than: Decimal) -> Vec<Rule> {
    let Some(metric) = observability.series().profile().run_duration.as_ref() else { return Vec::new() };
    let histogram = observability.series().select(metric);
    let all = Counter::Observations(histogram.clone(), HistogramType::Auto);
    let at_most = Cumulative::at_most(&histogram, HistogramType::Auto, slower_than);
    let at_most = exactly(observability, Event::SlowRun, &at_most, &[]);
    let slow = format!("clamp_min(\nsum ({}) - ({at_most}),\n0)", recorded(observability, Event::TimedRun));
    vec![of_counter(observability, Event::TimedRun, &all, &[]), count(observability, Event::SlowRun, slow)]
}

fn of_counter(observability: &Observability, event: Event, counter: &Counter, by: &[String]) -> Rule {
    count(observability, event, exactly(observability, event, &Cumulative::events(counter), by))
}

fn count(observability: &Observability, event: Event, expr: String) -> Rule {
    let mut rule = recording(observability, series::GUARD_5M, expr);
    rule.labels.insert(label::EVENT.to_owned(), event.label().to_owned());
    rule
}

fn exactly(observability: &Observability, event: Event, cumulative: &Cumulative, by: &[String]) -> String {
    let births = match observability.series().counter_births() {
        CounterBirths::Count => Births::UpTo(birth_bound(observability, event)),
        CounterBirths::Ignore => Births::Ignore,
    };
    increase(cumulative, Window::TILE, &births, by)
}

/// Largest value with which a series may be born: above it, it is an old counter that is seen for the
/// first time. Without history of five minutes nothing counts as born.
fn birth_bound(observability: &Observability, event: Event) -> String {
    let floor = match event {
        Event::Dollar => dollar_floor(observability),
        Event::Run | Event::ToolCall | Event::ToolFailure | Event::TimedRun | Event::SlowRun => {
            Decimal::from_integer(BIRTH_FLOOR)
        }
    };
    let history = recorded(observability, event.all());
    format!("{floor} + {BIRTH_SHARE} * sum(sum_over_time({history}[1d:5m] offset 5m))")
}

/// What may be spent in a quarter of an hour, or else in a tenth of the period: an old counter that passes
/// for a new one does not alert by itself.
fn dollar_floor(observability: &Observability) -> Decimal {
    let floors = made(observability).filter_map(|guard| match &guard.watch {
        Watch::SpendRate { max_per_hour: Some(max), .. } => Some(max.divided_by(Decimal::from_integer(4))),
        Watch::SpendRate { max_per_hour: None, .. } => Some(Decimal::from_integer(USUAL_DOLLAR_FLOOR)),
        Watch::SpendBudget { amount, .. } => Some(amount.divided_by(Decimal::from_integer(10))),
        Watch::Activity { .. }
        | Watch::Stuck { .. }
        | Watch::Queue { .. }
        | Watch::ToolFailure { .. }
        | Watch::TelemetryMissing { .. }
        | Watch::CardinalityOverflow
        | Watch::SlowShare { .. }
        | Watch::PipelineLoss
        | Watch::LedgerIntegrity
        | Watch::LedgerLoss => None,
    });
    floors.min().unwrap_or(Decimal::from_integer(DOLLAR_FLOOR))
}
