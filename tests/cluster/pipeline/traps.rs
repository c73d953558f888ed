//! What once crashed a Collector or made it count wrongly.

use bed::otlp::{self, Sender, Temporality};
use serde_json::{Value, json};

use super::stand::{Stand, only};

async fn given() -> Stand {
    Stand::start(&json!({"deriveMetrics": "FromEvents"})).await
}

fn request(cost: &Value) -> otlp::logs::v1::LogRecord {
    otlp::event("api_request", &json!({"model": "opus", "cost_usd": cost}))
}

/// A sum of an integer and a double panics inside the Collector.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_every_type_are_summed() {
    let stand = given().await;
    let costs = [json!(1), json!(0.5), json!("0.25"), json!("2"), json!(3)];
    stand.agent().logs(costs.iter().map(request).collect()).await.expect("records should be taken");
    stand.wait_for("agent_cost_usd_total", &[r#"model="opus""#], 6.75).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_amount_is_not_summed_and_not_forgotten() {
    let stand = given().await;
    let costs = ["NaN", "+Inf", "-Inf", "-1", "free", "", "1e9"].map(Value::from).to_vec();
    let costs =
        [costs, vec![json!(["0.1"]), json!({"usd": 1}), Value::Null, json!(true), json!(0.5)]].concat();
    let count = costs.len();
    stand.agent().logs(costs.iter().map(request).collect()).await.expect("records should be taken");
    #[allow(clippy::cast_precision_loss, reason = "there are few")]
    stand.wait_for("agent_llm_calls_total", &[r#"outcome="ok""#], count as f64).await;
    stand.wait_for("agent_cost_usd_total", &[r#"model="opus""#], 0.5).await;
}

/// Without a batch in front of the connector some hundred of these were lost.
#[tokio::test(flavor = "multi_thread")]
async fn senders_side_by_side_lose_nothing() {
    let stand = given().await;
    let send = |sender: Sender| async move {
        for _ in 0..150 {
            let prompts = (0..10).map(|_| otlp::event("user_prompt", &json!({}))).collect();
            sender.logs(prompts).await.expect("records should be taken");
        }
    };
    let senders: Vec<_> = (0..4).map(|_| tokio::spawn(send(stand.agent()))).collect();
    for sender in senders {
        sender.await.expect("a sender should end");
    }
    stand.wait_for("agent_prompts_total", &[], 6000.0).await;
    let own = stand.collector.metrics().await.expect("the Collector should tell its metrics");
    assert!(!only(&own, "otelcol_deltatocumulative").contains("error="), "{own}");
}

/// Labels without a default would be conditions.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_lack_attributes_are_counted() {
    let stand = given().await;
    let nobody = Sender::to(&stand.otlp);
    let records = vec![
        otlp::event("tool_result", &json!({"success": true})),
        otlp::event("tool_result", &json!({"success": true, "tool_name": ""})),
        otlp::event(
            "tool_result",
            &json!({"success": true, "tool_name": "rm -rf \"/\" {}\n; whatever a model says"}),
        ),
        otlp::event("api_request", &json!({})),
    ];
    nobody.logs(records).await.expect("records should be taken");
    let unknown = r#"agent_name="unknown""#;
    stand.wait_for("agent_tool_calls_total", &[unknown, r#"tool_name="unknown""#], 2.0).await;
    stand.wait_for("agent_tool_calls_total", &[unknown, r#"tool_name="other""#], 1.0).await;
    stand.wait_for("agent_llm_calls_total", &[unknown, r#"model="unknown""#], 1.0).await;
}

/// Claude Code's own counters: two processes, out of order, one with integers.
#[tokio::test(flavor = "multi_thread")]
async fn deltas_of_short_processes_add_up() {
    let stand = given().await;
    let point = |session: &str, value: f64, time: u64| {
        let attributes = json!({"session.id": session, "user.id": "u", "model": "opus"});
        let mut metric = otlp::counter("claude_code.cost.usage", Temporality::Delta, value, &attributes);
        let Some(otlp::metrics::v1::metric::Data::Sum(sum)) = &mut metric.data else {
            panic!("a counter is a sum")
        };
        sum.data_points[0].time_unix_nano -= time * 1_000_000_000;
        metric
    };
    let whole = |mut metric: otlp::metrics::v1::Metric| {
        let Some(otlp::metrics::v1::metric::Data::Sum(sum)) = &mut metric.data else {
            panic!("a counter is a sum")
        };
        sum.data_points[0].value = Some(otlp::metrics::v1::number_data_point::Value::AsInt(3));
        metric
    };
    let points = [
        point("a", 0.1, 0),
        point("a", 0.2, 0),
        point("a", 0.3, 0),
        point("b", 1.0, 60),
        point("b", 2.0, 90),
        whole(point("b", 0.0, 120)),
    ];
    for metric in points {
        stand.agent().metrics(vec![metric]).await.expect("the point should be taken");
    }
    stand.wait_for("claude_code_cost_usage_USD_total", &[r#"model="opus""#], 6.6).await;
    let text = only(&stand.scraped().await, "claude_code_cost_usage");
    assert!(!text.contains("session"), "a session is no label: {text}");
}

/// A second source for a derived metric would count everything twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_cannot_add_to_derived_metrics() {
    let stand = given().await;
    let labels = json!({"agent_name": "support-agent", "outcome": "ok"});
    let names = ["agent.runs", "agent_runs_total", "agent_run_duration_seconds", "agent.cost.usd"];
    let mut metrics: Vec<_> =
        names.iter().map(|name| otlp::counter(name, Temporality::Cumulative, 100.0, &labels)).collect();
    metrics.push(otlp::counter("agent.retries", Temporality::Cumulative, 7.0, &labels));
    stand.agent().metrics(metrics).await.expect("metrics should be taken");
    stand
        .agent()
        .logs(vec![otlp::event("query_completed", &json!({}))])
        .await
        .expect("a record should be taken");
    stand.wait_for("agent_retries_total", &[], 7.0).await;
    stand.wait_for("agent_runs_total", &[], 1.0).await;
    let text = stand.scraped().await;
    assert_eq!(only(&text, "agent_cost_usd"), "");
    assert_eq!(only(&text, "agent_run_duration"), "");
}
