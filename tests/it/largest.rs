//! The largest AgentSLO that the schema lets through: what it becomes is bounded, and what a reader would not
//! take is not written.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::plan::{Obstacle, plan};
use agentslo::render::{self, ArtifactKind, rules};
use serde_json::{Value, json};

use crate::crd;
use crate::spec::{valid, with_indicator};

/// etcd's limit is 1.5 MB, for an object with its managed fields.
const LARGEST_OBJECT: usize = 1_000_000;
/// Mimir's default.
const RULES_IN_A_GROUP: usize = 20;

/// A bound of a field of an AgentSLO's spec.
fn bound(path: &str, name: &str) -> usize {
    let crds = crd::all();
    let crd = crds.iter().find(|crd| crd::kind_of(crd) == "AgentSLO").expect("the kind should be there");
    let (mut found, wanted) = (None, format!("AgentSLO.spec.{path}"));
    crd::root(crd).walk(&mut |field| {
        if field.path == wanted {
            found = field.schema[name].as_u64();
        }
    });
    let found = found.unwrap_or_else(|| panic!("{wanted} should have {name}"));
    usize::try_from(found).expect("bounds should be small")
}

/// So many different names of a length.
fn names(count: usize, length: usize) -> Vec<String> {
    (0..count).map(|index| format!("{}{index:03}", "x".repeat(length - 3))).collect()
}

/// Everything at its bound, with texts of one character.
fn largest(filler: char) -> Value {
    let text = |path: &str| filler.to_string().repeat(bound(path, "maxLength"));
    let matchers = |path: &str| -> Vec<Value> {
        let names = names(bound(path, "maxItems"), bound(&format!("{path}[].label"), "maxLength"));
        let value = text(&format!("{path}[].value"));
        names.into_iter().map(|name| json!({"label": name, "op": "NotEqual", "value": value})).collect()
    };
    let map = |path: &str| -> BTreeMap<String, String> {
        let names = names(bound(path, "maxProperties"), 60);
        names.into_iter().map(|name| (name, text(&format!("{path}.*")))).collect()
    };
    let selector = |path: &str, metric: &str| {
        let length = bound(&format!("{path}.metric"), "maxLength");
        let metric = format!("{metric}{}", "x".repeat(length - metric.len()));
        json!({"metric": metric, "matchers": matchers(&format!("{path}.matchers"))})
    };
    let mut spec = with_indicator(&json!({"ratio": {
        "total": selector("indicator.ratio.total", "total_"),
        "bad": selector("indicator.ratio.bad", "bad_"),
    }}));
    spec["agent"] = text("agent").into();
    spec["description"] = text("description").into();
    let length = bound("groupBy[]", "maxLength");
    spec["groupBy"] = json!(names(bound("groupBy", "maxItems"), length));
    spec["telemetry"] = json!({"matchers": matchers("telemetry.matchers")});
    spec["alerting"] = json!({
        "labels": map("alerting.labels"), "annotations": map("alerting.annotations"),
        "burnRates": pairs(bound("alerting.burnRates", "maxItems")),
    });
    spec
}

fn pairs(count: usize) -> Vec<Value> {
    let pair = |index: usize| {
        let severity = if index.is_multiple_of(2) { "Page" } else { "Ticket" };
        let hours = format!("{}h", index + 1);
        json!({"severity": severity, "budgetPercent": "2", "longWindow": hours, "shortWindow": "5m"})
    };
    (0..count).map(pair).collect()
}

#[test]
fn the_largest_slo_becomes_a_bounded_number_of_rules_with_a_bounded_number_of_series() {
    for filler in ['x', '"', '\u{fffd}'] {
        let spec = largest(filler);
        assert!(spec.to_string().len() < LARGEST_OBJECT, "{} bytes", spec.to_string().len());
        for group in rules::groups(&valid(&spec)) {
            assert!(group.rules.len() <= RULES_IN_A_GROUP, "{}: {} rules", group.name, group.rules.len());
            assert!(group.limit > 0, "{} should have a limit of series", group.name);
        }
    }
}

#[test]
fn what_a_reader_would_not_take_is_not_written() {
    let mut seen = BTreeSet::new();
    for filler in ['x', '\u{fffd}'] {
        let artifacts = render::slo(&valid(&largest(filler)));
        let sizes: Vec<usize> =
            artifacts.0.iter().map(|artifact| artifact.to_value().to_string().len()).collect();
        let plan = plan(artifacts, &BTreeMap::new(), &ArtifactKind::ALL.into());
        let limit = ArtifactKind::PrometheusRule.size_limit();
        for artifact in &plan.apply {
            assert!(artifact.to_value().to_string().len() <= limit, "{sizes:?}");
        }
        for (name, obstacle) in &plan.cannot {
            assert!(matches!(obstacle, Obstacle::TooLarge { .. }), "{name:?}: {obstacle:?}");
        }
        seen.insert(plan.cannot.is_empty());
    }
    assert!(seen.contains(&false), "the limit should be reached by something");
}
