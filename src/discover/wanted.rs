//! Which of the many metrics of a Prometheus are worth reading.

use std::collections::{BTreeMap, BTreeSet};

use super::series::stored_names;
use crate::api::v1alpha1::NameTranslation;
use crate::domain::metric_name::stored_label;
use crate::profiles::{self, Metric, MetricKind, Outcome, Profile};

/// The four translations, the usual one first.
pub(crate) const TRANSLATIONS: [NameTranslation; 4] = [
    NameTranslation::UnderscoreEscapingWithSuffixes,
    NameTranslation::UnderscoreEscapingWithoutSuffixes,
    NameTranslation::NoUTF8EscapingWithSuffixes,
    NameTranslation::NoTranslation,
];

/// Every metric that a profile speaks of: of its roles, of failures, of its fingerprint.
pub(super) fn metrics(profile: &Profile) -> Vec<&Metric> {
    let events = [&profile.runs, &profile.model_calls, &profile.tools, &profile.guardrails];
    let outcomes = events.into_iter().flatten().filter_map(|events| match &events.outcome {
        Outcome::Failed(metric) | Outcome::Succeeded(metric) => Some(metric),
        Outcome::Label(_) | Outcome::Untold => None,
    });
    profile.roles().into_iter().map(|role| role.metric).chain(outcomes).chain(&profile.fingerprint).collect()
}

/// Of the names that a Prometheus has, those that some profile may mean under some translation, without
/// buckets and sums, and what they are.
#[must_use]
pub fn names_wanted(there: &BTreeSet<String>) -> BTreeMap<String, MetricKind> {
    let profiles = profiles::names().into_iter().filter_map(profiles::find);
    let names = profiles.flat_map(metrics).flat_map(|metric| {
        let names = TRANSLATIONS.map(|translation| stored_names(metric, translation));
        names.into_iter().flatten().map(|name| (name, metric.kind))
    });
    names.filter(|(name, _)| there.contains(name)).collect()
}

/// Every label in which some profile looks for the name of an agent.
#[must_use]
pub fn agent_labels() -> BTreeSet<String> {
    let profiles = profiles::names().into_iter().filter_map(profiles::find);
    let labels = profiles.flat_map(|profile| {
        let own = metrics(profile).into_iter().filter_map(|metric| metric.agent_label.as_ref());
        own.chain(std::iter::once(&profile.agent_label)).collect::<Vec<&String>>()
    });
    labels.flat_map(|label| TRANSLATIONS.map(|translation| stored_label(label, translation))).collect()
}
