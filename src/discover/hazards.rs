//! What is wrong with the series, and what mends it. Each detector knows one sign; what a profile says of
//! the same hazard is preferred to the general advice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::facts::{Facts, Series};
use super::falls::{Fall, fall};
use super::fit::Fit;
use super::label_kinds::kind_of_label;
use super::threshold::{Bounds, bounds};
use super::wanted::metrics;
use crate::domain::metric_name::{stored_label, stored_name};
use crate::profiles::{Metric, MetricKind, Outcomes, Shape};

/// The bounds that OpenTelemetry SDKs give a histogram without advice, made for milliseconds.
const SDK_BOUNDS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10_000.0];
/// What to do where the profile has no advice of its own.
const ADVICE: [(&str, &str); 15] = [
    (
        "DeltaTemporality",
        "set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative, or convert in the Collector",
    ),
    (
        "SharedIdentity",
        "give each process its own service.instance.id, or let one Collector write for all of them",
    ),
    ("LabelPerCall", "drop the label with a View in the SDK, or in the Collector"),
    ("LabelPerSession", "drop the label with a View in the SDK, or in the Collector"),
    ("LabelPerUser", "drop the label when scraping, or in the Collector"),
    (
        "SeriesOverflow",
        "drop labels until the instrument has fewer than 2000 sets of them; failures are lost in the overflow",
    ),
    ("MissingBuckets", "keep the series with _bucket, or scrape the native form"),
    ("MillisecondBuckets", "give the MeterProvider a View with bounds in seconds, the thresholds among them"),
    ("NoAgentLabel", "make the emitter name the agent in this label"),
    (
        "NoNamespaceLabel",
        "promote k8s.namespace.name or add the label when scraping, or name another label in the AgentPlatform",
    ),
    ("TwoNames", "name the service after the agent"),
    ("WrongType", "expose it as the type that the profile has; rules count its increase"),
    ("CalledOnly", "count a call when it ends, with its outcome"),
    (
        "OutcomeUnset",
        "trace the runs around query(), or log query_completed and query_failed: Claude Code's own spans do not tell",
    ),
    ("ContentInLabels", "turn sensitive data off where metrics are exported"),
];

/// Whether discovery looks for a hazard, so that there is nothing to say where it is not seen.
#[must_use]
pub fn is_looked_for(hazard: &str) -> bool {
    hazard == "CostBuckets" || ADVICE.iter().any(|(name, _)| *name == hazard)
}

/// One hazard where it was seen.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sighting {
    /// Name of the hazard.
    pub hazard: &'static str,
    /// The metric or profile.
    pub place: String,
    /// What was seen.
    pub sign: String,
    /// What mends it.
    pub fix: String,
}

impl fmt::Display for Sighting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hazard, place, sign, fix } = self;
        write!(formatter, "{place}: {hazard}: {sign}; {fix}")
    }
}

/// Every hazard that shows.
pub(super) fn look(facts: &Facts, fits: &[Fit]) -> Vec<Sighting> {
    let mut seen = BTreeSet::new();
    for (metric, count) in &facts.overflow {
        let sign = format!("{count} series hold what the SDK had no room for");
        seen.insert(sighting(None, "SeriesOverflow", metric, sign));
    }
    for fit in fits {
        let look = Look { facts, fit };
        seen.extend(look.labels());
        seen.extend(look.histograms());
        seen.extend(look.falls());
        seen.extend(look.types());
        seen.extend(look.identity());
        seen.extend(look.outcomes());
    }
    seen.into_iter().collect()
}

fn sighting(fit: Option<&Fit>, hazard: &'static str, place: &str, sign: String) -> Sighting {
    let own = fit.and_then(|fit| fit.profile.hazards.iter().find(|known| known.name == hazard));
    let advice = ADVICE.iter().find(|(name, _)| *name == hazard).map(|(_, advice)| *advice);
    let fix = own.map(|known| known.fix.as_str()).or(advice).unwrap_or_default();
    Sighting { hazard, place: place.to_owned(), sign, fix: fix.to_owned() }
}

struct Look<'a> {
    facts: &'a Facts,
    fit: &'a Fit,
}

impl<'a> Look<'a> {
    fn sighting(&self, hazard: &'static str, place: &str, sign: String) -> Sighting {
        sighting(Some(self.fit), hazard, place, sign)
    }

    /// Every series of the profile, by the name of its metric.
    fn series(&self) -> BTreeMap<&'a str, Vec<&'a Series>> {
        let mut series: BTreeMap<&str, Vec<&Series>> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for metric in metrics(self.fit.profile) {
            for found in self.fit.series(self.facts, metric) {
                if taken.insert(std::ptr::from_ref(found.series)) {
                    series.entry(found.name).or_default().push(found.series);
                }
            }
        }
        series
    }

    /// Labels with a value for every call, session or user, and labels with content.
    fn labels(&self) -> Vec<Sighting> {
        let mut seen = Vec::new();
        for (metric, series) in self.series() {
            let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (label, value) in series.iter().flat_map(|series| &series.labels) {
                values.entry(label).or_default().insert(value);
            }
            for (label, values) in values {
                let Some(hazard) = kind_of_label(label, &values, series.len()) else { continue };
                let sign = match hazard {
                    "ContentInLabels" => format!("label {label} holds what a tool was called with"),
                    _ => format!(
                        "label {label} has {} in {} series",
                        counted(values.len(), "value"),
                        series.len()
                    ),
                };
                seen.push(self.sighting(hazard, metric, sign));
            }
        }
        seen
    }

    fn histograms(&self) -> Vec<Sighting> {
        let roles = self.fit.profile.roles();
        let distributions = roles.iter().filter(|role| role.shape == Shape::Distribution);
        let agents = self.fit.agents.iter().map(|agent| agent.agent.as_str());
        let of_agents = distributions.flat_map(|role| {
            agents.clone().filter_map(|agent| self.histogram(role.metric, agent)).collect::<Vec<Sighting>>()
        });
        let cost = self.fit.profile.cost.as_ref().filter(|cost| cost.kind == MetricKind::Histogram);
        let is_coarse = |cost: &&Metric| {
            let mut of_agents = agents.clone().map(|agent| bounds(self.facts, self.fit, cost, agent));
            of_agents.any(|bounds| has_sdk_bounds(&bounds))
        };
        let cost = cost.filter(is_coarse).map(|cost| {
            let sign = "the bounds are 0, 5, 10, 25, ... and a call costs cents".to_owned();
            self.sighting("CostBuckets", &stored_name(cost, self.fit.translation), sign)
        });
        of_agents.chain(cost).collect()
    }

    fn histogram(&self, metric: &Metric, agent: &str) -> Option<Sighting> {
        let name = stored_name(metric, self.fit.translation);
        if self.fit.series_of(self.facts, metric, agent).is_empty() {
            return None;
        }
        let bounds = bounds(self.facts, self.fit, metric, agent);
        if bounds == Bounds::Missing {
            let sign = "it is counted, but has no buckets and no native form".to_owned();
            return Some(self.sighting("MissingBuckets", &name, sign));
        }
        let is_in_seconds = metric.unit.as_deref() == Some("s") || name.ends_with("seconds");
        (is_in_seconds && has_sdk_bounds(&bounds)).then(|| {
            let sign = format!("the bounds of '{agent}' are 0, 5, 10, 25, ... 10000, made for milliseconds");
            self.sighting("MillisecondBuckets", &name, sign)
        })
    }

    /// Counters that fall without having been reset.
    fn falls(&self) -> Vec<Sighting> {
        let ours: BTreeSet<&str> = self.series().into_keys().collect();
        let falling = self.facts.falling.iter().filter(|(metric, _)| ours.contains(metric.as_str()));
        falling
            .filter_map(|(metric, samples)| {
                let fall = fall(samples)?;
                let (hazard, how) = match fall {
                    Fall::Delta => ("DeltaTemporality", "as the amounts of each interval do"),
                    Fall::TwoLines => ("SharedIdentity", "and returns, as if several processes wrote it"),
                };
                Some(self.sighting(hazard, metric, format!("the counter falls again and again, {how}")))
            })
            .collect()
    }

    /// Metrics that their targets call something else.
    fn types(&self) -> Vec<Sighting> {
        let roles = self.fit.profile.roles().into_iter();
        let seen = roles.filter_map(|role| {
            let name = stored_name(role.metric, self.fit.translation);
            // In the OpenMetrics format a counter is described without its suffix.
            let names = [Some(name.as_str()), name.strip_suffix("_total")];
            let type_ = names.into_iter().flatten().find_map(|name| self.facts.types.get(name))?;
            let expected = role.metric.kind.word();
            let is_other = type_ != expected && type_ != "unknown" && type_ != "gaugehistogram";
            let is_there = !self.fit.series(self.facts, role.metric).is_empty();
            let sign = format!("its targets call it a {type_}, and it is a {expected}");
            (is_other && is_there).then(|| self.sighting("WrongType", &name, sign))
        });
        seen.collect()
    }

    /// Whose the series are.
    fn identity(&self) -> Vec<Sighting> {
        let profile = self.fit.profile;
        let roles = profile.roles();
        let all: Vec<&Series> = roles
            .iter()
            .flat_map(|role| self.fit.series(self.facts, role.metric))
            .map(|found| found.series)
            .collect();
        let mut seen = Vec::new();
        if self.fit.agents.is_empty() {
            let label = stored_label(&profile.agent_label, self.fit.translation);
            let sign = format!("no series has the label {label}");
            seen.push(self.sighting("NoAgentLabel", &profile.name, sign));
        }
        if !all.is_empty() && all.iter().all(|series| series.label("namespace").is_empty()) {
            let sign = "no series has the label namespace, which is enforced by default".to_owned();
            seen.push(self.sighting("NoNamespaceLabel", &profile.name, sign));
        }
        seen.extend(self.two_names());
        seen
    }

    /// One agent under two names, in two labels.
    fn two_names(&self) -> Option<Sighting> {
        let values = |is_other: bool| -> BTreeSet<String> {
            let roles = self.fit.profile.roles().into_iter();
            let roles = roles.filter(|role| role.metric.agent_label.is_some() == is_other);
            let values = roles.flat_map(|role| {
                let label = self.fit.agent_label(role.metric);
                let found = self.fit.series(self.facts, role.metric);
                found.into_iter().map(move |found| found.series.label(&label).to_owned())
            });
            values.filter(|value| !value.is_empty()).collect()
        };
        let (named, others) = (values(false), values(true));
        let apart = !named.is_empty() && !others.is_empty() && named.is_disjoint(&others);
        apart.then(|| {
            let (named, others) = (first(&named), first(&others));
            let sign = format!("runs are those of '{named}', model calls and tools those of '{others}'");
            self.sighting("TwoNames", &self.fit.profile.name, sign)
        })
    }

    /// Outcomes that tell nothing.
    fn outcomes(&self) -> impl Iterator<Item = Sighting> {
        let profile = self.fit.profile;
        let all = [("CalledOnly", "called", &profile.tools), ("OutcomeUnset", "unset", &profile.runs)];
        all.into_iter().filter_map(|(hazard, value, events)| self.only(hazard, value, events.as_ref()?))
    }

    fn only(&self, hazard: &'static str, value: &str, events: &Outcomes) -> Option<Sighting> {
        let label = events.outcome.label()?;
        let found = self.fit.series(self.facts, &events.metric);
        let name = stored_label(&label.name, self.fit.translation);
        let tells_nothing = !found.is_empty() && found.iter().all(|found| found.series.label(&name) == value);
        tells_nothing.then(|| {
            let sign = format!("label {name} has only the value {value}");
            self.sighting(hazard, found[0].name, sign)
        })
    }
}

fn has_sdk_bounds(bounds: &Bounds) -> bool {
    let Bounds::Classic { counts, .. } = bounds else { return false };
    counts.iter().map(|(bound, _)| bound.to_bits()).eq(SDK_BOUNDS.map(f64::to_bits))
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn first(values: &BTreeSet<String>) -> &str {
    values.first().map_or("", String::as_str)
}
