//! The text that a scrape returns, as samples and as families.

use std::collections::{BTreeMap, BTreeSet};

use super::guide::Metric;

type Labels = BTreeMap<String, String>;

/// One scrape.
pub(super) struct Exposition {
    types: BTreeMap<String, String>,
    samples: Vec<(String, Labels, f64)>,
}

impl Exposition {
    /// Reads the text format. Both examples write it without timestamps and escapes.
    pub(super) fn parse(text: &str) -> Self {
        let (mut types, mut samples) = (BTreeMap::new(), Vec::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared.split_once(' ').expect("a type should follow the name");
                types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                samples.push(sample(line));
            }
        }
        assert!(!samples.is_empty(), "a scrape should have samples");
        Self { types, samples }
    }

    /// The sample with these labels, beside the agent's name.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut wanted: Labels =
            labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        wanted.insert("agent_name".to_owned(), "support-agent".to_owned());
        let mut found = self.samples.iter().filter(|(of, labels, _)| of == name && *labels == wanted);
        found.next().map(|(_, _, value)| *value)
    }

    /// Every sample.
    pub(super) fn samples(&self) -> impl Iterator<Item = (&str, &Labels, f64)> {
        self.samples.iter().map(|(name, labels, value)| (name.as_str(), labels, *value))
    }

    /// The values of one label of one metric.
    pub(super) fn label_values(&self, name: &str, label: &str) -> BTreeSet<String> {
        let of_name = self.samples.iter().filter(|(of, _, _)| of == name);
        of_name.filter_map(|(_, labels, _)| labels.get(label).cloned()).collect()
    }

    /// What the guide says of a metric, read from what was scraped.
    pub(super) fn families(&self) -> BTreeMap<String, Metric> {
        self.types.iter().map(|(name, kind)| (name.clone(), self.family(name, kind))).collect()
    }

    fn family(&self, name: &str, kind: &str) -> Metric {
        let bucket = format!("{name}_bucket");
        let own = self.samples.iter().filter(|(of, _, _)| of == name || *of == bucket);
        let labels: BTreeSet<String> = own
            .flat_map(|(_, labels, _)| labels.keys().cloned())
            .filter(|label| label != "agent_name" && label != "le")
            .collect();
        let mut buckets: Vec<f64> = self
            .label_values(&bucket, "le")
            .iter()
            .filter(|bound| *bound != "+Inf")
            .map(|bound| bound.parse().expect("a bound should be a number"))
            .collect();
        buckets.sort_by(f64::total_cmp);
        Metric { kind: kind.to_owned(), labels, buckets }
    }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a value should follow the series");
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
    let labels = pairs.map(|(label, value)| {
        let value = value.trim_matches('"');
        // One library writes 60 where the other writes 60.0.
        let value = if label == "le" { value.trim_end_matches(".0") } else { value };
        (label.to_owned(), value.to_owned())
    });
    (name.to_owned(), labels.collect(), value.parse().expect("a value should be a number"))
}
