//! The recordings of the long group: counts over the window, what is left, burn rates, the info series.

use super::lookback::events_in;
use super::{own, recording};
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::vocabulary::{label, series};

/// Name of a count over the budget's window.
pub(super) fn count_name(slo: &Slo, series: &str) -> String {
    format!("{series}{}", slo.window())
}

/// Windows of the recorded burn rates: the long windows of the pairs in force.
pub(super) fn burn_windows(slo: &Slo) -> Vec<Window> {
    let mut windows: Vec<Window> = slo.alerting().pairs.iter().map(|pair| pair.long).collect();
    if windows.is_empty() {
        windows = vec![Window::from_hours(1), Window::from_hours(6)];
    }
    windows.sort();
    windows.dedup();
    windows.truncate(4);
    windows
}

/// In the order in which they read each other.
pub(super) fn recordings(slo: &Slo) -> Vec<Rule> {
    vec![
        count(slo, series::TOTAL_COUNT, series::TOTAL_5M),
        count(slo, series::BAD_COUNT, series::BAD_5M),
        remaining(slo),
        burn_rates(slo),
        info(slo),
    ]
}

/// Events in the window, from tiles of five minutes: each event is in exactly one.
fn count(slo: &Slo, name: &str, tiles: &str) -> Rule {
    recording(slo, &count_name(slo, name), format!("sum_over_time({}[{}:5m])", own(slo, tiles), slo.window()))
}

/// Nothing is recorded while there are no events, so 0/0 never is.
fn remaining(slo: &Slo) -> Rule {
    let bad = own(slo, &count_name(slo, series::BAD_COUNT));
    let total = own(slo, &count_name(slo, series::TOTAL_COUNT));
    let expr = format!("1 - {bad} / ({} * ({total} > 0))", slo.objective().budget());
    recording(slo, series::REMAINING, expr)
}

fn burn_rates(slo: &Slo) -> Rule {
    let arms: Vec<String> = burn_windows(slo)
        .into_iter()
        .map(|window| {
            let rate = burn_rate(slo, window);
            format!("label_replace({rate}, \"{}\", \"{window}\", \"\", \"\")", label::WINDOW)
        })
        .collect();
    recording(slo, series::BURN_RATE, arms.join("\nor\n"))
}

/// Burn rate over a window: 1 spends exactly the budget.
fn burn_rate(slo: &Slo, window: Window) -> String {
    let bad = events_in(slo, series::BAD_5M, window);
    let total = events_in(slo, series::TOTAL_5M, window);
    format!("({bad}) / ({} * ({total} > 0))", slo.objective().budget())
}

/// Carries what may be edited without breaking history.
fn info(slo: &Slo) -> Rule {
    let mut rule = recording(slo, series::INFO, "vector(1)".to_owned());
    let about = [
        (label::AGENT, slo.agent().to_owned()),
        (label::OBJECTIVE, slo.objective().percent().to_string()),
        (label::WINDOW, slo.window().to_string()),
        (label::INDICATOR, slo.indicator().kind.to_owned()),
    ];
    rule.labels.extend(about.map(|(name, value)| (name.to_owned(), value)));
    rule
}
