//! What the API server would say to routing and scraping: the CEL rules of the AgentObservability's CRD,
//! evaluated here. Validation must refuse whatever they refuse, in the same words.

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::domain::observability::Observability;
use agentslo::domain::violation::Violations;
use agentslo::validate::{self, ObservabilityFacts};
use kube_cel::{CompiledSchema, Validator, compile_schema};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crd;

thread_local! {
    /// Compiled once for each test, which is far slower than evaluating.
    static RULES: (Validator, CompiledSchema) = {
        let compiled = compile_schema(&crd::schema_of("AgentObservability"));
        assert!(!compiled.has_errors(), "every rule should compile");
        (Validator::new(), compiled)
    };
}

/// The resource as the API server sees it, with defaults filled in.
fn written(fields: &Value) -> AgentObservability {
    let mut spec = json!({"agent": "support-agent"});
    fields.as_object().expect("fields should be an object").iter().for_each(|(name, value)| {
        spec[name] = value.clone();
    });
    let resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"name": "support", "namespace": "team-a"},
        "spec": spec,
    });
    serde_json::from_value(resource).expect("the resource should have the right types")
}

fn refused_by_cel(fields: &Value) -> Vec<String> {
    let resource = serde_json::to_value(written(fields)).expect("resources should be JSON");
    RULES.with(|(validator, compiled)| match validator.validate_compiled(compiled, &resource, None) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    })
}

fn validated(fields: &Value) -> Result<Observability, Violations> {
    validate::observability(&written(fields), &ObservabilityFacts::default())
}

fn refused_by_validation(fields: &Value) -> Vec<String> {
    match validated(fields) {
        Ok(_) => Vec::new(),
        Err(violations) => violations.iter().map(|violation| violation.message.clone()).collect(),
    }
}

fn accepts(fields: &Value) {
    assert_eq!(refused_by_cel(fields), Vec::<String>::new(), "{fields}");
    assert_eq!(refused_by_validation(fields), Vec::<String>::new(), "{fields}");
}

/// Both say the same sentence, of which this is a part.
fn rejects(fields: &Value, part: &str) {
    let by_cel: Vec<String> = said_with(refused_by_cel(fields), part);
    let by_validation: Vec<String> = said_with(refused_by_validation(fields), part);
    assert!(!by_cel.is_empty(), "CEL takes {fields}");
    assert_eq!(by_cel, by_validation, "{fields}");
}

fn said_with(mut messages: Vec<String>, part: &str) -> Vec<String> {
    messages.retain(|message| message.contains(part));
    messages
}

/// Routing with a receiver, and some fields replaced.
fn routing(fields: &Value) -> Value {
    let slack = json!({"name": "slack", "slack": {"apiURL": {"secret": "slack", "key": "url"}}});
    let mut routing = json!({"page": ["slack"], "ticket": ["slack"], "receivers": [slack]});
    fields.as_object().expect("fields should be an object").iter().for_each(|(name, value)| {
        routing[name] = value.clone();
    });
    json!({"routing": routing})
}

fn mute(from: &str, to: &str) -> Value {
    routing(&json!({"muteTimes": [{"name": "nights", "from": from, "to": to}]}))
}

fn scrape(interval: &str, selector: &Value) -> Value {
    json!({"scrape": {"selector": selector, "port": "metrics", "interval": interval}})
}

#[test]
fn routing_tells_somebody() {
    accepts(&routing(&json!({})));
    accepts(&routing(&json!({"page": []})));
    accepts(&routing(&json!({"ticket": []})));
    rejects(&routing(&json!({"page": [], "ticket": []})), "or nobody is told");
}

#[test]
fn a_receiver_is_told_in_one_way() {
    let secret = json!({"secret": "receivers", "key": "key"});
    let with = |way: Value| {
        let mut receiver = json!({"name": "slack"});
        way.as_object().expect("a way should be an object").iter().for_each(|(name, value)| {
            receiver[name] = value.clone();
        });
        routing(&json!({"receivers": [receiver]}))
    };
    accepts(&with(json!({"slack": {"apiURL": secret}})));
    accepts(&with(json!({"pagerDuty": {"routingKey": secret}})));
    accepts(&with(json!({"webhook": {"url": secret}})));
    accepts(&with(json!({"opsGenie": {"apiKey": secret}})));
    accepts(&with(json!({"msTeams": {"webhookURL": secret}})));
    rejects(&with(json!({})), "set exactly one of `slack`");
    rejects(
        &with(json!({"webhook": {"url": secret}, "email": {"to": "a@b.c"}})),
        "set exactly one of `slack`",
    );
}

#[test]
fn route_durations() {
    for field in ["groupWait", "groupInterval", "repeatInterval"] {
        for duration in ["1s", "99999m", "4h"] {
            accepts(&routing(&json!({field: duration})));
        }
        for duration in ["1d", "30", "1.5s", "-1s", "100ms", "123456s"] {
            rejects(&routing(&json!({field: duration})), "must be a whole number of seconds");
        }
    }
    accepts(&routing(&json!({"groupWait": "0s"})));
    rejects(&routing(&json!({"groupInterval": "0s"})), "must be a whole number of seconds");
    rejects(&routing(&json!({"repeatInterval": "0h"})), "must be a whole number of seconds");
}

#[test]
fn mute_times() {
    for (from, to) in [("20:00", "07:00"), ("00:00", "24:00"), ("07:59", "23:59")] {
        accepts(&mute(from, to));
    }
    for (from, to) in
        [("24:00", "07:00"), ("7:00", "08:00"), ("20:00", "20:00"), ("20:60", "07:00"), ("20:00", "24:01")]
    {
        rejects(&mute(from, to), "must be a time of day");
    }
}

#[test]
fn scraping() {
    let app = json!({"matchLabels": {"app": "support"}});
    for interval in ["5s", "300s", "5m"] {
        accepts(&scrape(interval, &app));
    }
    for interval in ["4s", "301s", "6m", "1h", "30", "0s"] {
        rejects(&scrape(interval, &app), "at least 5s and at most 5m");
    }
    accepts(&scrape("30s", &json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]})));
    rejects(&scrape("30s", &json!({})), "or every pod would be scraped");
}

#[test]
fn what_only_validation_knows() {
    let says = |fields: Value, sentence: &str| {
        assert_eq!(refused_by_cel(&fields), Vec::<String>::new(), "{fields}");
        assert_eq!(refused_by_validation(&fields), [sentence], "{fields}");
    };
    says(routing(&json!({"page": ["slck"]})), "'slck' is no receiver; receivers are 'slack'");
    says(routing(&json!({"page": ["slack", "slack"]})), "must not repeat 'slack'");
    let pager = json!({"name": "pager", "pagerDuty": {"routingKey": {"secret": "a", "key": "b"}}});
    let slack = json!({"name": "slack", "slack": {"apiURL": {"secret": "slack", "key": "url"}}});
    says(
        routing(&json!({"receivers": [slack, pager]})),
        "'pager' is told of nothing; name it in `page` or `ticket`, or remove it",
    );
    says(
        routing(&json!({"receivers": [{"name": "slack", "email": {"to": "a@b.c"}}]})),
        "e-mail is not offered: the default policy (there is no AgentPlatform) names no `mail` server",
    );
    let nights = json!({"name": "nights", "from": "20:00", "to": "07:00", "timeZone": "CEST"});
    says(
        routing(&json!({"muteTimes": [nights]})),
        "'CEST' is no time zone of the IANA database, for example 'Europe/Madrid'",
    );
    let nights = json!({"name": "nights", "from": "20:00", "to": "07:00"});
    says(
        routing(&json!({"ticket": [], "muteTimes": [nights]})),
        "mutes tickets only, and `ticket` names no receiver",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn near_misses_are_refused_by_both_or_by_none(
        duration in "[0-9]{0,6}(ms|s|m|h|d)?",
        from in "[0-2]?[0-9]:[0-6][0-9]?",
        to in "[0-2]?[0-9]:[0-6][0-9]?",
    ) {
        let app = json!({"matchLabels": {"app": "support"}});
        for fields in [
            routing(&json!({"groupWait": duration})),
            routing(&json!({"groupInterval": duration})),
            routing(&json!({"repeatInterval": duration})),
            mute(&from, &to),
            scrape(&duration, &app),
        ] {
            let (by_cel, by_validation) = (refused_by_cel(&fields), refused_by_validation(&fields));
            prop_assert_eq!(by_cel.is_empty(), by_validation.is_empty(), "{} {:?}", fields, by_cel);
        }
    }
}
