//! What is kept reaches its store, also when the store or the Collector was away.

use std::time::Duration;

use bed::{Bed, Jaeger, Loki, Options, eventually, otlp};
use serde_json::{Value, json};

use super::sink::Sink;
use super::stand::{Given, SOON, Stand};

/// Longest wait for a retry after a long pause.
const RETRIED: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_collector_still_delivers_what_it_took() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let address = format!("127.0.0.1:{}", bed.port().expect("a port should be free"));
    let later = json!([{"name": "later", "kind": "Otlp", "protocol": "Http", "address": format!("http://{address}")}]);
    let pipeline = json!({"logs": {"backends": ["later"]}, "traces": {"backends": ["later"]}});
    let over = json!({"exporters": {"otlp_http/later": {
        "encoding": "json", "compression": "none", "retry_on_failure": {"max_interval": "1s"},
    }}});
    let stand =
        Stand::on(bed, Sink::start().await, Given { pipeline, backends: later, over, ..Given::default() })
            .await;
    let records = (0..50).map(|index| otlp::log(&format!("audit {index}"), &json!({}))).collect();
    stand.agent().logs(records).await.expect("records should be taken while the store is away");
    let span = otlp::span("work", Duration::from_secs(1), &json!({}));
    stand.agent().spans(vec![span]).await.expect("the span should be taken while the store is away");
    queued(&stand).await;
    stand.collector.process().kill9();
    let store = Sink::on(&address).await;
    stand.collector.process().start().await.expect("the Collector should start again");
    let delivered = eventually(RETRIED, async || {
        let bodies: Vec<Value> =
            store.logs().iter().map(|record| record["body"]["stringValue"].clone()).collect();
        let all = (0..50).all(|index| bodies.contains(&json!(format!("audit {index}"))));
        (all && store.spans().len() == 1).then_some(())
    });
    assert!(delivered.await.is_some(), "{} records arrived", store.logs().len());
}

/// Waits until both requests are in queues on disk, behind the batch.
async fn queued(stand: &Stand) {
    let seen = eventually(SOON, async || {
        let own = stand.collector.metrics().await.ok()?;
        let sizes = own.lines().filter(|line| line.starts_with("otelcol_exporter_queue_size{"));
        let waiting: f64 = sizes.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
        (waiting >= 51.0).then_some(())
    });
    let seen = seen.await.is_some();
    assert!(seen, "all should wait:\n{}", stand.collector.metrics().await.unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn loki_and_jaeger_find_a_run_by_its_trace() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let loki = Loki::start(&bed).await.expect("Loki should start");
    let jaeger = Jaeger::start(&bed).await.expect("Jaeger should start");
    let backends = json!([
        {"name": "loki", "kind": "Loki", "address": loki.url()},
        {"name": "jaeger", "kind": "Jaeger", "address": format!("http://{}", jaeger.otlp_grpc())},
    ]);
    let pipeline = json!({"logs": {"backends": ["loki"]}, "traces": {"backends": ["jaeger"]}});
    let stand = Stand::on(bed, Sink::start().await, Given { pipeline, backends, ..Given::default() }).await;
    let span = otlp::span(
        "invoke_agent support-agent",
        Duration::from_secs(5),
        &json!({"gen_ai.prompt": "SENTINEL"}),
    );
    let id = otlp::trace_id(&span);
    let record = otlp::event(
        "tool_result",
        &json!({"tool_name": "Bash", "success": true, "trace_id": id, "tool_input": "SENTINEL"}),
    );
    stand.agent().spans(vec![span]).await.expect("the span should be taken");
    stand.agent().logs(vec![record]).await.expect("the record should be taken");

    let trace =
        eventually(SOON, async || jaeger.trace(&id).await.ok()?).await.expect("Jaeger should know the trace");
    assert!(trace.to_string().contains("invoke_agent support-agent"), "{trace}");
    assert!(!trace.to_string().contains("SENTINEL"), "{trace}");
    let query = format!(r#"{{service_name="support-agent"}} | trace_id="{id}""#);
    let lines = eventually(SOON, async || {
        let found = loki.query_range(&query, Duration::from_hours(1)).await.ok()?;
        found.as_array().is_some_and(|streams| !streams.is_empty()).then_some(found)
    });
    let lines = lines.await.expect("Loki should find the record by its trace").to_string();
    assert!(lines.contains("Bash") && lines.contains("support"), "{lines}");
    assert!(!lines.contains("SENTINEL"), "{lines}");
}
