//! Whose telemetry it is, is not for the sender to say.

use bed::otlp::{self, Sender};
use bed::{Bed, Options, Part, eventually};
use serde_json::{Value, json};

use super::sink::Sink;
use super::stand::{Given, SOON, Stand};

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

/// A shared Collector, which looks up this machine's address, and a pod in this namespace that has it.
async fn given_sender_in(namespace: &str) -> Stand {
    let bed = Bed::start(Options::nothing().with(Part::Apiserver)).await.expect("an API server should start");
    let pod = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}\n---\n\
         {{apiVersion: v1, kind: ServiceAccount, metadata: {{name: default, namespace: {namespace}}}}}\n---\n\
         {{apiVersion: v1, kind: Pod, metadata: {{name: agent, namespace: {namespace}}}, spec: {{\
         automountServiceAccountToken: false, containers: [{{name: agent, image: agent}}]}}}}\n"
    );
    bed.apply_yaml(&pod).await.expect("the pod should be created");
    let status = r#"{"status": {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}}"#;
    let patch =
        ["patch", "pod", "agent", "-n", namespace, "--subresource=status", "--type=merge", "-p", status];
    bed.kubectl(&patch).await.expect("the pod should get an address");
    let kubeconfig = bed.kubeconfig("admin").expect("the bed should have an admin").display().to_string();
    let given = Given {
        pipeline: json!({"logs": {"backends": ["sink"]}, "traces": {"backends": ["sink"]}}),
        collectors: json!({"sharing": "Shared"}),
        over: json!({"processors": {"k8s_attributes/tenant": {"auth_type": "kubeConfig"}}}),
        environment: vec![("KUBECONFIG", kubeconfig)],
        ..Given::default()
    };
    Stand::on(bed, Sink::start().await, given).await
}

/// Sends each signal, claiming the namespace of the AgentObservability.
async fn send_all(stand: &Stand) {
    let claims = json!({"k8s.namespace.name": "support", "k8s.pod.name": "agent", "service.name": "x"});
    let sender = Sender::to(&stand.otlp).resource(&claims);
    sender.logs(vec![otlp::event("user_prompt", &json!({}))]).await.expect("the record should be taken");
    let run = otlp::span("invoke_agent x", std::time::Duration::from_secs(1), &json!({}));
    sender.spans(vec![run]).await.expect("the span should be taken");
    let metric = otlp::gauge("app.level", 1.0, &json!({}));
    sender.metrics(vec![metric]).await.expect("the metric should be taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_collector_knows_a_pod_by_its_address() {
    let stand = given_sender_in("support").await;
    send_all(&stand).await;
    let arrived = eventually(SOON, async || {
        (!stand.sink.logs().is_empty() && !stand.sink.spans().is_empty()).then_some(())
    });
    arrived.await.expect("the data of an own pod should arrive");
    assert_eq!(namespaces(&stand.sink.logs()), ["support"]);
    assert_eq!(namespaces(&stand.sink.spans()), ["support"]);
    stand.wait_for("app_level", &[r#"namespace="support""#], 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_collector_drops_what_comes_from_elsewhere() {
    let stand = given_sender_in("elsewhere").await;
    send_all(&stand).await;
    // All three went in, and were dropped for their namespace.
    let dropped = eventually(SOON, async || {
        let own = stand.collector.metrics().await.ok()?;
        let of = |signal: &str| {
            own.lines().any(|line| {
                line.starts_with(&format!("otelcol_processor_filter_{signal}_filtered"))
                    && line.contains("filter/tenant")
                    && !line.ends_with(" 0")
            })
        };
        (of("logs") && of("spans") && of("datapoints")).then_some(())
    });
    let dropped = dropped.await.is_some();
    assert!(dropped, "all should be dropped:\n{}", stand.collector.metrics().await.unwrap_or_default());
    assert!(stand.sink.requests().is_empty(), "{}", stand.sink.text());
    let scraped = stand.scraped().await;
    assert!(!scraped.contains("agent_") && !scraped.contains("app_level"), "{scraped}");
}
