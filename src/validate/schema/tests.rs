//! What the schema check says of each kind of mistake.

use serde_json::{Value, json};

use super::*;

fn with(field: &str, value: Value) -> Value {
    let mut slo = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentSLO",
        "metadata": {"name": "a"},
        "spec": {"agent": "a", "objective": "99", "indicator": {"success": {}}},
    });
    slo["spec"][field] = value;
    slo
}

fn said(value: &Value) -> Vec<String> {
    read_slo(value).violations.iter().map(|found| found.violation.to_string()).collect()
}

#[test]
fn the_structure_is_judged_in_the_spelling_of_the_yaml() {
    let cases = [
        ("objective", json!(99.9), "spec.objective: must be of type string, write it in quotes: \"99.9\""),
        ("traget", json!("99"), "spec.traget: unknown field; did you mean `objective`?"),
        ("suspend", json!("true"), "spec.suspend: must be of type boolean, write it without quotes: true"),
        ("groupBy", json!(["a", "b", "a"]), "spec.groupBy[2]: must not repeat 'a'"),
        (
            "alerting",
            json!({"burnRates": [{"severity": "Wake"}]}),
            "spec.alerting.burnRates[0].severity: must be one of 'Page', 'Ticket'",
        ),
        (
            "alerting",
            json!({"burnRates": [{}]}),
            "spec.alerting.burnRates[0].longWindow: must be set, for example '1h'",
        ),
        ("indicator", json!({"succes": {}}), "spec.indicator.succes: unknown field; did you mean `success`?"),
        ("indicator", json!({}), "spec.indicator: set exactly one of `success`,"),
        ("agent", json!(""), "spec.agent: must not be empty"),
    ];
    for (field, value, expected) in cases {
        let said = said(&with(field, value));
        assert!(said.iter().any(|violation| violation.starts_with(expected)), "{expected}\n{said:#?}");
    }
}

#[test]
fn nulls_are_as_if_they_were_not_written() {
    let slo = with("alerting", json!({"burnRates": null, "labels": null, "minFailures": null}));
    assert_eq!(said(&slo), Vec::<String>::new());
    let resource = read_slo(&slo).resource.expect("nothing is wrong with it");
    assert_eq!(resource.spec.alerting.map(|alerting| alerting.min_failures), Some(3));
}

#[test]
fn what_the_meaning_says_about_a_form_is_said_once() {
    let slo = read_slo(&with("objective", json!("99.999999999")));
    let resource = slo.resource.clone().expect("only the form is wrong");
    let meaning = crate::validate::slo(&resource, &crate::validate::SloFacts::default());
    let meaning = meaning.expect_err("the objective is wrong");
    assert_eq!(slo.and(meaning.iter()).len(), 1);
}
