//! The table of budgets: what the status says, and how it came to be.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::table::{Cell, Table, Tone};
use super::text;
use crate::api::v1alpha1::{AgentSlo, AgentSloStatus, BudgetState, BurnState, Condition, ConditionStatus};
use crate::domain::names::SloKey;
use crate::report::find_condition;
use crate::vocabulary::condition;

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Detail {
    /// The namespace, where there may be several.
    pub has_namespace: bool,
    /// What does not fit 80 columns.
    pub is_wide: bool,
}

/// A row for each AgentSLO, in the order given. Of those without a trend none is drawn, and without any
/// the column is left out.
#[must_use]
pub fn overview(
    slos: &[AgentSlo],
    trends: &BTreeMap<SloKey, String>,
    detail: Detail,
    now: Timestamp,
) -> Table {
    let has_trends = !trends.is_empty();
    let mut table = Table::new(titles(detail, has_trends));
    for slo in slos {
        table.push(row(slo, trends, detail, now));
    }
    table
}

fn titles(detail: Detail, has_trends: bool) -> Vec<&'static str> {
    let mut titles = if detail.has_namespace { vec!["NAMESPACE"] } else { Vec::new() };
    titles.extend(["NAME", "OBJECTIVE", "WINDOW", "BUDGET", "BURN", "STATE", "READY"]);
    titles.extend(has_trends.then_some("TREND"));
    titles.push("AGE");
    if detail.is_wide {
        titles.extend(["SLI", "EVENTS", "BAD", "ALERT", "AGENT", "INDICATOR", "REASON"]);
    }
    titles
}

fn row(slo: &AgentSlo, trends: &BTreeMap<SloKey, String>, detail: Detail, now: Timestamp) -> Vec<Cell> {
    let empty = AgentSloStatus::default();
    let status = slo.status.as_ref().unwrap_or(&empty);
    let ready = find_condition(&status.conditions, condition::READY);
    let mut row = Vec::new();
    if detail.has_namespace {
        row.push(Cell::of(slo.namespace().as_deref()));
    }
    row.push(Cell::of(Some(&slo.name_any())));
    row.push(Cell::of(status.objective.as_deref()));
    row.push(Cell::of(status.window.as_deref()));
    row.push(budget(status));
    row.push(burn(status));
    row.push(state(status));
    row.push(readiness(ready));
    if !trends.is_empty() {
        row.push(Cell::of(trends.get(&SloKey::of(slo)).map(String::as_str)));
    }
    let created = slo.creation_timestamp().map(|time| time.0);
    row.push(Cell::new(&text::age(created, now), Tone::Plain));
    if detail.is_wide {
        row.extend(wide(slo, status, ready));
    }
    row
}

fn wide(slo: &AgentSlo, status: &AgentSloStatus, ready: Option<&Condition>) -> Vec<Cell> {
    let events = status.events.as_ref();
    let reason = ready.map(|ready| ready.reason.as_str());
    vec![
        Cell::of(status.sli.as_deref()),
        Cell::of(events.map(|events| events.total.as_str())),
        Cell::of(events.map(|events| events.bad.as_str())),
        firing(status),
        Cell::of(Some(&slo.spec.agent)),
        Cell::of(status.indicator.as_deref()),
        Cell::of(reason),
    ]
}

/// How a state is meant.
#[must_use]
pub(super) fn tone(state: BudgetState) -> Tone {
    match state {
        BudgetState::Met => Tone::Good,
        BudgetState::AtRisk | BudgetState::Stale => Tone::Warning,
        BudgetState::Exhausted => Tone::Bad,
        BudgetState::NoData | BudgetState::Idle | BudgetState::Insufficient => Tone::Faint,
    }
}

pub(super) fn state(status: &AgentSloStatus) -> Cell {
    match &status.budget {
        Some(budget) => Cell::new(&format!("{:?}", budget.state), tone(budget.state)),
        None => Cell::of(None),
    }
}

pub(super) fn budget(status: &AgentSloStatus) -> Cell {
    let budget = status.budget.as_ref();
    match budget.and_then(|budget| Some((budget.remaining.as_deref()?, budget.state))) {
        Some((remaining, state)) => Cell::new(remaining, tone(state)),
        None => Cell::of(None),
    }
}

/// The rate in the shortest window: 1 spends exactly the budget.
pub(super) fn burn(status: &AgentSloStatus) -> Cell {
    let burn = status.burn.as_ref();
    match burn.and_then(|burn| Some((burn.rates.first()?, burn.state))) {
        Some((first, state)) => Cell::new(&format!("{}x", first.rate), burn_tone(state)),
        None => Cell::of(None),
    }
}

fn burn_tone(state: BurnState) -> Tone {
    match state {
        BurnState::Steady => Tone::Plain,
        BurnState::SlowBurn => Tone::Warning,
        BurnState::FastBurn => Tone::Bad,
    }
}

pub(super) fn firing(status: &AgentSloStatus) -> Cell {
    match status.firing.as_deref() {
        Some(firing) => Cell::new(firing, if firing == "Page" { Tone::Bad } else { Tone::Warning }),
        None => Cell::of(None),
    }
}

fn readiness(ready: Option<&Condition>) -> Cell {
    match ready.map(|ready| ready.status) {
        Some(ConditionStatus::True) => Cell::new("True", Tone::Good),
        Some(ConditionStatus::False) => Cell::new("False", Tone::Bad),
        Some(ConditionStatus::Unknown) | None => Cell::new("Unknown", Tone::Warning),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::table::Paint;
    use super::*;

    fn slo(name: &str, status: &serde_json::Value) -> AgentSlo {
        let slo = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {"name": name, "namespace": "team-a", "creationTimestamp": "2026-11-01T00:00:00Z"},
            "spec": {"agent": "support-agent", "objective": "99", "indicator": {"success": {}}},
            "status": status,
        });
        serde_json::from_value(slo).expect("test data should be an AgentSLO")
    }

    fn now() -> Timestamp {
        "2026-11-03T00:00:00Z".parse().expect("test data should be a time")
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_never_a_full_budget() {
        let known = json!({
            "objective": "99%", "window": "30d", "budget": {"state": "AtRisk", "remaining": "20%"},
            "burn": {"state": "SlowBurn", "rates": [{"window": "1h", "rate": "2.4"}, {"window": "6h", "rate": "1.0"}]},
        });
        let slos = [slo("checkout", &known), slo("new", &json!({}))];
        let lines = overview(&slos, &BTreeMap::new(), Detail::default(), now()).lines(Paint::Bare, None);
        let expected = [
            "NAME       OBJECTIVE   WINDOW   BUDGET   BURN   STATE    READY     AGE",
            "checkout   99%         30d      20%      2.4x   AtRisk   Unknown   2d",
            "new        -           -        -        -      -        Unknown   2d",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_trend_is_there_where_somebody_could_tell_it() {
        let slos = [slo("a", &json!({})), slo("b", &json!({}))];
        let trends = BTreeMap::from([(SloKey::of(&slos[0]), "▁█".to_owned())]);
        let detail = Detail { has_namespace: true, is_wide: true };
        let lines = overview(&slos, &trends, detail, now()).lines(Paint::Bare, None);
        assert!(lines[0].starts_with("NAMESPACE   NAME   "), "{lines:?}");
        assert!(
            lines[1].contains("Unknown   ▁█      2d    -     -        -     -       support-agent"),
            "{lines:?}"
        );
        assert!(lines[2].contains("Unknown   -       2d"), "{lines:?}");
    }
}
