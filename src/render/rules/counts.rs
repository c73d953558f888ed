//! The two series that everything else is made of: valid and bad events in the last five minutes.

use super::super::exact::{Births, Cumulative, increase};
use super::{own, recording};
use crate::api::v1alpha1::CounterBirths;
use crate::domain::decimal::Decimal;
use crate::domain::indicator::{Counter, GoodSide, Measure, Numerator};
use crate::domain::promql::by_clause;
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::vocabulary::series;

/// Tiles of five minutes in an hour: an hour with traffic is spread over so many.
const TILES_PER_HOUR: u32 = 12;
/// Events that one new series may bring in a tile of five minutes without history.
const BIRTH_FLOOR: i64 = 20;
/// Share of the counted history that it may bring besides.
const BIRTH_SHARE: (i64, i64) = (1, 100);

/// Valid events.
pub(super) fn total(slo: &Slo) -> Rule {
    let expr = match &slo.indicator().measure {
        Measure::Events { total, .. } => events(slo, total, Window::TILE),
        Measure::Distribution { histogram, form, .. } => {
            events(slo, &Counter::Observations(histogram.clone(), *form), Window::TILE)
        }
        Measure::HourlyMean { runs, .. } => {
            format!("({} > bool 0)\n/ {TILES_PER_HOUR}", events(slo, runs, Window::from_hours(1)))
        }
        Measure::Samples { gauge } => {
            format!("sum{} (count_over_time({gauge}[5m]))", by_clause(slo.group_by()))
        }
        Measure::Raw { total, .. } => concrete(total),
    };
    recording(slo, series::TOTAL_5M, expr)
}

/// Bad events. Read after the total, so that there is a zero as soon as there is a total.
pub(super) fn bad(slo: &Slo) -> Rule {
    let total = total_of_groups(slo);
    let expr = match &slo.indicator().measure {
        Measure::Events { numerator: Numerator::Bad(bad), .. } => {
            format!("{}\nor\n0 * {total}", events(slo, bad, Window::TILE))
        }
        Measure::Events { numerator: Numerator::Good(good), .. } => {
            format!("clamp_min(\n{total} - ({} or 0 * {total}),\n0)", events(slo, good, Window::TILE))
        }
        Measure::Distribution { histogram, form, bound, good } => {
            let at_most = Cumulative::at_most(histogram, *form, *bound);
            let at_most = exactly(slo, &at_most, Window::TILE, Decimal::ONE);
            match good {
                GoodSide::AtMost => format!("clamp_min(\n{total} - ({at_most}),\n0)"),
                GoodSide::Above => at_most,
            }
        }
        Measure::HourlyMean { cost, runs, limit } => {
            let hour = Window::from_hours(1);
            let cost = exactly(slo, &Cumulative::Counter(cost.clone()), hour, *limit);
            let runs = events(slo, runs, hour);
            format!("({cost}\n/\n({runs} > 0)\n> bool {limit})\n/ {TILES_PER_HOUR}\nor\n0 * {total}")
        }
        Measure::Samples { gauge } => {
            let by = by_clause(slo.group_by());
            format!("clamp_min({total} - sum{by} (sum_over_time({gauge}[5m])), 0)")
        }
        Measure::Raw { bad, .. } => format!("{}\nor\n0 * {total}", concrete(bad)),
    };
    recording(slo, series::BAD_5M, expr)
}

/// The recorded total with the `groupBy` labels alone. Without the sum, `or` would see other labels and
/// bring both arms.
fn total_of_groups(slo: &Slo) -> String {
    format!("sum{} ({})", by_clause(slo.group_by()), own(slo, series::TOTAL_5M))
}

fn concrete(query: &str) -> String {
    query.replace("$window", &Window::TILE.to_string())
}

fn events(slo: &Slo, counter: &Counter, window: Window) -> String {
    exactly(slo, &Cumulative::events(counter), window, Decimal::ONE)
}

fn exactly(slo: &Slo, cumulative: &Cumulative, window: Window, unit: Decimal) -> String {
    let births = match slo.counter_births() {
        CounterBirths::Count => Births::UpTo(birth_bound(slo, window, unit)),
        CounterBirths::Ignore => Births::Ignore,
    };
    increase(cumulative, window, &births, slo.group_by())
}

/// Largest value with which a series may be born: above it, it is an old counter that is seen for the
/// first time. Without history of five minutes nothing counts as born.
fn birth_bound(slo: &Slo, window: Window, unit: Decimal) -> String {
    let history = own(slo, &format!("{}{}", series::TOTAL_COUNT, slo.window()));
    let tiles = i64::from(window.minutes() / Window::TILE.minutes());
    let floor = unit * Decimal::from_integer(BIRTH_FLOOR * tiles);
    let share = unit * Decimal::from_ratio(BIRTH_SHARE.0, BIRTH_SHARE.1);
    format!("{floor} + {share} * sum(last_over_time({history}[10m] offset 5m))")
}
