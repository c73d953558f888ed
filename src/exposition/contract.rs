//! Whether an exposition keeps to a profile: types, labels, outcomes that are there from the start, and
//! bounds where objectives need them.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::label_names;
use super::read::{Exposition, Family, Sample};
use crate::api::v1alpha1::{MatchOp, NameTranslation};
use crate::discover::TRANSLATIONS;
use crate::domain::indicator::{Counter, Measure, Numerator};
use crate::domain::metric_name::{stored_label, stored_name};
use crate::domain::promql::SeriesSelector;
use crate::domain::slo::Slo;
use crate::profiles::{self, Metric, OutcomeLabel, Outcomes, Profile, Role};

/// Thresholds that the contract asks for, so that the AgentSLOs of the guides work as they are.
const CONTRACT_BOUNDS: [(&str, f64); 7] = [
    ("runDuration", 60.0),
    ("modelCallDuration", 10.0),
    ("toolDuration", 10.0),
    ("timeToFirstToken", 2.0),
    ("runCost", 0.1),
    ("runTokens", 65_536.0),
    ("runTurns", 16.0),
];
/// Labels that come from the target, and are in no exposition.
const OF_THE_TARGET: [&str; 4] = ["job", "instance", "namespace", "cluster"];
/// How many bounds a message lists.
const MOST_LISTED: usize = 12;

/// What an exposition is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The profile.
    pub profile: &'a Profile,
    /// How its names are translated.
    pub translation: NameTranslation,
    /// Objectives whose thresholds must be bounds; where there are none, the contract's hold.
    pub slos: &'a [Slo],
}

impl<'a> Expectation<'a> {
    /// The profile, under the translation of names that fits what is exposed best.
    #[must_use]
    pub fn new(profile: &'a Profile, slos: &'a [Slo], exposition: &Exposition) -> Self {
        let there = |translation: NameTranslation| {
            let names = profile.roles().into_iter().map(|role| stored_name(role.metric, translation));
            names.filter(|name| exposition.family(name).is_some()).count()
        };
        // Of equals the last wins, and the usual translation is the first.
        let translation = TRANSLATIONS.into_iter().rev().max_by_key(|translation| there(*translation));
        Self { profile, translation: translation.unwrap_or_default(), slos }
    }
}

impl Expectation<'_> {
    /// Whether a metric is one of the profile's, or named as if it were.
    pub(super) fn covers(&self, family: &str) -> bool {
        let is_separator = |character: char| matches!(character, '_' | ':' | '.');
        let prefix = |name: &str| name.split(is_separator).next().unwrap_or_default().to_owned();
        let prefixes: BTreeSet<String> =
            self.profile.roles().iter().map(|role| prefix(&self.stored(role.metric))).collect();
        prefixes.contains(&prefix(family))
    }

    fn stored(&self, metric: &Metric) -> String {
        stored_name(metric, self.translation)
    }

    fn is_contract(&self) -> bool {
        self.profile.name == profiles::DEFAULT
    }
}

/// A metric of the profile that is not there and need not be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotExposed {
    /// The metric.
    pub metric: String,
    /// The role that it would play.
    pub role: &'static str,
}

/// What the profile has and the exposition has not, besides what must be there.
#[must_use]
pub fn not_exposed(exposition: &Exposition, expectation: &Expectation<'_>) -> Vec<NotExposed> {
    let roles = distinct(expectation).into_iter();
    let absent = roles.filter(|role| exposition.family(&expectation.stored(role.metric)).is_none());
    absent
        .filter(|role| !is_required(expectation, role))
        .map(|role| NotExposed { metric: expectation.stored(role.metric), role: role.name })
        .collect()
}

/// Everything that does not keep to the profile.
pub(super) fn check(exposition: &Exposition, expectation: &Expectation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for role in distinct(expectation) {
        let name = expectation.stored(role.metric);
        let Some(family) = exposition.family(&name) else {
            findings.extend(is_required(expectation, &role).then(|| missing(&name, &role)));
            continue;
        };
        findings.extend(kind(&name, family, role.metric));
        findings.extend(labels(&name, family, role.metric, expectation));
        findings.extend(is_empty(&name, family));
    }
    let profile = expectation.profile;
    findings.extend(outcomes(exposition, expectation, profile.runs.as_ref(), true));
    findings.extend(outcomes(exposition, expectation, profile.model_calls.as_ref(), false));
    findings.extend(outcomes(exposition, expectation, profile.tools.as_ref(), false));
    if expectation.slos.is_empty() {
        findings.extend(contract_bounds(exposition, expectation));
    }
    findings.extend(expectation.slos.iter().flat_map(|slo| needs(exposition, slo)));
    findings
}

/// Roles of the profile, each metric once.
fn distinct<'a>(expectation: &Expectation<'a>) -> Vec<Role<'a>> {
    let mut seen = BTreeSet::new();
    let roles = expectation.profile.roles().into_iter();
    roles.filter(|role| seen.insert(&role.metric.name)).collect()
}

/// Without runs and their duration, or model calls and theirs, there is nothing to promise.
fn is_required(expectation: &Expectation<'_>, role: &Role<'_>) -> bool {
    let has_runs = expectation.profile.runs.is_some();
    let required: &[&str] =
        if has_runs { &["runs", "runDuration"] } else { &["modelCalls", "modelCallDuration"] };
    expectation.slos.is_empty() && required.contains(&role.name)
}

fn missing(name: &str, role: &Role<'_>) -> Finding {
    let kind = role.metric.kind.word();
    Finding::new(0, name, format!("is not exposed; expose it as a {kind}, it has the role {}", role.name))
}

fn kind(name: &str, family: &Family, metric: &Metric) -> Option<Finding> {
    let (type_, line) = family.type_.as_ref()?;
    let wanted = metric.kind.word();
    (type_ != wanted).then(|| Finding::new(*line, name, format!("is a {type_}; make it a {wanted}")))
}

fn is_empty(name: &str, family: &Family) -> Option<Finding> {
    let message = "has no series yet; create those of every outcome at start, with the value 0";
    family.samples.is_empty().then(|| Finding::new(family.line, name, message))
}

fn labels(name: &str, family: &Family, metric: &Metric, expectation: &Expectation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = metric.agent_label.as_ref().unwrap_or(&expectation.profile.agent_label);
    let agent = stored_label(own, expectation.translation);
    let is_nameless = |sample: &&Sample| sample.labels.get(&agent).is_none_or(String::is_empty);
    let needs_name = !OF_THE_TARGET.contains(&agent.as_str());
    if let Some(sample) = family.series().find(is_nameless).filter(|_| needs_name) {
        let message = format!("has no label {agent}; name the agent in it, on every series");
        findings.push(Finding::new(sample.line, name, message));
    }
    if !expectation.is_contract() {
        return findings;
    }
    let known = label_names::known(expectation, metric);
    let all: BTreeSet<&String> = family.samples.iter().flat_map(|sample| sample.labels.keys()).collect();
    for label in all.into_iter().filter(|label| !known.contains(*label)) {
        let message = format!("label {label} is not in the contract; leave it out, it multiplies the series");
        findings.push(Finding::new(family.line, name, message));
    }
    findings
}

/// Outcomes that are not there before they happen lose their first event.
fn outcomes(
    exposition: &Exposition,
    expectation: &Expectation<'_>,
    role: Option<&Outcomes>,
    with_excluded: bool,
) -> Vec<Finding> {
    let Some((role, label)) = role.and_then(|role| Some((role, role.outcome.label()?))) else {
        return Vec::new();
    };
    let name = expectation.stored(&role.metric);
    let is_told_by_absence = label.good.iter().any(String::is_empty) || label.bad.is_some();
    let Some(family) = exposition.family(&name).filter(|_| !is_told_by_absence) else { return Vec::new() };
    let outcome = stored_label(&label.name, expectation.translation);
    let mut groups: BTreeMap<BTreeMap<&String, &String>, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for sample in family.series() {
        let others = sample.labels.iter().filter(|(label, _)| **label != outcome).collect();
        let group = groups.entry(others).or_insert((sample.line, BTreeSet::new()));
        group.1.insert(sample.labels.get(&outcome).map_or("", String::as_str));
    }
    groups
        .into_values()
        .filter_map(|(line, there)| {
            let absent = absent(label, &there, with_excluded);
            let message = format!(
                "no series with {outcome} {}; create it at start with the value 0, or its first event is lost",
                absent.join(" and ")
            );
            (!absent.is_empty()).then(|| Finding::new(line, &name, message))
        })
        .collect()
}

/// Outcomes that should be there and are not.
fn absent(label: &OutcomeLabel, there: &BTreeSet<&str>, with_excluded: bool) -> Vec<String> {
    let has = |value: &String| there.contains(value.as_str());
    let is_neutral = |value: &str| label.excluded.iter().any(|excluded| excluded == value);
    let is_bad = |value: &&str| {
        !value.is_empty() && !label.good.iter().any(|good| good == value) && !is_neutral(value)
    };
    let good = (!label.good.iter().any(has)).then(|| label.good.first().cloned()).flatten();
    let bad = (!there.iter().any(is_bad)).then(|| "error".to_owned());
    let excluded = label.excluded.iter().filter(|value| with_excluded && !has(value)).cloned();
    good.into_iter().chain(bad).chain(excluded).map(|value| format!("'{value}'")).collect()
}

fn contract_bounds(exposition: &Exposition, expectation: &Expectation<'_>) -> Vec<Finding> {
    let roles = distinct(expectation).into_iter().filter(|_| expectation.is_contract());
    roles
        .filter_map(|role| {
            let (_, bound) = CONTRACT_BOUNDS.iter().find(|(name, _)| *name == role.name)?;
            let name = expectation.stored(role.metric);
            bound_missing(&name, exposition.family(&name)?, *bound, "the contract")
        })
        .collect()
}

/// The finding that a threshold is no bound of a histogram.
fn bound_missing(name: &str, family: &Family, bound: f64, who: &str) -> Option<Finding> {
    let all = family.bounds();
    let bounds: BTreeSet<u64> =
        all.values().flatten().filter(|(bound, _)| *bound >= 0.0).map(|(bound, _)| bound.to_bits()).collect();
    let bounds: Vec<f64> = bounds.into_iter().map(f64::from_bits).filter(|bound| bound.is_finite()).collect();
    if bounds.is_empty() || bounds.iter().any(|there| (there - bound).abs() < 1e-9) {
        return None;
    }
    let listed: Vec<String> = bounds.iter().take(MOST_LISTED).map(ToString::to_string).collect();
    let rest = if bounds.len() > MOST_LISTED { ", ..." } else { "" };
    let message = format!(
        "has no bucket for the threshold {bound} of {who}; add the bound to {}{rest}",
        listed.join(", ")
    );
    Some(Finding::new(family.line, name, message))
}

/// What an AgentSLO needs and the exposition has not.
fn needs(exposition: &Exposition, slo: &Slo) -> Vec<Finding> {
    let who = format!("AgentSLO '{}'", slo.name());
    let measure = &slo.indicator().measure;
    let mut findings = Vec::new();
    for metric in measure.counted_metrics() {
        match exposition.family(metric) {
            None => {
                let message = format!("is not exposed; {who} counts it");
                findings.push(Finding::new(0, metric, message));
            }
            Some(family) if !family.samples.is_empty() && !is_selected(family, measure, metric) => {
                let message = format!("no series is the one that {who} selects; compare the agent's name");
                findings.push(Finding::new(family.line, metric, message));
            }
            Some(_) => {}
        }
    }
    if let Measure::Distribution { histogram, bound, .. } = measure
        && let Some(family) = exposition.family(&histogram.metric)
    {
        findings.extend(bound_missing(&histogram.metric, family, bound.to_f64(), &who));
    }
    findings
}

/// Whether some series meets the equalities of a selector, as far as the target does not bring the labels.
fn is_selected(family: &Family, measure: &Measure, metric: &str) -> bool {
    let selectors = selectors(measure);
    let Some(selector) = selectors.into_iter().find(|selector| selector.metric == metric) else {
        return true;
    };
    let equalities = selector
        .matchers
        .iter()
        .filter(|matcher| matcher.op == MatchOp::Equal && !OF_THE_TARGET.contains(&matcher.label.as_str()));
    let equalities: Vec<_> = equalities.collect();
    family.series().any(|sample| {
        equalities
            .iter()
            .all(|matcher| sample.labels.get(&matcher.label).is_some_and(|value| *value == matcher.value))
    })
}

/// The selectors of a measure whose metrics are known by name.
fn selectors(measure: &Measure) -> Vec<&SeriesSelector> {
    match measure {
        Measure::Events { total, numerator: Numerator::Bad(part) | Numerator::Good(part) } => {
            vec![selector(total), selector(part)]
        }
        Measure::Distribution { histogram, .. } => vec![histogram],
        Measure::HourlyMean { cost, runs, .. } => vec![selector(runs), cost],
        Measure::Samples { gauge } => vec![gauge],
        Measure::Raw { .. } => Vec::new(),
    }
}

fn selector(counter: &Counter) -> &SeriesSelector {
    match counter {
        Counter::Plain(selector) | Counter::Observations(selector, _) => selector,
    }
}
