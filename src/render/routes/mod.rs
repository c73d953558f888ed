//! Who is told of an agent's alerts. Every route and every inhibition matches alerts of ours alone, by
//! namespace, agent and name, so that it is right under every `alertmanagerConfigMatcherStrategy`.

mod inhibitions;
mod mute_times;
mod receivers;
mod texts;

use self::texts::Texts;
use super::metadata::metadata;
use super::{Artifact, ArtifactKind};
use crate::domain::burn_rate::Urgency;
use crate::domain::names::child_name;
use crate::domain::observability::Observability;
use crate::domain::routing::Routing;
use crate::foreign::{AlertmanagerConfig, AlertmanagerConfigSpec, MatchType, Matcher, Route};
use crate::vocabulary::{alert, label};

/// Labels that make one message: those of an AgentSLO, or of a guard, which has no label `agentslo`.
const GROUP_BY: [&str; 4] = [label::NAMESPACE, label::AGENT, label::SLO, label::ALERT];

/// What the AgentObservability asks for.
pub(super) fn artifact(observability: &Observability) -> Option<Artifact> {
    let routing = observability.routing()?;
    let texts = Texts::of(observability);
    let namespace = observability.namespace();
    let name = child_name("AgentObservability", namespace, observability.name());
    let config = AlertmanagerConfig {
        api_version: ArtifactKind::AlertmanagerConfig.api_version(),
        kind: ArtifactKind::AlertmanagerConfig.name().to_owned(),
        metadata: metadata(name, namespace, &observability.platform().route_labels),
        spec: AlertmanagerConfigSpec {
            route: route(observability, routing),
            receivers: routing.receivers.iter().map(|it| receivers::receiver(it, &texts)).collect(),
            inhibit_rules: inhibitions::rules(observability, routing),
            mute_time_intervals: routing.mute_times.iter().map(mute_times::interval).collect(),
        },
    };
    Some(Artifact::AlertmanagerConfig(config))
}

/// The route of the agent. It takes only what one of its children takes: an urgency that nobody is to be
/// told of stays with whoever gets it otherwise.
fn route(observability: &Observability, routing: &Routing) -> Route {
    let children: Vec<Route> =
        told(routing).into_iter().flat_map(|urgency| chain(routing, urgency)).collect();
    let urgencies: Vec<&str> = told(routing).into_iter().map(Urgency::label).collect();
    let mut matchers = ours(observability, &alert::ALL);
    matchers.push(any_of(label::URGENCY, &urgencies));
    Route {
        receiver: children.first().map(|child| child.receiver.clone()).unwrap_or_default(),
        group_by: GROUP_BY.map(str::to_owned).to_vec(),
        group_wait: Some(routing.group_wait.clone()),
        group_interval: Some(routing.group_interval.clone()),
        repeat_interval: Some(routing.repeat_interval.clone()),
        matchers,
        continue_: true,
        routes: children,
        ..Route::default()
    }
}

/// One route for each receiver of an urgency; all of them are told.
fn chain(routing: &Routing, urgency: Urgency) -> Vec<Route> {
    let (receivers, muted): (_, &[_]) = match urgency {
        Urgency::Page => (&routing.page, &[]),
        Urgency::Ticket => (&routing.ticket, &routing.mute_times),
    };
    let route = |receiver: &String| Route {
        receiver: receiver.clone(),
        matchers: vec![equal(label::URGENCY, urgency.label())],
        continue_: true,
        mute_time_intervals: muted.iter().map(|time| time.name.clone()).collect(),
        ..Route::default()
    };
    receivers.iter().map(route).collect()
}

/// Urgencies of which somebody is told.
fn told(routing: &Routing) -> Vec<Urgency> {
    let both = [(Urgency::Page, &routing.page), (Urgency::Ticket, &routing.ticket)];
    both.into_iter().filter(|(_, receivers)| !receivers.is_empty()).map(|(urgency, _)| urgency).collect()
}

/// Matchers of the agent's alerts of these names.
fn ours(observability: &Observability, alerts: &[&str]) -> Vec<Matcher> {
    vec![
        equal(label::NAMESPACE, observability.namespace()),
        equal(label::AGENT, observability.agent()),
        any_of(label::ALERT, alerts),
    ]
}

fn equal(name: &str, value: &str) -> Matcher {
    Matcher { name: name.to_owned(), match_type: MatchType::Equal, value: value.to_owned() }
}

/// One of some words of ours, none of which has a special character.
fn any_of(name: &str, values: &[&str]) -> Matcher {
    match values {
        [value] => equal(name, value),
        _ => Matcher { name: name.to_owned(), match_type: MatchType::Regex, value: values.join("|") },
    }
}
