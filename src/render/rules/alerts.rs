//! The alerts: page, ticket, exhausted, no data. No comparison divides, so none can see NaN.

use std::collections::BTreeMap;

use super::super::template::literal;
use super::annotations;
use super::budget::count_name;
use super::lookback::events_in;
use super::{identity, own};
use crate::domain::burn_rate::{Pair, Urgency};
use crate::domain::decimal::Decimal;
use crate::domain::estimator::LongTest;
use crate::domain::slo::Slo;
use crate::foreign::Rule;
use crate::vocabulary::{alert, label, series};

/// How long series may be gone before that counts as absence: a few missed scrapes do not.
const ABSENT_OVER: &str = "15m";

/// The alert that wakes somebody, if any pair pages.
pub(super) fn page(slo: &Slo) -> Option<Rule> {
    burn(slo, Urgency::Page)
}

/// The alert that waits for working hours, if any pair makes tickets.
pub(super) fn ticket(slo: &Slo) -> Option<Rule> {
    burn(slo, Urgency::Ticket)
}

fn burn(slo: &Slo, urgency: Urgency) -> Option<Rule> {
    let arms: Vec<String> = slo.alerting().pairs_of(urgency).map(|pair| pair_expr(slo, pair)).collect();
    let keep = slo.alerting().pairs_of(urgency).map(|pair| pair.short).min()?;
    Some(Rule {
        alert: Some(alert::BURN.to_owned()),
        expr: arms.join("\nor\n"),
        keep_firing_for: Some(keep.to_string()),
        labels: labels(slo, urgency, slo.alerting().severity_of(urgency)),
        annotations: annotations::of(slo, alert::BURN, annotations::burn(slo, urgency)),
        ..Rule::default()
    })
}

/// Too many bad events in the long window, and still burning in the short one. The value is the number
/// of bad events in the long window.
fn pair_expr(slo: &Slo, pair: &Pair) -> String {
    let alerting = slo.alerting();
    let test = LongTest::of(pair, slo.objective(), alerting.estimator, alerting.min_failures);
    let bad_long = events_in(slo, series::BAD_5M, pair.long);
    let bad_short = events_in(slo, series::BAD_5M, pair.short);
    let total_short = events_in(slo, series::TOTAL_5M, pair.short);
    let enough =
        if test.at_least == Decimal::ZERO { bad_long } else { format!("({bad_long} >= {})", test.at_least) };
    format!(
        "(\n  {enough}\n    > {}\n  and\n  {bad_short}\n    > {} * {}\n)",
        line(slo, pair, &test),
        pair.threshold(slo.objective()),
        parenthesised(&total_short)
    )
}

/// Right side of the long test.
fn line(slo: &Slo, pair: &Pair, test: &LongTest) -> String {
    let total = parenthesised(&events_in(slo, series::TOTAL_5M, pair.long));
    let mut terms = vec![format!("{} * {total}", test.slope)];
    if test.root != Decimal::ZERO {
        terms.push(format!("{} * sqrt{total}", test.root));
    }
    if test.intercept != Decimal::ZERO {
        terms.push(test.intercept.to_string());
    }
    terms.join(" + ")
}

fn parenthesised(expression: &str) -> String {
    format!("({expression})")
}

/// The budget is spent, and there were events enough to say so.
pub(super) fn exhausted(slo: &Slo) -> Rule {
    let total = own(slo, &count_name(slo, series::TOTAL_COUNT));
    let remaining = own(slo, series::REMAINING);
    Rule {
        alert: Some(alert::EXHAUSTED.to_owned()),
        expr: format!("{remaining} <= 0\nand\n{total} >= {}", slo.fewest_events()),
        labels: labels(slo, Urgency::Ticket, slo.alerting().severity_of(Urgency::Ticket)),
        annotations: annotations::of(slo, alert::EXHAUSTED, annotations::exhausted(slo)),
        ..Rule::default()
    }
}

/// The raw series are gone. `for` gives a new AgentSLO the same grace.
pub(super) fn no_data(slo: &Slo) -> Rule {
    Rule {
        alert: Some(alert::NO_DATA.to_owned()),
        expr: format!("absent_over_time({}[{ABSENT_OVER}])", own(slo, series::TOTAL_5M)),
        for_: Some(slo.alerting().no_data_after.to_string()),
        labels: labels(slo, Urgency::Ticket, &slo.alerting().no_data_severity),
        annotations: annotations::of(slo, alert::NO_DATA, annotations::no_data(slo)),
        ..Rule::default()
    }
}

/// The user's labels first, so that ours win.
fn labels(slo: &Slo, urgency: Urgency, severity: &str) -> BTreeMap<String, String> {
    let users = slo.alerting().labels.iter().map(|(name, value)| (name.clone(), literal(value)));
    let ours = [
        (label::AGENT, literal(slo.agent())),
        (label::SEVERITY, severity.to_owned()),
        (label::URGENCY, urgency.label().to_owned()),
    ];
    let ours = ours.map(|(name, value)| (name.to_owned(), value));
    users.chain(ours).chain(identity(slo)).collect()
}
