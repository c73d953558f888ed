//! Every query for Loki finds what an agent logs: one that writes lines of JSON, with a space after each
//! colon as Python does, and one that sends events.

use std::time::Duration;

use bed::otlp::{self, Sender, logs::v1::LogRecord};
use bed::{Bed, Loki, Options, eventually};
use serde_json::{Value, json};

use super::{day, of_profile};

const HOUR: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(30);
const TRACE: [u8; 16] = [0xab; 16];

#[tokio::test(flavor = "multi_thread")]
async fn every_query_finds_the_lines_of_an_agent() {
    let line = |text: &str| traced(otlp::log(text, &json!({})));
    every_query_finds(
        "AgentMetrics",
        vec![
            line(r#"{"event": "query_started", "level": "info", "session_id": "s-1"}"#),
            line(r#"{"event": "query_completed", "level": "info", "session_id": "s-1", "duration_seconds": 12.5}"#),
            line(r#"{"event": "tool_completed", "level": "info", "session_id": "s-1", "tool": "Bash", "duration_seconds": 31.0}"#),
            line(r#"{"event": "query_failed", "level": "error", "session_id": "s-1", "error_type": "timeout"}"#),
            line("not JSON at all"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_finds_the_events_of_claude_code() {
    let event = |name: &str, attributes: Value| traced(otlp::event(name, &attributes));
    every_query_finds(
        "ClaudeCode",
        vec![
            event("api_request", json!({"session.id": "s-1", "model": "claude-sonnet", "duration_ms": 2400})),
            event("claude_code.api_error", json!({"session.id": "s-1", "error_type": "overloaded"})),
            event(
                "tool_result",
                json!({"session.id": "s-1", "tool_name": "Bash", "success": "false", "duration_ms": 31_000}),
            ),
        ],
    )
    .await;
}

fn traced(record: LogRecord) -> LogRecord {
    LogRecord { trace_id: TRACE.to_vec(), span_id: vec![1; 8], ..record }
}

async fn every_query_finds(profile: &str, records: Vec<LogRecord>) {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let loki = Loki::start(&bed).await.expect("Loki should start");
    let agent = Sender::to(&loki.otlp_url()).resource(&json!({"service.name": day::AGENT}));
    agent.logs(records).await.expect("Loki should take them");
    let stranger = Sender::to(&loki.otlp_url()).resource(&json!({"service.name": "stranger"}));
    stranger.logs(vec![otlp::log("{}", &json!({}))]).await.expect("Loki should take it");
    let queries = queries(profile);
    assert!(queries.len() > 7, "there should be queries for Loki: {queries:?}");
    for query in queries {
        let found = eventually(SOON, || async {
            let answer =
                loki.query_range(&query, HOUR).await.unwrap_or_else(|error| panic!("{query}: {error}"));
            let streams = answer.as_array().cloned().unwrap_or_default();
            (!streams.is_empty()).then_some(streams)
        });
        let streams = found.await.unwrap_or_else(|| panic!("{profile}: nothing is found by {query}"));
        assert!(!json!(streams).to_string().contains("stranger"), "{query}");
    }
}

/// Every LogQL text with its variables filled.
fn queries(profile: &str) -> Vec<String> {
    let trace = "ab".repeat(TRACE.len());
    let fill = |query: &str| {
        let filled = query.replace("$__auto", "5m").replace("$__range", "1h");
        filled.replace("$session", "s-.*").replace("$trace", &trace)
    };
    let boards = of_profile(profile);
    let panels = boards.iter().flat_map(|board| board["panels"].as_array().into_iter().flatten());
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let of_loki = targets.filter(|target| target["datasource"]["type"] == "loki");
    of_loki.map(|target| fill(target["expr"].as_str().expect("Loki should be asked something"))).collect()
}
