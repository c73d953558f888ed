//! Which alerts hide which, while somebody is told of the one that hides.
//!
//! A page hides the guards that only say the same in other words: a tool fails, runs are slow, work piles
//! up. It never hides what it does not explain: money, telemetry and pipelines that are lost, an agent that
//! does nothing or does not end. And no alert that pages is ever hidden.

use super::{any_of, ours, told};
use crate::domain::burn_rate::Urgency;
use crate::domain::observability::Observability;
use crate::domain::routing::Routing;
use crate::foreign::{InhibitRule, Matcher};
use crate::vocabulary::{alert, label};

/// Guards that a page explains.
const SYMPTOMS: [&str; 3] = [alert::TOOL, alert::SLOW, alert::QUEUE];

/// Labels of one AgentSLO.
const ONE_SLO: [&str; 3] = [label::NAMESPACE, label::AGENT, label::SLO];
/// Labels of one agent.
const ONE_AGENT: [&str; 2] = [label::NAMESPACE, label::AGENT];

/// The inhibitions of an agent.
pub(super) fn rules(observability: &Observability, routing: &Routing) -> Vec<InhibitRule> {
    let told = told(routing);
    let of = |urgencies: &[Urgency], alerts: &[&str]| alerts_of(observability, urgencies, alerts);
    let mut rules = Vec::new();
    if told.contains(&Urgency::Page) {
        let page = || of(&[Urgency::Page], &[alert::BURN]);
        let slower = of(&[Urgency::Ticket], &[alert::BURN, alert::EXHAUSTED]);
        rules.push(rule(page(), slower, &ONE_SLO));
        rules.push(rule(page(), of(&[Urgency::Ticket], &SYMPTOMS), &ONE_AGENT));
    }
    if told.contains(&Urgency::Ticket) {
        let burning = of(&[Urgency::Ticket], &[alert::BURN]);
        rules.push(rule(burning, of(&[Urgency::Ticket], &[alert::EXHAUSTED]), &ONE_SLO));
    }
    // The agent's telemetry is gone; that each of its AgentSLOs has none need not be said.
    let missing = of(&told, &[alert::MISSING]);
    rules.push(rule(missing, of(&[Urgency::Ticket], &[alert::NO_DATA]), &ONE_AGENT));
    rules
}

fn alerts_of(observability: &Observability, urgencies: &[Urgency], alerts: &[&str]) -> Vec<Matcher> {
    let words: Vec<&str> = urgencies.iter().map(|urgency| urgency.label()).collect();
    let mut matchers = ours(observability, alerts);
    matchers.push(any_of(label::URGENCY, &words));
    matchers
}

fn rule(source_match: Vec<Matcher>, target_match: Vec<Matcher>, equal: &[&str]) -> InhibitRule {
    InhibitRule { source_match, target_match, equal: equal.iter().map(|&name| name.to_owned()).collect() }
}
