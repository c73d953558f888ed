//! Guards without a cluster: what the API server and validation say of them in the same words, what is left
//! out for want of series, and what must hold for every rule that they become.

use std::collections::BTreeSet;

use agentslo::api::v1alpha1::{AgentObservability, AgentPlatform};
use agentslo::domain::decimal::Decimal;
use agentslo::domain::observability::Observability;
use agentslo::domain::role::Role;
use agentslo::domain::violation::Violations;
use agentslo::foreign::Rule;
use agentslo::render::guards::{self, Lack};
use agentslo::validate::{self, ObservabilityFacts};
use kube_cel::{CompiledSchema, Validator, compile_schema};
use promql_parser::parser::token::T_DIV;
use promql_parser::parser::{BinaryExpr, Expr};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crd;
use crate::promql::{demands, metric, parsed, parts, selectors};
use crate::scenarios::unpermitted;
use crate::spec::hostile_text;

thread_local! {
    /// Compiled once for each test, which is far slower than evaluating.
    static RULES: (Validator, CompiledSchema) = {
        let compiled = compile_schema(&crd::schema_of("AgentObservability"));
        assert!(!compiled.has_errors(), "every rule should compile");
        (Validator::new(), compiled)
    };
}

fn written(spec: &Value) -> AgentObservability {
    let resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"namespace": "team-a", "name": "observed"},
        "spec": spec,
    });
    serde_json::from_value(resource).unwrap_or_else(|error| panic!("{spec} should have the shape: {error}"))
}

fn with_guards(guards: &Value) -> Value {
    json!({"agent": "a", "guards": guards})
}

fn validated(spec: &Value, facts: &ObservabilityFacts) -> Result<Observability, Violations> {
    validate::observability(&written(spec), facts)
}

fn valid(spec: &Value) -> Observability {
    validated(spec, &ObservabilityFacts::default())
        .unwrap_or_else(|violations| panic!("{spec} should be valid: {:?}", violations.first()))
}

fn refused_by_cel(guards: &Value) -> Vec<String> {
    let resource = serde_json::to_value(written(&with_guards(guards))).expect("resources should be JSON");
    RULES.with(|(validator, compiled)| match validator.validate_compiled(compiled, &resource, None) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    })
}

fn refused_by_validation(guards: &Value) -> Vec<String> {
    match validated(&with_guards(guards), &ObservabilityFacts::default()) {
        Ok(_) => Vec::new(),
        Err(violations) => violations.iter().map(|violation| violation.message.clone()).collect(),
    }
}

fn accepts(guards: &Value) {
    assert_eq!(refused_by_cel(guards), Vec::<String>::new(), "{guards}");
    assert_eq!(refused_by_validation(guards), Vec::<String>::new(), "{guards}");
}

/// Both say the same sentence, of which this is a part.
fn rejects(guards: &Value, part: &str) {
    for (who, messages) in [("CEL", refused_by_cel(guards)), ("validation", refused_by_validation(guards))] {
        assert!(messages.iter().any(|message| message.contains(part)), "{who} of {guards} says {messages:?}");
    }
}

#[test]
fn money() {
    accepts(&json!({"spendRate": {"maxUSDPerHour": "0.5"}}));
    accepts(&json!({"spendRate": {"timesUsual": "1.01", "severity": "page-2"}}));
    accepts(&json!({"spendBudget": {"amountUSD": "999999.999999", "period": "31d"}}));
    rejects(&json!({"spendRate": {}}), "set `maxUSDPerHour`, `timesUsual` or both");
    rejects(&json!({"spendRate": {"severity": "critical"}}), "set `maxUSDPerHour`, `timesUsual` or both");
    for amount in ["0", "-1", "$5", "1e3", "1000000", "0.0000001"] {
        rejects(&json!({"spendRate": {"maxUSDPerHour": amount}}), "an amount in US dollars");
        rejects(&json!({"spendBudget": {"amountUSD": amount}}), "an amount in US dollars");
    }
    for times in ["1", "0.5", "1000", "1.001", "4x"] {
        rejects(&json!({"spendRate": {"timesUsual": times}}), "a number greater than 1");
    }
    for period in ["30m", "0h", "24", "1y"] {
        rejects(&json!({"spendBudget": {"amountUSD": "5", "period": period}}), "at least 1h and at most 31d");
    }
}

#[test]
fn activity() {
    let hours = |from: &str, to: &str| json!({"activity": {"expectedEvery": "6h", "activeHours": {"from": from, "to": to}}});
    for (from, to) in [("08:00", "18:00"), ("22:00", "06:00"), ("00:00", "24:00")] {
        accepts(&hours(from, to));
    }
    for (from, to) in
        [("8:00", "18:00"), ("24:00", "06:00"), ("08:00", "24:01"), ("08:00", "08:00"), ("08:60", "18:00")]
    {
        rejects(&hours(from, to), "must be a time of day");
    }
    for every in ["10m", "14d"] {
        accepts(&json!({"activity": {"expectedEvery": every}}));
    }
    for every in ["1s", "6", "2w", "0h"] {
        rejects(&json!({"activity": {"expectedEvery": every}}), "at least 10m and at most 14d");
    }
}

/// Only validation knows the database.
#[test]
fn time_zones_are_those_of_the_iana_database() {
    let zone = |name: &str| {
        let hours = json!({"from": "08:00", "to": "18:00", "timeZone": name});
        refused_by_validation(&json!({"activity": {"expectedEvery": "6h", "activeHours": hours}}))
    };
    for name in ["UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires", "Etc/GMT+3"] {
        assert_eq!(zone(name), Vec::<String>::new());
    }
    assert_eq!(zone("europe/madrid"), ["must be written as 'Europe/Madrid'"]);
    let unknown = "'Madrid' is no time zone of the IANA database, for example 'Europe/Madrid'";
    assert_eq!(zone("Madrid"), [unknown]);
}

#[test]
fn the_other_guards() {
    accepts(&json!({"stuck": {"after": "5m"}, "telemetryMissing": {"after": "14d"}, "toolFailure": {}}));
    accepts(&json!({"slowShare": {"slowerThan": "250ms", "percent": "99.999"}, "queue": {"maxDepth": 1}}));
    for after in ["1d", "5s", "0m", "45"] {
        rejects(&json!({"stuck": {"after": after}}), "at least 5m and at most 24h");
    }
    for after in ["1w", "5s", "0m"] {
        rejects(&json!({"telemetryMissing": {"after": after}}), "at least 5m and at most 14d");
    }
    for percent in ["0", "100", "0.0001", "5%"] {
        rejects(&json!({"toolFailure": {"percent": percent}}), "greater than 0 and less than 100");
        rejects(
            &json!({"slowShare": {"slowerThan": "60s", "percent": percent}}),
            "greater than 0 and less than 100",
        );
    }
    for slower in ["25h", "86400001ms", "60", "0s"] {
        rejects(&json!({"slowShare": {"slowerThan": slower}}), "between 1ms and 24h");
    }
    for guard in ["cardinalityOverflow", "pipelineLoss", "toolFailure", "telemetryMissing"] {
        rejects(&json!({guard: {"severity": "Critical"}}), "lower-case letters");
    }
    accepts(&json!({"runbookURL": "https://runbooks.example/{alert}?agent={agent}"}));
    for url in ["http://a.example", "https://a/{{x}}", "https://u@a.example"] {
        rejects(&json!({"runbookURL": url}), "must be an https URL");
    }
}

/// Where CEL cannot see it (the schema can), validation has words of its own.
#[test]
fn numbers_stay_within_their_bounds() {
    for (guards, message) in [
        (json!({"queue": {"maxDepth": 0}}), "must be between 1 and 1000000"),
        (json!({"toolFailure": {"minFailures": 1001}}), "must be between 1 and 1000"),
        (json!({"slowShare": {"slowerThan": "60s", "minSlow": 0}}), "must be between 1 and 1000"),
        (json!({"activity": {"expectedEvery": "9m"}}), "at least 10m and at most 14d"),
        (json!({"activity": {"expectedEvery": "337h"}}), "at least 10m and at most 14d"),
        (json!({"spendBudget": {"amountUSD": "5", "period": "5w"}}), "at least 1h and at most 31d"),
        (json!({"stuck": {"after": "25h"}}), "at least 5m and at most 24h"),
        (json!({"telemetryMissing": {"after": "4m"}}), "at least 5m and at most 14d"),
    ] {
        let said = refused_by_validation(&guards);
        assert!(said.iter().any(|said| said.contains(message)), "{guards}: {said:?}");
    }
}

/// Every violation of guards in which nothing is right, under an AgentPlatform that offers two severities.
pub(crate) fn everything_wrong() -> Violations {
    let guards = json!({
        "spendRate": {"severity": "Page!"},
        "spendBudget": {"amountUSD": "fifty", "period": "1y"},
        "activity": {
            "expectedEvery": "5m",
            "activeHours": {"from": "25:00", "to": "8", "timeZone": "Europe/Atlantis"},
        },
        "stuck": {"after": "1m"},
        "queue": {"maxDepth": 0},
        "toolFailure": {"percent": "100", "minFailures": 0},
        "telemetryMissing": {"after": "1m"},
        "cardinalityOverflow": {"severity": "x y"},
        "slowShare": {"slowerThan": "2d", "percent": "0", "minSlow": 0},
        "pipelineLoss": {"severity": "urgent"},
        "runbookURL": "http://runbooks.example",
    });
    let platform = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentPlatform",
        "metadata": {"name": "default"},
        "spec": {"defaults": {"allowedSeverities": ["critical", "warning"]}},
    });
    let platform: AgentPlatform = serde_json::from_value(platform).expect("the platform should parse");
    let platform = validate::platform(&platform).expect("the platform should be valid");
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    validated(&with_guards(&guards), &facts).expect_err("the guards should break rules")
}

/// Guards of every kind.
fn every_guard() -> Value {
    json!({
        "spendRate": {"maxUSDPerHour": "5", "timesUsual": "4"},
        "spendBudget": {"amountUSD": "50"},
        "activity": {
            "expectedEvery": "6h",
            "activeHours": {"from": "22:00", "to": "06:00", "days": ["Sunday"], "timeZone": "Europe/Madrid"},
        },
        "stuck": {"after": "45m"},
        "queue": {"maxDepth": 100},
        "toolFailure": {},
        "telemetryMissing": {},
        "cardinalityOverflow": {},
        "slowShare": {"slowerThan": "1800s"},
        "pipelineLoss": {},
        "runbookURL": "https://runbooks.example/{alert}/{namespace}/{name}/{agent}",
    })
}

fn rules_of(observability: &Observability) -> Vec<Rule> {
    guards::groups(observability).into_iter().flat_map(|group| group.rules).collect()
}

fn alerts_of(observability: &Observability) -> BTreeSet<String> {
    rules_of(observability).into_iter().filter_map(|rule| rule.alert).collect()
}

fn with_roles(roles: &[Role]) -> Observability {
    let facts =
        ObservabilityFacts { roles: Some(roles.iter().copied().collect()), ..ObservabilityFacts::default() };
    validated(&with_guards(&every_guard()), &facts).expect("every guard should be valid")
}

/// And with a ledger, which brings alerts of its own.
fn with_every_guard() -> Observability {
    let platform = unpermitted::judged(&unpermitted::everything()).expect("the platform should be valid");
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    let mut spec = with_guards(&every_guard());
    spec["pipeline"] = json!({"deriveMetrics": "Off"});
    spec["ledger"] = json!({});
    validated(&spec, &facts).expect("everything should be valid")
}

#[test]
fn every_alert_of_the_vocabulary_is_rendered() {
    let rendered = alerts_of(&with_every_guard());
    let known: BTreeSet<String> = crate::tidy::documents::vocabulary("alert").into_iter().collect();
    let of_slos: BTreeSet<String> = known.difference(&rendered).cloned().collect();
    let expected = ["AgentSLOBudgetBurn", "AgentSLOBudgetExhausted", "AgentSLONoData"];
    assert_eq!(of_slos, expected.map(str::to_owned).into());
    assert!(rendered.is_subset(&known), "{rendered:?}");
}

#[test]
fn a_guard_whose_series_were_never_seen_is_left_out_and_named() {
    let nothing = with_roles(&[]);
    let missing = [
        ("AgentSpendRateHigh", Role::Cost),
        ("AgentSpendBudgetSpent", Role::Cost),
        ("AgentInactive", Role::Runs),
        ("AgentRunStuck", Role::ActiveRuns),
        ("AgentQueueDeep", Role::QueueDepth),
        ("AgentToolFailing", Role::Tools),
        ("AgentRunsSlow", Role::RunDuration),
    ];
    assert_eq!(guards::missing(&nothing), missing.map(|(alert, role)| (alert, Lack::Series(role))));
    let left: Vec<String> = missing.iter().map(|(alert, _)| (*alert).to_owned()).collect();
    assert!(alerts_of(&nothing).is_disjoint(&left.into_iter().collect()));
    assert_eq!(guards::missing(&with_roles(&Role::ALL)), []);
    // One of two ways is enough.
    let stuck = |roles: &[Role]| alerts_of(&with_roles(roles)).contains("AgentRunStuck");
    assert!(stuck(&[Role::OldestActiveRunStart]) && stuck(&[Role::ActiveRuns, Role::Runs]));
    assert!(!stuck(&[Role::ActiveRuns]));
}

/// Silent for ever is worse than not there.
#[test]
fn a_guard_that_can_never_fire_is_left_out_and_named() {
    let with = |profile: &str, guards: Value, buckets: &[i64]| {
        let spec = json!({"agent": "a", "telemetry": {"profile": profile}, "guards": guards});
        let run_buckets = buckets.iter().copied().map(Decimal::from_integer).collect();
        let facts = ObservabilityFacts { run_buckets, ..ObservabilityFacts::default() };
        validated(&spec, &facts).expect("the guards should be valid")
    };
    let slow = |after: &str| json!({"slowShare": {"slowerThan": after}});
    let lacks = |profile: &str, guards: Value, buckets: &[i64]| -> Vec<Lack> {
        let observability = with(profile, guards, buckets);
        let missing = guards::missing(&observability);
        assert_eq!(alerts_of(&observability).is_empty(), !missing.is_empty(), "{profile}: {missing:?}");
        missing.into_iter().map(|(_, lack)| lack).collect()
    };
    let minute = Lack::Bucket(Role::RunDuration, Decimal::from_integer(60));
    assert_eq!(lacks("AgentMetrics", slow("60s"), &[30, 120]), [minute]);
    assert_eq!(lacks("AgentMetrics", slow("2m"), &[30, 120]), []);
    assert_eq!(lacks("AgentMetrics", slow("60s"), &[]), [], "nobody knows the buckets, or any will do");
    assert_eq!(lacks("LiteLLM", json!({"queue": {"maxDepth": 9}}), &[]), [Lack::Role(Role::QueueDepth)]);
}

#[test]
fn a_pipeline_brings_its_guard() {
    let spec = |guards: Value| json!({"agent": "a", "pipeline": {"deriveMetrics": "Off"}, "guards": guards});
    let severities = |guards: Value| -> Vec<String> {
        let rules = rules_of(&valid(&spec(guards))).into_iter();
        rules.filter(|rule| rule.alert.is_some()).map(|rule| rule.labels["severity"].clone()).collect()
    };
    assert_eq!(severities(json!({})), ["warning"; 5]);
    assert_eq!(severities(json!({"pipelineLoss": {"severity": "critical"}})), ["critical"; 5]);
    assert_eq!(alerts_of(&valid(&json!({"agent": "a"}))), BTreeSet::new());
}

/// The queries of every rule, and a check of the text that people read.
fn check(spec: &Value, profile: &str) {
    let mut spec = spec.clone();
    spec["telemetry"]["profile"] = profile.into();
    let agent = spec["agent"].as_str().expect("the agent should be text").to_owned();
    for group in guards::groups(&valid(&spec)) {
        assert!(group.rules.len() <= 20 && group.limit > 0, "{}", group.name);
        group.rules.iter().for_each(|rule| check_rule(rule, &agent));
    }
}

fn check_rule(rule: &Rule, agent: &str) {
    let expression = parsed(&rule.expr);
    for selector in selectors(&expression) {
        assert!(demands(&selector, "namespace", "team-a"), "{selector:?}");
        let ours = metric(&selector).starts_with("agentslo:");
        assert!(!ours || demands(&selector, "agent", agent), "{selector:?}");
    }
    for part in parts(&expression) {
        let Expr::Binary(BinaryExpr { op, rhs, .. }) = part else { continue };
        assert!(op.id() != T_DIV || matches!(*rhs, Expr::NumberLiteral(_)), "{}", rule.expr);
    }
    assert_eq!(rule.labels["agent"], agent);
    if rule.alert.is_some() {
        assert!(rule.annotations["summary"].starts_with(&format!("Agent '{agent}' in team-a: ")));
        assert!(!rule.annotations["description"].contains("{{"));
    }
}

#[test]
fn rules_of_every_profile_parse_and_stay_within_the_namespace() {
    for profile in agentslo::profiles::names() {
        check(&with_guards(&every_guard()), profile);
        let mut dotted = with_guards(&every_guard());
        dotted["telemetry"] = json!({"nameTranslation": "NoTranslation"});
        check(&dotted, profile);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_of_people_escapes(agent in hostile_text(), value in hostile_text()) {
        let matchers = json!([{"label": "cluster", "value": value}]);
        let spec = json!({"agent": agent, "guards": every_guard(), "telemetry": {"matchers": matchers}});
        check(&spec, "AgentMetrics");
    }

    #[test]
    fn near_misses_are_refused_by_validation_wherever_cel_refuses_them(
        number in "[0-9]{0,7}(\\.[0-9]{0,7})?",
        duration in "[0-9]{0,8}(ms|s|m|h|d|w)?",
        time in "[0-2]?[0-9]:[0-6][0-9]",
        name in "[a-zA-Z_.:0-9-]{1,4}",
    ) {
        for guards in near_misses(&number, &duration, &time, &name) {
            let (by_cel, by_validation) = (refused_by_cel(&guards), refused_by_validation(&guards));
            prop_assert!(by_cel.is_empty() || !by_validation.is_empty(), "only CEL refuses {}: {:?}", guards, by_cel);
        }
    }
}

/// Guards with one field each that may be of a wrong form.
fn near_misses(number: &str, duration: &str, time: &str, name: &str) -> Vec<Value> {
    let hours = |from: &str, to: &str| json!({"activity": {"expectedEvery": "1h", "activeHours": {"from": from, "to": to}}});
    vec![
        json!({"spendRate": {"maxUSDPerHour": number}}),
        json!({"spendRate": {"timesUsual": number}}),
        json!({"spendBudget": {"amountUSD": number}}),
        json!({"spendBudget": {"amountUSD": "1", "period": duration}}),
        json!({"activity": {"expectedEvery": duration}}),
        hours(time, "24:00"),
        hours("00:00", time),
        hours(time, time),
        json!({"stuck": {"after": duration}}),
        json!({"toolFailure": {"percent": number}}),
        json!({"telemetryMissing": {"after": duration}}),
        json!({"slowShare": {"slowerThan": duration}}),
        json!({"slowShare": {"slowerThan": "1s", "percent": number}}),
        json!({"queue": {"maxDepth": 1, "severity": name}}),
        json!({"runbookURL": format!("https://{name}/{number}")}),
    ]
}
