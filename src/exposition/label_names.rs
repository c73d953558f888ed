//! Which labels of an exposition are there for a reason.

use std::collections::BTreeSet;

use super::contract::Expectation;
use crate::domain::metric_name::stored_label;
use crate::profiles::{Metric, Outcomes};

/// Labels that any series may have.
const USUAL: [&str; 4] = ["le", "quantile", "model", "provider"];

/// Labels that the profile knows on a metric.
pub(super) fn known(expectation: &Expectation<'_>, metric: &Metric) -> BTreeSet<String> {
    let profile = expectation.profile;
    let events =
        [&profile.runs, &profile.model_calls, &profile.tools, &profile.evaluations, &profile.guardrails];
    let of_events = events.into_iter().flatten().filter(|role| role.metric.name == metric.name);
    let typed = profile.errors.iter().filter(|errors| errors.metric.name == metric.name);
    let named = profile.evaluation_score.iter().filter(|scores| scores.metric.name == metric.name);
    let durations_of_tools = profile.tools.iter().filter(|_| is_of_tools(expectation, metric));
    let labels = of_events
        .flat_map(of_role)
        .chain(typed.map(|errors| errors.type_label.clone()))
        .chain(named.map(|scores| scores.name_label.clone()))
        .chain(durations_of_tools.filter_map(|tools| tools.name_label.clone()))
        .chain(same_metric(expectation, metric).map(|matcher| matcher.label.clone()))
        .chain([metric.agent_label.clone().unwrap_or_else(|| profile.agent_label.clone())])
        .map(|label| stored_label(&label, expectation.translation));
    labels.chain(USUAL.map(str::to_owned)).collect()
}

fn of_role(role: &Outcomes) -> Vec<String> {
    role.outcome.label().map(|label| label.name.clone()).into_iter().chain(role.name_label.clone()).collect()
}

fn is_of_tools(expectation: &Expectation<'_>, metric: &Metric) -> bool {
    expectation.profile.tool_duration.as_ref().is_some_and(|duration| duration.name == metric.name)
}

/// Matchers of every role that the metric plays.
fn same_metric<'a>(
    expectation: &Expectation<'a>,
    metric: &Metric,
) -> impl Iterator<Item = &'a crate::api::v1alpha1::Matcher> + use<'a> {
    let name = metric.name.clone();
    let roles = expectation.profile.roles().into_iter().filter(move |role| role.metric.name == name);
    roles.flat_map(|role| &role.metric.matchers)
}
