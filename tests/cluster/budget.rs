//! A scripted agent, and whether the status tells the truth about it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use bed::{Alert, Options, Status, Target, eventually};
use serde_json::Value;

use crate::durations::{self, Durations};
use crate::stage::now;
use crate::support::{COUNTED, Stage};

const NAMESPACE: &str = "budget";

/// What scripted agents have counted so far.
#[derive(Clone, Default)]
struct Counters {
    success: u64,
    error: Option<u64>,
    durations: Durations,
    cheap: u64,
    billed: u64,
    broken: Option<u64>,
    /// Of an agent whose histogram is classic at first, and native later.
    switching: Durations,
    /// Of agents whose histogram is native from its birth.
    native: Durations,
}

impl Counters {
    /// As an exposition; a series that has not been born is not there.
    fn expose(&self) -> String {
        let mut text = self.durations.classic("support-agent");
        let mut line =
            |series: &str, value: u64| writeln!(text, "{series} {value}").expect("text should grow");
        line("agent_queries_total{agent_name=\"support-agent\",status=\"success\"}", self.success);
        if let Some(error) = self.error {
            line("agent_queries_total{agent_name=\"support-agent\",status=\"error\"}", error);
        }
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

/// An AgentSLO, and how many runs of the past its history tells of.
struct Slo {
    name: &'static str,
    agent: &'static str,
    objective: &'static str,
    indicator: &'static str,
    past: u32,
}

const fn of_latency(name: &'static str, agent: &'static str, past: u32) -> Slo {
    Slo { name, agent, objective: "90", indicator: "latency: {threshold: 60s, type: Auto}", past }
}

const SLOS: [Slo; 7] = [
    Slo { name: "success", agent: "support-agent", objective: "95", indicator: "success: {}", past: 0 },
    Slo {
        name: "cost",
        agent: "support-agent",
        objective: "75",
        indicator: "costPerRun: {maxUSD: \"0.1\"}",
        past: 0,
    },
    Slo { name: "broken", agent: "broken-agent", objective: "99", indicator: "success: {}", past: 0 },
    of_latency("latency", "support-agent", 0),
    of_latency("latency-switching", "switching-agent", 0),
    // Of 20,000 runs 1 % may come with a series that is new: these two are new, and count at once.
    of_latency("latency-converted", "converted-agent", 20_000),
    of_latency("latency-pushed", "pushed-agent", 20_000),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_the_true_count_and_a_page_reaches_the_receiver() {
    let initial = Counters {
        success: 1000,
        durations: Durations { fast: 900, runs: 950 },
        cheap: 800,
        billed: 900,
        switching: Durations { fast: 900, runs: 950 },
        ..Counters::default()
    };
    let counters = Arc::new(Mutex::new(initial.clone()));
    let port = serve(Arc::clone(&counters)).await;
    let folder = tempfile::tempdir().expect("a folder should be made");
    let history = folder.path().join("history.txt");
    let begin = now().expect("the clock should be past 1970");
    write_history(&history, &initial, port, begin);
    let target = |job: &str| Target::new(job, port).label("namespace", NAMESPACE);
    let switching = target("switching").path("/switching");
    let options = Options::everything()
        .hastened()
        .history(&history)
        .prometheus_arg("--web.enable-otlp-receiver")
        .target(target("agent"))
        .target(switching.clone())
        .target(target("converted").path("/converted").converted());
    let stage = Stage::start(options, NAMESPACE).await;
    let pushed = Arc::clone(&counters);
    let native = move || pushed.lock().expect("nobody panicked").native;
    let push = tokio::spawn(durations::push(stage.bed.prometheus_url(), "pushed-agent", NAMESPACE, native));
    for slo in &SLOS {
        stage.apply(&yaml(slo)).await;
    }
    wait_for_series(
        &stage,
        &format!("count(timestamp(agentslo:total:increase5m) > {begin}) == {}", SLOS.len()),
    )
    .await;
    for Slo { name, .. } in SLOS {
        // Evaluated, fed, and no event yet: not 100 %.
        stage.wait_for_condition(NAMESPACE, name, ("DataAvailable", "True", "Idle")).await;
        let slo = stage.get("agentslo", NAMESPACE, name).await.expect("it should exist");
        assert_eq!(slo["status"]["budget"]["state"], "Idle");
        assert_eq!(slo["status"].get("sli"), None, "an idle agent has no ratio");
    }
    // 400 runs, 8 of them failed; 200 timed, 10 slow; 100 billed, 20 dear; 15 failures in a row elsewhere.
    let half = Counters {
        success: initial.success + 392,
        error: Some(8),
        durations: initial.durations.plus(190, 10),
        cheap: initial.cheap + 80,
        billed: initial.billed + 100,
        broken: Some(15),
        switching: initial.switching.plus(95, 5),
        native: initial.native.plus(190, 10),
    };
    *counters.lock().expect("nobody panicked") = half.clone();
    // Half of the runs are seen in one form, half in the other.
    let seen = "agent_query_duration_seconds_count{agent_name=\"switching-agent\"} == 1050";
    wait_for_series(&stage, seen).await;
    stage.bed.scrape(&switching.converted()).expect("the target should move");
    let seen = "histogram_count(agent_query_duration_seconds{agent_name=\"switching-agent\"}) == 1050";
    wait_for_series(&stage, seen).await;
    let switching = half.switching.plus(95, 5);
    *counters.lock().expect("nobody panicked") = Counters { switching, ..half };
    a_page_arrives(&stage).await;
    stage.wait_for_condition(NAMESPACE, "broken", ("BudgetHealthy", "False", "BurningFast")).await;
    budget_is(&stage, "success", ("400", "8", "98%", "60%", "12", "Met")).await;
    budget_is(&stage, "cost", ("100", "20", "80%", "20%", "5", "AtRisk")).await;
    for name in ["latency", "latency-switching", "latency-converted", "latency-pushed"] {
        budget_is(&stage, name, ("200", "10", "95%", "50%", "10", "Met")).await;
    }
    each_form_was_what_it_should_be(&stage).await;
    nothing_recorded_is_nan(&stage).await;
    columns_fit_a_terminal(&stage).await;
    push.abort();
    stage.operator.stop().await;
    stage.bed.stop().await;
}

fn yaml(slo: &Slo) -> String {
    let Slo { name, agent, objective, indicator, .. } = slo;
    format!(
        "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {{name: {name}, namespace: {NAMESPACE}}}\n\
         spec:\n  agent: {agent}\n  objective: \"{objective}\"\n  queryOffset: 0s\n  indicator: {{{indicator}}}\n"
    )
}

async fn serve(counters: Arc<Mutex<Counters>>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let port = listener.local_addr().expect("it listens").port();
    let expose = |what: fn(&Counters) -> String| {
        let counters = Arc::clone(&counters);
        get(async move || what(&counters.lock().expect("nobody panicked")))
    };
    let routes = Router::new()
        .route("/metrics", expose(Counters::expose))
        .route("/switching", expose(|counters| counters.switching.classic("switching-agent")))
        .route("/converted", expose(|counters| counters.native.classic("converted-agent")));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

/// The raw series of the last hour, and what was counted so far: so there are sums before the next
/// five-minute mark, and births count at once.
fn write_history(file: &Path, counters: &Counters, port: u16, now: u64) {
    let mut text = String::new();
    let exposed =
        [("agent", counters.expose()), ("switching", counters.switching.classic("switching-agent"))];
    for (job, exposition) in exposed {
        for series in exposition.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = series.split_once("} ").expect("every line has labels");
            let target = format!("namespace=\"{NAMESPACE}\",job=\"{job}\",instance=\"127.0.0.1:{port}\"");
            for at in (now - 3600..=now).step_by(30) {
                writeln!(text, "{series},{target}}} {value} {at}").expect("text should grow");
            }
        }
    }
    for Slo { name, past, .. } in SLOS {
        let own = format!("{{namespace=\"{NAMESPACE}\",agentslo=\"{name}\"}}");
        let series = [("total:increase5m", 0), ("bad:increase5m", 0), ("total:count30d", past)];
        for (series, value) in series {
            for at in (now - 1200..=now).step_by(60) {
                writeln!(text, "agentslo:{series}{own} {value} {at}").expect("text should grow");
            }
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

/// Otherwise the counts would prove less than they seem to.
async fn each_form_was_what_it_should_be(stage: &Stage) {
    let name = "agent_query_duration_seconds";
    let of = |agent: &str| format!("{{agent_name=\"{agent}\"}}[1h]");
    for agent in ["converted-agent", "pushed-agent"] {
        let classic = series(stage, &format!("count_over_time({name}_count{})", of(agent))).await;
        assert_eq!(classic, Vec::<Value>::new(), "{agent} should never have had a classic histogram");
    }
    let pushed = series(stage, &format!("{name}{{agent_name=\"pushed-agent\"}}")).await;
    // Bounds of exponential buckets are powers of a root of two; those of custom ones are as configured.
    assert!(pushed[0]["histogram"][1]["buckets"].to_string().contains("12.3376866"), "{pushed:?}");
    let converted = series(stage, &format!("{name}{{agent_name=\"converted-agent\"}}")).await;
    assert!(converted[0]["histogram"][1]["buckets"].to_string().contains("\"60\""), "{converted:?}");
}

async fn nothing_recorded_is_nan(stage: &Stage) {
    let series = series(stage, "{__name__=~\"agentslo:.+\"}[1h]").await;
    assert!(series.len() >= SLOS.len() * 8, "only {} series were recorded", series.len());
    let is_nan = |series: &&Value| series["values"].to_string().contains("NaN");
    assert_eq!(series.iter().find(is_nan), None);
}

async fn wait_for_series(stage: &Stage, query: &str) {
    let is_there = async || (!series(stage, query).await.is_empty()).then_some(());
    eventually(COUNTED, is_there).await.unwrap_or_else(|| panic!("nothing was ever selected by {query}"));
}

async fn series(stage: &Stage, query: &str) -> Vec<Value> {
    let url = format!("{}/api/v1/query", stage.bed.prometheus_url());
    let answer = reqwest::Client::new().get(url).query(&[("query", query)]).send().await;
    let answer = answer.expect("Prometheus should answer").bytes().await.expect("all of it");
    let answer: Value = serde_json::from_slice(&answer).expect("Prometheus should speak JSON");
    answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{query}: {answer}")).clone()
}

async fn columns_fit_a_terminal(stage: &Stage) {
    let table = stage.bed.kubectl(&["get", "agentslo", "-n", NAMESPACE]).await.expect("kubectl should list");
    let widest = table.lines().map(|line| line.trim_end().len()).max().unwrap_or_default();
    assert!(widest <= 80, "{widest} columns:\n{table}");
    assert!(table.starts_with("NAME "), "{table}");
}
