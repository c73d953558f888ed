//! What the API server would say: the CEL rules of the generated CRDs, evaluated here. Validation must
//! refuse whatever they refuse, in the same words, and they must take whatever validation takes.

use kube_cel::{CompiledSchema, Validator, compile_schema};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::spec::{spec, validated, with_indicator, written};
use crate::{crd, example};

thread_local! {
    /// Compiled once for each test, which is far slower than evaluating.
    static RULES: (Validator, CompiledSchema) = {
        let compiled = compile_schema(&crd::schema_of("AgentSLO"));
        assert!(!compiled.has_errors(), "every rule should compile");
        (Validator::new(), compiled)
    };
}

/// Messages of the CEL rules that an AgentSLO breaks.
fn refused_by_cel(resource: &Value) -> Vec<String> {
    RULES.with(|(validator, compiled)| match validator.validate_compiled(compiled, resource, None) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    })
}

/// Messages of the violations of a spec.
fn refused_by_validation(spec: &Value) -> Vec<String> {
    match validated(spec) {
        Ok(_) => Vec::new(),
        Err(violations) => violations.iter().map(|violation| violation.message.clone()).collect(),
    }
}

fn resource(spec: &Value) -> Value {
    serde_json::to_value(written(spec)).expect("AgentSLOs should be JSON")
}

fn success() -> Value {
    with_indicator(&json!({"success": {}}))
}

/// The spec with some fields replaced.
fn changed(fields: Value) -> Value {
    let mut spec = success();
    let Value::Object(fields) = fields else { panic!("changes should be an object") };
    fields.into_iter().for_each(|(name, value)| spec[name] = value);
    spec
}

fn pair(percent: &str, long: &str, short: &str) -> Value {
    let pair =
        json!({"severity": "Page", "budgetPercent": percent, "longWindow": long, "shortWindow": short});
    // CEL judges a pair only against a window that is written.
    changed(json!({"window": "30d", "alerting": {"burnRates": [pair]}}))
}

fn accepts(spec: &Value) {
    assert_eq!(refused_by_cel(&resource(spec)), Vec::<String>::new(), "{spec}");
    assert_eq!(refused_by_validation(spec), Vec::<String>::new(), "{spec}");
}

/// Both say the same sentence, of which this is a part.
fn rejects(spec: &Value, part: &str) {
    for (who, messages) in
        [("CEL", refused_by_cel(&resource(spec))), ("validation", refused_by_validation(spec))]
    {
        assert!(messages.iter().any(|message| message.contains(part)), "{who} of {spec} says {messages:?}");
    }
}

#[test]
fn every_example_is_accepted() {
    for example in example::all() {
        let resource = serde_json::to_value(&example.written).expect("AgentSLOs should be JSON");
        assert_eq!(refused_by_cel(&resource), Vec::<String>::new(), "{}", example.name);
    }
}

#[test]
fn objectives() {
    for objective in ["50", "99", "99.5", "99.99999"] {
        accepts(&changed(json!({"objective": objective})));
    }
    for (objective, part) in [
        ("100", "less than 100"),
        ("100.1", "less than 100"),
        ("0.995", "greater than or equal to 50"),
        ("49.99999", "greater than or equal to 50"),
        ("99%", "must be a percentage in digits"),
        ("99,5", "must be a percentage in digits"),
        ("1e2", "must be a percentage in digits"),
        ("-99", "must be a percentage in digits"),
        ("99.123456", "must be a percentage in digits"),
    ] {
        rejects(&changed(json!({"objective": objective})), part);
    }
}

#[test]
fn windows() {
    for window in ["1d", "24h", "7d", "4w", "90d", "129600m"] {
        accepts(&changed(json!({"window": window})));
    }
    for (window, part) in [
        ("23h", "at least 1 day"),
        ("91d", "at most 90 days"),
        ("13w", "at most 90 days"),
        ("1y", "whole number with a unit"),
        ("0d", "whole number with a unit"),
        ("1.5d", "whole number with a unit"),
        ("30", "whole number with a unit"),
    ] {
        rejects(&changed(json!({"window": window})), part);
    }
}

#[test]
fn texts() {
    accepts(&changed(json!({"agent": "a \"b\" \\ `c` é {"})));
    accepts(&changed(json!({"description": "two\nlines"})));
    rejects(&changed(json!({"agent": "{{ x }}"})), "must not contain '{{'");
    rejects(&changed(json!({"agent": "a\tb"})), "control characters");
    rejects(&changed(json!({"agent": "a\u{7f}"})), "control characters");
    rejects(&changed(json!({"description": "{{ x }}"})), "must not contain '{{'");
}

#[test]
fn telemetry() {
    let matcher = |label: &str, value: &str| {
        changed(json!({"telemetry": {"matchers": [{"label": label, "value": value}]}}))
    };
    accepts(&matcher("cluster", "eu-1\"}"));
    accepts(&matcher("k8s.cluster", "x"));
    rejects(&matcher("1x", "x"), "must match '^[a-zA-Z_]");
    rejects(&matcher("__name__", "x"), "must not start with '__'");
    rejects(&matcher("x", "a\nb"), "control characters");
    let both = json!({"telemetry": {}, "observabilityRef": {"name": "x"}});
    rejects(&changed(both), "not both");
}

#[test]
fn groups() {
    accepts(&changed(json!({"groupBy": ["model", "gen_ai.request.model"]})));
    rejects(&changed(json!({"groupBy": ["a-b"]})), "must match");
    rejects(&changed(json!({"groupBy": ["le"]})), "must not be `namespace`");
    rejects(&changed(json!({"groupBy": ["agentslo"]})), "start with 'agentslo'");
}

#[test]
fn query_offsets() {
    for offset in ["0s", "30s", "15m", "900s"] {
        accepts(&changed(json!({"queryOffset": offset})));
    }
    for offset in ["16m", "901s", "1h", "500ms", "-1s", "1"] {
        rejects(&changed(json!({"queryOffset": offset})), "at most 15m");
    }
}

#[test]
fn labels_and_annotations() {
    let alerting = |fields: Value| changed(json!({"alerting": fields}));
    accepts(&alerting(json!({"labels": {"team": "a {b}"}, "annotations": {"dashboard": "https://x/?a=b"}})));
    rejects(&alerting(json!({"labels": {"namespace": "x"}})), "set by the operator");
    rejects(&alerting(json!({"labels": {"agentslo_x": "x"}})), "set by the operator");
    rejects(&alerting(json!({"labels": {"a.b": "x"}})), "must match");
    rejects(&alerting(json!({"labels": {"team": "{{ x }}"}})), "inserted literally");
    rejects(&alerting(json!({"annotations": {"summary": "x"}})), "which the operator sets");
    rejects(&alerting(json!({"annotations": {"note": "{{ x }}"}})), "inserted literally");
    rejects(&alerting(json!({"page": {"severity": "Critical"}})), "lower-case letters");
    rejects(&alerting(json!({"noData": {"after": "1m"}})), "at least 5m");
    rejects(&alerting(json!({"noData": {"after": "31d"}})), "at most 30d");
}

#[test]
fn runbook_urls() {
    let url = |url: &str| changed(json!({"alerting": {"runbookURL": url}}));
    for legal in ["https://a.example", "https://a.example:8443/{name}?y=1#z", "https://a.example/"] {
        accepts(&url(legal));
    }
    for illegal in [
        "http://a.example",
        "https://u:p@a.example",
        "https://",
        "https://a b",
        "https://a/{{x}}",
        "https://a/`x`",
    ] {
        rejects(&url(illegal), "must be an https URL");
    }
}

#[test]
fn burn_rates() {
    accepts(&pair("2", "1h", "5m"));
    accepts(&pair("0.5", "3d", "6h"));
    rejects(&pair("0", "1h", "5m"), "must be a percentage greater than 0");
    rejects(&pair("2.0001", "1h", "5m"), "at most 3 decimals");
    rejects(&pair("101", "1h", "5m"), "must be a percentage greater than 0");
    rejects(&pair("2", "1h", "1h"), "less than `longWindow`");
    rejects(&pair("2", "60m", "2h"), "less than `longWindow`");
    rejects(&pair("2", "1x", "5m"), "whole number with a unit");
    rejects(&pair("100", "5h", "5m"), "highest reachable one");
    // So long that three times its minutes do not fit into 32 bits.
    let said = refused_by_validation(&pair("2", "142100w", "5m"));
    assert!(said.iter().any(|message| message.contains("at most a third of `window`")), "{said:?}");
}

#[test]
fn indicators() {
    let accept = |indicator: Value| accepts(&with_indicator(&indicator));
    let reject = |indicator: Value, part: &str| rejects(&with_indicator(&indicator), part);
    accept(json!({"latency": {"threshold": "250ms"}}));
    reject(json!({"latency": {"threshold": "25h"}}), "between 1ms and 24h");
    reject(json!({"latency": {"threshold": "60"}}), "whole number with a unit");
    reject(json!({"timeToFirstToken": {"threshold": "0s"}}), "whole number with a unit");
    accept(json!({"costPerRun": {"maxUSD": "0.10"}}));
    reject(json!({"costPerRun": {"maxUSD": "0"}}), "an amount in US dollars");
    reject(json!({"costPerRun": {"maxUSD": "$1"}}), "an amount in US dollars");
    accept(json!({"evaluation": {"evaluator": "x", "minScore": "0.7"}}));
    reject(json!({"evaluation": {"evaluator": "x"}}), "exactly one of `minScore`");
    reject(json!({"evaluation": {"evaluator": "x", "minScore": "1", "goodLabels": ["y"]}}), "exactly one of");
    reject(json!({"evaluation": {"evaluator": "x", "minScore": "high"}}), "must be a decimal number");
    reject(json!({"availability": {"metric": "a-b"}}), "must match '^[a-zA-Z_:]");
    let (total, other) = (json!({"metric": "a"}), json!({"metric": "b"}));
    accept(json!({"ratio": {"total": total, "bad": other}}));
    reject(json!({"ratio": {"total": total}}), "exactly one of `good`, `bad`");
    reject(json!({"ratio": {"total": total, "bad": other, "good": other}}), "exactly one of `good`, `bad`");
    reject(json!({"ratio": {"total": total, "bad": total}}), "must differ from `total`");
    accept(json!({"histogram": {"metric": "a", "threshold": "0.5"}}));
    reject(json!({"histogram": {"metric": "a", "threshold": "fast"}}), "must be a duration such as");
    reject(json!({"raw": {"bad": "a", "total": "b"}}), "must contain the placeholder '$window'");
    let same = json!({"bad": "sum(increase(a[$window]))", "total": "sum(increase(a[$window]))"});
    reject(json!({"raw": same}), "must differ from `total`");
}

#[test]
fn exactly_one_indicator_is_set() {
    let mut two = resource(&success());
    two["spec"]["indicator"]["turns"] = json!({"max": 3});
    assert!(refused_by_cel(&two).iter().any(|message| message.contains("exactly one of `success`")));
    let mut none = resource(&success());
    none["spec"]["indicator"] = json!({});
    assert!(refused_by_cel(&none).iter().any(|message| message.contains("exactly one of `success`")));
}

proptest! {
    // A rule is evaluated in a tenth of a millisecond, unoptimised in several.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_validation_accepts_cel_accepts(spec in spec()) {
        prop_assert!(validated(&spec).is_ok());
        prop_assert_eq!(refused_by_cel(&resource(&spec)), Vec::<String>::new());
    }

    #[test]
    fn near_misses_are_refused_by_validation_wherever_cel_refuses_them(
        number in "[0-9]{0,10}(\\.[0-9]{0,7})?",
        window in "[0-9]{0,7}(m|h|d|w|y)?",
        duration in "[0-9]{0,5}(ms|s|m|h|d)?",
        name in "[a-zA-Z_.:0-9-]{1,4}",
    ) {
        for spec in near_misses(&number, &window, &duration, &name) {
            let (by_cel, by_validation) = (refused_by_cel(&resource(&spec)), refused_by_validation(&spec));
            prop_assert!(by_cel.is_empty() || !by_validation.is_empty(), "only CEL refuses {}: {:?}", spec, by_cel);
        }
    }
}

/// Specs with one field each that may be of a wrong form.
fn near_misses(number: &str, window: &str, duration: &str, name: &str) -> Vec<Value> {
    let selector = json!({"metric": name});
    vec![
        changed(json!({"objective": number})),
        changed(json!({"window": window})),
        changed(json!({"queryOffset": duration})),
        changed(json!({"groupBy": [name]})),
        changed(json!({"telemetry": {"matchers": [{"label": name, "value": "x"}]}})),
        changed(json!({"alerting": {"labels": {name: "x"}}})),
        changed(json!({"alerting": {"annotations": {name: "x"}}})),
        changed(json!({"alerting": {"page": {"severity": name}}})),
        changed(json!({"alerting": {"noData": {"after": window}}})),
        changed(json!({"alerting": {"runbookURL": format!("https://{name}/{number}")}})),
        pair(number, "1h", "5m"),
        pair("2", window, "5m"),
        pair("2", "6h", window),
        with_indicator(&json!({"latency": {"threshold": duration}})),
        with_indicator(&json!({"costPerRun": {"maxUSD": number}})),
        with_indicator(&json!({"evaluation": {"evaluator": "x", "minScore": number}})),
        with_indicator(&json!({"histogram": {"metric": "x", "threshold": number}})),
        with_indicator(&json!({"histogram": {"metric": "x", "threshold": duration}})),
        with_indicator(&json!({"availability": selector})),
    ]
}
