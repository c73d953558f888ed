//! A Collector between an agent and the other servers of a bed.

use std::time::Duration;

use bed::{
    Bed, Collector, Configuration, Jaeger, Loki, Options, eventually,
    otlp::{self, Sender},
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

/// Sends logs to Loki, and traces to Jaeger.
const STORING: &str = "
receivers: {otlp: {protocols: {http: {endpoint: OVERLAID}}}}
exporters:
  otlp_http/loki: {endpoint: OVERLAID, tls: {insecure: true}}
  otlp_grpc/traces: {endpoint: OVERLAID, tls: {insecure: true}}
service:
  pipelines:
    logs: {receivers: [otlp], exporters: [otlp_http/loki]}
    traces: {receivers: [otlp], exporters: [otlp_grpc/traces]}
";

/// Asks the apiserver whose telemetry it is.
const NAMING: &str = "
receivers: {otlp: {protocols: {http: {endpoint: OVERLAID}}}}
processors:
  k8s_attributes:
    auth_type: kubeConfig
    wait_for_metadata: true
    extract: {metadata: [k8s.pod.name, k8s.namespace.name], labels: [{tag_name: agent, key: agent}]}
    pod_association: [{sources: [{from: resource_attribute, name: k8s.pod.uid}]}]
exporters: {otlp_http: {endpoint: OVERLAID, tls: {insecure: true}}}
service: {pipelines: {traces: {receivers: [otlp], processors: [k8s_attributes], exporters: [otlp_http]}}}
";

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: support-agent-1, namespace: default, labels: {agent: support}}
spec: {containers: [{name: agent, image: agent}]}
";

/// Starts a Collector that takes OTLP; someone who sends to it.
async fn given_collector(bed: &Bed, configuration: Configuration) -> (Collector, Sender) {
    let http = format!("127.0.0.1:{}", bed.port().expect("a free port"));
    let receivers = json!({"otlp": {"protocols": {"http": {"endpoint": &http}}}});
    let configuration = configuration.over(json!({"receivers": receivers}));
    let collector = Collector::start(bed, &configuration).await.expect("a Collector");
    (collector, Sender::to(&format!("http://{http}")))
}

#[tokio::test]
async fn logs_reach_loki_and_traces_reach_jaeger() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers");
    let loki = Loki::start(&bed).await.expect("a Loki");
    let jaeger = Jaeger::start(&bed).await.expect("a Jaeger");
    let configuration = Configuration::new("storing", STORING).over(json!({"exporters": {
        "otlp_http/loki": {"endpoint": loki.otlp_url()},
        "otlp_grpc/traces": {"endpoint": jaeger.otlp_grpc()},
    }}));
    let (_collector, agent) = given_collector(&bed, configuration).await;
    let agent = agent.resource(&json!({"service.name": "support-agent"}));
    agent.logs(vec![otlp::event("user_prompt", &json!({}))]).await.expect("accepted");
    let run = otlp::span("invoke_agent", Duration::from_secs(3), &json!({}));
    let id = otlp::trace_id(&run);
    agent.spans(vec![run]).await.expect("accepted");

    let hour = Duration::from_hours(1);
    let line = eventually(SOON, || async {
        let streams = loki.query_range(r#"{service_name="support-agent"}"#, hour).await.expect("an answer");
        streams[0]["values"][0][1].as_str().map(str::to_owned)
    });
    assert_eq!(line.await.as_deref(), Some("user_prompt"));
    let trace = eventually(SOON, || async { jaeger.trace(&id).await.expect("an answer") });
    assert!(trace.await.is_some());
}

#[tokio::test]
async fn a_collector_learns_from_the_apiserver_whose_telemetry_it_is() {
    let bed = Bed::start(Options::default()).await.expect("a bed with an apiserver");
    bed.apply_yaml(POD).await.expect("a pod");
    let uid = ["get", "pod", "support-agent-1", "-o=jsonpath={.metadata.uid}"];
    let uid = bed.kubectl(&uid).await.expect("its uid");
    let jaeger = Jaeger::start(&bed).await.expect("a Jaeger");
    let kubeconfig = bed.kubeconfig("admin").expect("a kubeconfig").display().to_string();
    let configuration = Configuration::new("naming", NAMING)
        .env("KUBECONFIG", &kubeconfig)
        .over(json!({"exporters": {"otlp_http": {"endpoint": jaeger.otlp_url()}}}));
    let (_collector, agent) = given_collector(&bed, configuration).await;
    let agent = agent.resource(&json!({"service.name": "support-agent", "k8s.pod.uid": uid}));
    agent.spans(vec![otlp::span("invoke_agent", SOON, &json!({}))]).await.expect("accepted");

    let traces = eventually(SOON, || async { jaeger.traces("support-agent").await.expect("an answer") });
    let resource = &traces.await.expect("the trace")["resourceSpans"][0]["resource"]["attributes"];
    let value = |key: &str| {
        let attributes = resource.as_array().expect("attributes").iter();
        attributes.filter(|pair| pair["key"] == key).map(|pair| pair["value"]["stringValue"].clone()).next()
    };
    assert_eq!(value("k8s.pod.name"), Some(Value::from("support-agent-1")), "{resource}");
    assert_eq!(value("agent"), Some(Value::from("support")), "{resource}");
}
