//! What a Collector of the bed promises, on the real one.

use std::time::Duration;

use bed::{
    Bed, Collector, Configuration, Error, Options, eventually,
    otlp::{self, Sender, Temporality},
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

/// Counts events, sums what they cost, and writes what it was sent to a file.
const COUNTING: &str = "
receivers: {otlp: {protocols: {http: {endpoint: OVERLAID}}}}
processors: {batch: {timeout: 100ms}, delta_to_cumulative: {}}
connectors:
  signal_to_metrics:
    logs:
      - name: agent.tool.calls
        attributes: [{key: tool_name, default_value: unknown}]
        include_resource_attributes: [{key: service.name}]
        conditions: ['log.attributes[\"event.name\"] == \"tool_result\"']
        sum: {value: '1', monotonic: true}
exporters:
  file: {path: '${env:OUT}'}
  prometheus: {endpoint: OVERLAID, without_scope_info: true}
service:
  pipelines:
    logs: {receivers: [otlp], processors: [batch], exporters: [signal_to_metrics, file]}
    traces: {receivers: [otlp], exporters: [file]}
    metrics/own: {receivers: [otlp], exporters: [file]}
    metrics: {receivers: [signal_to_metrics], processors: [delta_to_cumulative], exporters: [prometheus]}
";

/// A Collector, and where it listens and writes.
struct Counting {
    collector: Collector,
    agent: Sender,
    metrics: String,
    file: std::path::PathBuf,
    bed: Bed,
}

impl Counting {
    async fn start() -> Self {
        let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
        let address = || format!("127.0.0.1:{}", bed.port().expect("a free port"));
        let (http, prometheus, file) = (address(), address(), bed.folder().join("telemetry.json"));
        let configuration = Configuration::new("counting", COUNTING)
            .over(json!({
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": &http}}}},
                "exporters": {"prometheus": {"endpoint": &prometheus}},
            }))
            .env("OUT", &file.display().to_string());
        let collector = Collector::start(&bed, &configuration).await.expect("a Collector");
        let agent = Sender::to(&format!("http://{http}")).resource(&json!({"service.name": "support-agent"}));
        Self { collector, agent, metrics: format!("http://{prometheus}/metrics"), file, bed }
    }

    /// Waits for a line of its metrics.
    async fn exposes(&self, line: &str) -> bool {
        let scraped = async || {
            let text = reqwest::get(&self.metrics).await.ok()?.text().await.ok()?;
            text.lines().any(|exposed| exposed == line).then_some(())
        };
        eventually(SOON, scraped).await.is_some()
    }

    /// Waits until some value in the file of telemetry is found.
    async fn wrote(&self, find: impl Fn(&Value) -> bool) -> bool {
        let found = async || {
            let text = std::fs::read_to_string(&self.file).ok()?;
            let mut lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            lines.any(|line: Value| find(&line)).then_some(())
        };
        eventually(SOON, found).await.is_some()
    }
}

fn tool_results(count: usize) -> Vec<otlp::logs::v1::LogRecord> {
    vec![otlp::event("tool_result", &json!({"tool_name": "Bash"})); count]
}

#[tokio::test]
async fn events_become_a_count() {
    let counting = Counting::start().await;
    counting.agent.logs(tool_results(3)).await.expect("accepted");
    assert!(counting.exposes(r#"agent_tool_calls_total{job="support-agent",tool_name="Bash"} 3"#).await);
    let own = counting.collector.metrics().await.expect("its own metrics");
    assert!(own.contains("otelcol_receiver_accepted_log_records"), "{own}");
}

#[tokio::test]
async fn every_kind_of_value_and_signal_arrives() {
    let counting = Counting::start().await;
    let attributes =
        json!({"text": "a", "whole": 1, "part": 0.5, "truth": true, "list": ["a"], "map": {"a": 1}});
    counting.agent.logs(vec![otlp::log("a body", &attributes)]).await.expect("logs");
    let span = otlp::span("invoke_agent", Duration::from_secs(3), &json!({}));
    let failed = otlp::failed(otlp::within(&span, otlp::span("chat", SOON, &json!({}))), "no answer");
    let id = otlp::trace_id(&span);
    counting.agent.spans(vec![span, failed]).await.expect("spans");
    let metrics = vec![
        otlp::counter("cost", Temporality::Delta, 0.5, &json!({"model": "a"})),
        otlp::gauge("share", 0.25, &json!({})),
        otlp::histogram("took", Temporality::Cumulative, &[1.0, 2.0], &[0.5, 2.0, 3.0], &json!({})),
    ];
    counting.agent.metrics(metrics).await.expect("metrics");

    let logs = |line: &Value| {
        let record = &line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        let attributes = record["attributes"].as_array().map_or(0, Vec::len);
        record["body"]["stringValue"] == "a body"
            && attributes == 6
            && record["attributes"].to_string().contains(r#"{"key":"part","value":{"doubleValue":0.5}}"#)
    };
    assert!(counting.wrote(logs).await);
    let spans = |line: &Value| {
        let spans = &line["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans[0]["traceId"] == id.as_str()
            && spans[1]["traceId"] == id.as_str()
            && spans[1]["parentSpanId"] == spans[0]["spanId"]
            && spans[1]["status"] == json!({"code": 2, "message": "no answer"})
    };
    assert!(counting.wrote(spans).await);
    let metrics = |line: &Value| {
        let metrics = &line["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        metrics[0]["sum"]["aggregationTemporality"] == 1
            && metrics[1]["gauge"]["dataPoints"][0]["asDouble"] == 0.25
            && metrics[2]["histogram"]["dataPoints"][0]["bucketCounts"] == json!(["1", "1", "1"])
    };
    assert!(counting.wrote(metrics).await);
}

#[tokio::test]
async fn a_killed_collector_comes_back_and_has_forgotten() {
    let counting = Counting::start().await;
    counting.agent.logs(tool_results(2)).await.expect("accepted");
    assert!(counting.exposes(r#"agent_tool_calls_total{job="support-agent",tool_name="Bash"} 2"#).await);
    counting.collector.process().kill9();
    let error = counting.agent.logs(tool_results(1)).await.expect_err("nobody is there");
    assert!(matches!(error, Error::Unreached { .. }), "{error}");
    counting.collector.process().start().await.expect("the same again");
    counting.agent.logs(tool_results(1)).await.expect("accepted");
    assert!(counting.exposes(r#"agent_tool_calls_total{job="support-agent",tool_name="Bash"} 1"#).await);
}

#[tokio::test]
async fn a_stopped_collector_leaves_no_process() {
    let Counting { collector, bed, .. } = Counting::start().await;
    let pid = collector.process().pid().expect("it runs");
    drop(collector);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    bed.stop().await;
}

#[tokio::test]
async fn an_invalid_configuration_is_refused_with_the_reason() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let text = COUNTING.replace(r#"log.attributes[\"event.name\"] =="#, "log.attributes[ ==");
    let text = text.replace("timeout: 100ms", "time_out: 100ms");
    let configuration = Configuration::new("invalid", &text);
    for refusal in [
        Collector::validate(&bed, &configuration).await.expect_err("it is invalid"),
        Collector::start(&bed, &configuration).await.expect_err("it is invalid"),
    ] {
        let message = refusal.to_string();
        assert!(message.contains("time_out"), "{message}");
        assert!(message.contains("otelcol validate"), "{message}");
    }
    assert!(!bed.logs().join("invalid.log").exists(), "it was not started");
}

#[tokio::test]
async fn what_fails_at_the_start_only_is_an_error_that_carries_the_log() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let port = bed.port().expect("a free port");
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).expect("it is free");
    let text = format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
         exporters: {{debug: {{}}}}\n\
         service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
    );
    let error = Collector::start(&bed, &Configuration::new("late", &text)).await.expect_err("no port");
    assert!(error.to_string().contains("address already in use"), "{error}");
}

#[tokio::test]
async fn a_health_check_of_its_own_is_the_one_that_is_waited_for() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let text = "
        receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:0'}}}}
        exporters: {debug: {}}
        extensions: {health_check: {path: /live}, file_storage: {directory: '.'}}
        service:
          extensions: [file_storage, health_check]
          pipelines: {logs: {receivers: [otlp], exporters: [debug]}}
    ";
    let collector = Collector::start(&bed, &Configuration::new("own", text)).await.expect("ready");
    let log = std::fs::read_to_string(collector.process().log()).expect("a log");
    assert!(log.contains("file_storage"), "the other extensions stay: {log}");
    assert!(!log.contains("health_check/bed"), "{log}");
}
