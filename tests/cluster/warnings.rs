//! An agent with few runs, from its past to its rules: the windows follow its traffic, the status says what
//! is odd, and both survive a restart.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bed::{Options, Target, eventually};
use serde_json::Value;

use crate::stage::now;
use crate::support::{COUNTED, SOON, Stage, success_slo};

const NAMESPACE: &str = "warnings";

#[tokio::test(flavor = "multi_thread")]
async fn rules_follow_the_traffic_and_the_status_says_what_is_odd() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let file = folder.path().join("history.txt");
    write_history(&file);
    let target = Target::new("agent", serve().await).label("namespace", NAMESPACE);
    let options = Options::everything().hastened().history(&file).target(target);
    let stage = Stage::start(options, NAMESPACE).await;
    stage.apply(&success_slo(NAMESPACE, "rare", "99.9")).await;
    stage.apply(&gauge()).await;
    let weight =
        stage.wait_for_condition(NAMESPACE, "rare", ("TrafficSufficient", "False", "LowTraffic")).await;
    let message = weight["message"].as_str().expect("it has a message");
    assert!(message.starts_with("at about 4 an hour one failure is 35% of the budget"), "{message}");
    the_windows_are_fitted(&stage).await;
    stage.wait_for_condition(NAMESPACE, "gauge", ("Plausible", "False", "MetricLooksLikeGauge")).await;
    stage
        .bed
        .kubectl(&["delete", "agentslo", "gauge", "-n", NAMESPACE])
        .await
        .expect("anybody may delete it");
    a_repetition_is_named_until_it_is_none(&stage).await;
    // Before the restart: what an operator has not looked at yet is put right without a word.
    a_change_by_somebody_else_is_undone_and_said(&stage).await;
    a_restart_changes_nothing(&stage).await;
    stage.operator.stop().await;
    stage.bed.stop().await;
}

/// An AgentSLO that counts a gauge as if it were a counter.
fn gauge() -> String {
    format!(
        "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {{name: gauge, namespace: {NAMESPACE}}}\n\
         spec:\n  agent: support-agent\n  objective: \"99\"\n  \
         indicator: {{ratio: {{total: {{metric: jobs_total}}, bad: {{metric: failed_jobs}}}}}}\n"
    )
}

async fn serve() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let port = listener.local_addr().expect("it listens").port();
    let exposed = "# TYPE jobs_total counter\njobs_total 30\n# TYPE failed_jobs gauge\nfailed_jobs 3\n";
    let routes = Router::new().route("/metrics", get(async move || exposed));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

async fn the_windows_are_fitted(stage: &Stage) {
    let fitted = async || {
        let status = stage.get("agentslo", NAMESPACE, "rare").await?["status"].clone();
        let is_recorded = status["traffic"]["used"] == "4" && status["events"]["coverage"] == "10%";
        (is_recorded && status["alerts"][0]["shortWindow"] == "45m").then_some(status)
    };
    let status =
        eventually(COUNTED, fitted).await.expect("the status should say what the rules are made for");
    assert_eq!(status["traffic"]["perHour"], "3");
    assert!(status["alerts"][0]["detection"].is_string(), "{status:#}");
    let name = agentslo::domain::names::child_name("AgentSLO", NAMESPACE, "rare");
    let rules = stage.get("prometheusrule", NAMESPACE, &name).await.expect("it should exist");
    let rules = rules["spec"].to_string();
    assert!(rules.contains("[45m]") && !rules.contains("[30m]"), "{rules}");
}

async fn a_repetition_is_named_until_it_is_none(stage: &Stage) {
    stage.apply(&success_slo(NAMESPACE, "second", "99")).await;
    let wanted = ("Plausible", "False", "DuplicateObjective");
    let said = stage.wait_for_condition(NAMESPACE, "second", wanted).await;
    let message = said["message"].as_str().expect("it has a message");
    assert!(message.starts_with("AgentSLO 'rare' has the same indicator"), "{message}");
    stage.wait_for_condition(NAMESPACE, "rare", ("Plausible", "True", "Plausible")).await;
    let delete = ["delete", "agentslo", "second", "-n", NAMESPACE];
    stage.apply(&success_slo(NAMESPACE, "third", "99")).await;
    stage.wait_for_condition(NAMESPACE, "third", wanted).await;
    stage.bed.kubectl(&delete).await.expect("anybody may delete it");
    stage.wait_for_condition(NAMESPACE, "third", wanted).await;
    edit_third(stage, "7d").await;
    stage.wait_for_condition(NAMESPACE, "third", ("Plausible", "True", "Plausible")).await;
}

async fn edit_third(stage: &Stage, window: &str) {
    let edit = serde_json::json!({"spec": {"window": window}}).to_string();
    let args = ["patch", "agentslo", "third", "-n", NAMESPACE, "--type=merge", "-p", &edit];
    stage.bed.kubectl(&args).await.expect("anybody may edit it");
}

async fn a_restart_changes_nothing(stage: &Stage) {
    let edited = agentslo::domain::names::child_name("AgentSLO", NAMESPACE, "third");
    let seen = async || {
        let slo = stage.get("agentslo", NAMESPACE, "rare").await?;
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let mut rules = stage.rules(NAMESPACE).await;
        rules.retain(|rule| rule["metadata"]["name"] != edited.as_str());
        Some((
            slo["status"].to_string(),
            version(&slo),
            rules.iter().map(|rule| rule["metadata"]["generation"].clone()).collect::<Vec<_>>(),
        ))
    };
    let third_is_observed = async || {
        let third = stage.get("agentslo", NAMESPACE, "third").await?;
        (third["status"]["observedGeneration"] == third["metadata"]["generation"]).then_some(())
    };
    // Something may be on its way, or Prometheus late on a busy machine, but not time and again.
    let mut restarts = Vec::new();
    for window in ["8d", "9d", "10d", "11d"] {
        tokio::time::sleep(Duration::from_secs(15)).await;
        let before = seen().await;
        stage.operator.stop().await;
        edit_third(stage, window).await;
        stage.operator.start().await.expect("the operator should start");
        eventually(SOON, third_is_observed).await.expect("the operator should be at work again");
        tokio::time::sleep(Duration::from_secs(15)).await;
        let after = eventually(SOON, seen).await;
        if after == before {
            return;
        }
        restarts.push((before, after));
    }
    panic!("a restart should neither write a status nor a rule: {restarts:#?}");
}

async fn a_change_by_somebody_else_is_undone_and_said(stage: &Stage) {
    let name = agentslo::domain::names::child_name("AgentSLO", NAMESPACE, "rare");
    let spec = async || Some(stage.get("prometheusrule", NAMESPACE, &name).await?["spec"].clone());
    let before = spec().await;
    let patch = r#"{"spec":{"groups":[]}}"#;
    let args = ["patch", "prometheusrule", &name, "-n", NAMESPACE, "--type=merge", "-p", patch];
    stage.bed.kubectl(&args).await.expect("anybody may patch it");
    let undone = async || (spec().await == before).then_some(());
    eventually(SOON, undone).await.expect("the spec should come back");
    let drifted = "--field-selector=reason=DriftCorrected";
    let events = ["get", "events", "-n", NAMESPACE, drifted, "-o", "name"];
    let said = async || (stage.bed.kubectl(&events).await.ok()?.lines().count() == 1).then_some(());
    eventually(SOON, said).await.expect("an Event should say so, and none that our own rules were drift");
}

/// Three runs an hour for three days, and none failed.
fn write_history(file: &Path) {
    let now = now().expect("the clock should be past 1970");
    let mut text = String::new();
    for (series, value) in [("total", 0.25), ("bad", 0.0)] {
        for at in (now - 3 * 24 * 3600..=now).step_by(150) {
            writeln!(
                text,
                "agentslo:{series}:increase5m{{namespace=\"{NAMESPACE}\",agentslo=\"rare\"}} {value} {at}"
            )
            .expect("text should grow");
        }
    }
    text.push_str("# EOF\n");
    std::fs::write(file, text).expect("the history should be written");
}
