//! What the slots of the sources stand for. `dashboards/README.md` lists them.

use super::board::Board;
use super::fill::{Filling, Slot};
use super::{ledger, series, signals};
use crate::api::v1alpha1::WorkloadKind;
use crate::domain::decimal::Decimal;
use crate::domain::guard::Watch;
use crate::domain::observability::Observability;
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::domain::window::Window;
use crate::vocabulary::label;

/// Thresholds in seconds that are always offered; bounds that histograms of durations have in most.
const THRESHOLDS: [i64; 12] = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600];
/// Threshold where no guard names one.
const THRESHOLD: i64 = 60;

/// What fills a slot; none where the agent has nothing for it.
pub(super) fn text(observability: &Observability, slot: Slot<'_>) -> Option<Filling> {
    if let Some(guard) = slot.name.strip_prefix("guard.") {
        return limit(observability, guard).map(Filling::Number);
    }
    let text = match slot.name {
        "agent" => Some(observability.agent().to_owned()),
        "thresholds" => Some(thresholds(observability)),
        "threshold" => Some(threshold(observability).to_string()),
        "rollouts" => Some(in_query(&rollouts(observability, slot.window))),
        "slos" => Some(in_query(&format!("{},{}", namespace(observability), agent(observability)))),
        "sloNamespace" => Some(in_query(&namespace(observability).to_string())),
        name => match name.strip_prefix("uid.") {
            Some(board) => uid(observability, board),
            None => of_series(observability, slot)
                .or_else(|| signals::text(observability, name))
                .or_else(|| ledger::text(observability, name)),
        },
    };
    text.map(Filling::Text)
}

/// Stands for the window until the rest is safe: a window may be a variable of Grafana's, what users wrote
/// may not. No text of theirs holds it.
const WINDOW: &str = "\0";

fn of_series(observability: &Observability, slot: Slot<'_>) -> Option<String> {
    let query = series::text(observability, Slot { window: WINDOW, ..slot })?;
    Some(in_query(&query).replace(WINDOW, slot.window))
}

/// A query in which Grafana sees no variable: `$` and `[[` stand only in its literals, whose escapes
/// PromQL, LogQL and TraceQL share.
pub(super) fn in_query(query: &str) -> String {
    query.replace('$', "\\x24").replace("[[", "\\x5b\\x5b")
}

fn uid(observability: &Observability, board: &str) -> Option<String> {
    let board = Board::ALL.into_iter().find(|known| known.name() == board && known.is_of(observability))?;
    Some(board.uid(observability.namespace(), observability.name()))
}

fn namespace(observability: &Observability) -> LabelMatcher {
    LabelMatcher::equal(label::NAMESPACE, observability.namespace())
}

fn agent(observability: &Observability) -> LabelMatcher {
    LabelMatcher::equal(label::AGENT, observability.agent())
}

/// When a new version of the agent came: the generation that the workload's controller has seen, or else
/// a version that was not there before. Schedules of a CronJob are no roll-outs.
fn rollouts(observability: &Observability, window: &str) -> String {
    let generation = |kind: &str, name: &str| {
        let metric = format!("kube_{kind}_status_observed_generation");
        let selector =
            SeriesSelector::new(metric, vec![namespace(observability), LabelMatcher::equal(kind, name)]);
        format!("changes({selector}[{window}]) > 0")
    };
    match observability.workload().map(|workload| (workload.kind, workload.name.as_str())) {
        Some((WorkloadKind::Deployment, name)) => generation("deployment", name),
        Some((WorkloadKind::StatefulSet, name)) => generation("statefulset", name),
        Some((WorkloadKind::CronJob, _)) | None => new_versions(observability, window),
    }
}

fn new_versions(observability: &Observability, window: &str) -> String {
    let series = observability.series();
    let agent = LabelMatcher::equal(series.label(&series.profile().agent_label), observability.agent());
    let builds = SeriesSelector::new("agent_build_info", vec![agent]).with(series.matchers().iter().cloned());
    format!("count by (version) ({builds}) unless count by (version) ({builds} offset {window})")
}

fn thresholds(observability: &Observability) -> String {
    let mut all: Vec<Decimal> = THRESHOLDS.into_iter().map(Decimal::from_integer).collect();
    all.push(threshold(observability));
    all.sort();
    all.dedup();
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn threshold(observability: &Observability) -> Decimal {
    let slow = |watch: &Watch| {
        if let Watch::SlowShare { slower_than, .. } = watch { Some(*slower_than) } else { None }
    };
    first(observability, slow).unwrap_or(Decimal::from_integer(THRESHOLD))
}

/// The limit of a guard in the unit of the panel that shows it.
fn limit(observability: &Observability, guard: &str) -> Option<f64> {
    first(observability, |watch| match (guard, watch) {
        ("queue", Watch::Queue { max_depth }) => Some(f64::from(*max_depth)),
        ("stuck", Watch::Stuck { after }) => Some(f64::from(after.minutes() * 60)),
        ("slowShare", Watch::SlowShare { percent, .. }) => Some(percent.to_f64() / 100.0),
        ("spendRate", Watch::SpendRate { max_per_hour: Some(dollars), .. }) => Some(dollars.to_f64()),
        ("spendDay", Watch::SpendBudget { amount, period, .. }) if *period == Window::from_hours(24) => {
            Some(amount.to_f64())
        }
        _ => None,
    })
}

fn first<T>(observability: &Observability, of: impl Fn(&Watch) -> Option<T>) -> Option<T> {
    observability.guards().iter().find_map(|guard| of(&guard.watch))
}
