//! Whose telemetry it is, is not for the sender to say.

use bed::eventually;
use bed::otlp::{self, Sender};
use serde_json::{Value, json};

use super::stand::{SOON, Stand};

fn namespaces(items: &[Value]) -> Vec<String> {
    let of = |item: &Value| {
        let attributes = item["resource"].as_array()?;
        let namespace = attributes.iter().find(|attribute| attribute["key"] == "k8s.namespace.name")?;
        Some(namespace["value"]["stringValue"].as_str()?.to_owned())
    };
    items.iter().map(|item| of(item).unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cannot_claim_another_namespace() {
    let stand = Stand::start(&json!({"logs": {"backends": ["sink"]}})).await;
    let liar =
        Sender::to(&stand.otlp).resource(&json!({"k8s.namespace.name": "victim", "service.name": "x"}));
    liar.logs(vec![otlp::event("user_prompt", &json!({"k8s.namespace.name": "victim"}))])
        .await
        .expect("a record");
    let seen = eventually(SOON, async || (!stand.sink.logs().is_empty()).then(|| stand.sink.logs())).await;
    assert_eq!(namespaces(&seen.expect("the record should arrive")), ["support"]);
    stand.wait_for("agent_prompts_total", &[r#"namespace="support""#], 1.0).await;
}
