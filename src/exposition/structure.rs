//! What is wrong with a metric whatever it means: its type, its name, its buckets, how many series it has.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::contract::Expectation;
use super::read::{Exposition, Family, Sample};
use crate::discover::kind_of_label;

/// Most series of one metric that one process should have.
const MOST_SERIES: usize = 1_000;

/// Everything wrong with the metrics that the profile, or its naming, covers; samples that are there twice
/// are wrong anywhere, since Prometheus then refuses one of them.
pub(super) fn check(exposition: &Exposition, expectation: &Expectation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, family) in &exposition.families {
        findings.extend(duplicates(name, family));
        if !expectation.covers(name) {
            continue;
        }
        findings.extend(description(name, family));
        findings.extend(naming(name, family));
        findings.extend(values(name, family));
        findings.extend(cardinality(name, family));
        if family.is("histogram") {
            findings.extend(buckets(name, family));
        }
    }
    findings
}

impl Family {
    /// Whether it is declared to be of a type.
    pub(super) fn is(&self, type_: &str) -> bool {
        self.type_.as_ref().is_some_and(|(declared, _)| declared == type_)
    }

    /// Samples that stand for one series each: of a histogram or summary those with `_count`.
    pub(super) fn series(&self) -> impl Iterator<Item = &Sample> {
        let is_distribution = self.is("histogram") || self.is("summary");
        self.samples.iter().filter(move |sample| {
            !sample.name.ends_with("_created") && (!is_distribution || sample.name.ends_with("_count"))
        })
    }

    /// Bounds of each label set, as they are written.
    pub(super) fn bounds(&self) -> BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> {
        let mut bounds: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
        for bucket in self.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
            let mut labels = bucket.labels.clone();
            let bound = labels.remove("le").and_then(|bound| bound.parse::<f64>().ok());
            bounds.entry(labels).or_default().extend(bound.map(|bound| (bound, bucket.value)));
        }
        bounds
    }
}

fn duplicates(name: &str, family: &Family) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let again = family.samples.iter().filter(|sample| !seen.insert((&sample.name, &sample.labels)));
    let finding = |sample: &Sample| {
        Finding::new(sample.line, name, "the series is there twice; give each set of labels once")
    };
    again.map(finding).collect()
}

fn description(name: &str, family: &Family) -> Vec<Finding> {
    let mut findings = Vec::new();
    if family.type_.is_none() {
        let message = "has no TYPE; write `# TYPE` before its samples";
        findings.push(Finding::new(family.line, name, message));
    }
    if !family.has_help {
        let message = "has no HELP; say in a sentence what it counts, and in which unit";
        findings.push(Finding::new(family.line, name, message));
    }
    findings
}

fn naming(name: &str, family: &Family) -> Option<Finding> {
    let (type_, line) = family.type_.as_ref()?;
    let stem = name.trim_end_matches("_total");
    let message = match (type_.as_str(), name.ends_with("_total")) {
        ("counter", false) if family.samples.iter().any(|sample| !is_of_counter(&sample.name)) => {
            format!("a counter whose samples do not end in _total; name it {name}_total")
        }
        ("histogram" | "gauge" | "summary", true) => {
            format!("a {type_} named _total, which is for counters; name it {stem}")
        }
        _ => return None,
    };
    Some(Finding::new(*line, name, message))
}

fn is_of_counter(sample: &str) -> bool {
    sample.ends_with("_total") || sample.ends_with("_created")
}

fn values(name: &str, family: &Family) -> Option<Finding> {
    let counts = family.is("counter") || family.is("histogram");
    let is_impossible = |sample: &&Sample| {
        let is_sum = family.is("histogram") && sample.name.ends_with("_sum");
        sample.value.is_nan() || (sample.value < 0.0 && !is_sum)
    };
    let sample = family.samples.iter().find(is_impossible).filter(|_| counts)?;
    let message = format!("the value {} is none that a counter can have; count up from 0", sample.value);
    Some(Finding::new(sample.line, name, message))
}

fn cardinality(name: &str, family: &Family) -> Vec<Finding> {
    let mut findings = Vec::new();
    let series: Vec<&Sample> = family.series().collect();
    if series.len() > MOST_SERIES {
        let message =
            format!("has {} series; drop labels until there are at most {MOST_SERIES}", series.len());
        findings.push(Finding::new(family.line, name, message));
    }
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (label, value) in series.iter().flat_map(|sample| &sample.labels) {
        values.entry(label).or_default().insert(value);
    }
    for (label, values) in values {
        let whose = match kind_of_label(label, &values, series.len()) {
            Some("LabelPerCall") => "call",
            Some("LabelPerSession") => "session",
            Some("LabelPerUser") => "user",
            Some(_) => "content",
            None => continue,
        };
        let message = format!(
            "label {label} has a value for every {whose}; leave it out, it belongs in logs and traces"
        );
        findings.push(Finding::new(family.line, name, message));
    }
    findings
}

fn buckets(name: &str, family: &Family) -> Vec<Finding> {
    let all = family.bounds();
    let mut findings = Vec::new();
    let mut add = |message: String| findings.push(Finding::new(family.line, name, message));
    for (labels, counts) in &all {
        if !counts.iter().any(|(bound, _)| bound.is_infinite()) {
            add(format!("{}has no bucket le=\"+Inf\"; a client library adds it", of(labels)));
        }
        if counts.windows(2).any(|pair| pair[0].0 >= pair[1].0 || pair[0].1 > pair[1].1) {
            add(format!(
                "{}the buckets do not ascend; each counts all that is at most its bound",
                of(labels)
            ));
        }
        let counted =
            family.samples.iter().find(|sample| sample.name.ends_with("_count") && sample.labels == *labels);
        let last = counts.last().map(|(_, count)| *count);
        match counted {
            None => add(format!("{}has buckets and no _count; expose both", of(labels))),
            Some(sample) if last.is_some_and(|last| (last - sample.value).abs() > 0.5) => {
                add(format!(
                    "{}_count is {}, the last bucket {}; they count the same",
                    of(labels),
                    sample.value,
                    last.unwrap_or_default()
                ));
            }
            Some(_) => {}
        }
    }
    if all.is_empty() && family.series().next().is_some() {
        add("has no buckets; keep them, or every threshold is unknown".to_owned());
    }
    let lists: BTreeSet<Vec<u64>> =
        all.values().map(|counts| counts.iter().map(|(bound, _)| bound.to_bits()).collect()).collect();
    if lists.len() > 1 {
        add(format!("has {} different lists of buckets; give all label sets the same bounds", lists.len()));
    }
    findings
}

fn of(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}} ", pairs.join(",")) }
}
