//! Which traces and log records are kept.

use std::collections::BTreeSet;
use std::time::Duration;

use bed::{eventually, otlp};
use serde_json::{Value, json};

use super::sink::attribute;
use super::stand::{SOON, Stand};

fn trace_ids(stand: &Stand) -> BTreeSet<String> {
    stand.sink.spans().iter().filter_map(|span| Some(span["traceId"].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_slow_and_costly_traces_are_kept_and_a_share_of_the_rest() {
    let pipeline = json!({
        "traces": {"backends": ["sink"], "sampling": {
            "slowerThan": "60s", "costlierThanUSD": "1", "percentOfRest": "10", "decisionWait": "1s",
        }},
    });
    let stand = Stand::start(&pipeline).await;
    let run = |seconds: u64, attributes: &Value| {
        otlp::span("invoke_agent x", Duration::from_secs(seconds), attributes)
    };
    let mut kept = Vec::new();
    for _ in 0..20 {
        kept.push(otlp::failed(run(1, &json!({})), "boom"));
        kept.push(run(1, &json!({"error.type": "timeout"})));
        kept.push(run(61, &json!({})));
        kept.push(run(1, &json!({"agent.cost_usd": 1.0})));
        kept.push(run(1, &json!({"gen_ai.usage.cost": "2.5"})));
        kept.push(run(1, &json!({"cost_usd": 3})));
    }
    let rest: Vec<_> = (0..1000).map(|_| run(1, &json!({"agent.cost_usd": 0.99}))).collect();
    for spans in [kept.as_slice(), &rest].concat().chunks(200) {
        stand.agent().spans(spans.to_vec()).await.expect("spans should be taken");
    }
    let wanted: BTreeSet<String> = kept.iter().map(otlp::trace_id).collect();
    let arrived = eventually(SOON, async || trace_ids(&stand).is_superset(&wanted).then_some(()));
    arrived.await.expect("every failed, slow and costly trace should be kept");
    // The decisions about the others fell in the same seconds; one more batch is on its way.
    let count = eventually(SOON, async || {
        let before = trace_ids(&stand).len();
        tokio::time::sleep(Duration::from_secs(4)).await;
        (before == trace_ids(&stand).len()).then_some(before)
    });
    let others = count.await.expect("the flow should end") - wanted.len();
    assert!((60..=140).contains(&others), "{others} of 1000 are about a tenth");
    // Metrics are derived before: every run counts.
    stand.wait_for("agent_runs_total", &[r#"outcome="error""#], 40.0).await;
    stand.wait_for("agent_runs_total", &[r#"outcome="ok""#], 1080.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_below_the_level_are_dropped_after_they_are_counted() {
    let pipeline = json!({"logs": {"backends": ["sink"], "minLevel": "Warn"}});
    let stand = Stand::start(&pipeline).await;
    let record = |body: &str, number: i32, text: &str| {
        let mut record = otlp::log(body, &json!({}));
        (record.severity_number, record.severity_text) = (number, text.to_owned());
        record
    };
    let mut counted = otlp::event("user_prompt", &json!({}));
    counted.severity_number = 9;
    let records = vec![
        record("debug", 5, ""),
        record("info", 9, "ERROR"),
        record("warn", 13, ""),
        record("error", 17, ""),
        record("without", 0, ""),
        record("info by text", 0, "INFO"),
        record("error by text", 0, "error"),
        counted,
    ];
    stand.agent().logs(records).await.expect("records should be taken");
    stand.wait_for("agent_prompts_total", &[], 1.0).await;
    let seen = eventually(SOON, async || (stand.sink.logs().len() >= 4).then(|| stand.sink.logs())).await;
    let seen: BTreeSet<String> = seen
        .expect("records should arrive")
        .iter()
        .filter_map(|record| Some(record["body"]["stringValue"].as_str()?.to_owned()))
        .collect();
    assert_eq!(seen, ["error", "error by text", "warn", "without"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_finds_its_trace() {
    let stand = Stand::start(&json!({"logs": {"backends": ["sink"]}})).await;
    let (trace, span) = ("0AF7651916CD43DD8448EB211C80319C", "b7ad6b7169203331");
    let named = otlp::log("named", &json!({"trace_id": trace, "span_id": span}));
    let mut own = otlp::log("own", &json!({"trace_id": trace}));
    own.trace_id = vec![1; 16];
    let wrong = otlp::log("wrong", &json!({"trace_id": "none", "span_id": 7}));
    stand.agent().logs(vec![named, own, wrong]).await.expect("records should be taken");
    let seen = eventually(SOON, async || (stand.sink.logs().len() == 3).then(|| stand.sink.logs())).await;
    let seen = seen.expect("records should arrive");
    let ids: Vec<&str> = seen.iter().map(|record| record["traceId"].as_str().unwrap_or_default()).collect();
    assert_eq!(ids, [trace.to_lowercase().as_str(), "01010101010101010101010101010101", ""]);
    assert_eq!(seen[0]["spanId"], span);
    assert_eq!(attribute(&seen[2], "trace_id"), Some(&json!({"stringValue": "none"})));
}
