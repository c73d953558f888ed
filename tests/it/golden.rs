//! What people read when several things are wrong at once: every violation, each with its place.
//! `make bless` accepts a new text; read it first.

use agentslo::domain::violation::{Violation, Violations};
use serde_json::{Value, json};

use crate::guards::everything_wrong;
use crate::ledger;
use crate::spec::{validated, with_indicator};

/// One line for each violation: place, reason, sentence.
fn violations(spec: &Value) -> String {
    lines(&validated(spec).expect_err("the spec should break rules"))
}

fn lines(violations: &Violations) -> String {
    let line = |violation: &Violation| {
        format!("{} [{:?}]\n  {}\n", violation.path, violation.rule, violation.message)
    };
    violations.iter().map(line).collect()
}

#[test]
fn a_ratio_for_a_percentage_and_a_number_for_a_window() {
    let mut spec = with_indicator(&json!({"success": {"excludeOutcomes": ["success"]}}));
    spec["objective"] = "0.995".into();
    spec["window"] = "30".into();
    spec["groupBy"] = json!(["le", "a-b", "session_id"]);
    insta::assert_snapshot!(violations(&spec));
}

#[test]
fn everything_wrong_with_alerting_is_said_at_once() {
    let mut spec = with_indicator(&json!({"latency": {"threshold": "60"}}));
    spec["alerting"] = json!({
        "minFailures": 0,
        "page": {"severity": "Critical!"},
        "labels": {"severity": "x", "a.b": "y", "team": "{{ z }}"},
        "annotations": {"summary": "x"},
        "runbookURL": "http://user:secret@runbooks.example",
        "noData": {"after": "1m"},
        "burnRates": [{"severity": "Page", "budgetPercent": "0", "longWindow": "7m", "shortWindow": "1h"}],
    });
    insta::assert_snapshot!(violations(&spec));
}

#[test]
fn pairs_that_cannot_be_are_named_one_by_one() {
    let mut spec = with_indicator(&json!({"success": {}}));
    spec["alerting"] = json!({"burnRates": [
        {"severity": "Page", "budgetPercent": "100", "longWindow": "1h", "shortWindow": "5m"},
        {"severity": "Ticket", "budgetPercent": "50", "longWindow": "20d", "shortWindow": "20d"},
        {"severity": "Ticket", "budgetPercent": "5", "longWindow": "61m", "shortWindow": "7m"},
    ]});
    insta::assert_snapshot!(violations(&spec));
}

#[test]
fn a_profile_without_the_series_says_what_to_do() {
    let mut spec = with_indicator(&json!({"guardrail": {}}));
    spec["telemetry"] = json!({
        "profile": "GenAI",
        "matchers": [
            {"label": "namespace", "op": "NotEqual", "value": "team-a"},
            {"label": "cluster", "op": "Regex", "value": "eu-(1"},
        ],
    });
    spec["queryOffset"] = "1h".into();
    insta::assert_snapshot!(violations(&spec));
}

#[test]
fn raw_queries_are_refused_with_their_own_faults() {
    let raw = json!({"raw": {"bad": "sum(rate(", "total": "up{namespace=\"other\"}"}});
    insta::assert_snapshot!(violations(&with_indicator(&raw)));
}

#[test]
fn everything_wrong_with_guards_is_said_at_once() {
    insta::assert_snapshot!(lines(&everything_wrong()));
}

#[test]
fn everything_wrong_with_a_ledger_is_said_at_once() {
    insta::assert_snapshot!(ledger::everything_wrong());
}

#[test]
fn a_database_of_a_ledger_that_cannot_be_is_named() {
    insta::assert_snapshot!(ledger::everything_wrong_with_its_database());
}
