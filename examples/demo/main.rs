//! `make demo`: the main job on real servers, told step by step. A live agent, its error budget in
//! `kubectl get agentslo`, an outage, the page at a receiver, and the way back.

// What the demo shows it prints.
#![allow(clippy::print_stdout)]

mod pipeline;
mod stage;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bed::{Alert, Bed, Launch, Options, Probe, Process, Status, Target, eventually};
use stage::{Past, Result};

const NAMESPACE: &str = "support";
const SLOS: &str = include_str!("support.yaml");
const PIPELINE: &str = include_str!("pipeline.yaml");
/// Longest wait for a step that depends on the next evaluation of a rule group.
const PATIENCE: Duration = Duration::from_mins(7);
/// A page that takes longer is too late.
const PAGE_WITHIN: Duration = Duration::from_mins(5);

/// Thirty days of sixty runs an hour: with so many the short windows are those of the catalogue, and the
/// page ends soon.
const PASTS: [Past; 3] = [
    Past { slo: "support-success", per_tile: 5, one_bad_in: 150 },
    Past { slo: "support-latency", per_tile: 5, one_bad_in: 40 },
    Past { slo: "support-cost", per_tile: 5, one_bad_in: 20 },
];

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::select! {
        told = tell() => told,
        _ = tokio::signal::ctrl_c() => {
            say("Interrupted; the servers stop.");
            Ok(())
        }
    }
}

async fn tell() -> Result<()> {
    let begin = Instant::now();
    say("An agent's error budget, from the objective to the page and back: about twenty minutes, most of");
    println!(
        "    it waiting for rules that are evaluated every one or five minutes. Ctrl-C ends it at any time."
    );
    say("Starting etcd, kube-apiserver, prometheus-operator, Prometheus, Alertmanager and a receiver …");
    let folder = tempfile::tempdir()?;
    let history = folder.path().join("history.txt");
    stage::write_history(&history, NAMESPACE, &PASTS, 30, stage::last_mark()?)?;
    let bed =
        Bed::start(Options::everything().history(&history).scrape_interval(Duration::from_secs(5))).await?;
    say(&format!(
        "They run after {} s, with thirty days of history in Prometheus.",
        begin.elapsed().as_secs()
    ));

    stage::install(&bed, NAMESPACE).await?;
    let (store, store_url) = pipeline::Store::start().await?;
    stage::name_prometheus(&bed, &pipeline::platform(&bed, &store_url)).await?;
    let operator =
        stage::start_operator(&bed, &sibling("../agentslo")?, ("agentslo", "operator"), &["--leader-elect"])
            .await?;
    say("The operator runs with its own permissions and nothing more.");
    bed.apply_yaml(PIPELINE).await?;
    let (collector, otlp) = pipeline::run(&bed, NAMESPACE).await?;
    say("kubectl apply -f examples/demo/pipeline.yaml: the operator writes the configuration of an");
    println!("    OpenTelemetry Collector, and a Collector runs it.");
    let agent = start_agent(&bed, &otlp).await?;
    say(
        "A live agent finishes a run every two seconds. Prometheus scrapes what it counts, and its events go",
    );
    println!(
        "    through the Collector. It put a key into the input of a tool; this is what a log store gets:"
    );
    for line in store.last_tool_call().await? {
        println!("        {line}");
    }

    bed.apply_yaml(SLOS).await?;
    say("kubectl apply -f examples/demo/support.yaml: three objectives for the agent:");
    println!("        support-success  99 % of the runs end without error");
    println!("        support-latency  95 % of the runs end within a minute");
    println!("        support-cost     90 % of the runs cost at most ten cents");
    println!("    and, from the events: support-tools, 95 % of the tool calls end without error");
    tell_where(&bed)?;
    bed.kubectl(&["wait", "--for=condition=Ready", "agentslo", "--all", "-n", NAMESPACE, "--timeout=420s"])
        .await?;
    say("Every objective is Ready: prometheus-operator took the rules.");
    let before = wait_for_budget(&bed).await?;
    say("BUDGET is what is left of the failures that an objective allows in thirty days. Each objective is");
    println!("    summed at its own moment of the five minutes, so some may still be without numbers.");
    show(&bed).await?;

    tell_outage(&bed, &agent).await?;
    tell_fall(&bed, &before).await?;
    tell_recovery(&bed, &agent).await?;
    show(&bed).await?;
    look_around().await?;
    say("Stopping.");
    agent.process.stop().await;
    collector.process().stop().await;
    operator.stop().await;
    bed.stop().await;
    say("All servers are stopped.");
    Ok(())
}

struct Agent {
    process: Process,
    url: String,
}

async fn start_agent(bed: &Bed, otlp: &str) -> Result<Agent> {
    let port = bed.port()?;
    let url = format!("http://127.0.0.1:{port}");
    let log = bed.logs().join("agent.log");
    let launch = Launch::new("agent", &sibling("agent")?, &log, Probe::Url(format!("{url}/metrics"))).args([
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--otlp",
        otlp,
    ]);
    let process = Process::launch(launch).await?;
    bed.scrape(&Target::new("support-agent", port).label("namespace", NAMESPACE))?;
    Ok(Agent { process, url })
}

impl Agent {
    async fn switch(&self, path: &str) -> Result<()> {
        reqwest::Client::new().post(format!("{}/{path}", self.url)).send().await?.error_for_status()?;
        Ok(())
    }
}

/// A program that was built beside this one.
fn sibling(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().map(Path::to_owned).unwrap_or_default();
    Ok(folder.join(name))
}

async fn wait_for_budget(bed: &Bed) -> Result<String> {
    say("Waiting for the first sums over thirty days (the long group is evaluated every five minutes) …");
    let read = || async { remaining(bed).await.filter(|text| text.ends_with('%')) };
    Ok(eventually(PATIENCE, read).await.ok_or("no budget appeared in the status")?)
}

async fn remaining(bed: &Bed) -> Option<String> {
    let path = "jsonpath={.status.budget.remaining}";
    bed.kubectl(&["get", "agentslo", "support-success", "-n", NAMESPACE, "-o", path]).await.ok()
}

async fn tell_outage(bed: &Bed, agent: &Agent) -> Result<()> {
    agent.switch("break").await?;
    let broken = Instant::now();
    say("The agent breaks: from now on every run fails. A page is due within five minutes …");
    let is_page = |alert: &Alert| {
        alert.status == Status::Firing
            && alert.labels.get("urgency").is_some_and(|urgency| urgency == "page")
            && alert.labels.get("agentslo").is_some_and(|slo| slo == "support-success")
    };
    let page = bed.receiver().wait_for(PAGE_WITHIN, is_page).await.ok_or("no page within five minutes")?;
    say(&format!(
        "The page arrives {} s later, where a pager would be. Its labels and its text:",
        broken.elapsed().as_secs()
    ));
    for (name, value) in page.labels.iter().chain(&page.annotations) {
        println!("        {name}: {value}");
    }
    Ok(())
}

async fn tell_fall(bed: &Bed, before: &str) -> Result<()> {
    say("The page came from counts of every minute. The budget is summed every five: waiting for that …");
    let fallen = || async { remaining(bed).await.filter(|now| now != before && !now.is_empty()) };
    let now = eventually(PATIENCE, fallen).await.ok_or("the budget did not move")?;
    say(&format!("The budget of support-success fell from {before} to {now}. Below zero it is overspent."));
    show(bed).await
}

async fn tell_recovery(bed: &Bed, agent: &Agent) -> Result<()> {
    agent.switch("heal").await?;
    let healed = Instant::now();
    say(
        "The agent is healed and works off its backlog. The page ends once good runs outweigh the failures …",
    );
    let is_over = |alert: &Alert| {
        alert.status == Status::Resolved
            && alert.labels.get("urgency").is_some_and(|urgency| urgency == "page")
            && alert.labels.get("agentslo").is_some_and(|slo| slo == "support-success")
    };
    let patience = Duration::from_hours(1);
    bed.receiver().wait_for(patience, is_over).await.ok_or("the page did not resolve")?;
    say(&format!("The page resolved {} s later.", healed.elapsed().as_secs()));
    Ok(())
}

async fn show(bed: &Bed) -> Result<()> {
    println!("\n        $ kubectl get agentslo -n {NAMESPACE} -o wide");
    for line in bed.kubectl(&["get", "agentslo", "-n", NAMESPACE, "-o", "wide"]).await?.lines() {
        println!("        {line}");
    }
    println!("\n        $ kubectl get agentobservability -n {NAMESPACE}");
    for line in bed.kubectl(&["get", "agentobservability", "-n", NAMESPACE]).await?.lines() {
        println!("        {line}");
    }
    println!();
    Ok(())
}

/// How to look at everything from another terminal, as long as the demo runs.
fn tell_where(bed: &Bed) -> Result<()> {
    say("Look around while it runs, in another terminal:");
    let (prometheus, alertmanager) = (bed.prometheus_url(), bed.alertmanager_url());
    println!("        export PATH=\"{}:$PATH\"", bed::servers_folder()?.display());
    println!("        export KUBECONFIG={}", bed.kubeconfig("admin")?.display());
    println!("        kubectl get agentslo -n {NAMESPACE} --watch");
    println!("        kubectl describe agentslo support-success -n {NAMESPACE}");
    println!("        kubectl get prometheusrule -n {NAMESPACE} -o yaml");
    println!("        promtool query instant {prometheus} agentslo:budget:remaining_ratio");
    println!("        amtool --alertmanager.url={alertmanager} alert");
    println!("        ls {}", bed.logs().display());
    Ok(())
}

/// On a terminal the servers stay until Enter is pressed.
async fn look_around() -> Result<()> {
    if std::io::stdin().is_terminal() && std::env::var_os("CI").is_none() {
        say("The servers stay for you to look around. Press Enter to stop everything.");
        // A thread of its own: a runtime that stops does not wait for it.
        let (pressed, enter) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || pressed.send(std::io::stdin().read_line(&mut String::new())));
        enter.await??;
    }
    Ok(())
}

fn say(text: &str) {
    println!("==> {text}");
}
