//! What was read of a Prometheus. Nothing here says where it came from.

use std::collections::BTreeMap;

use super::Scope;

/// One series and its newest value.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels, without the name of the metric.
    pub labels: BTreeMap<String, String>,
    /// Its newest value; of a native histogram its count.
    pub value: f64,
}

impl Series {
    /// The value of a label; empty where there is none, as in PromQL.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// What was read of a Prometheus.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Series of the last hour by the name of their metric, without buckets. Perhaps only the first
    /// thousands of them.
    pub series: BTreeMap<String, Vec<Series>>,
    /// How many series each metric has.
    pub counts: BTreeMap<String, u64>,
    /// What the targets say that a metric is.
    pub types: BTreeMap<String, String>,
    /// Buckets of classic histograms, by the name without `_bucket`, summed over all labels but `le` and
    /// those that may name an agent.
    pub buckets: BTreeMap<String, Vec<Series>>,
    /// How many series of a metric hold what the SDK had no room for.
    pub overflow: BTreeMap<String, u64>,
    /// Samples of the last hour of the series that fell most often, of counters that fell at all.
    pub falling: BTreeMap<String, Vec<f64>>,
    /// What was left out to keep reads small, in sentences.
    pub left_out: Vec<String>,
}

impl Facts {
    /// Only what belongs to a namespace, where series have one.
    pub(super) fn within(&self, scope: &Scope) -> Self {
        let mut facts = self.clone();
        if let Some(namespace) = &scope.namespace {
            let is_ours = |series: &Series| series.labels.get("namespace").is_none_or(|own| own == namespace);
            facts.series.values_mut().for_each(|all| all.retain(is_ours));
        }
        facts
    }
}
