//! Which profile fits whose series. Several may: the conventions fit whatever follows them. The one with
//! the most roles wins, of two the one that misses fewer, agent by agent, and what it explains is not explained again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, Series};
use super::series::{self, Found};
use super::wanted::TRANSLATIONS;
use crate::api::v1alpha1::NameTranslation;
use crate::domain::metric_name::{stored_label, stored_name};
use crate::profiles::{self, Metric, Profile};

/// A profile that fits, with the agents whose series it explains.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The profile.
    pub profile: &'static Profile,
    /// How its names are translated.
    pub translation: NameTranslation,
    /// Its agents; none where no series says whose it is.
    pub agents: Vec<AgentFit>,
}

/// What one agent has of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentFit {
    /// Name of the agent, as the series have it.
    pub agent: String,
    /// Roles with series.
    pub roles: BTreeSet<&'static str>,
    /// Roles of the profile without any.
    pub missing: BTreeSet<&'static str>,
}

impl Fit {
    /// The label that names the agent on the series of a metric.
    #[must_use]
    pub fn agent_label(&self, metric: &Metric) -> String {
        stored_label(metric.agent_label.as_ref().unwrap_or(&self.profile.agent_label), self.translation)
    }

    /// Every metric of the profile that has series: its name, how many, and the finite bounds of a
    /// classic histogram.
    #[must_use]
    pub fn metrics(&self, facts: &Facts) -> BTreeMap<String, (u64, Vec<f64>)> {
        let roles = self.profile.roles().into_iter();
        let seen = roles.filter(|role| !self.series(facts, role.metric).is_empty());
        seen.map(|role| {
            let name = stored_name(role.metric, self.translation);
            let of = |name: &str| {
                let read = facts.series.get(name).map_or(0, Vec::len) as u64;
                facts.counts.get(name).copied().unwrap_or(read)
            };
            let number = of(&name).max(of(&format!("{name}_count")));
            let label = self.agent_label(role.metric);
            let is_ours = |bucket: &&Series| {
                self.agents.is_empty() || self.agents.iter().any(|own| own.agent == bucket.label(&label))
            };
            let buckets = facts.buckets.get(&name).into_iter().flatten().filter(is_ours);
            let bounds = buckets.filter_map(|bucket| bucket.label("le").parse::<f64>().ok());
            let mut bounds: Vec<f64> = bounds.filter(|bound| bound.is_finite()).collect();
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            (name, (number, bounds))
        })
        .collect()
    }

    /// The series of a metric.
    pub(super) fn series<'a>(&self, facts: &'a Facts, metric: &Metric) -> Vec<Found<'a>> {
        series::of(facts, metric, self.translation)
    }

    /// The series of a metric that are one agent's.
    pub(super) fn series_of<'a>(&self, facts: &'a Facts, metric: &Metric, agent: &str) -> Vec<Found<'a>> {
        series::of_agent(&self.series(facts, metric), &self.agent_label(metric), agent)
    }
}

impl Fit {
    /// Whether a metric of the fingerprint has series that name the agent, in any label that may.
    fn is_marked(&self, facts: &Facts, mark: &Metric, agent: &str) -> bool {
        let roles = self.profile.roles();
        let labels: BTreeSet<String> = roles.iter().map(|role| self.agent_label(role.metric)).collect();
        let series = self.series(facts, mark);
        series.iter().any(|found| labels.iter().any(|label| found.series.label(label) == agent))
    }
}

/// One agent under one profile, before it is decided which profile explains it.
struct Candidate<'a> {
    fit: Fit,
    agent: String,
    roles: BTreeMap<&'static str, Vec<Found<'a>>>,
    /// Metrics that show the emitter and play no role, so that no convention explains them.
    marks: usize,
}

/// The profiles that fit, those with the most roles first.
pub(super) fn fits(facts: &Facts) -> Vec<Fit> {
    let recognised: Vec<Fit> = profiles::names()
        .into_iter()
        .filter_map(profiles::find)
        .map(|profile| Fit { profile, translation: translation(facts, profile), agents: Vec::new() })
        .filter(|fit| fit.profile.fingerprint.iter().any(|mark| !fit.series(facts, mark).is_empty()))
        .collect();
    let mut candidates: Vec<Candidate<'_>> =
        recognised.iter().flat_map(|fit| candidates(facts, fit)).collect();
    candidates.sort_by_cached_key(Candidate::rank);
    let accepted = choose(candidates);
    let mut fits: Vec<Fit> = Vec::new();
    for candidate in &accepted {
        let agent = candidate.agent_fit();
        match fits.iter_mut().find(|fit| fit.profile.name == candidate.fit.profile.name) {
            Some(fit) => fit.agents.push(agent),
            None => fits.push(Fit { agents: vec![agent], ..candidate.fit.clone() }),
        }
    }
    let nameless = recognised.into_iter().filter(|fit| agents(facts, fit).is_empty());
    let explained: BTreeSet<*const Series> = accepted.iter().flat_map(Candidate::explains).collect();
    fits.extend(nameless.filter(|fit| {
        let marks = fit.profile.fingerprint.iter().flat_map(|mark| fit.series(facts, mark));
        marks.into_iter().any(|mark| !explained.contains(&std::ptr::from_ref(mark.series)))
    }));
    fits
}

/// The translation under which the most metrics of a profile are there.
fn translation(facts: &Facts, profile: &Profile) -> NameTranslation {
    let there = |translation: NameTranslation| {
        let roles = profile.roles();
        roles.iter().filter(|role| !series::of(facts, role.metric, translation).is_empty()).count()
    };
    // Of equals the last wins, and the usual translation is the first.
    TRANSLATIONS.into_iter().rev().max_by_key(|translation| there(*translation)).unwrap_or_default()
}

/// Values of the labels that name agents.
fn agents(facts: &Facts, fit: &Fit) -> BTreeSet<String> {
    let roles = fit.profile.roles();
    let values = roles.iter().flat_map(|role| {
        let label = fit.agent_label(role.metric);
        let series = fit.series(facts, role.metric);
        series.into_iter().map(move |found| found.series.label(&label).to_owned())
    });
    values.filter(|agent| !agent.is_empty()).collect()
}

fn candidates<'a>(facts: &'a Facts, fit: &Fit) -> Vec<Candidate<'a>> {
    let roles = fit.profile.roles();
    let plays_a_role = |mark: &Metric| roles.iter().any(|role| role.metric.name == mark.name);
    let candidate = |agent: String| {
        let prints: Vec<&Metric> =
            fit.profile.fingerprint.iter().filter(|mark| fit.is_marked(facts, mark, &agent)).collect();
        if prints.is_empty() {
            return None;
        }
        let marks = prints.into_iter().filter(|mark| !plays_a_role(mark)).count();
        let mut roles: BTreeMap<&'static str, Vec<Found<'a>>> = BTreeMap::new();
        for role in fit.profile.roles() {
            let series = fit.series_of(facts, role.metric, &agent);
            if !series.is_empty() {
                roles.entry(role.name).or_default().extend(series);
            }
        }
        Some(Candidate { fit: fit.clone(), agent, roles, marks })
    };
    agents(facts, fit).into_iter().filter_map(candidate).collect()
}

/// Accepts those that explain what none before them does.
fn choose(candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let mut explained: BTreeSet<*const Series> = BTreeSet::new();
    let mut accepted: Vec<Candidate<'_>> = Vec::new();
    for candidate in candidates {
        let is_new = |found: &Found<'_>| !explained.contains(&std::ptr::from_ref(found.series));
        let new = candidate.roles.values().filter(|series| series.iter().any(is_new)).count();
        let is_another_view = accepted
            .iter()
            .any(|other| other.agent == candidate.agent && candidate.names().is_subset(&other.names()));
        if new * 2 >= candidate.roles.len() && !is_another_view {
            explained.extend(candidate.explains());
            accepted.push(candidate);
        }
    }
    accepted
}

impl Candidate<'_> {
    /// The best first: the most roles, the most marks, the fewest roles that are missing.
    fn rank(&self) -> (Reverse<usize>, Reverse<usize>, usize) {
        let missing = self.agent_fit().missing.len();
        (Reverse(self.roles.len()), Reverse(self.marks), missing)
    }

    fn names(&self) -> BTreeSet<&str> {
        self.roles.values().flatten().map(|found| found.name).collect()
    }

    fn explains(&self) -> impl Iterator<Item = *const Series> + use<'_> {
        self.roles.values().flatten().map(|found| std::ptr::from_ref(found.series))
    }

    fn agent_fit(&self) -> AgentFit {
        let roles: BTreeSet<&'static str> = self.roles.keys().copied().collect();
        let all: BTreeSet<&'static str> = self.fit.profile.roles().iter().map(|role| role.name).collect();
        AgentFit { agent: self.agent.clone(), missing: &all - &roles, roles }
    }
}
