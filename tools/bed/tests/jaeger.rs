//! What the bed's Jaeger promises, on the real one.

use std::time::{Duration, Instant};

use bed::{
    Bed, Jaeger, Options, eventually,
    otlp::{self, Sender, trace::v1::span::Link},
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_trace_goes_in_by_otlp_and_comes_out_by_id_and_service() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let jaeger = Jaeger::start(&bed).await.expect("a Jaeger");
    let agent = Sender::to(&jaeger.otlp_url()).resource(&json!({"service.name": "support-agent"}));
    let attributes = json!({"arguments": {"command": ["ls", 1]}});
    let mut run = otlp::span("invoke_agent", Duration::from_secs(3), &attributes);
    run.links.push(Link { attributes: otlp::attributes(&json!({"why": "a retry"})), ..Default::default() });
    let call = otlp::failed(otlp::within(&run, otlp::span("chat", SOON, &json!({}))), "no answer");
    let id = otlp::trace_id(&run);
    assert_eq!(jaeger.trace(&id).await.expect("an answer"), None);
    assert_eq!(jaeger.traces("support-agent").await.expect("an answer"), None);
    agent.spans(vec![run, call]).await.expect("accepted");

    let trace = eventually(SOON, || async { jaeger.trace(&id).await.expect("an answer") });
    let trace = trace.await.expect("the trace").to_string();
    for part in ["invoke_agent", "no answer", "a retry", r#"[{"stringValue":"ls"},{"intValue":"1"}]"#] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    let traces = jaeger.traces("support-agent").await.expect("an answer").expect("traces");
    assert!(traces["resourceSpans"].to_string().contains(&id), "{traces}");

    let pid = jaeger.process().pid().expect("it runs");
    let begin = Instant::now();
    drop(jaeger);
    assert!(begin.elapsed() < Duration::from_secs(2), "it ends when asked to");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
