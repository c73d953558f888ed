//! The ledger behind the pipeline that is generated: what it has entered is what Prometheus has counted.

use std::time::Duration;

use bed::otlp;
use bed::{Bed, Options, eventually};
use serde_json::{Value, json};

use super::Ledger;
use crate::pipeline::sink::Sink as BackEnd;
use crate::pipeline::stand::{Given, Stand};

/// Calls of two models, with costs as text and as numbers; runs, two of which did not come to their end; and a tool.
fn work() -> Vec<otlp::logs::v1::LogRecord> {
    let call = |number: u32| {
        let cost = if number.is_multiple_of(2) { json!("0.012345") } else { json!(0.1) };
        let model = if number.is_multiple_of(3) { "large" } else { "small" };
        otlp::event(
            "api_request",
            &json!({
                "model": model, "cost_usd": cost, "input_tokens": 100 + number, "output_tokens": "14",
                "cache_read_tokens": 1000, "duration_ms": 800, "prompt.id": number,
            }),
        )
    };
    let run = |(number, event): (u32, &str)| {
        otlp::event(
            event,
            &json!({"duration_seconds": 12.5, "cost_usd": 0.25, "turns": 3, "query_id": number}),
        )
    };
    let runs = ["query_completed", "query_completed", "query_failed", "query_cancelled"];
    let error = otlp::event("api_error", &json!({"model": "large", "status_code": 529}));
    (0..60).map(call).chain((0..).zip(runs).map(run)).chain([error]).collect()
}

/// The sum of all series of a metric that have these labels.
fn sum(text: &str, series: &str, labels: &[&str]) -> f64 {
    let fits = |line: &&str| {
        line.split(['{', ' ']).next() == Some(series) && labels.iter().all(|label| line.contains(label))
    };
    text.lines().filter(fits).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_has_what_prometheus_has_counted() {
    let ledger = Ledger::start().await;
    let sink = ledger.sink_of_many_ways("sink").await;
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let backends = json!([{"name": "ledger", "kind": "Otlp", "protocol": "Http", "address": sink.http}]);
    let pipeline = json!({"deriveMetrics": "FromEvents", "logs": {"backends": ["ledger"]}});
    let given = Given { pipeline, backends, ..Given::default() };
    let stand = Stand::on(bed, BackEnd::start().await, given).await;
    stand.agent().logs(work()).await.expect("the Collector should take it");

    let all = async || (ledger.count().await == 65).then_some(());
    eventually(Duration::from_mins(1), all).await.expect("all should be entered");
    stand.wait_for("agent_llm_calls_total", &[r#"outcome="error""#], 1.0).await;
    let scraped = stand.scraped().await;
    let (_, said) = ledger.run(&["cost", "--by", "agent", "-o", "json"]);
    let report: Value = serde_json::from_str(&said).expect("it is JSON");
    let row = &report["rows"][0];
    assert_eq!(row["agent"], "support/support-agent", "{said}");
    let of = |field: &str| row[field].as_f64().expect("it is a number");
    // Counters are floating-point numbers; ours are whole. They agree to a millionth of a dollar.
    let dollars = sum(&scraped, "agent_cost_usd_total", &[]);
    assert!((of("micro_usd") / 1e6 - dollars).abs() < 1e-6, "{said} {dollars}");
    assert!((dollars - (30.0 * 0.012_345 + 30.0 * 0.1 + 4.0 * 0.25)).abs() < 1e-6, "{dollars}");
    let equal = |ours: f64, series: &str, labels: &[&str]| {
        let theirs = sum(&scraped, series, labels);
        assert!((ours - theirs).abs() < 0.5, "{series}{labels:?} is {theirs}, and the ledger has {ours}");
    };
    equal(of("calls"), "agent_llm_calls_total", &[]);
    equal(of("failed"), "agent_llm_calls_total", &[r#"outcome="error""#]);
    equal(of("input"), "agent_tokens_total", &[r#"type="input""#]);
    equal(of("output"), "agent_tokens_total", &[r#"type="output""#]);
    equal(of("cache_read"), "agent_tokens_total", &[r#"type="cache_read""#]);
    for (outcome, ours) in [("ok", "succeeded"), ("error", "failed"), ("cancelled", "cancelled")] {
        let statement = "SELECT count(*)::float8 FROM ledger.runs WHERE outcome = $1";
        let row = ledger.admin.query_one(statement, &[&ours]).await.expect("it should be counted");
        equal(row.get(0), "agent_runs_total", &[&format!("outcome=\"{outcome}\"")]);
    }
    sink.process.stop().await;
}

/// What agents that are instrumented with spans alone do and cost.
#[tokio::test(flavor = "multi_thread")]
async fn spans_of_agents_are_entered_and_accounted() {
    let ledger = Ledger::start().await;
    let sink = ledger.sink_with("spans", &["--accounts", "spans"]).await;
    let length = Duration::from_secs(90);
    let run = otlp::span("invoke_agent", length, &json!({"gen_ai.operation.name": "invoke_agent"}));
    let call = json!({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "large", "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.cost": 0.5, "gen_ai.input.messages": "a secret",
    });
    let tool = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "Bash"});
    let within =
        |attributes: &Value| otlp::within(&run, otlp::span("step", Duration::from_secs(1), attributes));
    let web = otlp::span("GET /", Duration::from_secs(1), &json!({}));
    let spans = vec![
        within(&call),
        otlp::failed(within(&tool), "it was not there"),
        web,
        otlp::failed(run.clone(), ""),
    ];
    for _ in 0..2 {
        super::agent(&sink.http, "support").spans(spans.clone()).await.expect("the spans should be taken");
    }
    let statement = "SELECT (SELECT string_agg(event, ' ' ORDER BY sequence) FROM ledger.entry), \
                     (SELECT sum(micro_usd)::bigint FROM ledger.charge), \
                     (SELECT string_agg(outcome || ' ' || duration_us, ',') FROM ledger.run), \
                     (SELECT count(*) FROM ledger.entry WHERE canonical LIKE '%secret%')";
    let row = ledger.admin.query_one(statement, &[]).await.expect("it should be read");
    let (events, cost, runs, secrets): (String, i64, String, i64) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!(events, "gen_ai.chat gen_ai.execute_tool gen_ai.invoke_agent");
    assert_eq!((cost, runs.as_str(), secrets), (500_000, "failed 90000000", 0));
    sink.process.stop().await;
}
