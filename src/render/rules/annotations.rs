//! What alerts say: one sentence with the numbers of the moment, asked for by the alert's own template
//! when it fires, then links.

use std::collections::BTreeMap;

use super::super::dashboards;
use super::super::template::{label_value, literal, runbook};
use super::budget::count_name;
use super::lookback::events_in;
use super::own;
use crate::domain::burn_rate::{Pair, Urgency};
use crate::domain::promql::quoted_name;
use crate::domain::slo::Slo;
use crate::vocabulary::{annotation, series};

/// All annotations of an alert with this summary. The link to the dashboard comes first, so that a user's own
/// of that name wins.
pub(super) fn of(slo: &Slo, alert: &str, summary: String) -> BTreeMap<String, String> {
    let alerting = slo.alerting();
    let users = alerting.annotations.iter().map(|(name, value)| (name.clone(), literal(value)));
    let description = slo.description().map(|text| (annotation::DESCRIPTION.to_owned(), literal(text)));
    let runbook = alerting.runbook_url.as_ref().map(|url| {
        let url = runbook(url, alert, (slo.namespace(), slo.name()), slo.agent());
        (annotation::RUNBOOK.to_owned(), url)
    });
    let dashboard = dashboards::address_of(slo).map(|url| (annotation::DASHBOARD.to_owned(), url));
    let summary = (annotation::SUMMARY.to_owned(), summary);
    dashboard.into_iter().chain(users).chain(description).chain(runbook).chain([summary]).collect()
}

/// `7 of 9 runs failed in the last 1h (78 times the rate that the budget allows), …`
pub(super) fn burn(slo: &Slo, urgency: Urgency) -> String {
    let mut windows = slo.alerting().pairs_of(urgency).map(|pair| in_window(slo, pair));
    let first = windows.next().unwrap_or_default().replacen(
        " in the last",
        &format!(" {} in the last", literal(&slo.indicator().phrase)),
        1,
    );
    let all: Vec<String> = std::iter::once(first).chain(windows).collect();
    format!("{}{}: {}{}.", subject(slo), group_labels(slo), all.join(", "), left(slo, urgency))
}

/// `The 30d budget is spent: 60 of 4210 runs failed, 1% may.`
pub(super) fn exhausted(slo: &Slo) -> String {
    let bad = number(slo, &own(slo, &count_name(slo, series::BAD_COUNT)));
    let total = number(slo, &own(slo, &count_name(slo, series::TOTAL_COUNT)));
    format!(
        "{}{}: the {} budget is spent: {bad} of {total} {}, {}% may.",
        subject(slo),
        group_labels(slo),
        slo.window(),
        literal(&slo.indicator().phrase),
        allowed_percent(slo)
    )
}

/// `No telemetry of agent 'x' for 6h, so …`
pub(super) fn no_data(slo: &Slo) -> String {
    format!(
        "{}: no telemetry of agent '{}' for {}, so nobody can tell whether the objective of {} is met.",
        subject(slo),
        literal(slo.agent()),
        slo.alerting().no_data_after,
        slo.objective()
    )
}

fn subject(slo: &Slo) -> String {
    format!("AgentSLO {}/{}", slo.namespace(), slo.name())
}

fn allowed_percent(slo: &Slo) -> String {
    (slo.objective().budget() * crate::domain::decimal::Decimal::from_integer(100)).to_string()
}

fn in_window(slo: &Slo, pair: &Pair) -> String {
    let bad = events_in(slo, series::BAD_5M, pair.long);
    let total = events_in(slo, series::TOTAL_5M, pair.long);
    format!(
        "{} of {} in the last {} ({} times the rate that the budget allows)",
        number(slo, &bad),
        number(slo, &total),
        pair.long,
        asked(slo, &rate(slo, pair), "printf \"%.1f\"", "0")
    )
}

fn rate(slo: &Slo, pair: &Pair) -> String {
    let bad = events_in(slo, series::BAD_5M, pair.long);
    let total = events_in(slo, series::TOTAL_5M, pair.long);
    format!("({bad}) / ({} * ({total} > 0))", slo.objective().budget())
}

/// `; 41% of the 30d budget is left, gone in 9h at this rate`
fn left(slo: &Slo, urgency: Urgency) -> String {
    let Some(pair) = slo.alerting().pairs_of(urgency).next() else { return String::new() };
    let remaining = own(slo, series::REMAINING);
    let seconds = u64::from(slo.window().minutes()) * 60;
    let lasts = format!("({remaining} > 0) * {seconds} / ({} > 0)", rate(slo, pair));
    let share = asked(slo, &remaining, "humanizePercentage", "an unknown share");
    let gone = format!(
        "{{{{ with {} }}}}, gone in {{{{ . | first | value | humanizeDuration }}}} at this rate{{{{ end }}}}",
        query(slo, &lasts)
    );
    format!("; {share} of the {} budget is left{gone}", slo.window())
}

fn number(slo: &Slo, expression: &str) -> String {
    asked(slo, expression, "printf \"%.0f\"", "0")
}

/// The first value of a query, formatted; another text where it has none.
fn asked(slo: &Slo, expression: &str, format: &str, otherwise: &str) -> String {
    format!(
        "{{{{ with {} }}}}{{{{ . | first | value | {format} }}}}{{{{ else }}}}{otherwise}{{{{ end }}}}",
        query(slo, expression)
    )
}

/// A template expression that runs a query for the group that fires.
fn query(slo: &Slo, expression: &str) -> String {
    if slo.group_by().is_empty() {
        return format!("query `{expression}`");
    }
    let own_labels = own(slo, "");
    let identity = own_labels.trim_end_matches('}');
    let matchers: Vec<String> =
        slo.group_by().iter().map(|label| format!("{}=%q", quoted_name(label))).collect();
    let narrowed = expression.replace(&own_labels, &format!("{identity},{}}}", matchers.join(",")));
    let uses = narrowed.matches(matchers[0].as_str()).count();
    let values: Vec<String> = slo.group_by().iter().map(|label| label_value(label)).collect();
    format!("printf `{narrowed}` {} | query", vec![values.join(" "); uses].join(" "))
}

/// ` (model=opus)` for the group that fires.
fn group_labels(slo: &Slo) -> String {
    if slo.group_by().is_empty() {
        return String::new();
    }
    let parts: Vec<String> =
        slo.group_by().iter().map(|label| format!("{label}={{{{ {} }}}}", label_value(label))).collect();
    format!(" ({})", parts.join(", "))
}
