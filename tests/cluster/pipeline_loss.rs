//! The guard on lost telemetry reads metrics that the real Collector has, under their real names and labels.

use std::collections::BTreeSet;
use std::time::Duration;

use agentslo::foreign::Rule;
use bed::otlp::{self, Sender, Temporality};
use bed::{Bed, Collector, Configuration, Options, eventually};
use serde_json::json;

use crate::guards::rules_of_loss;

/// Nobody listens at the back ends. One is given up on, the other is waited for with a queue of one.
const LOSING: &str = "
receivers: {otlp: {protocols: {http: {endpoint: OVERLAID}}}}
processors: {delta_to_cumulative: {}}
exporters:
  otlp_http/given-up:
    endpoint: http://127.0.0.1:1
    retry_on_failure: {enabled: false}
  otlp_http/waited-for:
    endpoint: http://127.0.0.1:1
    sending_queue: {enabled: true, queue_size: 1, num_consumers: 1}
service:
  telemetry: {metrics: {level: detailed}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http/given-up, otlp_http/waited-for]}
    logs: {receivers: [otlp], exporters: [otlp_http/given-up, otlp_http/waited-for]}
    metrics: {receivers: [otlp], processors: [delta_to_cumulative], exporters: [otlp_http/given-up, otlp_http/waited-for]}
";

#[tokio::test(flavor = "multi_thread")]
async fn the_collector_has_every_metric_that_the_guard_reads() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let http = format!("127.0.0.1:{}", bed.port().expect("a port should be free"));
    let receivers = json!({"otlp": {"protocols": {"http": {"endpoint": &http}}}});
    let configuration = Configuration::new("losing", LOSING).over(json!({"receivers": receivers}));
    let collector = Collector::start(&bed, &configuration).await.expect("the Collector should start");
    let agent = Sender::to(&format!("http://{http}"));
    let rules = rules_of_loss();
    let read: BTreeSet<String> = rules.iter().flat_map(names).collect();
    assert!(read.len() > 10, "{read:?}");
    let all_are_there = async || {
        lose(&agent).await;
        let own = collector.metrics().await.ok()?;
        let unknown: Vec<&String> = read.iter().filter(|name| !has(&own, name)).collect();
        unknown.is_empty().then_some(own)
    };
    let own = eventually(Duration::from_mins(1), all_are_there).await;
    let own = own.unwrap_or_default();
    let unknown: Vec<&String> = read.iter().filter(|name| !has(&own, name)).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "the Collector has none of these");
    for (metric, label) in [
        ("otelcol_exporter_queue_size", "data_type="),
        ("otelcol_exporter_send_failed_spans", "exporter="),
        ("otelcol_receiver_refused_spans", "receiver="),
        ("otelcol_deltatocumulative_datapoints", "error="),
    ] {
        let labelled = own.lines().any(|line| line.starts_with(metric) && line.contains(label));
        assert!(labelled, "{metric} should have {label}");
    }
}

/// More of every signal than anybody takes, and deltas in the wrong order. What is refused is the point.
async fn lose(agent: &Sender) {
    let delta = || otlp::counter("runs", Temporality::Delta, 1.0, &json!({}));
    let earlier = delta();
    for _ in 0..3 {
        let _ = agent.logs(vec![otlp::event("user_prompt", &json!({}))]).await;
        let _ = agent.spans(vec![otlp::span("run", Duration::from_secs(1), &json!({}))]).await;
        let _ = agent.metrics(vec![delta()]).await;
    }
    let _ = agent.metrics(vec![earlier]).await;
}

/// Metrics of the Collector in an expression.
fn names(rule: &Rule) -> Vec<String> {
    let parts = rule.expr.split("__name__=~\"").skip(1);
    parts.filter_map(|rest| Some(rest.split_once("(_total)?\"")?.0.to_owned())).collect()
}

fn has(own: &str, name: &str) -> bool {
    own.lines()
        .any(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name}_total{{")))
}
