//! Plain alerts that no error budget expresses: two groups of one PrometheusRule. The first counts every
//! minute and says what is urgent; the second sums over days every five minutes.

mod activity;
mod alert;
mod counts;
mod ledger;
mod pipeline;
mod presence;
mod spend;
mod work;

use std::collections::BTreeMap;

use super::Artifact;
use super::metadata::metadata;
use crate::domain::decimal::Decimal;
use crate::domain::guard::{Guard, Watch};
use crate::domain::names::child_name;
use crate::domain::observability::Observability;
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::domain::role::Role;
use crate::foreign::{PrometheusRule, PrometheusRuleSpec, Rule, RuleGroup};
use crate::vocabulary::{alert as names, label};

/// How often events are counted, in minutes.
const COUNTS_INTERVAL: u32 = 1;
/// How often days are summed, in minutes.
const DAYS_INTERVAL: u32 = 5;

/// What the AgentObservability asks for.
pub(super) fn artifact(observability: &Observability) -> Option<Artifact> {
    let groups = groups(observability);
    let (namespace, name) = (observability.namespace(), observability.name());
    let child = child_name("AgentObservability", namespace, name);
    (!groups.is_empty()).then(|| {
        Artifact::PrometheusRule(PrometheusRule {
            api_version: "monitoring.coreos.com/v1".to_owned(),
            kind: "PrometheusRule".to_owned(),
            metadata: metadata(child, namespace, &observability.platform().rule_labels),
            spec: PrometheusRuleSpec { groups },
        })
    })
}

/// The groups, in the form that PrometheusRule and Prometheus' own rule files share; an empty one is left
/// out.
#[must_use]
pub fn groups(observability: &Observability) -> Vec<RuleGroup> {
    let mut soon = counts::recordings(observability);
    soon.extend(presence::recording(observability));
    let mut slow = Vec::new();
    for guard in made(observability) {
        let rules = rules(observability, guard);
        soon.extend(rules.soon);
        slow.extend(rules.slow);
    }
    let groups = [("guards", COUNTS_INTERVAL, soon), ("guards-days", DAYS_INTERVAL, slow)];
    groups
        .into_iter()
        .filter(|(_, _, rules)| !rules.is_empty())
        .map(|(part, minutes, rules)| group(observability, part, minutes, rules))
        .collect()
}

/// The recorded series of the US dollars that an agent spends in five minutes.
#[must_use]
pub fn dollars(observability: &Observability) -> String {
    counts::recorded(observability, counts::Event::Dollar)
}

/// The recorded series of the runs that an agent finishes in five minutes.
#[must_use]
pub fn runs(observability: &Observability) -> String {
    counts::recorded(observability, counts::Event::Run)
}

/// Whether the targets of the pipeline's Collector are up, as Prometheus scrapes them.
#[must_use]
pub fn collector_up(observability: &Observability) -> SeriesSelector {
    pipeline::own(observability, "up")
}

/// A series of the pods of the agent's ledger.
#[must_use]
pub fn of_ledger(observability: &Observability, metric: &str) -> SeriesSelector {
    pipeline::own(observability, metric)
}

/// A series about the agent's chain in the ledger.
#[must_use]
pub fn of_chain(observability: &Observability, metric: &str) -> SeriesSelector {
    ledger::chain(observability, metric)
}

/// Why an alert that is asked for is left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lack {
    /// No series that play the role have ever been seen.
    Series(Role),
    /// The profile has no series that could play the role.
    Role(Role),
    /// The profile has series that play the role, and none that tell how it ended.
    Outcome(Role),
    /// The histogram of the role has buckets, and none with this bound.
    Bucket(Role, Decimal),
}

/// Alerts that are asked for and left out, with the reason.
#[must_use]
pub fn missing(observability: &Observability) -> Vec<(&'static str, Lack)> {
    let guards = observability.guards().iter();
    guards.filter_map(|guard| Some((name(&guard.watch), lacks(observability, &guard.watch)?))).collect()
}

/// The guards whose series are there.
fn made(observability: &Observability) -> impl Iterator<Item = &Guard> {
    let guards = observability.guards().iter();
    guards.filter(|guard| lacks(observability, &guard.watch).is_none())
}

/// The first alert of a guard.
fn name(watch: &Watch) -> &'static str {
    match watch {
        Watch::SpendRate { .. } => names::SPEND_RATE,
        Watch::SpendBudget { .. } => names::SPEND_BUDGET,
        Watch::Activity { .. } => names::INACTIVE,
        Watch::Stuck { .. } => names::STUCK,
        Watch::Queue { .. } => names::QUEUE,
        Watch::ToolFailure { .. } => names::TOOL,
        Watch::TelemetryMissing { .. } => names::MISSING,
        Watch::CardinalityOverflow => names::OVERFLOW,
        Watch::SlowShare { .. } => names::SLOW,
        Watch::PipelineLoss => names::PIPELINE_QUEUE,
        Watch::LedgerIntegrity => names::LEDGER_NOT_INTACT,
        Watch::LedgerLoss => names::LEDGER_NOT_VERIFIED,
    }
}

/// What a guard rests on and the agent does not have. An alert without it would be silent for ever.
fn lacks(observability: &Observability, watch: &Watch) -> Option<Lack> {
    let first_missing = |roles: &[Role]| roles.iter().find_map(|role| lack_of(observability, *role));
    match watch {
        Watch::SpendRate { .. } | Watch::SpendBudget { .. } => first_missing(&[Role::Cost]),
        Watch::Activity { .. } => first_missing(&[Role::Runs]),
        Watch::Stuck { .. } => {
            let by_start = lack_of(observability, Role::OldestActiveRunStart)?;
            let by_number = first_missing(&[Role::ActiveRuns, Role::Runs])?;
            // Of two ways the one that is still open.
            Some(if matches!(by_number, Lack::Role(_)) { by_start } else { by_number })
        }
        Watch::Queue { .. } => first_missing(&[Role::QueueDepth]),
        Watch::ToolFailure { .. } => first_missing(&[Role::Tools])
            .or_else(|| counts::tools(observability).is_none().then_some(Lack::Outcome(Role::Tools))),
        Watch::SlowShare { slower_than, .. } => first_missing(&[Role::RunDuration]).or_else(|| {
            let there = observability.run_buckets();
            let is_missing = !there.is_empty() && !there.contains(slower_than);
            is_missing.then_some(Lack::Bucket(Role::RunDuration, *slower_than))
        }),
        Watch::TelemetryMissing { .. }
        | Watch::CardinalityOverflow
        | Watch::PipelineLoss
        | Watch::LedgerIntegrity
        | Watch::LedgerLoss => None,
    }
}

fn lack_of(observability: &Observability, role: Role) -> Option<Lack> {
    if role.metrics(observability.series().profile()).is_empty() {
        return Some(Lack::Role(role));
    }
    (!observability.has(role)).then_some(Lack::Series(role))
}

/// Rules of one guard, in the order in which they read each other.
#[derive(Default)]
struct Rules {
    /// Evaluated every minute.
    soon: Vec<Rule>,
    /// Evaluated every five minutes.
    slow: Vec<Rule>,
}

fn rules(observability: &Observability, guard: &Guard) -> Rules {
    match &guard.watch {
        Watch::SpendRate { max_per_hour, times_usual } => {
            spend::rate(observability, guard, *max_per_hour, *times_usual)
        }
        Watch::SpendBudget { amount, period, forecast } => Rules {
            slow: spend::budget(observability, guard, *amount, *period, *forecast),
            ..Rules::default()
        },
        Watch::Activity { expected_every, active_hours } => Rules {
            soon: activity::rules(observability, guard, *expected_every, active_hours.as_ref()),
            ..Rules::default()
        },
        Watch::Stuck { after } => {
            Rules { soon: vec![work::stuck(observability, guard, *after)], ..Rules::default() }
        }
        Watch::Queue { max_depth } => {
            Rules { soon: vec![work::queue(observability, guard, *max_depth)], ..Rules::default() }
        }
        Watch::ToolFailure { percent, min_failures } => Rules {
            soon: vec![work::tools(observability, guard, *percent, *min_failures)],
            ..Rules::default()
        },
        Watch::SlowShare { slower_than, percent, min_slow } => {
            let share = work::Share { percent: *percent, least: *min_slow };
            Rules { slow: vec![work::slow(observability, guard, *slower_than, share)], ..Rules::default() }
        }
        Watch::TelemetryMissing { after } => {
            Rules { slow: vec![presence::missing(observability, guard, *after)], ..Rules::default() }
        }
        Watch::CardinalityOverflow => {
            Rules { slow: vec![presence::overflow(observability, guard)], ..Rules::default() }
        }
        Watch::PipelineLoss => Rules { slow: pipeline::rules(observability, guard), ..Rules::default() },
        Watch::LedgerIntegrity => {
            Rules { soon: vec![ledger::not_intact(observability, guard)], ..Rules::default() }
        }
        Watch::LedgerLoss => Rules { slow: ledger::losses(observability, guard), ..Rules::default() },
    }
}

fn group(observability: &Observability, part: &str, minutes: u32, rules: Vec<Rule>) -> RuleGroup {
    RuleGroup {
        name: format!("agentslo/{}/{}/{part}", observability.namespace(), observability.name()),
        interval: format!("{minutes}m"),
        query_offset: observability.series().profile().query_offset.clone(),
        limit: observability.platform().series_per_rule,
        rules,
    }
}

/// The labels that identify the agent on everything recorded.
fn identity(observability: &Observability) -> BTreeMap<String, String> {
    [(label::NAMESPACE, observability.namespace()), (label::AGENT, observability.agent())]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A selector for one of the agent's recorded series.
fn own(observability: &Observability, series: &str) -> SeriesSelector {
    let identity = identity(observability);
    let matchers = identity.into_iter().rev().map(|(name, value)| LabelMatcher::equal(name, value));
    SeriesSelector::new(series, matchers.collect())
}

fn recording(observability: &Observability, name: &str, expr: String) -> Rule {
    Rule { record: Some(name.to_owned()), expr, labels: identity(observability), ..Rule::default() }
}
