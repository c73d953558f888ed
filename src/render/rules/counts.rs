//! The two series that everything else is made of: valid and bad events in the last five minutes.

use super::exact::{Cumulative, increase};
use super::{own, recording};
use crate::api::v1alpha1::HistogramType;
use crate::domain::decimal::Decimal;
use crate::domain::indicator::{Counter, GoodSide, Measure, Numerator};
use crate::domain::promql::{SeriesSelector, by_clause};
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::vocabulary::series;

/// Tiles of five minutes in an hour: an hour with traffic is spread over so many.
const TILES_PER_HOUR: u32 = 12;

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
            let at_most = at_most(slo, histogram, *form, *bound);
            match good {
                GoodSide::AtMost => format!("clamp_min(\n{total} - ({at_most}),\n0)"),
                GoodSide::Above => at_most,
            }
        }
        Measure::HourlyMean { cost, runs, limit } => {
            let hour = Window::from_hours(1);
            let cost = increase(slo, &Cumulative::Counter(cost.clone()), hour, *limit);
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
    let cumulative = match counter {
        Counter::Plain(selector) => Cumulative::Counter(selector.clone()),
        Counter::Observations(histogram, form) => either(
            *form,
            || Cumulative::NativeCount(histogram.clone()),
            || Cumulative::Counter(histogram.suffixed("_count")),
        ),
    };
    increase(slo, &cumulative, window, Decimal::ONE)
}

fn at_most(slo: &Slo, histogram: &SeriesSelector, form: HistogramType, bound: Decimal) -> String {
    let cumulative = either(
        form,
        || Cumulative::NativeAtMost(histogram.clone(), bound),
        || Cumulative::ClassicAtMost(histogram.clone(), le_spellings(bound)),
    );
    increase(slo, &cumulative, Window::TILE, Decimal::ONE)
}

/// One of the two forms; with `Auto` the one that a series has, also while it changes.
fn either(
    form: HistogramType,
    native: impl Fn() -> Cumulative,
    classic: impl Fn() -> Cumulative,
) -> Cumulative {
    match form {
        HistogramType::Native => native(),
        HistogramType::Classic => classic(),
        HistogramType::Auto => native().or(classic()),
    }
}

/// An expression for every spelling of a bucket bound: client libraries write `60` or `60.0`,
/// Prometheus 3 writes `60.0`, and Go writes large and small numbers with an exponent.
pub(super) fn le_spellings(bound: Decimal) -> String {
    let plain = regex_syntax::escape(&bound.to_string());
    let plain = if plain.contains('.') { plain } else { format!("{plain}(\\.0)?") };
    match exponent_spelling(bound) {
        None => plain,
        Some(exponent) => format!("{plain}|{}", regex_syntax::escape(&exponent)),
    }
}

/// How Go's shortest format spells a number of a million and more, or below a ten-thousandth.
fn exponent_spelling(bound: Decimal) -> Option<String> {
    let value = bound.to_f64();
    if value == 0.0 || (1e-4..1e6).contains(&value) {
        return None;
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{mantissa}e{sign}{:02}", exponent.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_found_in_every_spelling() {
        let cases = [
            ("60", r"60(\.0)?"),
            ("0.1", r"0\.1"),
            ("65536", r"65536(\.0)?"),
            ("1048576", r"1048576(\.0)?|1\.048576e\+06"),
            ("2000000", r"2000000(\.0)?|2e\+06"),
            ("0.00005", r"0\.00005|5e\-05"),
        ];
        for (bound, expression) in cases {
            let bound = Decimal::parse(bound).expect("test data should parse");
            assert_eq!(le_spellings(bound), expression);
        }
    }
}
