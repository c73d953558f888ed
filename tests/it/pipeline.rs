//! Laws of every rendered Collector configuration, and of the agent's environment. What the real Collector
//! makes of them is tested on the real servers.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::api::v1alpha1::{AgentObservability, AgentPlatform};
use agentslo::collector_versions;
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::domain::violation::Violations;
use agentslo::render::{self, Artifact, Part};
use agentslo::validate::{self, ObservabilityFacts};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::example;
use crate::scenarios::unpermitted;

fn platform(spec: &Value) -> Platform {
    let written = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform",
        "metadata": {"name": "default"}, "spec": spec,
    });
    let written: AgentPlatform = serde_json::from_value(written).expect("the platform should parse");
    validate::platform(&written).unwrap_or_else(|_| panic!("the platform should be valid"))
}

fn judge(spec: &Value, platform: Platform) -> Result<Observability, Violations> {
    let written = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"name": "support-agent", "namespace": "support"}, "spec": spec,
    });
    let written: AgentObservability = serde_json::from_value(written).expect("the resource should parse");
    validate::observability(&written, &ObservabilityFacts { platform, ..ObservabilityFacts::default() })
}

fn given(pipeline: &Value, platform_spec: &Value) -> Observability {
    let spec = json!({"agent": "support-agent", "pipeline": pipeline});
    judge(&spec, platform(platform_spec)).unwrap_or_else(|_| panic!("{pipeline} should be valid"))
}

fn artifacts(observability: &Observability) -> Vec<Artifact> {
    render::observability(observability).remove(&Part::Pipeline).expect("each part should be there").0
}

/// Files of the ConfigMap with this suffix.
fn files(observability: &Observability, suffix: &str) -> BTreeMap<String, String> {
    let maps = artifacts(observability).into_iter().filter(|artifact| artifact.name().ends_with(suffix));
    let data = maps.map(|artifact| artifact.to_value()["data"].clone());
    data.flat_map(|data| serde_json::from_value::<BTreeMap<String, String>>(data).unwrap_or_default())
        .collect()
}

fn configuration(observability: &Observability) -> Value {
    let found = artifacts(observability).into_iter().find_map(|artifact| {
        let artifact = artifact.to_value();
        match artifact["data"]["collector.yaml"].as_str() {
            Some(text) => Some(serde_saphyr::from_str(text).expect("a configuration should be YAML")),
            None => artifact["spec"].get("config").cloned(),
        }
    });
    found.expect("a pipeline should have a configuration")
}

/// Every text in a value, keys too.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(entries) => {
            for (key, value) in entries {
                found.push(key.clone());
                texts(value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a text refers to outside itself: whatever follows a `$` that is not doubled.
fn references(text: &str) -> Vec<String> {
    let rest = text.replace("$$", "");
    rest.split('$').skip(1).map(|after| after.split('}').next().unwrap_or_default().to_owned()).collect()
}

fn check_references(configuration: &Value) {
    let mut all = Vec::new();
    texts(configuration, &mut all);
    for reference in all.iter().flat_map(|text| references(text)) {
        assert!(reference.starts_with("{env:AGENTSLO_"), "${reference} is looked up");
    }
}

/// Components that work on copies, or on series that are the Collector's own.
const UNGUARDED: [&str; 4] =
    ["transform/events", "transform/spans", "transform/single_writer", "transform/namespace"];

fn check_guards(configuration: &Value) {
    let guard = json!(["resource.attributes[\"k8s.namespace.name\"] == \"support\""]);
    let components = configuration["processors"].as_object().expect("there should be some");
    let guarded = components
        .iter()
        .filter(|(name, _)| name.starts_with("transform/") && !UNGUARDED.contains(&name.as_str()));
    let mut count = 0;
    for (name, component) in guarded {
        for signal in ["trace_statements", "log_statements", "metric_statements"] {
            for group in component[signal].as_array().into_iter().flatten() {
                assert_eq!(group["conditions"], guard, "{name} should touch only the tenant's data");
                count += 1;
            }
        }
    }
    assert!(count > 10, "{count} groups are few");
}

/// What every configuration must be, whatever it was made from.
pub(crate) fn check_configuration(configuration: &Value) {
    check_closed(configuration);
    check_references(configuration);
}

/// What is named is there, and what is there is named.
fn check_closed(configuration: &Value) {
    let named = |key: &str| -> BTreeSet<&str> {
        let pipelines = configuration["service"]["pipelines"].as_object().expect("there should be some");
        pipelines.values().filter_map(|it| it[key].as_array()).flatten().filter_map(Value::as_str).collect()
    };
    let defined = |keys: &[&str]| -> BTreeSet<&str> {
        let sections = keys.iter().filter_map(|key| configuration[key].as_object());
        sections.flat_map(|section| section.keys().map(String::as_str)).collect()
    };
    assert_eq!(named("processors"), defined(&["processors"]));
    let ends: BTreeSet<&str> = named("receivers").union(&named("exporters")).copied().collect();
    assert_eq!(ends, defined(&["receivers", "connectors", "exporters"]));
    let connectors = defined(&["connectors"]);
    assert!(named("receivers").is_superset(&connectors) && named("exporters").is_superset(&connectors));
}

#[test]
fn configurations_of_examples_are_closed_and_refer_to_nothing() {
    let all = example::observabilities();
    let with_pipeline: Vec<_> = all.iter().filter(|(_, it)| it.pipeline().is_some()).collect();
    assert!(with_pipeline.len() >= 2, "there should be examples of pipelines");
    for (_, observability) in with_pipeline {
        let configuration = configuration(observability);
        check_configuration(&configuration);
    }
}

/// Redaction stands before everything that could read or keep data.
#[test]
fn nothing_reads_what_is_not_redacted() {
    for (name, observability) in example::observabilities() {
        if observability.pipeline().is_none() {
            continue;
        }
        let configuration = configuration(&observability);
        let pipelines = configuration["service"]["pipelines"].as_object().expect("there should be some");
        for (pipeline, parts) in pipelines.iter().filter(|(_, parts)| parts["receivers"] == json!(["otlp"])) {
            let steps: Vec<&str> =
                parts["processors"].as_array().expect("steps").iter().filter_map(Value::as_str).collect();
            assert_eq!(steps[0], "memory_limiter", "{name} {pipeline}");
            let place = |step: &str| steps.iter().position(|it| *it == step);
            assert!(place("redaction") < place("batch"), "{name} {pipeline}: {steps:?}");
            assert!(place("redaction").is_some() && steps.last() == Some(&"batch"), "{name} {pipeline}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_pattern_becomes_configuration(raw in "[a-z$\\{\\}:\"'#\\\\\\-\\]\\[]{1,40}") {
        let pattern = format!("x{}", regex::escape(&raw));
        let redaction = json!({"patterns": [pattern], "keyPatterns": [pattern]});
        let with = configuration(&given(&json!({"redaction": redaction}), &json!({})));
        check_references(&with);
        check_guards(&with);
        check_closed(&with);
        let written = with["processors"]["redaction"]["blocked_values"].as_array().and_then(|all| all.last());
        let expected = pattern.replace('$', "$$");
        prop_assert_eq!(written.and_then(Value::as_str), Some(expected.as_str()));
    }
}

#[test]
fn a_release_that_cannot_empty_links_is_refused_where_content_must_not_pass() {
    for version in collector_versions::names() {
        let able = collector_versions::find(version).expect("it is listed").unsets_with_nil;
        for content in ["None", "Redacted", "Full"] {
            let pipeline = json!({"collectorVersion": version, "redaction": {"contentCapture": content}});
            let judged = judge(&json!({"agent": "x", "pipeline": pipeline}), Platform::default());
            assert_eq!(judged.is_ok(), able || content == "Full", "{version} {content}");
            let Err(violations) = judged else { continue };
            let said = violations.first().expect("there is one").to_string();
            assert!(said.contains("'collectorVersion' 0.165, or 'contentCapture: Full'"), "{said}");
        }
    }
}

#[test]
fn a_pattern_that_go_would_refuse_is_refused_here() {
    for (pattern, said) in [
        ("(?x)a", "flags"),
        ("a{2}{3}", "a repetition follows"),
        ("[a&&b]", "mean nothing"),
        ("a*", "empty text"),
    ] {
        let pipeline = json!({"redaction": {"patterns": [pattern]}});
        let judged = judge(&json!({"agent": "x", "pipeline": pipeline}), Platform::default());
        let violations = judged.expect_err("it should be refused");
        let message = violations.first().expect("there is one").to_string();
        assert!(message.contains(said) && message.contains("patterns[0]"), "{message}");
    }
}

/// The first is the only exporter that the tests' Collector does not have.
#[test]
fn elasticsearch_and_zipkin_have_exporters_of_their_own() {
    let platform = json!({"backends": [
        {"name": "elastic", "kind": "Elasticsearch", "address": "https://es:9200", "credentialsSecret": {"name": "es", "key": "api"}},
        {"name": "zipkin", "kind": "Zipkin", "address": "http://zipkin:9411/"},
    ]});
    let observability = given(&json!({"traces": {"backends": ["elastic", "zipkin"]}}), &platform);
    let exporters = &configuration(&observability)["exporters"];
    let elastic = &exporters["elasticsearch/elastic"];
    assert_eq!(elastic["endpoints"], json!(["https://es:9200"]));
    assert_eq!(elastic["api_key"], "${env:AGENTSLO_BACKEND_ELASTIC}");
    assert_eq!(elastic["sending_queue"]["storage"], "file_storage/queue");
    assert_eq!(exporters["zipkin/zipkin"]["endpoint"], "http://zipkin:9411/api/v2/spans");
    let variables: Value =
        serde_saphyr::from_str(&files(&observability, "-collector")["env.yaml"]).expect("it should be YAML");
    let reference = json!({"secretKeyRef": {"name": "es", "key": "api"}});
    assert_eq!(variables, json!([{"name": "AGENTSLO_BACKEND_ELASTIC", "valueFrom": reference}]));
}

/// A Collector that listens on one address of its machine does not answer on another.
#[test]
fn a_collector_scrapes_itself_where_it_listens() {
    let platform = json!({"backends": [
        {"name": "write", "kind": "PrometheusRemoteWrite", "address": "http://prometheus:9090"},
    ]});
    for (delivery, host) in
        [("ConfigMap", "${env:AGENTSLO_LISTEN:-127.0.0.1}"), ("OpenTelemetryCollector", "127.0.0.1")]
    {
        let pipeline = json!({"delivery": delivery, "metrics": {"backends": ["write"]}});
        let text = configuration(&given(&pipeline, &platform))["receivers"]["prometheus/repeat"].to_string();
        assert!(text.contains(&format!("[\"{host}:8889\"]")), "{text}");
    }
}

#[test]
fn older_releases_have_older_names() {
    let platform = json!({"backends": [
        {"name": "write", "kind": "PrometheusRemoteWrite", "address": "http://prometheus:9090"},
    ]});
    let of = |version: &str| {
        let redaction = json!({"contentCapture": "Full"});
        let metrics = json!({"backends": ["write"]});
        configuration(&given(
            &json!({"collectorVersion": version, "redaction": redaction, "metrics": metrics}),
            &platform,
        ))
    };
    let (old, new) = (of("0.155"), of("0.165"));
    let endpoint = "http://prometheus:9090/api/v1/write";
    assert_eq!(old["exporters"]["prometheus_remote_write/write"]["endpoint"], endpoint);
    assert_eq!(new["exporters"]["prometheus_remote_write/write"]["http"]["endpoint"], endpoint);
    assert!(old["processors"]["deltatocumulative"].is_object());
    assert!(new["processors"]["delta_to_cumulative"].is_object());
    assert!(!old["processors"].to_string().contains("nil)"), "what does nothing is not written");
}

fn environment(spec: &Value, platform_spec: &Value) -> BTreeMap<String, String> {
    let observability =
        judge(spec, platform(platform_spec)).unwrap_or_else(|_| panic!("{spec} should be valid"));
    files(&observability, "-otel")
}

#[test]
fn an_agent_asks_for_content_only_where_it_may_pass() {
    for (content, flag) in [("None", "0"), ("Redacted", "1"), ("Full", "1")] {
        let pipeline = json!({"redaction": {"contentCapture": content}});
        let environment = environment(&json!({"agent": "x", "pipeline": pipeline}), &json!({}));
        for switch in ["USER_PROMPTS", "ASSISTANT_RESPONSES", "TOOL_DETAILS", "TOOL_CONTENT"] {
            assert_eq!(environment[&format!("OTEL_LOG_{switch}")], flag, "{content} {switch}");
        }
    }
}

#[test]
fn an_agent_sends_what_the_pipeline_takes_to_where_it_is() {
    let gateway = json!({"collector": {"endpoint": "http://{name}.{namespace}.gateway:4318"}});
    let spec = json!({"agent": "a,b = ü", "pipeline": {"deriveMetrics": "FromEvents"}});
    let sent = environment(&spec, &gateway);
    assert_eq!(sent["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://support-agent.support.gateway:4318");
    assert_eq!(
        sent["OTEL_RESOURCE_ATTRIBUTES"],
        "gen_ai.agent.name=a%2Cb%20%3D%20%C3%BC,k8s.namespace.name=support,service.name=a%2Cb%20%3D%20%C3%BC"
    );
    assert_eq!(
        (sent["OTEL_LOGS_EXPORTER"].as_str(), sent["OTEL_TRACES_EXPORTER"].as_str()),
        ("otlp", "none")
    );
    assert_eq!(sent["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"], "delta");
    let off = environment(&json!({"agent": "x", "pipeline": {"deriveMetrics": "Off"}}), &json!({}));
    assert_eq!(off["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"], "cumulative");
    assert_eq!(off["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://support-agent-collector.support.svc:4318");
}

#[test]
fn a_back_end_is_trusted_by_whoever_vouches_for_it_besides_the_usual() {
    let backend = |name: &str, kind: &str| {
        let address = format!("https://{name}.monitoring.svc");
        let tls = json!({"caSecret": {"name": "monitoring-ca", "key": "ca.crt"}});
        json!({"name": name, "kind": kind, "address": address, "tls": tls})
    };
    let platform = json!({"backends": [
        backend("grpc", "Tempo"), backend("elastic", "Elasticsearch"), backend("zip-kin", "Zipkin"),
        backend("loki", "Loki"), backend("write", "PrometheusRemoteWrite"),
        {"name": "plain", "kind": "Otlp", "address": "https://plain.monitoring.svc"},
    ]});
    let pipeline = json!({
        "traces": {"backends": ["grpc", "elastic", "zip-kin", "plain"]},
        "logs": {"backends": ["loki"]}, "metrics": {"backends": ["write"]},
    });
    let observability = given(&pipeline, &platform);
    let exporters = &configuration(&observability)["exporters"];
    for (id, variable) in [
        ("otlp_grpc/grpc", "GRPC"),
        ("elasticsearch/elastic", "ELASTIC"),
        ("zipkin/zip-kin", "ZIP_KIN"),
        ("otlp_http/loki", "LOKI"),
        ("prometheus_remote_write/write", "WRITE"),
    ] {
        // Remote write has what is the client's in a place of its own.
        let tls =
            [&exporters[id]["http"]["tls"], &exporters[id]["tls"]].into_iter().find(|tls| !tls.is_null());
        let tls = tls.unwrap_or_else(|| panic!("{id} in {exporters:#}"));
        assert_eq!(tls["ca_pem"], format!("${{env:AGENTSLO_CA_{variable}}}"), "{id}");
        assert_eq!(tls["include_system_ca_certs_pool"], true, "{id}");
    }
    assert_eq!(exporters["otlp_grpc/plain"]["tls"], json!({"insecure": false}));
}

#[test]
fn nobody_vouches_for_a_back_end_in_plain_text() {
    let platform = json!({"backends": [{
        "name": "tempo", "kind": "Tempo", "address": "http://tempo.monitoring.svc:4317",
        "tls": {"caSecret": {"name": "monitoring-ca", "key": "ca.crt"}},
    }]});
    let wrong = unpermitted::judged(&platform).expect_err("it should be refused");
    let said: Vec<_> = wrong.iter().map(|it| (it.path.as_str(), it.message.as_str())).collect();
    assert_eq!(said, [("spec.backends[0].tls", "needs an address that begins with 'https://'")]);
}

#[test]
fn variables_have_legal_names_and_are_no_secrets() {
    let scraped = json!({
        "agent": "x", "environment": "ConfigMap",
        "scrape": {"selector": {"matchLabels": {"app": "x"}}, "port": "metrics"},
    });
    let piped = json!({"agent": "x", "pipeline": {"traces": {"backends": ["honeycomb"]}}});
    let secret = json!({"name": "honeycomb-credentials", "key": "team"});
    let platform = json!({"backends": [
        {"name": "honeycomb", "kind": "Honeycomb", "address": "https://api.honeycomb.io", "credentialsSecret": secret},
    ]});
    for spec in [scraped, piped] {
        let variables = environment(&spec, &platform);
        assert!(variables.len() > 5, "{variables:?}");
        for (name, value) in &variables {
            assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{name}");
            assert!(!value.contains("honeycomb") && !value.contains('$'), "{name}={value}");
        }
    }
    let scraped = environment(&json!({"agent": "x", "environment": "ConfigMap"}), &json!({}));
    assert!(!scraped.contains_key("OTEL_EXPORTER_OTLP_ENDPOINT"), "nobody listens");
}
