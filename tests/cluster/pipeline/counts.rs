//! Derived metrics are exact, have one source each, and fit the profile `ClaudeCode`.

use std::time::Duration;

use bed::otlp::{self, Temporality};
use serde_json::{Value, json};

use super::stand::{Stand, only, sample};

/// A feature of the Collector that no back end hides: everything is scraped.
async fn given(derivation: &str) -> Stand {
    Stand::start(&json!({"deriveMetrics": derivation})).await
}

type Record = otlp::logs::v1::LogRecord;

/// Tool results in the four spellings that were seen: 17 good, 3 bad.
fn tool_results() -> Vec<Record> {
    let tools = ["Bash", "Read", "mcp__jira__search"];
    let result = |index: usize| {
        // Two of Bash, one of Read.
        let failed = [0, 3, 1].contains(&index);
        let success = if index.is_multiple_of(2) { json!(!failed) } else { json!((!failed).to_string()) };
        let attributes = json!({"tool_name": tools[index % 3], "success": success, "duration_ms": 1500});
        match index % 4 {
            0 => otlp::event("tool_result", &attributes),
            1 => otlp::event("claude_code.tool_result", &attributes),
            2 => otlp::log("claude_code.tool_result", &attributes),
            _ => Record {
                body: Some(otlp::value(&json!("claude_code.tool_result"))),
                ..otlp::event("tool_result", &attributes)
            },
        }
    };
    (0..20).map(result).collect()
}

/// Costs as text and as numbers: 1.814 and 0.586 dollars.
fn requests() -> Vec<Record> {
    let costs = [
        ("opus", json!("0.5")),
        ("opus", json!(0.5)),
        ("opus", json!("0.3")),
        ("opus", json!(0.314)),
        ("opus", json!("0.1")),
        ("opus", json!("0.1")),
        ("haiku", json!(0.1)),
        ("haiku", json!("0.186")),
        ("haiku", json!("0.2")),
        ("haiku", json!(0.1)),
    ];
    let request = |(model, cost): (&str, Value)| {
        otlp::event(
            "api_request",
            &json!({
                "model": model, "cost_usd": cost, "input_tokens": 100, "output_tokens": "14", "cache_read_tokens": 1000,
                "duration_ms": "800",
            }),
        )
    };
    costs.into_iter().map(request).collect()
}

fn other_events() -> Vec<Record> {
    let named = |name: &str, attributes: Value| {
        let mut record = otlp::log("", &attributes);
        name.clone_into(&mut record.event_name);
        record
    };
    let mut all = vec![
        otlp::event("api_error", &json!({"model": "opus", "status_code": 529})),
        otlp::event("api_error", &json!({"model": "opus", "status_code": "500"})),
        otlp::event("tool_decision", &json!({"tool_name": "Bash", "decision": "reject"})),
        otlp::event("tool_decision", &json!({"tool_name": "Bash", "decision": "accept"})),
        otlp::event(
            "tool_result",
            &json!({"tool_name": "Bash", "success": "false", "decision_type": "reject"}),
        ),
        named(
            "gen_ai.evaluation.result",
            json!({"gen_ai.evaluation.name": "faith", "gen_ai.evaluation.score.value": 0.9}),
        ),
        named(
            "gen_ai.evaluation.result",
            json!({"gen_ai.evaluation.name": "faith", "gen_ai.evaluation.score.value": 0.2}),
        ),
        named(
            "gen_ai.evaluation.result",
            json!({"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "pass"}),
        ),
        otlp::event(
            "gen_ai.evaluation.result",
            &json!({"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "fail"}),
        ),
    ];
    all.extend((0..5).map(|_| otlp::event("user_prompt", &json!({"prompt_length": 10}))));
    all
}

/// Runs of many lengths, one failed and one cancelled, with the calls in them.
fn spans() -> Vec<otlp::trace::v1::Span> {
    let seconds = [3, 5, 12, 61, 300, 1900, 7200, 8000];
    let mut all = Vec::new();
    for (index, seconds) in seconds.into_iter().enumerate() {
        let attributes = json!({"gen_ai.operation.name": "invoke_agent", "agent.cost_usd": 0.25});
        let run = otlp::span("invoke_agent support-agent", Duration::from_secs(seconds), &attributes);
        all.push(match index {
            0 => otlp::failed(run, "boom"),
            1 => {
                let mut run = run;
                run.attributes.extend(otlp::attributes(&json!({"agent.status": "cancelled"})));
                run
            }
            _ => run,
        });
    }
    let parent = all[2].clone();
    for index in 0..6 {
        let error = if index == 0 { json!({"error.type": "timeout"}) } else { json!({}) };
        let mut attributes = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "Bash"});
        attributes.as_object_mut().expect("an object").extend(error.as_object().expect("an object").clone());
        all.push(otlp::within(&parent, otlp::span("execute_tool Bash", Duration::from_secs(2), &attributes)));
    }
    let chat = json!({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "opus", "gen_ai.usage.input_tokens": 10,
        "gen_ai.response.time_to_first_chunk": 0.4,
    });
    all.extend((0..4).map(|_| otlp::within(&parent, otlp::span("chat opus", Duration::from_secs(3), &chat))));
    // Below a run it is a part of it.
    let attributes = json!({"gen_ai.operation.name": "invoke_agent"});
    let interaction = otlp::span("claude_code.interaction", Duration::from_secs(20), &attributes);
    all.push(otlp::within(&parent, interaction));
    all
}

/// Sent in small requests, as many processes would.
async fn send_all(stand: &Stand) {
    let agent = stand.agent();
    for records in [tool_results(), requests(), other_events()].concat().chunks(7) {
        agent.logs(records.to_vec()).await.expect("records should be taken");
    }
    for spans in spans().chunks(5) {
        agent.spans(spans.to_vec()).await.expect("spans should be taken");
    }
}

const AGENT: &str = r#"agent_name="support-agent""#;

fn check(text: &str, expected: &[(&str, &[&str], f64)]) {
    for (series, labels, value) in expected {
        let labels: Vec<&str> = [AGENT].iter().chain(*labels).copied().collect();
        let found = sample(text, series, &labels);
        let right = found.is_some_and(|found| (found - value).abs() < 1e-9);
        assert!(right, "{series}{labels:?} should be {value}, not {found:?}:\n{}", only(text, series));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_come_from_spans_and_all_else_from_events() {
    let stand = given("RunsFromSpans").await;
    send_all(&stand).await;
    stand.wait_for("agent_prompts_total", &[AGENT], 5.0).await;
    stand.wait_for("agent_runs_total", &[r#"outcome="ok""#], 6.0).await;
    let (bash, read, jira) =
        (r#"tool_name="Bash""#, r#"tool_name="Read""#, r#"tool_name="mcp__jira__search""#);
    let (ok, error) = (r#"outcome="ok""#, r#"outcome="error""#);
    let (opus, haiku) = (r#"model="opus""#, r#"model="haiku""#);
    check(
        &stand.scraped().await,
        &[
            ("agent_tool_calls_total", &[bash, ok], 5.0),
            ("agent_tool_calls_total", &[bash, error], 2.0),
            ("agent_tool_calls_total", &[bash, r#"outcome="denied""#], 1.0),
            ("agent_tool_calls_total", &[read, ok], 6.0),
            ("agent_tool_calls_total", &[read, error], 1.0),
            ("agent_tool_calls_total", &[jira, ok], 6.0),
            ("agent_tool_duration_seconds_count", &[bash], 7.0),
            ("agent_tool_duration_seconds_bucket", &[bash, r#"le="1""#], 0.0),
            ("agent_tool_duration_seconds_bucket", &[bash, r#"le="2""#], 7.0),
            ("agent_llm_calls_total", &[opus, ok], 6.0),
            ("agent_llm_calls_total", &[opus, error], 2.0),
            ("agent_llm_calls_total", &[haiku, ok], 4.0),
            ("agent_llm_call_duration_seconds_sum", &[haiku], 3.2),
            ("agent_llm_ttft_seconds_sum", &[opus], 1.6),
            ("agent_cost_usd_total", &[opus], 1.814),
            ("agent_cost_usd_total", &[haiku], 0.586),
            ("agent_tokens_total", &[opus, r#"type="input""#], 600.0),
            ("agent_tokens_total", &[opus, r#"type="output""#], 84.0),
            ("agent_tokens_total", &[haiku, r#"type="cache_read""#], 4000.0),
            ("agent_evaluations_total", &[r#"name="faith""#, ok], 1.0),
            ("agent_evaluations_total", &[r#"name="faith""#, error], 1.0),
            ("agent_evaluations_total", &[r#"name="tone""#, ok], 1.0),
            ("agent_evaluations_total", &[r#"name="tone""#, error], 1.0),
            ("agent_evaluation_score_count", &[r#"name="faith""#], 2.0),
            ("agent_runs_total", &[error], 1.0),
            ("agent_runs_total", &[r#"outcome="cancelled""#], 1.0),
            ("agent_run_duration_seconds_bucket", &[r#"le="5""#], 2.0),
            ("agent_run_duration_seconds_bucket", &[r#"le="60""#], 3.0),
            ("agent_run_duration_seconds_bucket", &[r#"le="7200""#], 7.0),
            ("agent_run_duration_seconds_count", &[], 8.0),
            ("agent_run_duration_seconds_sum", &[], 17_481.0),
            ("agent_run_cost_usd_sum", &[], 2.0),
        ],
    );
    expect_our_own_labels(&stand.scraped().await);
}

/// One source, no session, no process, no scope; the namespace as a scrape would give it.
fn expect_our_own_labels(text: &str) {
    let allowed = ["agent_name", "job", "le", "model", "name", "namespace", "outcome", "tool_name", "type"];
    for line in text.lines().filter(|line| line.starts_with("agent_")) {
        assert!(line.contains(r#"namespace="support""#), "{line}");
        let labels =
            line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
        for label in labels.split("\",").filter_map(|label| label.split_once('=')) {
            assert!(allowed.contains(&label.0), "{} in {line}", label.0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_come_from_spans() {
    let stand = given("FromSpans").await;
    send_all(&stand).await;
    stand.wait_for("agent_runs_total", &[r#"outcome="ok""#], 6.0).await;
    stand.wait_for("agent_evaluation_score_count", &[r#"name="faith""#], 2.0).await;
    let text = stand.scraped().await;
    check(
        &text,
        &[
            ("agent_tool_calls_total", &[r#"tool_name="Bash""#, r#"outcome="ok""#], 5.0),
            ("agent_tool_calls_total", &[r#"tool_name="Bash""#, r#"outcome="error""#], 1.0),
            ("agent_llm_calls_total", &[r#"model="opus""#, r#"outcome="ok""#], 4.0),
            ("agent_tokens_total", &[r#"type="input""#], 40.0),
            ("agent_cost_usd_total", &[], 2.0),
        ],
    );
    assert_eq!(only(&text, "agent_prompts_total"), "", "no span is a prompt");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_come_from_events_that_an_agent_logs() {
    let stand = given("FromEvents").await;
    let line = |value: Value| otlp::log(&value.to_string(), &json!({}));
    let done = |status: &str, seconds: f64| json!({"event": format!("query_{status}"), "duration_seconds": seconds, "cost_usd": 0.5, "agent_name": "support-agent"});
    let records = vec![
        line(json!({"event": "query_started"})),
        otlp::event("query_started", &json!({})),
        line(done("completed", 30.0)),
        otlp::event("query_completed", &done("completed", 61.0)),
        otlp::log("query_failed", &json!({"duration_seconds": 2, "error_type": "timeout"})),
        line(done("cancelled", 1.0)),
        line(json!({"event": "tool_called", "tool": "Bash"})),
        line(json!({"event": "tool_completed", "tool": "Bash", "duration_seconds": 0.2})),
        otlp::event("tool_completed", &json!({"tool": "Bash", "status": "error"})),
        otlp::event("tool_completed", &json!({"tool": "Bash", "status": "denied"})),
        line(
            json!({"event": "llm_response", "model": "opus", "input_tokens": 7, "time_to_first_token_seconds": 0.7}),
        ),
        otlp::event("llm_response", &json!({"model": "opus", "status": "error"})),
    ];
    stand.agent().logs(records).await.expect("records should be taken");
    stand.wait_for("agent_prompts_total", &[AGENT], 2.0).await;
    let text = stand.scraped().await;
    let (ok, error) = (r#"outcome="ok""#, r#"outcome="error""#);
    check(
        &text,
        &[
            ("agent_runs_total", &[ok], 2.0),
            ("agent_runs_total", &[error], 1.0),
            ("agent_runs_total", &[r#"outcome="cancelled""#], 1.0),
            ("agent_run_duration_seconds_sum", &[], 94.0),
            ("agent_run_cost_usd_sum", &[], 1.5),
            ("agent_cost_usd_total", &[], 1.5),
            ("agent_tool_calls_total", &[ok], 1.0),
            ("agent_tool_calls_total", &[error], 1.0),
            ("agent_tool_calls_total", &[r#"outcome="denied""#], 1.0),
            ("agent_llm_calls_total", &[ok], 1.0),
            ("agent_llm_calls_total", &[error], 1.0),
            ("agent_llm_ttft_seconds_sum", &[], 0.7),
            ("agent_tokens_total", &[r#"type="input""#], 7.0),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_own_metrics_are_scraped_where_none_are_derived() {
    let stand = given("Off").await;
    let counter =
        || otlp::counter("agent.runs", Temporality::Delta, 2.0, &json!({"agent_name": "support-agent"}));
    stand.agent().metrics(vec![counter()]).await.expect("the metric should be taken");
    stand.wait_for("agent_runs_total", &[AGENT, r#"namespace="support""#], 2.0).await;
    stand.agent().metrics(vec![counter()]).await.expect("the metric should be taken");
    stand.wait_for("agent_runs_total", &[AGENT], 4.0).await;
}
