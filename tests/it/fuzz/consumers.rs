//! What is rendered, read by the grammars of those who read it: PromQL, Go's templates, Alertmanager's tree, the
//! Collector's components, Grafana's dashboards, and Kubernetes' names.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use agentslo::foreign::Rule;
use agentslo::render::{Artifact, ArtifactKind};
use regex::Regex;
use serde_json::Value;

use super::LARGEST_OUTPUT;
use crate::dashboards::queries_of;
use crate::pipeline::check_configuration;
use crate::{promql, workspace};

/// Refuses what a consumer would.
pub(super) fn check(artifact: &Artifact) -> Result<(), String> {
    let value = artifact.to_value();
    let what = format!("{} {}", artifact.kind().name(), artifact.name());
    let size = value.to_string().len();
    ensure(size <= LARGEST_OUTPUT, || format!("{what} has {size} bytes"))?;
    ensure(is_name(artifact.name()), || format!("{what} has an impossible name"))?;
    check_labels(&value["metadata"]["labels"]).map_err(|why| format!("{what}: {why}"))?;
    let text = serde_saphyr::to_string(&value).map_err(|error| format!("{what}: {error}"))?;
    let again: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{what}: {error}\n{text}"))?;
    ensure(again == value, || format!("{what} does not read back from YAML:\n{text}"))?;
    match artifact {
        Artifact::PrometheusRule(object) => object.spec.groups.iter().try_for_each(|group| {
            group.rules.iter().try_for_each(check_rule).map_err(|why| format!("{what}: {why}"))
        }),
        Artifact::AlertmanagerConfig(_) => {
            check_routes(&value["spec"]).map_err(|why| format!("{what}: {why}"))
        }
        Artifact::OpenTelemetryCollector(_) => {
            check_configuration(&value["spec"]["config"]);
            Ok(())
        }
        Artifact::ConfigMap(_) => check_data(&value["data"]).map_err(|why| format!("{what}: {why}")),
        Artifact::GrafanaDashboard(_) => check_dashboard(value["spec"]["json"].as_str().unwrap_or_default()),
        Artifact::PodMonitor(_) => check_monitor(&value["spec"]).map_err(|why| format!("{what}: {why}")),
        Artifact::Plain(_) => check_plain(artifact, &value).map_err(|why| format!("{what}: {why}")),
    }
}

fn check_plain(artifact: &Artifact, value: &Value) -> Result<(), String> {
    let kind = artifact.kind();
    if kind == ArtifactKind::Service {
        return ensure(SERVICE.is_match(artifact.name()), || "it has an impossible name".to_owned());
    }
    if kind == ArtifactKind::Deployment {
        return check_pod(&value["spec"]["template"]);
    }
    if kind == ArtifactKind::CronJob {
        ensure(artifact.name().len() <= 52, || "its name is too long for its Jobs".to_owned())?;
        return check_pod(&value["spec"]["jobTemplate"]["spec"]["template"]);
    }
    Ok(())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// A DNS subdomain.
static NAME: LazyLock<Regex> =
    LazyLock::new(|| whole(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"));
/// A DNS label that does not begin with a digit.
static SERVICE: LazyLock<Regex> = LazyLock::new(|| whole("[a-z]([-a-z0-9]{0,61}[a-z0-9])?"));
/// What a label of an object may be called, and what it may say.
static WORD: LazyLock<Regex> = LazyLock::new(|| whole("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"));
/// What a label in Prometheus may be called.
static LABEL: LazyLock<Regex> = LazyLock::new(|| whole("[a-zA-Z_][a-zA-Z0-9_]*"));
static DURATION: LazyLock<Regex> = LazyLock::new(|| whole("[0-9]+(ms|s|m|h|d|w)"));
/// A key of a ConfigMap.
static KEY: LazyLock<Regex> = LazyLock::new(|| whole("[-._a-zA-Z0-9]{1,253}"));

fn whole(expression: &str) -> Regex {
    Regex::new(&format!("^(?:{expression})$")).expect("the expression should be valid")
}

fn is_name(name: &str) -> bool {
    name.len() <= 253 && NAME.is_match(name)
}

fn check_labels(labels: &Value) -> Result<(), String> {
    for (key, value) in labels.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let is_value = value.is_empty() || value.len() <= 63 && WORD.is_match(value);
        let name = key.rsplit_once('/').map_or(key.as_str(), |(_, name)| name);
        let domain = key.rsplit_once('/').map_or("domain", |(domain, _)| domain);
        let is_key = name.len() <= 63 && WORD.is_match(name) && is_name(domain);
        ensure(is_value && is_key, || format!("label {key}={value} is none of Kubernetes'"))?;
    }
    Ok(())
}

fn check_rule(rule: &Rule) -> Result<(), String> {
    for query in promql::texts(rule) {
        promql_parser::parser::parse(&query).map_err(|error| format!("{error}: {query}"))?;
    }
    for name in rule.labels.keys().chain(rule.annotations.keys()) {
        ensure(LABEL.is_match(name), || format!("{name} is no name of a label"))?;
    }
    rule.labels.values().chain(rule.annotations.values()).try_for_each(|text| check_template(text))
}

/// Whether the actions of a template of Go are closed, and each block has its end.
fn check_template(text: &str) -> Result<(), String> {
    let mut open = 0_usize;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let (action, after) =
            after.split_once("}}").ok_or_else(|| format!("an action is not closed: {text}"))?;
        match action.trim_matches(['-', ' ']).split(' ').next().unwrap_or_default() {
            "with" | "if" | "range" => open += 1,
            "end" => open = open.checked_sub(1).ok_or_else(|| format!("nothing is there to end: {text}"))?,
            _ => {}
        }
        rest = after;
    }
    ensure(open == 0, || format!("a block has no end: {text}"))
}

fn check_routes(spec: &Value) -> Result<(), String> {
    let names = |list: &str| -> Vec<String> {
        let items = spec[list].as_array().into_iter().flatten();
        items.filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    let (receivers, times) = (names("receivers"), names("muteTimeIntervals"));
    let unique = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    ensure(unique(&receivers) && unique(&times), || "a name is there twice".to_owned())?;
    check_route(&spec["route"], &receivers, &times)?;
    for rule in spec["inhibitRules"].as_array().into_iter().flatten() {
        check_matchers(&rule["sourceMatch"])?;
        check_matchers(&rule["targetMatch"])?;
    }
    Ok(())
}

fn check_route(route: &Value, receivers: &[String], times: &[String]) -> Result<(), String> {
    let receiver = route["receiver"].as_str().unwrap_or_default();
    ensure(receivers.iter().any(|name| name == receiver), || format!("'{receiver}' is no receiver"))?;
    for time in route["muteTimeIntervals"].as_array().into_iter().flatten() {
        ensure(times.iter().any(|name| time == name), || format!("{time} is no time interval"))?;
    }
    for wait in ["groupWait", "groupInterval", "repeatInterval"] {
        let wait = route[wait].as_str().unwrap_or("1s");
        ensure(DURATION.is_match(wait), || format!("{wait} is no duration"))?;
    }
    check_matchers(&route["matchers"])?;
    route["routes"]
        .as_array()
        .into_iter()
        .flatten()
        .try_for_each(|route| check_route(route, receivers, times))
}

fn check_matchers(matchers: &Value) -> Result<(), String> {
    for matcher in matchers.as_array().into_iter().flatten() {
        let text = |field: &str| matcher[field].as_str().unwrap_or_default();
        ensure(!text("name").is_empty(), || format!("{matcher} has no name"))?;
        let is_expression = text("matchType") != "=~" || Regex::new(text("value")).is_ok();
        ensure(is_expression, || format!("{matcher} is no expression"))?;
    }
    Ok(())
}

/// What prometheus-operator makes of a PodMonitor's selector, and that there is something to scrape.
fn check_monitor(spec: &Value) -> Result<(), String> {
    let endpoints = spec["podMetricsEndpoints"].as_array().map_or(0, Vec::len);
    ensure(endpoints > 0, || "nothing is scraped".to_owned())?;
    check_labels(&spec["selector"]["matchLabels"])?;
    for condition in spec["selector"]["matchExpressions"].as_array().into_iter().flatten() {
        let has_values = condition["values"].as_array().is_some_and(|values| !values.is_empty());
        let takes_values = ["In", "NotIn"].iter().any(|operator| condition["operator"] == *operator);
        ensure(has_values == takes_values, || format!("{condition} is no condition"))?;
    }
    Ok(())
}

/// A pod of ours: it may not become root, and its program takes what it is started with.
fn check_pod(template: &Value) -> Result<(), String> {
    check_labels(&template["metadata"]["labels"])?;
    let pod = &template["spec"];
    ensure(pod["securityContext"]["runAsNonRoot"] == true, || "it could run as root".to_owned())?;
    for container in pod["containers"].as_array().into_iter().flatten() {
        let arguments = container["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let arguments: Vec<String> = ["agentslo"].into_iter().chain(arguments).map(expanded).collect();
        let environment = container["env"].as_array().into_iter().flatten();
        let database = environment.clone().find(|variable| variable["name"] == "AGENTSLO_DATABASE_URL");
        let database = database.and_then(|variable| variable["value"].as_str()).unwrap_or_default();
        let url = format!("--database-url={database}");
        let (words, rest) = arguments.split_at(3);
        let all = words.iter().chain([&url]).chain(rest);
        let taken = agentslo::cli::command().try_get_matches_from(all);
        taken.map_err(|error| format!("{arguments:?}: {error}"))?;
    }
    Ok(())
}

/// As Kubernetes expands an argument that names no variable that is there.
fn expanded(argument: &str) -> String {
    argument.replace("$$(", "$(")
}

/// Of a ConfigMap: a Collector's configuration, a dashboard, or an environment.
fn check_data(data: &Value) -> Result<(), String> {
    for (key, text) in data.as_object().into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        ensure(KEY.is_match(key), || format!("{key} is no key"))?;
        if key == "collector.yaml" {
            check_configuration(&serde_saphyr::from_str(text).map_err(|error| format!("{key}: {error}"))?);
        } else if workspace::has_extension(key, "json") {
            check_dashboard(text)?;
        }
    }
    Ok(())
}

fn check_dashboard(text: &str) -> Result<(), String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("a dashboard: {error}"))?;
    let panels = json["panels"].as_array().into_iter().flatten();
    let ids: Vec<&Value> = panels.map(|panel| &panel["id"]).collect();
    let unique: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    ensure(!ids.is_empty() && unique.len() == ids.len(), || format!("panels have ids {ids:?}"))?;
    for query in queries_of(json) {
        promql_parser::parser::parse(&query).map_err(|error| format!("{error}: {query}"))?;
    }
    Ok(())
}
