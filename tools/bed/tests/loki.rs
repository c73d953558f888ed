//! What the bed's Loki promises, on the real one.

use std::time::Duration;

use bed::{
    Bed, Error, Loki, Options, eventually,
    otlp::{self, Sender},
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_log_goes_in_by_otlp_and_comes_out_by_logql() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let loki = Loki::start(&bed).await.expect("a Loki");
    let agent = Sender::to(&loki.otlp_url()).resource(&json!({"service.name": "support-agent"}));
    let event = otlp::event("tool_result", &json!({"tool_name": "Bash", "success": false}));
    agent.logs(vec![event]).await.expect("accepted");

    let selector = r#"{service_name="support-agent"} | tool_name="Bash""#;
    let found = eventually(SOON, || async {
        let streams = loki.query_range(selector, HOUR).await.expect("an answer");
        (streams[0]["values"][0][1] == "tool_result").then_some(streams)
    });
    let streams = found.await.expect("the log");
    assert_eq!(streams[0]["stream"]["event_name"], "tool_result");
    assert_eq!(streams[0]["stream"]["success"], "false");
    let count = format!("sum(count_over_time({selector} [1h]))");
    assert_eq!(loki.query(&count).await.expect("an answer")[0]["value"][1], "1");

    let pid = loki.process().pid().expect("it runs");
    drop(loki);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[tokio::test]
async fn a_wrong_question_is_answered_with_the_reason() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let loki = Loki::start(&bed).await.expect("a Loki");
    let error = loki.query("{service_name=").await.expect_err("it does not parse");
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    assert!(error.to_string().contains("parse error"), "{error}");
}
