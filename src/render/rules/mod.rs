//! The rules of one AgentSLO: two groups of one PrometheusRule. The first counts events every minute and
//! pages; the second sums the counts over the budget's window every five minutes.

mod alerts;
mod annotations;
mod budget;
mod cost;
mod counts;
mod lookback;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub use cost::{Cost, cost};

use crate::domain::names::child_name;
use crate::domain::promql::LabelMatcher;
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::foreign::{PrometheusRule, PrometheusRuleSpec, Rule, RuleGroup};
use crate::vocabulary::{label, series};

/// How often counts are made, in minutes. Five of them overlap in each five-minute count.
const COUNTS_INTERVAL: u32 = 1;
/// How often the long window is summed, in minutes.
const BUDGET_INTERVAL: u32 = 5;

/// The PrometheusRule of an AgentSLO.
#[must_use]
pub fn prometheus_rule(slo: &Slo) -> PrometheusRule {
    PrometheusRule {
        api_version: "monitoring.coreos.com/v1".to_owned(),
        kind: "PrometheusRule".to_owned(),
        metadata: metadata(slo),
        spec: PrometheusRuleSpec { groups: groups(slo) },
    }
}

/// The groups, in the form that PrometheusRule and Prometheus' own rule files share.
#[must_use]
pub fn groups(slo: &Slo) -> Vec<RuleGroup> {
    let (pages, tickets) = (alerts::page(slo), alerts::ticket(slo));
    let counting = [counts::total(slo), counts::bad(slo)];
    let summing = budget::recordings(slo);
    vec![
        group(
            slo,
            "counts",
            COUNTS_INTERVAL,
            counting.into_iter().chain(pages).chain([alerts::no_data(slo)]),
        ),
        group(
            slo,
            "budget",
            BUDGET_INTERVAL,
            summing.into_iter().chain(tickets).chain([alerts::exhausted(slo)]),
        ),
    ]
}

/// Name of one of the groups, unique in a Prometheus.
#[must_use]
pub fn group_name(slo: &Slo, part: &str) -> String {
    name_of_group(slo.namespace(), slo.name(), part)
}

/// Names of the groups of an AgentSLO of which only the name is known.
#[must_use]
pub fn group_names(namespace: &str, name: &str) -> [String; 2] {
    ["counts", "budget"].map(|part| name_of_group(namespace, name, part))
}

fn name_of_group(namespace: &str, name: &str, part: &str) -> String {
    format!("agentslo/{namespace}/{name}/{part}")
}

/// Queries for the bad events in a window and for the valid ones, as the alerts count them.
#[must_use]
pub fn counts_in(slo: &Slo, window: Window) -> [String; 2] {
    [series::BAD_5M, series::TOTAL_5M].map(|series| lookback::events_in(slo, series, window))
}

fn group(slo: &Slo, part: &str, minutes: u32, rules: impl Iterator<Item = Rule>) -> RuleGroup {
    RuleGroup {
        name: group_name(slo, part),
        interval: format!("{minutes}m"),
        query_offset: format!("{}s", slo.query_offset().as_secs()),
        limit: slo.series_per_rule(),
        rules: rules.collect(),
    }
}

fn metadata(slo: &Slo) -> ObjectMeta {
    let name = child_name("AgentSLO", slo.namespace(), slo.name());
    super::metadata::metadata(name, slo.namespace(), slo.rule_labels())
}

/// The labels that identify the AgentSLO on everything recorded.
fn identity(slo: &Slo) -> BTreeMap<String, String> {
    [(label::NAMESPACE, slo.namespace()), (label::SLO, slo.name())]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A selector for one of our own series.
fn own(slo: &Slo, series: &str) -> String {
    let matchers: Vec<String> = identity(slo)
        .into_iter()
        .rev()
        .map(|(name, value)| LabelMatcher::equal(name, value).to_string())
        .collect();
    format!("{series}{{{}}}", matchers.join(","))
}

fn recording(slo: &Slo, name: &str, expr: String) -> Rule {
    Rule { record: Some(name.to_owned()), expr, labels: identity(slo), ..Rule::default() }
}
