//! Whether the agent's series are there at all, and whether its SDK gave up telling them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::alert::{Text, alert, number, time};
use super::{made, own};
use crate::domain::guard::{Guard, Watch};
use crate::domain::observability::Observability;
use crate::domain::promql::LabelMatcher;
use crate::domain::role::Role;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::profiles::MetricKind;
use crate::vocabulary::{alert as names, series};

/// How long an agent whose series are gone is waited for; then it is taken for retired.
const WAITED_FOR: Window = Window::from_days(7);
/// The attribute of the one series that takes what is above an SDK's limit.
const OVERFLOW_LABEL: &str = "otel.metric.overflow";

const MISSING: &str = "The agent had telemetry in the last week and has none for as long as the guard \
                       telemetryMissing of the AgentObservability allows.";
const OVERFLOW: &str = "An SDK reached its limit of series and counts the surplus without its labels, so \
                        failures, tools and agents are no longer told apart.";

/// How many series of the agent there are, where a guard asks for it.
pub(super) fn recording(observability: &Observability) -> Option<Rule> {
    let is_asked = made(observability).any(|guard| matches!(guard.watch, Watch::TelemetryMissing { .. }));
    let selectors = selectors(observability, &|agent| agent.clone(), &[]);
    let count = format!("count({})", selectors.join(" or "));
    is_asked.then(|| recording_of(observability, count))
}

fn recording_of(observability: &Observability, expr: String) -> Rule {
    super::recording(observability, series::GUARD_SERIES, expr)
}

/// Nothing for so long, and something in the week before. Silent for an agent that never had any.
pub(super) fn missing(observability: &Observability, guard: &Guard, after: Window) -> Rule {
    let own = own(observability, series::GUARD_SERIES);
    let looked = Window::from_minutes(after.minutes() + WAITED_FOR.minutes());
    let last = format!("max(max_over_time(timestamp({own})[{looked}:5m]))");
    let expr = format!("time() - {last}\nunless\nmax(present_over_time({own}[{after}]))");
    let happened = format!("no telemetry for {}; {after} are allowed", time());
    alert(observability, guard, names::MISSING, expr, &Text { happened, description: MISSING })
}

/// Such a series has lost its labels, perhaps the agent's name too; then it may be anybody's in the
/// namespace.
pub(super) fn overflow(observability: &Observability, guard: &Guard) -> Rule {
    let agent_or_none = |agent: &LabelMatcher| {
        LabelMatcher::regex(agent.label.clone(), format!("({})?", regex_syntax::escape(&agent.value)))
    };
    let overflowed = LabelMatcher::equal(observability.series().label(OVERFLOW_LABEL), "true");
    let selectors = selectors(observability, &agent_or_none, &[overflowed]);
    let happened = format!("{} series have lost their labels, because there were too many", number());
    let expr = format!("count({}) > 0", selectors.join(" or "));
    alert(observability, guard, names::OVERFLOW, expr, &Text { happened, description: OVERFLOW })
}

/// Selectors of all series that the agent may have, one for each label that may have its name. Queues are
/// left out: what waits for an agent is there without it.
fn selectors(
    observability: &Observability,
    agent: &dyn Fn(&LabelMatcher) -> LabelMatcher,
    more: &[LabelMatcher],
) -> Vec<String> {
    let series = observability.series();
    let mut names: BTreeMap<LabelMatcher, BTreeSet<String>> = BTreeMap::new();
    let roles = Role::ALL.into_iter().filter(|role| *role != Role::QueueDepth);
    for metric in roles.flat_map(|role| role.metrics(series.profile())) {
        let name = regex_syntax::escape(&series.select(metric).metric);
        let name = if metric.kind == MetricKind::Histogram { format!("{name}(_count)?") } else { name };
        names.entry(agent(&series.agent(metric))).or_default().insert(name);
    }
    let selector = |(agent, names): (LabelMatcher, BTreeSet<String>)| {
        let names = names.into_iter().collect::<Vec<_>>().join("|");
        let matchers = [LabelMatcher::regex("__name__", names), agent];
        let all = matchers.iter().chain(more).chain(series.matchers());
        format!("{{{}}}", all.map(ToString::to_string).collect::<Vec<_>>().join(","))
    };
    names.into_iter().map(selector).collect()
}
