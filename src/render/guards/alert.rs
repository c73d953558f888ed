//! What all alerts of guards have in common: labels, and what they say. The first sentence has the numbers
//! of the moment; text of users is inserted literally.

use std::collections::BTreeMap;

use super::super::dashboards;
use super::super::template::{label_value, literal, runbook};
use super::identity;
use crate::domain::guard::Guard;
use crate::domain::observability::Observability;
use crate::foreign::Rule;
use crate::vocabulary::{annotation, label};

/// What an alert says.
pub(super) struct Text {
    /// What happened, after the name of the agent; a template.
    pub(super) happened: String,
    /// What is watched, and why.
    pub(super) description: &'static str,
}

/// An alert with the labels and annotations that all have.
pub(super) fn alert(
    observability: &Observability,
    guard: &Guard,
    name: &str,
    expr: String,
    text: &Text,
) -> Rule {
    Rule {
        alert: Some(name.to_owned()),
        expr,
        labels: labels(observability, guard),
        annotations: annotations(observability, guard, name, text),
        ..Rule::default()
    }
}

fn labels(observability: &Observability, guard: &Guard) -> BTreeMap<String, String> {
    let mut labels = identity(observability);
    labels.insert(label::AGENT.to_owned(), literal(observability.agent()));
    labels.insert(label::SEVERITY.to_owned(), guard.severity.clone());
    labels.insert(label::URGENCY.to_owned(), guard.watch.urgency().label().to_owned());
    labels
}

fn annotations(
    observability: &Observability,
    guard: &Guard,
    name: &str,
    text: &Text,
) -> BTreeMap<String, String> {
    let agent = literal(observability.agent());
    let summary = format!("Agent '{agent}' in {}: {}.", observability.namespace(), text.happened);
    let mut annotations = BTreeMap::from([
        (annotation::SUMMARY.to_owned(), summary),
        (annotation::DESCRIPTION.to_owned(), text.description.to_owned()),
    ]);
    if let Some(url) = &guard.runbook_url {
        let resource = (observability.namespace(), observability.name());
        let url = runbook(url, name, resource, observability.agent());
        annotations.insert(annotation::RUNBOOK.to_owned(), url);
    }
    if let Some((agent, _)) = dashboards::addresses(observability) {
        annotations.insert(annotation::DASHBOARD.to_owned(), agent);
    }
    annotations
}

/// The value of the alert as an amount of dollars, multiplied by a factor.
pub(super) fn dollars() -> String {
    "${{ $value | printf \"%.2f\" }}".to_owned()
}

/// The value of the alert as a number of things.
pub(super) fn number() -> String {
    "{{ $value | printf \"%.0f\" }}".to_owned()
}

/// The value of the alert, in seconds, as a length of time.
pub(super) fn time() -> String {
    "{{ $value | humanizeDuration }}".to_owned()
}

/// The value of a label of the alert.
pub(super) fn value_of(label: &str) -> String {
    format!("{{{{ {} }}}}", label_value(label))
}
