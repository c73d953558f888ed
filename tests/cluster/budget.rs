//! A scripted agent, and whether the status tells the truth about it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use bed::{Alert, Options, Status, Target, eventually};
use serde_json::Value;

use crate::stage::now;
use crate::support::{COUNTED, Stage};

const NAMESPACE: &str = "budget";

/// What a scripted agent has counted so far.
#[derive(Clone, Default)]
struct Counters {
    success: u64,
    error: Option<u64>,
    fast: u64,
    runs: u64,
    cheap: u64,
    billed: u64,
    broken: Option<u64>,
}

impl Counters {
    /// As an exposition; a series that has not been born is not there.
    fn expose(&self) -> String {
        let mut text = String::new();
        let mut line =
            |series: &str, value: u64| writeln!(text, "{series} {value}").expect("text should grow");
        line("agent_queries_total{agent_name=\"support-agent\",status=\"success\"}", self.success);
        if let Some(error) = self.error {
            line("agent_queries_total{agent_name=\"support-agent\",status=\"error\"}", error);
        }
        line("agent_query_duration_seconds_bucket{agent_name=\"support-agent\",le=\"60.0\"}", self.fast);
        line("agent_query_duration_seconds_bucket{agent_name=\"support-agent\",le=\"+Inf\"}", self.runs);
        line("agent_query_duration_seconds_count{agent_name=\"support-agent\"}", self.runs);
        line("agent_query_cost_usd_bucket{agent_name=\"support-agent\",le=\"0.1\"}", self.cheap);
        line("agent_query_cost_usd_bucket{agent_name=\"support-agent\",le=\"+Inf\"}", self.billed);
        line("agent_query_cost_usd_count{agent_name=\"support-agent\"}", self.billed);
        line("agent_queries_total{agent_name=\"broken-agent\",status=\"success\"}", 100);
        if let Some(broken) = self.broken {
            line("agent_queries_total{agent_name=\"broken-agent\",status=\"error\"}", broken);
        }
        text
    }
}

const SLOS: [(&str, &str, &str, &str); 4] = [
    ("success", "support-agent", "95", "success: {}"),
    ("latency", "support-agent", "90", "latency: {threshold: 60s}"),
    ("cost", "support-agent", "75", "costPerRun: {maxUSD: \"0.1\"}"),
    ("broken", "broken-agent", "99", "success: {}"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_the_true_count_and_a_page_reaches_the_receiver() {
    let counters = Arc::new(Mutex::new(Counters {
        success: 1000,
        fast: 900,
        runs: 950,
        cheap: 800,
        billed: 900,
        ..Counters::default()
    }));
    let port = serve(Arc::clone(&counters)).await;
    let folder = tempfile::tempdir().expect("a folder should be made");
    let history = folder.path().join("history.txt");
    let initial = counters.lock().expect("nobody panicked").clone();
    write_history(&history, &initial, port);
    let target = Target::new("agent", port).label("namespace", NAMESPACE);
    let options = Options::everything().hastened().history(&history).target(target);
    let stage = Stage::start(options, NAMESPACE).await;
    for (name, agent, objective, indicator) in SLOS {
        stage.apply(&slo(name, agent, objective, indicator)).await;
    }
    for (name, ..) in SLOS {
        // Evaluated, fed, and no event yet: not 100 %.
        stage.wait_for_condition(NAMESPACE, name, ("DataAvailable", "True", "Idle")).await;
        let slo = stage.get("agentslo", NAMESPACE, name).await.expect("it should exist");
        assert_eq!(slo["status"]["budget"]["state"], "Idle");
        assert_eq!(slo["status"].get("sli"), None, "an idle agent has no ratio");
    }
    // 400 runs, 8 of them failed; 200 timed, 10 slow; 100 billed, 20 dear; 15 failures in a row elsewhere.
    *counters.lock().expect("nobody panicked") = Counters {
        success: initial.success + 392,
        error: Some(8),
        fast: initial.fast + 190,
        runs: initial.runs + 200,
        cheap: initial.cheap + 80,
        billed: initial.billed + 100,
        broken: Some(15),
    };
    a_page_arrives(&stage).await;
    stage.wait_for_condition(NAMESPACE, "broken", ("BudgetHealthy", "False", "BurningFast")).await;
    budget_is(&stage, "success", ("400", "8", "98%", "60%", "12", "Met")).await;
    budget_is(&stage, "latency", ("200", "10", "95%", "50%", "10", "Met")).await;
    budget_is(&stage, "cost", ("100", "20", "80%", "20%", "5", "AtRisk")).await;
    nothing_recorded_is_nan(&stage).await;
    columns_fit_a_terminal(&stage).await;
    stage.operator.stop().await;
    stage.bed.stop().await;
}

fn slo(name: &str, agent: &str, objective: &str, indicator: &str) -> String {
    format!(
        "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {{name: {name}, namespace: {NAMESPACE}}}\n\
         spec:\n  agent: {agent}\n  objective: \"{objective}\"\n  queryOffset: 0s\n  indicator: {{{indicator}}}\n"
    )
}

async fn serve(counters: Arc<Mutex<Counters>>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let port = listener.local_addr().expect("it listens").port();
    let expose = async move || counters.lock().expect("nobody panicked").expose();
    let routes = Router::new().route("/metrics", get(expose));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

/// The raw series of the last hour, and that nothing was counted so far: so births count at once.
fn write_history(file: &Path, counters: &Counters, port: u16) {
    let now = now().expect("the clock should be past 1970");
    let mut text = String::new();
    for series in counters.expose().lines() {
        let (series, value) = series.split_once("} ").expect("every line has labels");
        for at in (now - 3600..=now).step_by(30) {
            writeln!(text, "{series},namespace=\"{NAMESPACE}\",job=\"agent\",instance=\"127.0.0.1:{port}\"}} {value} {at}")
                .expect("text should grow");
        }
    }
    for (name, ..) in SLOS {
        for at in (now - 1200..=now).step_by(60) {
            writeln!(text, "agentslo:total:count30d{{namespace=\"{NAMESPACE}\",agentslo=\"{name}\"}} 0 {at}")
                .expect("text should grow");
        }
    }
    text.push_str("# EOF\n");
    std::fs::write(file, text).expect("the history should be written");
}

async fn a_page_arrives(stage: &Stage) {
    let is_page = |alert: &Alert| {
        alert.status == Status::Firing
            && alert.labels.get("urgency").is_some_and(|urgency| urgency == "page")
            && alert.labels.get("agentslo").is_some_and(|slo| slo == "broken")
    };
    let page = stage.bed.receiver().wait_for(COUNTED, is_page).await.expect("a page should arrive");
    assert_eq!(page.labels.get("alertname").map(String::as_str), Some("AgentSLOBudgetBurn"));
    assert_eq!(page.labels.get("namespace").map(String::as_str), Some(NAMESPACE));
    assert_eq!(page.labels.get("agent").map(String::as_str), Some("broken-agent"));
    assert_eq!(page.labels.get("severity").map(String::as_str), Some("critical"));
    let summary = page.annotations.get("summary").expect("a page says what happened");
    assert!(summary.contains(" runs failed in the last 1h (100.0 times the rate"), "{summary}");
    let other_pages = stage.bed.receiver().alerts().into_iter().filter(|alert| {
        alert.labels.get("urgency").is_some_and(|urgency| urgency == "page")
            && alert.labels.get("agentslo").is_some_and(|slo| slo != "broken")
    });
    assert_eq!(other_pages.count(), 0, "8 of 400 failures are no reason to wake anybody");
}

async fn budget_is(stage: &Stage, name: &str, wanted: (&str, &str, &str, &str, &str, &str)) {
    let (total, bad, sli, remaining, left, state) = wanted;
    let seen = async || {
        let status = stage.get("agentslo", NAMESPACE, name).await?["status"].clone();
        let holds = status["events"]["total"] == total
            && status["events"]["bad"] == bad
            && status["sli"] == sli
            && status["budget"]["remaining"] == remaining
            && status["budget"]["remainingEvents"] == left
            && status["budget"]["state"] == state;
        holds.then_some(())
    };
    if eventually(COUNTED, seen).await.is_none() {
        let slo = stage.get("agentslo", NAMESPACE, name).await.unwrap_or_default();
        panic!("{name}: wanted {wanted:?}, the status is {:#}", slo["status"]);
    }
}

async fn nothing_recorded_is_nan(stage: &Stage) {
    let url = format!("{}/api/v1/query", stage.bed.prometheus_url());
    let query = [("query", "{__name__=~\"agentslo:.+\"}[1h]")];
    let answer =
        reqwest::Client::new().get(url).query(&query).send().await.expect("Prometheus should answer");
    let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("all of it")).expect("JSON");
    let series = answer["data"]["result"].as_array().expect("a matrix");
    assert!(series.len() >= 4 * 8, "only {} series were recorded", series.len());
    let is_nan = |series: &&Value| series["values"].to_string().contains("NaN");
    assert_eq!(series.iter().find(is_nan), None);
}

async fn columns_fit_a_terminal(stage: &Stage) {
    let table = stage.bed.kubectl(&["get", "agentslo", "-n", NAMESPACE]).await.expect("kubectl should list");
    let widest = table.lines().map(|line| line.trim_end().len()).max().unwrap_or_default();
    assert!(widest <= 80, "{widest} columns:\n{table}");
    assert!(table.starts_with("NAME "), "{table}");
}
