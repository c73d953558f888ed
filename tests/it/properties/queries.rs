//! Laws of rendered PromQL: it parses, it stays within the tenant, and no text escapes its literal.

use agentslo::domain::slo::Slo;
use agentslo::foreign::Rule;
use agentslo::render;
use agentslo::validate::SloFacts;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::token::{T_DIV, T_GTR, T_MUL};
use promql_parser::parser::{BinaryExpr, Expr, VectorSelector};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::promql::{demands, metric, parsed, parts, rules_of, selectors, texts};
use crate::spec::{hostile_text, spec, valid, with_indicator, written};

proptest! {
    // A case parses some forty queries; 48 of them take a few seconds unoptimised.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_rendered_query_parses(spec in spec()) {
        for rule in rules_of(&valid(&spec)) {
            for text in texts(&rule) {
                parsed(&text);
            }
        }
    }

    #[test]
    fn every_selector_stays_within_the_namespace(spec in spec()) {
        let slo = valid(&spec);
        for selector in all_selectors(&slo) {
            prop_assert!(demands(&selector, "namespace", "team-a"), "{:?}", selector);
            let ours = metric(&selector).starts_with("agentslo:");
            prop_assert!(!ours || demands(&selector, "agentslo", "checkout"), "{:?}", selector);
        }
    }

    #[test]
    fn no_division_can_be_by_zero(spec in spec()) {
        for rule in rules_of(&valid(&spec)) {
            for text in texts(&rule) {
                for part in parts(&parsed(&text)) {
                    let Expr::Binary(binary) = part else { continue };
                    prop_assert!(binary.op.id() != T_DIV || is_never_zero(&binary.rhs), "{}", text);
                }
            }
        }
    }

    #[test]
    fn no_alert_divides(spec in spec()) {
        for rule in rules_of(&valid(&spec)).iter().filter(|rule| rule.alert.is_some()) {
            for part in parts(&parsed(&rule.expr)) {
                let Expr::Binary(BinaryExpr { op, rhs, .. }) = part else { continue };
                let by_number = matches!(*rhs, Expr::NumberLiteral(_));
                prop_assert!(op.id() != T_DIV || by_number, "{}", rule.expr);
            }
        }
    }

    #[test]
    fn a_matcher_renders_as_exactly_what_was_meant(value in hostile_text(), op in op()) {
        let written = if op.ends_with("Regex") { regex_syntax::escape(&value) } else { value };
        let gauge = json!({"metric": "up", "matchers": [{"label": "x", "op": op, "value": written}]});
        let slo = valid(&with_indicator(&json!({"availability": gauge})));
        let raw: Vec<VectorSelector> =
            all_selectors(&slo).into_iter().filter(|selector| metric(selector) == "up").collect();
        prop_assert!(!raw.is_empty());
        for selector in raw {
            let matchers = &selector.matchers.matchers;
            prop_assert_eq!(matchers.len(), 2, "{:?}", &matchers);
            prop_assert!(matchers.iter().any(|matcher| is_meant(matcher, &op, &written)), "{:?}", &matchers);
            prop_assert!(selector.matchers.or_matchers.is_empty());
        }
    }

    #[test]
    fn rendering_does_not_depend_on_the_order_of_maps(spec in spec(), seed in any::<u64>()) {
        let shuffled = shuffled(&serde_json::to_value(written(&spec)).expect("specs should be JSON"), seed);
        let again = serde_json::from_str(&shuffled).expect("shuffled JSON should parse");
        let again = agentslo::validate::slo(&again, &SloFacts::default()).expect("the order should not matter");
        prop_assert_eq!(bytes(&valid(&spec)), bytes(&again));
    }

    #[test]
    fn labels_of_the_operator_are_the_operators(spec in spec()) {
        let slo = valid(&spec);
        for rule in rules_of(&slo) {
            prop_assert_eq!(rule.labels["namespace"].as_str(), "team-a");
            prop_assert_eq!(rule.labels["agentslo"].as_str(), "checkout");
            prop_assert!(rule.alert.is_none() || has_own_alert_labels(&rule), "{:?}", rule.labels);
            let users = rule.labels.keys().filter(|name| spec["alerting"]["labels"].get(name).is_some());
            prop_assert!(users.count() == 0 || rule.alert.is_some());
        }
    }
}

#[test]
fn reserved_labels_are_refused() {
    let reserved = [
        "namespace",
        "alertname",
        "severity",
        "urgency",
        "agent",
        "le",
        "quantile",
        "job",
        "instance",
        "agentslo",
        "agentslo_x",
        "__name__",
    ];
    for name in reserved {
        let mut spec = with_indicator(&json!({"success": {}}));
        spec["alerting"] = json!({"labels": {name: "x"}});
        assert!(crate::spec::validated(&spec).is_err(), "{name}");
    }
}

fn op() -> impl Strategy<Value = String> {
    prop::sample::select(["Equal", "NotEqual", "Regex", "NotRegex"].map(str::to_owned).to_vec())
}

fn is_meant(matcher: &Matcher, op: &str, value: &str) -> bool {
    let same_op = matches!(
        (&matcher.op, op),
        (MatchOp::Equal, "Equal")
            | (MatchOp::NotEqual, "NotEqual")
            | (MatchOp::Re(_), "Regex")
            | (MatchOp::NotRe(_), "NotRegex")
    );
    matcher.name == "x" && same_op && matcher.value == value
}

fn has_own_alert_labels(rule: &Rule) -> bool {
    let severities = ["critical", "warning"];
    severities.contains(&rule.labels["severity"].as_str())
        && ["page", "ticket"].contains(&rule.labels["urgency"].as_str())
        && rule.labels.contains_key("agent")
}

fn all_selectors(slo: &Slo) -> Vec<VectorSelector> {
    let rules = rules_of(slo);
    rules.iter().flat_map(texts).flat_map(|text| selectors(&parsed(&text))).collect()
}

/// Whether a divisor is a number, or a comparison that lets nothing but positive values through.
fn is_never_zero(divisor: &Expr) -> bool {
    if let Expr::Paren(inner) = divisor {
        return is_never_zero(&inner.expr);
    }
    if let Expr::NumberLiteral(number) = divisor {
        return number.val != 0.0;
    }
    let Expr::Binary(binary) = divisor else { return false };
    if binary.op.id() == T_MUL {
        return is_never_zero(&binary.lhs) && is_never_zero(&binary.rhs);
    }
    let filters = binary.op.id() == T_GTR && !binary.return_bool();
    filters && matches!(&*binary.rhs, Expr::NumberLiteral(number) if number.val >= 0.0)
}

fn bytes(slo: &Slo) -> String {
    let artifacts = render::slo(slo).0;
    artifacts.iter().map(|artifact| artifact.to_value().to_string()).collect()
}

/// JSON with the keys of every object rotated by the seed.
fn shuffled(value: &Value, seed: u64) -> String {
    match value {
        Value::Object(map) => {
            let mut members: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), shuffled(value, seed / 7)))
                .collect();
            let turn = usize::try_from(seed % 5).expect("a remainder of five should fit");
            if !members.is_empty() {
                let turn = turn % members.len();
                members.rotate_left(turn);
            }
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shuffled(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
