//! An AgentObservability, rendered and run.

use std::collections::BTreeMap;
use std::time::Duration;

use agentslo::api::v1alpha1::{AgentObservability, AgentPlatform};
use agentslo::domain::observability::Observability;
use agentslo::render::{self, Part};
use agentslo::validate::{self, ObservabilityFacts};
use bed::otlp::Sender;
use bed::{Bed, Collector, Configuration, Options, eventually};
use serde_json::{Value, json};

use super::sink::Sink;

/// Longest wait for what passes through a Collector: batches, queues, and a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(40);
/// The namespace of every AgentObservability here.
pub(crate) const NAMESPACE: &str = "support";

/// Where derived metrics are scraped, as far as a test does not say otherwise.
const LISTEN: &str = "${env:AGENTSLO_LISTEN:-127.0.0.1}";

/// A Collector that runs a rendered pipeline, and a back end named `sink`.
pub(crate) struct Stand {
    pub(crate) collector: Collector,
    pub(crate) sink: Sink,
    /// Where agents send.
    pub(crate) otlp: String,
    metrics: String,
    /// Last, for its folder goes with it.
    _bed: Bed,
}

/// What is run.
#[derive(Default)]
pub(crate) struct Given {
    /// `spec.pipeline`.
    pub(crate) pipeline: Value,
    /// Back ends beside the sink.
    pub(crate) backends: Value,
    /// `spec.collector` of the AgentPlatform.
    pub(crate) collectors: Value,
    /// What is laid over the configuration, for this machine.
    pub(crate) over: Value,
    /// Environment variables of the Collector.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Stand {
    /// Runs `spec.pipeline`.
    pub(crate) async fn start(pipeline: &Value) -> Self {
        let sink = Sink::start().await;
        let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
        Self::on(bed, sink, Given { pipeline: pipeline.clone(), ..Given::default() }).await
    }

    /// Runs it on a bed.
    pub(crate) async fn on(bed: Bed, sink: Sink, given: Given) -> Self {
        let address = || format!("127.0.0.1:{}", bed.port().expect("a port should be free"));
        let (grpc, http, metrics) = (address(), address(), address());
        let mut backends =
            vec![json!({"name": "sink", "kind": "Otlp", "protocol": "Http", "address": sink.url()})];
        backends.extend(given.backends.as_array().cloned().unwrap_or_default());
        let mut collectors = json!({"storageDirectory": bed.folder().join("queue")});
        for (key, value) in given.collectors.as_object().into_iter().flatten() {
            collectors[key] = value.clone();
        }
        let platform = json!({"backends": backends, "collector": collectors});
        let text = configuration(&observability(&given.pipeline, &platform));
        let mut laid = json!({
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": grpc}, "http": {"endpoint": &http}}}},
            "processors": {"batch": {"timeout": "200ms"}},
            "exporters": {"prometheus": {"endpoint": metrics.replace("127.0.0.1", LISTEN)}},
        });
        if text.contains("otlp_http/sink") {
            laid["exporters"]["otlp_http/sink"] = json!({"encoding": "json", "compression": "none"});
        }
        if text.contains("prometheus/repeat") {
            laid["receivers"]["prometheus/repeat"] = hastened(&text, &metrics);
        }
        let over = if given.over.is_null() { json!({}) } else { given.over };
        let configuration = Configuration::new("pipeline", &text).over(laid).over(over);
        let environment = given.environment.iter();
        let configuration = environment.fold(configuration, |it, (name, value)| it.env(name, value));
        let collector = Collector::start(&bed, &configuration).await.expect("the Collector should start");
        let (otlp, metrics) = (format!("http://{http}"), format!("http://{metrics}/metrics"));
        Self { collector, sink, otlp, metrics, _bed: bed }
    }

    /// The agent.
    pub(crate) fn agent(&self) -> Sender {
        let resource = json!({"service.name": "support-agent", "gen_ai.agent.name": "support-agent"});
        Sender::to(&self.otlp).resource(&resource)
    }

    /// Sends OTLP's JSON.
    pub(crate) async fn post(&self, signal: &str, body: &Value) {
        let url = format!("{}/v1/{signal}", self.otlp);
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("the Collector should answer");
        assert!(
            answer.status().is_success(),
            "{}: {}",
            answer.status(),
            answer.text().await.unwrap_or_default()
        );
    }

    /// What Prometheus would scrape.
    pub(crate) async fn scraped(&self) -> String {
        let answer = reqwest::get(&self.metrics).await.expect("the Collector should answer");
        answer.text().await.expect("metrics should be text")
    }

    /// The value of the one series with this name and all these labels.
    pub(crate) async fn value(&self, series: &str, labels: &[&str]) -> Option<f64> {
        sample(&self.scraped().await, series, labels)
    }

    /// Waits until a series has a value.
    pub(crate) async fn wait_for(&self, series: &str, labels: &[&str], wanted: f64) {
        let reached = eventually(SOON, async || {
            (self.value(series, labels).await? - wanted).abs().le(&1e-9).then_some(())
        });
        let reached = reached.await.is_some();
        let now = only(&self.scraped().await, series);
        assert!(reached, "{series}{labels:?} should become {wanted}:\n{now}");
    }
}

/// The Collector's scrape of itself, at the port of this one, and every second; all else is as rendered.
fn hastened(text: &str, metrics: &str) -> Value {
    let mut values: Value = serde_saphyr::from_str(text).expect("a configuration should be YAML");
    let mut receiver = values["receivers"]["prometheus/repeat"].take();
    let scrape = &mut receiver["config"]["scrape_configs"][0];
    let target = scrape["static_configs"][0]["targets"][0].as_str().expect("a target is text");
    let port = metrics.rsplit(':').next().expect("an address should have a port");
    scrape["static_configs"][0]["targets"] = json!([target.replace("8889", port)]);
    scrape["scrape_interval"] = json!("1s");
    receiver
}

/// Lines about a metric.
pub(crate) fn only(text: &str, series: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(series)).collect();
    lines.join("\n")
}

/// The value of the one sample with this name and all these labels.
pub(crate) fn sample(text: &str, series: &str, labels: &[&str]) -> Option<f64> {
    let fits = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        name == series && labels.iter().all(|label| line.contains(label))
    };
    let lines: Vec<&str> = text.lines().filter(fits).collect();
    assert!(lines.len() < 2, "one series should be {series}{labels:?}: {lines:#?}");
    lines.first()?.rsplit(' ').next()?.parse().ok()
}

/// An AgentObservability with this pipeline, and an AgentPlatform, both validated.
pub(crate) fn observability(pipeline: &Value, platform: &Value) -> Observability {
    let platform = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform",
        "metadata": {"name": "default"}, "spec": platform,
    });
    let written = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"name": "support-agent", "namespace": NAMESPACE},
        "spec": {"agent": "support-agent", "pipeline": pipeline},
    });
    let platform: AgentPlatform = serde_json::from_value(platform).expect("the platform should parse");
    let written: AgentObservability = serde_json::from_value(written).expect("the resource should parse");
    let platform =
        validate::platform(&platform).unwrap_or_else(|all| panic!("{:?}", all.iter().collect::<Vec<_>>()));
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    validate::observability(&written, &facts)
        .unwrap_or_else(|all| panic!("{:?}", all.iter().collect::<Vec<_>>()))
}

/// The configuration that it is rendered to.
pub(crate) fn configuration(observability: &Observability) -> String {
    let artifacts = render::observability(observability).remove(&Part::Pipeline).expect("a part for each");
    let texts = artifacts.0.into_iter().filter_map(|artifact| {
        let artifact = artifact.to_value();
        let file = artifact["data"]["collector.yaml"].as_str().map(str::to_owned);
        file.or_else(|| Some(artifact["spec"].get("config")?.to_string()))
    });
    let texts: Vec<String> = texts.collect();
    assert_eq!(texts.len(), 1, "one artifact should carry the configuration");
    texts.into_iter().next().expect("one was counted")
}

/// The environment that it is rendered to, for the agent.
pub(crate) fn environment(observability: &Observability) -> BTreeMap<String, String> {
    let artifacts = render::observability(observability).remove(&Part::Pipeline).expect("a part for each");
    let data = artifacts.0.into_iter().map(|artifact| artifact.to_value()["data"].clone());
    let environment = data.into_iter().find(|data| data.get("OTEL_SERVICE_NAME").is_some());
    let environment = environment.expect("one artifact should be the environment");
    serde_json::from_value(environment).expect("data of a ConfigMap should be texts")
}
