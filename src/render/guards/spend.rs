//! Money: spent too fast, or too much of it. No comparison divides by what was counted, so none sees NaN.

use super::alert::{Text, alert, dollars};
use super::counts::{Event, counted, recorded};
use super::{Rules, own, recording};
use crate::api::v1alpha1::Forecast;
use crate::domain::decimal::Decimal;
use crate::domain::guard::Guard;
use crate::domain::observability::Observability;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::vocabulary::{alert as names, series};

/// Window of the absolute limit, of which there are four in an hour.
const QUARTER: Window = Window::from_minutes(15);
/// Window of the limit by what is usual.
const HOUR: Window = Window::from_hours(1);
/// Tiles of five minutes in a day: from then on it is known what is usual.
const TILES_PER_DAY: u32 = 288;
/// Hours with spending that make a habit.
const HABIT: u32 = 3;

const RATE: &str = "Money is spent faster than the guard spendRate of the AgentObservability allows.";
const BUDGET: &str = "More money is spent than the guard spendBudget of the AgentObservability allows.";
const FORECAST: &str =
    "At the rate of the last sixth of its period the amount of the guard spendBudget will be exceeded.";

/// The alert on the rate, and what is usual where it is asked for.
pub(super) fn rate(
    observability: &Observability,
    guard: &Guard,
    max_per_hour: Option<Decimal>,
    times_usual: Option<Decimal>,
) -> Rules {
    let above_usual = times_usual.map(|times| {
        let usual = own(observability, series::GUARD_USUAL);
        format!("{times} * sum(last_over_time({usual}[10m]))")
    });
    let hour = counted(observability, Event::Dollar, HOUR, &[]);
    let quarter = counted(observability, Event::Dollar, QUARTER, &[]);
    let limit = max_per_hour.map(|max| max.divided_by(Decimal::from_integer(4)));
    // With both, and while nobody knows what is usual, the absolute limit decides alone.
    let (expr, happened) = match (limit, above_usual) {
        (Some(limit), Some(usual)) => (
            format!("{quarter} > {limit}\nunless\n{hour} <= {usual}"),
            spent("15m", max_per_hour, times_usual),
        ),
        (Some(limit), None) => (format!("{quarter} > {limit}"), spent("15m", max_per_hour, None)),
        (None, usual) => (format!("{hour} > {}", usual.unwrap_or_default()), spent("1h", None, times_usual)),
    };
    let text = Text { happened, description: RATE };
    let mut rule = alert(observability, guard, names::SPEND_RATE, expr, &text);
    rule.keep_firing_for = Some(QUARTER.to_string());
    let usual = times_usual.map(|_| recording(observability, series::GUARD_USUAL, usual(observability)));
    Rules { soon: vec![rule], slow: usual.into_iter().collect() }
}

fn spent(window: &str, max_per_hour: Option<Decimal>, times_usual: Option<Decimal>) -> String {
    let limits: Vec<String> = max_per_hour
        .map(|max| format!("${max} an hour"))
        .into_iter()
        .chain(times_usual.map(|times| format!("{times} times what it usually spends in an hour")))
        .collect();
    format!("{} spent in the last {window}; allowed are {}", dollars(), limits.join(" and "))
}

/// The mean of last week's hours in which anything was spent: quiet hours would make every busy one look
/// like a runaway. The running hour is left out, so that a runaway does not become usual at once.
fn usual(observability: &Observability) -> String {
    let own = recorded(observability, Event::Dollar);
    let hours = format!("(sum(sum_over_time({own}[1h:5m])) > 0)[7d:1h] offset 1h");
    format!(
        "avg_over_time({hours})\n  and\ncount_over_time({hours}) >= {HABIT}\n  and\n\
         sum(count_over_time({own}[7d:5m] offset 1h)) >= {TILES_PER_DAY}"
    )
}

/// The alerts on the amount.
pub(super) fn budget(
    observability: &Observability,
    guard: &Guard,
    amount: Decimal,
    period: Window,
    forecast: Forecast,
) -> Vec<Rule> {
    let spent = format!("{} > {amount}", counted(observability, Event::Dollar, period, &[]));
    let happened = format!("{} spent in the last {period}; allowed are ${amount}", dollars());
    let text = Text { happened, description: BUDGET };
    let exceeded = alert(observability, guard, names::SPEND_BUDGET, spent.clone(), &text);
    match forecast {
        Forecast::Off => vec![exceeded],
        Forecast::Warn => vec![exceeded, ahead(observability, guard, amount, period, &spent)],
    }
}

/// The last sixth of the period goes on for all of it. Time without telemetry counts as time without
/// spending, so an agent that is younger than a sixth of the period is forecast too low, never too high.
fn ahead(observability: &Observability, guard: &Guard, amount: Decimal, period: Window, spent: &str) -> Rule {
    let sixth = Window::from_minutes(period.minutes() / 6);
    let expr =
        format!("6 * {} > {amount}\nunless\n{spent}", counted(observability, Event::Dollar, sixth, &[]));
    let happened = format!(
        "at the rate of the last {sixth} it will have spent {} in {period}; allowed are ${amount}",
        dollars()
    );
    alert(observability, guard, names::SPEND_FORECAST, expr, &Text { happened, description: FORECAST })
}
