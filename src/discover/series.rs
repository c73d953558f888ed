//! The series of a profile's metric, under one translation of names.

use regex::Regex;

use super::facts::{Facts, Series};
use crate::api::v1alpha1::{MatchOp, Matcher, NameTranslation};
use crate::domain::metric_name::{stored_label, stored_name};
use crate::profiles::{Metric, MetricKind};

/// One series, with the name of its metric as Prometheus stores it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Name of the metric; of histograms with `_count`, unless it is a native one.
    pub(super) name: &'a str,
    /// The series.
    pub(super) series: &'a Series,
}

/// Names under which the series of a metric are stored, without buckets.
pub(super) fn stored_names(metric: &Metric, translation: NameTranslation) -> Vec<String> {
    let name = stored_name(metric, translation);
    match metric.kind {
        MetricKind::Counter | MetricKind::Gauge => vec![name],
        MetricKind::Histogram => vec![format!("{name}_count"), name],
    }
}

/// The series that play the role of a metric.
pub(super) fn of<'a>(facts: &'a Facts, metric: &Metric, translation: NameTranslation) -> Vec<Found<'a>> {
    let conditions = conditions(&metric.matchers, translation);
    let named = stored_names(metric, translation).into_iter().filter_map(|name| {
        let (name, all) = facts.series.get_key_value(&name)?;
        Some(all.iter().map(move |series| Found { name, series }))
    });
    named.flatten().filter(|found| conditions.iter().all(|condition| condition.holds(found.series))).collect()
}

/// Those of one agent.
pub(super) fn of_agent<'a>(found: &[Found<'a>], label: &str, agent: &str) -> Vec<Found<'a>> {
    found.iter().copied().filter(|found| found.series.label(label) == agent).collect()
}

/// One condition on a label, ready to be asked often.
pub(super) struct Condition {
    label: String,
    expression: Regex,
    is_wanted: bool,
}

impl Condition {
    /// Whether a series meets it.
    pub(super) fn holds(&self, series: &Series) -> bool {
        self.expression.is_match(series.label(&self.label)) == self.is_wanted
    }
}

/// The conditions of matchers whose labels are in the emitter's naming. An expression that does not
/// compile matches nothing.
pub(super) fn conditions(matchers: &[Matcher], translation: NameTranslation) -> Vec<Condition> {
    let condition = |matcher: &Matcher| {
        let pattern = match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => regex::escape(&matcher.value),
            MatchOp::Regex | MatchOp::NotRegex => matcher.value.clone(),
        };
        let is_wanted = matches!(matcher.op, MatchOp::Equal | MatchOp::Regex);
        let expression = Regex::new(&format!("^(?s:{pattern})$")).ok()?;
        Some(Condition { label: stored_label(&matcher.label, translation), expression, is_wanted })
    };
    matchers.iter().filter_map(condition).collect()
}
