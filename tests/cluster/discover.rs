//! `agentslo discover` on a real Prometheus that has the series of every emitter, pushed and scraped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bed::{Bed, Options, Part, Target, eventually};
use futures::future::join_all;
use tokio::io::AsyncWriteExt as _;

use crate::emitters::{PUSHED, Pushed, SCRAPED, exposed, request};
use crate::stage::now;
use crate::support::{SOON, program};

const NAMESPACE: &str = "team";

#[tokio::test(flavor = "multi_thread")]
async fn every_emitter_is_recognised_in_every_translation() {
    let translations = [
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ];
    join_all(translations.map(recognise)).await;
}

async fn recognise(translation: &str) {
    let target = Target::new("scraped", serve(exposed()).await).label("namespace", NAMESPACE);
    let options = Options::nothing().with(Part::Prometheus).target(target).otlp(translation);
    let bed = Bed::start(options).await.expect("the bed should start");
    for emitter in &PUSHED {
        push(&bed, &request(emitter, NAMESPACE).to_string()).await;
    }
    let found = eventually(SOON, async || {
        let output = discover(&bed, &["--namespace", NAMESPACE]).await;
        said(&output).contains("profile VLLM").then_some(output)
    });
    let output = found.await.expect("the target should be scraped");
    let report = said(&output);
    for emitter in &PUSHED {
        let wanted = Found { profile: emitter.profile, translation, agent: emitter.agent };
        wanted.check(&report);
    }
    for (profile, agent) in SCRAPED {
        Found { profile, translation: "UnderscoreEscapingWithSuffixes", agent }.check(&report);
    }
    let agents = report.lines().filter(|line| line.starts_with("  agent '")).count();
    assert_eq!(agents, PUSHED.len() + SCRAPED.len(), "{translation}: each agent once in\n{report}");
    validates(&output.stdout).await;
    bed.stop().await;
}

/// One agent that shall be in a report.
struct Found<'a> {
    profile: &'a str,
    translation: &'a str,
    agent: &'a str,
}

impl Found<'_> {
    fn check(&self, report: &str) {
        let Self { profile, translation, agent } = self;
        let head = format!("profile {profile}, names by {translation}:");
        let mut of_profile = report.lines().skip_while(|line| !line.starts_with(&head)).skip(1);
        let agent = format!("  agent '{agent}':");
        let is_there = of_profile
            .by_ref()
            .take_while(|line| line.starts_with("  "))
            .any(|line| line.starts_with(&agent));
        assert!(is_there, "no '{head}' with '{agent}' in\n{report}");
    }
}

/// What is proposed is valid as it stands.
async fn validates(yaml: &[u8]) {
    let mut command = tokio::process::Command::new(program());
    command.args(["validate", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program should start");
    let mut stdin = child.stdin.take().expect("it should have an input");
    stdin.write_all(yaml).await.expect("it should read");
    drop(stdin);
    let output = child.wait_with_output().await.expect("it should end");
    let (out, report) = (String::from_utf8_lossy(&output.stdout), said(&output));
    assert!(output.status.success(), "{out}{report}\n{}", String::from_utf8_lossy(yaml));
    let number: usize = report.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    assert!(number > 30, "{number} AgentSLOs were proposed");
}

/// What is exposed so that each hazard of the first kind shows, and nothing else is wrong there.
const HAZARDOUS: &str = "\
# TYPE agent_queries_total counter
agent_queries_total{agent_name=\"a\",status=\"success\"} 9
# TYPE agent_tool_calls_total counter
agent_tool_calls_total{agent_name=\"a\",tool_name=\"t\",status=\"called\"} 9
# TYPE agent_query_duration_seconds summary
agent_query_duration_seconds_sum{agent_name=\"a\"} 9
agent_query_duration_seconds_count{agent_name=\"a\"} 9
# TYPE litellm_proxy_total_requests_metric_total counter
litellm_proxy_total_requests_metric_total{api_key_alias=\"k\",end_user=\"u1\"} 1
litellm_proxy_total_requests_metric_total{api_key_alias=\"k\",end_user=\"u2\"} 1
# TYPE agent_framework_function_invocation_duration_seconds histogram
agent_framework_function_invocation_duration_seconds_bucket{gen_ai_tool_call_arguments=\"{}\",le=\"+Inf\"} 1
agent_framework_function_invocation_duration_seconds_count{gen_ai_tool_call_arguments=\"{}\"} 1
agent_framework_function_invocation_duration_seconds_sum{gen_ai_tool_call_arguments=\"{}\"} 1
# TYPE strands_tool_call_count_Count_total counter
strands_tool_call_count_Count_total{job=\"s\",tool_name=\"t\",tool_use_id=\"tooluse_1\"} 1
strands_tool_call_count_Count_total{job=\"s\",otel_metric_overflow=\"true\"} 70
# TYPE claude_code_session_count_total counter
claude_code_session_count_total{job=\"c\",session_id=\"5a1c\"} 1
# TYPE gen_ai_server_request_duration_seconds histogram
gen_ai_server_request_duration_seconds_bucket{gen_ai_original_model=\"m\",le=\"+Inf\"} 1
gen_ai_server_request_duration_seconds_count{gen_ai_original_model=\"m\"} 1
gen_ai_server_request_duration_seconds_sum{gen_ai_original_model=\"m\"} 1
";

#[tokio::test(flavor = "multi_thread")]
async fn every_hazard_is_named_with_what_mends_it() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let file = folder.path().join("history.txt");
    std::fs::write(&file, falling()).expect("the history should be written");
    let many = (0..2_100)
        .map(|number| format!("agent_errors_total{{agent_name=\"a\",error_type=\"e{number}\"}} 1\n"));
    let text =
        many.fold(HAZARDOUS.to_owned() + "# TYPE agent_errors_total counter\n", |text, line| text + &line);
    let target = Target::new("scraped", serve(text).await);
    let options = Options::nothing().with(Part::Prometheus).target(target);
    let options = options.history(&file).otlp("UnderscoreEscapingWithSuffixes");
    let bed = Bed::start(options).await.expect("the bed should start");
    let by_profile: BTreeMap<&str, _> = PUSHED.iter().map(|emitter| (emitter.profile, emitter)).collect();
    for profile in ["MicrosoftAgentFramework", "OpenLLMetry"] {
        push(&bed, &request(by_profile[profile], NAMESPACE).to_string()).await;
    }
    let misnamed = Pushed { service: "app", ..*by_profile["OpenLIT"] };
    push(&bed, &request(&misnamed, NAMESPACE).to_string()).await;
    let found = eventually(SOON, async || {
        let output = discover(&bed, &[]).await;
        said(&output).contains("profile AgentMetrics").then_some(output)
    });
    let output = found.await.expect("the target should be scraped");
    assert_eq!(output.status.code(), Some(1));
    let report = said(&output);
    let expected = [
        "left out, to keep reads small: series of agent_errors_total after the first 2000",
        "  metric agent_errors_total: 2100 series",
        "claude_code_cost_usage_USD_total: DeltaTemporality: the counter falls again and again, as the amounts of each interval do; set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative",
        "litellm_spend_metric_total: SharedIdentity: the counter falls again and again, and returns, as if several processes wrote it; set PROMETHEUS_MULTIPROC_DIR",
        "strands_tool_call_count_Count_total: SeriesOverflow: 1 series",
        "strands_tool_call_count_Count_total: LabelPerCall: label tool_use_id",
        "agent_framework_function_invocation_duration_seconds_count: LabelPerCall: label gen_ai_tool_call_id has 2 values",
        "agent_framework_function_invocation_duration_seconds_count: ContentInLabels: label gen_ai_tool_call_arguments",
        "litellm_proxy_total_requests_metric_total: LabelPerUser: label end_user has 2 values in 2 series; set litellm_settings",
        "OpenLIT: TwoNames: runs are those of 'analyst', model calls and tools those of 'app'; start the SDK with application_name",
        "claude_code_session_count_total: LabelPerSession: label session_id",
        "agent_query_duration_seconds: MissingBuckets:",
        "agent_query_duration_seconds: WrongType: its targets call it a summary, and it is a histogram",
        "gen_ai_client_operation_duration_seconds: MillisecondBuckets:",
        "gen_ai_usage_cost_USD: CostBuckets:",
        "EnvoyAIGateway: NoAgentLabel: no series has the label gen_ai_agent_name; let agents send a header",
        "AgentMetrics: NoNamespaceLabel:",
        "agent_tool_calls_total: CalledOnly: label status has only the value called",
    ];
    for sign in expected {
        assert!(report.lines().any(|line| line.starts_with(sign)), "no '{sign}' in\n{report}");
    }
    bed.stop().await;
}

/// Counters of the last forty minutes that fall: one of deltas, one that two processes write.
fn falling() -> String {
    let now = now().expect("the clock should be past 1970");
    let mut text = String::new();
    let deltas = [0.2, 0.5, 0.1, 0.4, 0.3];
    for (step, at) in (now - 2400..now - 60).step_by(30).enumerate() {
        let delta = deltas[step % deltas.len()];
        writeln!(
            text,
            "claude_code_cost_usage_USD_total{{job=\"c\",namespace=\"{NAMESPACE}\"}} {delta} {at}"
        )
        .expect("text should grow");
    }
    for (step, at) in (now - 2400..now - 60).step_by(30).enumerate() {
        let value = if step % 2 == 0 { 500 + step } else { 20 + step };
        writeln!(
            text,
            "litellm_spend_metric_total{{api_key_alias=\"k\",namespace=\"{NAMESPACE}\"}} {value} {at}"
        )
        .expect("text should grow");
    }
    text + "# EOF\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_without_agents_and_one_that_is_not_there() {
    let bed = Bed::start(Options::nothing().with(Part::Prometheus)).await.expect("the bed should start");
    let output = discover(&bed, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with("no profile fits"), "{}", said(&output));
    assert!(output.stdout.is_empty());
    let url = bed.prometheus_url();
    bed.stop().await;
    let output = discover_at(&url, &[]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).starts_with("error: Prometheus does not answer"), "{}", said(&output));
}

async fn discover(bed: &Bed, more: &[&str]) -> Output {
    discover_at(&bed.prometheus_url(), more).await
}

async fn discover_at(url: &str, more: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(program());
    command.args(["discover", "--prometheus", url]).args(more);
    let output = tokio::time::timeout(Duration::from_mins(1), command.output());
    output.await.expect("it should end soon").expect("the program should run")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn push(bed: &Bed, body: &str) {
    let url = format!("{}/api/v1/otlp/v1/metrics", bed.prometheus_url());
    let request = reqwest::Client::new().post(&url).header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.expect("Prometheus should answer");
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

async fn serve(text: String) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let port = listener.local_addr().expect("it listens").port();
    let routes = Router::new().route("/metrics", get(async move || text));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}
