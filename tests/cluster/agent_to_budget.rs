//! From an agent's event to `kubectl get agentslo`: the operator writes the configuration, the real
//! Collector runs it, Prometheus scrapes it, and the status tells what the agent did.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bed::otlp::{self, Sender};
use bed::{Collector, Configuration, Options, Target, eventually};
use serde_json::{Value, json};

use crate::stage::now;
use crate::support::{COUNTED, SOON, Stage};

const NAMESPACE: &str = "loop";

const RESOURCES: &str = r#"
apiVersion: agentslo.dev/v1alpha1
kind: AgentObservability
metadata: {name: support, namespace: loop}
spec:
  agent: support-agent
  pipeline: {}
  guards: {toolFailure: {}, queue: {maxDepth: 10}, slowShare: {slowerThan: 47s}}
---
apiVersion: agentslo.dev/v1alpha1
kind: AgentSLO
metadata: {name: runs, namespace: loop}
spec: {agent: support-agent, observabilityRef: {name: support}, objective: "80", indicator: {success: {}}}
---
apiVersion: agentslo.dev/v1alpha1
kind: AgentSLO
metadata: {name: tools, namespace: loop}
spec: {agent: support-agent, observabilityRef: {name: support}, objective: "80", indicator: {toolSuccess: {}}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_agent_becomes_budget() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let history = folder.path().join("history.txt");
    // Prometheus knows the agent's series by the address of the Collector, so that is chosen first.
    let metrics = free_port();
    write_history(&history, metrics);
    let stage = Stage::start(Options::everything().hastened().history(&history), NAMESPACE).await;
    stage.apply(RESOURCES).await;
    let collector = run_the_pipeline(&stage, metrics).await;
    the_status_tells_of_the_collector(&stage, &collector).await;
    let agent = Agent::sending_to(&collector.otlp);

    // What the history tells of, the Collector has to count as well.
    agent.works(10, 0).await;
    for name in ["runs", "tools"] {
        stage.wait_for_condition(NAMESPACE, name, ("DataAvailable", "True", "Idle")).await;
    }
    agent.works(36, 4).await;
    for name in ["runs", "tools"] {
        counted(&stage, name).await;
    }
    the_status_tells_of_the_agent(&stage).await;
    nothing_secret_was_counted(&collector.metrics).await;
    collector.running.process().stop().await;
    stage.operator.stop().await;
    stage.bed.stop().await;
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    socket.local_addr().expect("it is bound").port()
}

/// An hour in which the agent had done its first ten runs, as Prometheus would have scraped and recorded
/// it: without a past nothing is known of what is new.
fn write_history(file: &Path, port: u16) {
    let now = now().expect("the clock should be past 1970");
    let target = format!(
        "agent_name=\"support-agent\",exported_job=\"support-agent\",exported_namespace=\"{NAMESPACE}\",\
         namespace=\"{NAMESPACE}\",job=\"support\",instance=\"127.0.0.1:{port}\""
    );
    let mut text = String::new();
    let series = [
        (format!("agent_runs_total{{{target},outcome=\"ok\"}}"), "10"),
        (format!("agent_tool_calls_total{{{target},outcome=\"ok\",tool_name=\"Read\"}}"), "10"),
        (format!("agent_cost_usd_total{{{target},model=\"claude\"}}"), "1"),
    ];
    for (series, value) in series {
        for at in (now - 3600..=now).step_by(30) {
            writeln!(text, "{series} {value} {at}").expect("text should grow");
        }
    }
    for name in ["runs", "tools"] {
        for recorded in ["total:increase5m", "bad:increase5m", "total:count30d"] {
            for at in (now - 1200..=now).step_by(60) {
                let own = format!("{{namespace=\"{NAMESPACE}\",agentslo=\"{name}\"}}");
                writeln!(text, "agentslo:{recorded}{own} 0 {at}").expect("text should grow");
            }
        }
    }
    text.push_str("# EOF\n");
    std::fs::write(file, text).expect("the history should be written");
}

/// The Collector with the configuration that the operator wrote.
struct Pipeline {
    running: Collector,
    otlp: String,
    metrics: String,
}

async fn run_the_pipeline(stage: &Stage, metrics: u16) -> Pipeline {
    let written = async || stage.get("configmap", NAMESPACE, "support-collector").await;
    let map = eventually(SOON, written).await.expect("the operator should write the configuration");
    let text = map["data"]["collector.yaml"].as_str().expect("the ConfigMap should carry a file");
    let port = || stage.bed.port().expect("a port should be free");
    let (grpc, http) = (port(), port());
    let address = |port: u16| format!("127.0.0.1:{port}");
    let ports = json!({
        "receivers": {"otlp": {"protocols": {
            "grpc": {"endpoint": address(grpc)}, "http": {"endpoint": address(http)},
        }}},
        "exporters": {"prometheus": {"endpoint": address(metrics)}},
        "extensions": {"file_storage": {"directory": stage.bed.folder().join("queue")}},
    });
    let has_storage = text.contains("file_storage");
    let ports = if has_storage { ports } else { without(ports, "extensions") };
    let configuration = Configuration::new("support", text).over(ports);
    let running = Collector::start(&stage.bed, &configuration).await.expect("the Collector should start");
    stage
        .bed
        .scrape(&Target::new("support", metrics).label("namespace", NAMESPACE))
        .expect("Prometheus should scrape the Collector");
    Pipeline {
        running,
        otlp: format!("http://{}", address(http)),
        metrics: format!("http://{}/metrics", address(metrics)),
    }
}

fn without(mut object: Value, key: &str) -> Value {
    object.as_object_mut().expect("it is an object").remove(key);
    object
}

/// A scripted agent that speaks Claude Code's events, and a span for each run.
struct Agent(Sender);

const SECRET: &str = "sk-ant-REDACTED";

impl Agent {
    fn sending_to(url: &str) -> Self {
        let resource = json!({"service.name": "support-agent", "gen_ai.agent.name": "support-agent"});
        Self(Sender::to(url).resource(&resource))
    }

    /// Finishes runs, each with a tool call and a model call of a dime.
    async fn works(&self, good: usize, bad: usize) {
        for index in 0..good + bad {
            let is_good = index < good;
            let tool = json!({
                "tool_name": "Read", "success": if is_good { "true" } else { "false" },
                "tool_input": format!("curl -H 'x-api-key: {SECRET}'"),
            });
            let request = json!({"model": "claude", "cost_usd": "0.10", "input_tokens": "100"});
            let events = vec![otlp::event("tool_result", &tool), otlp::event("api_request", &request)];
            self.0.logs(events).await.expect("the Collector should take events");
            let attributes = json!({
                "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support-agent",
                "gen_ai.input.messages": SECRET,
            });
            let run = otlp::span("invoke_agent support-agent", Duration::from_secs(20), &attributes);
            let run = if is_good { run } else { otlp::failed(run, SECRET) };
            self.0.spans(vec![run]).await.expect("the Collector should take spans");
        }
    }
}

/// 40 events, 4 of them bad, of which 8 are allowed.
async fn counted(stage: &Stage, name: &str) {
    let seen = async || {
        let status = stage.get("agentslo", NAMESPACE, name).await?["status"].clone();
        let is_counted = status["events"]["total"] == "40" && status["events"]["bad"] == "4";
        (is_counted && status["budget"]["remaining"] == "50%").then_some(())
    };
    if eventually(COUNTED, seen).await.is_none() {
        let slo = stage.get("agentslo", NAMESPACE, name).await.unwrap_or_default();
        panic!("{name} should count 4 of 40: {:#}", slo["status"]);
    }
}

/// Running is not enough: Prometheus has to scrape it.
async fn the_status_tells_of_the_collector(stage: &Stage, collector: &Pipeline) {
    let says = async |reason: &str| {
        let said = async || {
            let observability = stage.get("agentobservability", NAMESPACE, "support").await?;
            let applied = crate::support::condition(&observability, "PipelineApplied")?;
            (applied["status"] == "True" && applied["reason"] == reason).then_some(applied)
        };
        eventually(SOON, said).await.unwrap_or_else(|| panic!("PipelineApplied should say {reason}"))
    };
    says("NotObserved").await;
    let own = collector.running.target("own").label("namespace", NAMESPACE);
    stage
        .bed
        .scrape(&own.label("agentslo_pipeline", "support"))
        .expect("Prometheus should scrape the Collector's own metrics");
    let seen = says("Applied").await;
    let message = seen["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("Prometheus scrapes a Collector of it"), "{seen}");
}

async fn the_status_tells_of_the_agent(stage: &Stage) {
    let told = async || {
        let status = stage.get("agentobservability", NAMESPACE, "support").await?["status"].clone();
        let spent: f64 = status["spend"]["estimatedLast24hUSD"].as_str()?.parse().ok()?;
        // Forty calls of a dime; those of before count where they were seen to happen.
        (spent > 3.5).then_some(status)
    };
    let status = eventually(COUNTED, told).await.expect("the status should tell what was spent");
    let roles = status["detected"]["roles"].to_string();
    for role in ["runs", "tools", "modelCalls", "runDuration", "cost", "tokens"] {
        assert!(roles.contains(role), "{role} should be detected: {roles}");
    }
    let guards = crate::support::condition(&json!({"status": status}), "GuardsApplied");
    let guards = guards.expect("it is always there");
    assert_eq!(guards["reason"], "NoSuchBucket", "{guards}");
    let message = guards["message"].as_str().unwrap_or_default();
    for words in ["profile ClaudeCode has no queueDepth", "no bucket of 47s", "in seconds 1, 5,"] {
        assert!(message.contains(words), "{words}: {guards}");
    }
    let table = stage.bed.kubectl(&["get", "agobs", "-n", NAMESPACE]).await.expect("kubectl should list");
    eprintln!("{table}");
    assert!(table.contains("ClaudeCode"), "{table}");
}

async fn nothing_secret_was_counted(metrics: &str) {
    let answer = reqwest::get(metrics).await.expect("the Collector should answer");
    let text = answer.text().await.expect("metrics should be text");
    assert!(text.contains("agent_runs_total"), "{text}");
    assert!(!text.contains(SECRET));
}
