//! Specs that people might write, as JSON: valid by construction, with hostile text wherever text is free.

use agentslo::api::v1alpha1::AgentSlo;
use agentslo::domain::slo::Slo;
use agentslo::domain::violation::Violations;
use agentslo::validate::{self, SloFacts};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The AgentSLO of a spec, in namespace `team-a` and with name `checkout`.
pub(crate) fn written(spec: &Value) -> AgentSlo {
    named("team-a", "checkout", spec)
}

/// The AgentSLO of a spec.
pub(crate) fn named(namespace: &str, name: &str, spec: &Value) -> AgentSlo {
    let resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentSLO",
        "metadata": {"namespace": namespace, "name": name},
        "spec": spec,
    });
    serde_json::from_value(resource).unwrap_or_else(|error| panic!("{spec} should have the shape: {error}"))
}

/// The spec, validated without an AgentPlatform.
pub(crate) fn validated(spec: &Value) -> Result<Slo, Violations> {
    validate::slo(&written(spec), &SloFacts::default())
}

/// A spec that is valid, with only this indicator.
pub(crate) fn with_indicator(indicator: &Value) -> Value {
    json!({"agent": "a", "objective": "99", "indicator": indicator})
}

/// The validated form of a spec that is valid by construction.
pub(crate) fn valid(spec: &Value) -> Slo {
    validated(spec).unwrap_or_else(|violations| {
        let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
        panic!("{spec} should be valid:\n{}", all.join("\n"))
    })
}

/// Text that tries to end a literal, a selector, a template or a line of YAML.
pub(crate) fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\"}".to_owned()),
        Just("`".to_owned()),
        Just("#".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\u{fffd}".to_owned()),
        Just("\u{ffff}".to_owned()),
        Just("{".to_owned()),
        Just("}}".to_owned()),
        Just("$window".to_owned()),
        Just("%q".to_owned()),
        Just("'".to_owned()),
        Just(": ".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    let text = prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat());
    text.prop_filter("text may not be a template or hold control characters", |text| {
        !text.contains("{{") && !text.chars().any(char::is_control)
    })
}

/// An objective of at least 50 and below 100, with up to five decimals.
pub(crate) fn objective() -> impl Strategy<Value = String> {
    (50_u32..100, 0_u32..100_000, 0_usize..6).prop_map(|(whole, fraction, digits)| {
        let fraction = format!("{fraction:05}");
        if digits == 0 { whole.to_string() } else { format!("{whole}.{}", &fraction[..digits]) }
    })
}

/// A spec that the operator accepts.
pub(crate) fn spec() -> impl Strategy<Value = Value> {
    let basics = (hostile_text(), objective(), 1_u32..=90, prop::option::of(hostile_text()));
    (basics, indicator(), groups(), matchers(), alerting()).prop_map(
        |((agent, objective, days, description), indicator, groups, matchers, alerting)| {
            let mut spec = json!({
                "agent": agent,
                "objective": objective,
                "window": format!("{days}d"),
                "indicator": indicator,
                "groupBy": groups,
                "telemetry": {"matchers": matchers},
                "alerting": alerting,
            });
            if let Some(description) = description {
                spec["description"] = description.into();
            }
            spec
        },
    )
}

fn groups() -> impl Strategy<Value = Vec<String>> {
    let names = ["model", "region", "gen_ai.request.model", "tool_name", "tier"];
    prop::sample::subsequence(names.map(str::to_owned).to_vec(), 0..=3)
}

/// Matchers with one label each, as the list-map key asks.
fn matchers() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::btree_map("[a-z][a-z0-9_]{0,8}x", (hostile_text(), any::<bool>()), 0..3).prop_map(
        |matchers| {
            let matcher = |(label, (value, is_equal))| {
                json!({"label": label, "op": if is_equal { "Equal" } else { "NotEqual" }, "value": value})
            };
            matchers.into_iter().map(matcher).collect()
        },
    )
}

fn alerting() -> impl Strategy<Value = Value> {
    let estimator =
        prop::sample::select(vec!["Smoothed", "MinFailures", "Wilson", "SequentialTest", "Ratio"]);
    let texts = || prop::collection::btree_map("x[a-z0-9_]{0,8}", hostile_text(), 0..3);
    (estimator, 1_i32..20, texts(), texts(), 5_u32..600).prop_map(
        |(estimator, min_failures, labels, annotations, after)| {
            json!({
                "estimator": estimator,
                "minFailures": min_failures,
                "labels": labels,
                "annotations": annotations,
                "noData": {"after": format!("{after}m")},
                "runbookURL": "https://runbooks.example/{namespace}/{name}?agent={agent}",
            })
        },
    )
}

fn selector(metric: &'static str) -> impl Strategy<Value = Value> {
    matchers().prop_map(move |matchers| json!({"metric": metric, "matchers": matchers}))
}

fn indicator() -> impl Strategy<Value = Value> {
    prop_oneof![
        outcomes().prop_map(|good| json!({"success": {"goodOutcomes": good}})),
        outcomes().prop_map(|tools| json!({"toolSuccess": {"tools": tools}})),
        outcomes().prop_map(|checks| json!({"guardrail": {"checks": checks}})),
        latency(),
        (1_u32..120).prop_map(|seconds| json!({"timeToFirstToken": {"threshold": format!("{seconds}s")}})),
        cost(),
        (1_i64..10_000_000).prop_map(|max| json!({"tokensPerRun": {"max": max}})),
        (1_i64..100).prop_map(|max| json!({"turns": {"max": max}})),
        hostile_text().prop_map(|name| json!({"evaluation": {"evaluator": name, "minScore": "0.7"}})),
        (hostile_text(), hostile_text())
            .prop_map(|(name, label)| json!({"evaluation": {"evaluator": name, "goodLabels": [label]}})),
        selector("probe_success").prop_map(|gauge| json!({"availability": gauge})),
        (selector("requests_total"), selector("errors.total"))
            .prop_map(|(total, bad)| json!({"ratio": {"total": total, "bad": bad}})),
        (selector("requests_total"), selector("answers_total"))
            .prop_map(|(total, good)| json!({"ratio": {"total": total, "good": good}})),
        (selector("queue.wait"), form()).prop_map(|(mut histogram, form)| {
            histogram["threshold"] = "0.5".into();
            histogram["type"] = form.into();
            json!({"histogram": histogram})
        }),
    ]
}

fn outcomes() -> impl Strategy<Value = Vec<String>> {
    // A prefix keeps them apart from the profile's excluded ones.
    let outcome = hostile_text().prop_map(|text| format!("o{text}"));
    prop::collection::btree_set(outcome, 0..3).prop_map(|outcomes| outcomes.into_iter().collect())
}

fn form() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["Auto", "Classic", "Native"])
}

fn latency() -> impl Strategy<Value = Value> {
    let of = prop::sample::select(vec!["Run", "ModelCall", "Tool"]);
    let unit = prop::sample::select(vec!["ms", "s", "m"]);
    (1_u32..1000, unit, of, form()).prop_map(
        |(number, unit, of, form)| json!({"latency": {"threshold": format!("{number}{unit}"), "of": of, "type": form}}),
    )
}

fn cost() -> impl Strategy<Value = Value> {
    let method = prop::sample::select(vec!["Events", "HourlyMean"]);
    (1_u32..1000, method).prop_map(
        |(cents, method)| json!({"costPerRun": {"maxUSD": format!("0.{cents:03}1"), "method": method}}),
    )
}
