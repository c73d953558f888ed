//! One round through a whole bed: every part starts, does what it is there for, and is gone
//! afterwards. Run it with `cargo run -p bed --example bed`.

#![allow(clippy::print_stdout, reason = "it is a program that tells what it does")]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use bed::{Bed, Options, Part, Status, Target, eventually};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_mins(1);

const RULE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: team-a}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: example, namespace: team-a}
spec:
  groups:
    - name: example
      interval: 1s
      rules:
        - record: example:up
          expr: EXPR
        - alert: ExampleIsUp
          expr: example:up == 1
          labels: {namespace: team-a}
";

const OWNED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: owner}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: owned, ownerReferences: [OWNER]}
";

const ROUTE: &str = "
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: agent, namespace: team-a}
spec:
  route: {receiver: page, groupWait: 1s, groupInterval: 5s}
  receivers:
    - name: page
      webhookConfigs: [{url: 'RECEIVERteam-a'}]
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let bed = Bed::start(Options::everything()).await?;
    println!("started after {:.1?}", begin.elapsed());
    for server in bed.servers() {
        println!("  {:24} {:.1?}", server.name(), server.ready_after());
    }
    println!("prometheus   {}", bed.prometheus_url());
    println!("alertmanager {}", bed.alertmanager_url());
    println!("kubeconfig   {}", bed.kubeconfig("admin")?.display());

    scrapes_itself(&bed).await?;
    loads_rules(&bed).await?;
    refuses_bad_rules(&bed).await?;
    collects_garbage(&bed).await?;
    routes_alerts(&bed).await?;
    survives_faults(&bed).await?;
    leaves_nothing(bed).await
}

async fn scrapes_itself(bed: &Bed) -> Result<(), Box<dyn Error>> {
    let port = bed.prometheus_url().rsplit(':').next().expect("a port").parse()?;
    bed.scrape(&Target::new("self", port).label("namespace", "team-a"))?;
    step("prometheus scrapes a target", || async {
        let answer = get(bed, "query?query=up{job=\"self\",namespace=\"team-a\"}").await?;
        (answer["data"]["result"][0]["value"][1] == "1").then_some(())
    })
    .await
}

async fn loads_rules(bed: &Bed) -> Result<(), Box<dyn Error>> {
    bed.apply_yaml(&RULE.replace("EXPR", "vector(1)")).await?;
    step("prometheus has the rule group", || async {
        let answer = get(bed, "rules?rule_group[]=example").await?;
        (answer["data"]["groups"][0]["name"] == "example").then_some(())
    })
    .await?;
    let binding = "-o=jsonpath={.status.bindings[0].conditions[0].type}";
    let args = ["get", "prometheusrule", "example", "-n=team-a", binding];
    step("prometheus-operator accepted it", || async {
        (bed.kubectl(&args).await.ok()? == "Accepted").then_some(())
    })
    .await
}

async fn collects_garbage(bed: &Bed) -> Result<(), Box<dyn Error>> {
    bed.apply_yaml(&OWNED.replace("OWNER", "")).await?;
    let owner = ["get", "configmap", "owner", "-o=jsonpath={.metadata.uid}"];
    let uid = bed.kubectl(&owner).await?;
    let reference = format!("{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}");
    bed.apply_yaml(&OWNED.replace("OWNER", &reference)).await?;
    bed.kubectl(&["delete", "configmap", "owner"]).await?;
    step("what it owned is collected", || async {
        bed.kubectl(&["get", "configmap", "owned"]).await.err().map(drop)
    })
    .await
}

async fn refuses_bad_rules(bed: &Bed) -> Result<(), Box<dyn Error>> {
    let refusal = bed.apply_yaml(&RULE.replace("EXPR", "rate(")).await;
    let refusal = refusal.expect_err("the webhook parses expressions");
    println!("refused: {}", refusal.source().expect("the apiserver says why"));
    Ok(())
}

async fn routes_alerts(bed: &Bed) -> Result<(), Box<dyn Error>> {
    bed.apply_yaml(&ROUTE.replace("RECEIVER", &bed.receiver().url())).await?;
    let begin = Instant::now();
    let alert = bed
        .receiver()
        .wait_for(DEADLINE, |alert| {
            alert.labels["alertname"] == "ExampleIsUp" && alert.receiver == "team-a/agent/page"
        })
        .await
        .ok_or("no alert came by the route of team-a")?;
    println!("{:5.1?} the rule's alert came by {} to {}", begin.elapsed(), alert.receiver, alert.path);

    let begin = Instant::now();
    let alerts = json!([{"labels": {"alertname": "Posted"}}]);
    reqwest::Client::new()
        .post(format!("{}/api/v2/alerts", bed.alertmanager_url()))
        .header("content-type", "application/json")
        .body(alerts.to_string())
        .send()
        .await?
        .error_for_status()?;
    bed.receiver()
        .wait_for(DEADLINE, |alert| alert.labels["alertname"] == "Posted" && alert.status == Status::Firing)
        .await
        .ok_or("the posted alert did not come")?;
    println!("{:5.1?} the posted alert came", begin.elapsed());
    Ok(())
}

async fn survives_faults(bed: &Bed) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    bed.server(Part::Apiserver).kill9();
    bed.server(Part::Prometheus).stop().await;
    bed.server(Part::Apiserver).start().await?;
    bed.server(Part::Prometheus).start().await?;
    println!("{:5.1?} apiserver and prometheus are back", begin.elapsed());
    bed.apply_yaml(&RULE.replace("EXPR", "vector(2)")).await?;
    step("prometheus has the changed rule", || async {
        let answer = get(bed, "query?query=example:up").await?;
        (answer["data"]["result"][0]["value"][1] == "2").then_some(())
    })
    .await?;
    let rules = ["get", "prometheusrules", "-A"];
    print!("{}", bed.kubectl(&rules).await?);
    Ok(())
}

async fn leaves_nothing(bed: Bed) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let pids: Vec<u32> = bed.servers().filter_map(bed::Process::pid).collect();
    let folder = bed.folder().to_owned();
    bed.stop().await;
    println!("{:5.1?} stopped", begin.elapsed());
    let left = pids.iter().filter(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(left.count(), 0, "a server is left");
    let is_kept = std::env::var_os("AGENTSLO_BED_KEEP").is_some();
    assert_eq!(folder.exists(), is_kept, "the folder");
    println!("{} servers ended, nothing is left", pids.len());
    Ok(())
}

async fn step<F, A>(what: &str, attempt: F) -> Result<(), Box<dyn Error>>
where
    F: FnMut() -> A,
    A: Future<Output = Option<()>>,
{
    let begin = Instant::now();
    eventually(DEADLINE, attempt).await.ok_or_else(|| format!("not in time: {what}"))?;
    println!("{:5.1?} {what}", begin.elapsed());
    Ok(())
}

async fn get(bed: &Bed, path: &str) -> Option<Value> {
    let url = format!("{}/api/v1/{path}", bed.prometheus_url());
    let text = reqwest::get(url).await.ok()?.text().await.ok()?;
    serde_json::from_str(&text).ok()
}
