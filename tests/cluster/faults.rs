//! Servers that stop, die and come back, and an operator that is killed at any moment.

use std::time::Duration;

use bed::{Options, Part, eventually};
use serde_json::Value;

use crate::permissions::requests;
use crate::stage::start_operator;
use crate::support::{COUNTED, SOON, Stage, condition, program, success_slo};

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_loses_a_rule() {
    let stage = Stage::start(Options::everything().hastened(), "faults").await;
    stage.apply(&success_slo("faults", "first", "99")).await;
    stage.wait_for_condition("faults", "first", ("DataAvailable", "False", "NoSeries")).await;
    the_selector_without_series_is_named(&stage).await;

    nothing_is_written_or_read_at_rest(&stage).await;
    two_operators_at_once_harm_nothing(&stage).await;
    the_api_server_may_die(&stage).await;
    prometheus_may_die(&stage).await;
    the_operator_may_be_killed_at_any_moment(&stage).await;
    stage.operator.stop().await;
    stage.bed.stop().await;
}

/// Evaluated by the real Prometheus, and no agent there: the status says what was looked for.
async fn the_selector_without_series_is_named(stage: &Stage) {
    let named = async || {
        let slo = stage.get("agentslo", "faults", "first").await?;
        let message = condition(&slo, "DataAvailable")?["message"].as_str()?.to_owned();
        message.contains("agent_queries_total{agent_name=\"support-agent\"").then_some(())
    };
    eventually(COUNTED, named).await.expect("the message should name the selector");
}

/// Whatever the operator repeats, it repeats within this time: polls every 30 s, diagnoses every 60 s.
const A_ROUND: Duration = Duration::from_secs(65);

/// The last transitions may still be on their way, so a busy round is followed by another look.
async fn nothing_is_written_or_read_at_rest(stage: &Stage) {
    let mut made = Vec::new();
    for _ in 0..4 {
        let before = requests(&audit_log(stage)).len();
        tokio::time::sleep(A_ROUND).await;
        made = requests(&audit_log(stage)).split_off(before);
        if made.is_empty() {
            return;
        }
    }
    panic!("nothing changes, and the operator still asks the API server: {made:#?}");
}

fn audit_log(stage: &Stage) -> String {
    std::fs::read_to_string(stage.bed.logs().join("audit.log"))
        .expect("the API server should keep an audit log")
}

async fn two_operators_at_once_harm_nothing(stage: &Stage) {
    let second = start_operator(&stage.bed, program(), ("second", "operator"), &[]).await;
    let second = second.expect("a second operator should start");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let versions = |rules: Vec<Value>| -> Vec<Value> {
        rules.into_iter().map(|rule| rule["metadata"]["generation"].clone()).collect()
    };
    let before = versions(stage.rules("faults").await);
    stage.apply(&success_slo("faults", "both", "99")).await;
    stage.wait_for_condition("faults", "both", ("Ready", "True", "Ready")).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let after = versions(stage.rules("faults").await);
    assert_eq!(after.len(), before.len() + 1);
    assert!(after.iter().all(|generation| *generation == 1), "no rule may be written twice: {after:?}");
    second.stop().await;
}

async fn the_api_server_may_die(stage: &Stage) {
    stage.bed.server(Part::Apiserver).kill9();
    stage.bed.server(Part::Apiserver).start().await.expect("the API server should come back");
    stage.apply(&success_slo("faults", "after-death", "99")).await;
    stage.wait_for_condition("faults", "after-death", ("RulesApplied", "True", "Applied")).await;
}

/// No rule changes, and afterwards the status says what it said before.
async fn prometheus_may_die(stage: &Stage) {
    let generations = |rules: &[Value]| -> Vec<Value> {
        rules.iter().map(|rule| rule["metadata"]["generation"].clone()).collect()
    };
    let before = generations(&stage.rules("faults").await);
    stage.bed.server(Part::Prometheus).kill9();
    stage.wait_for_condition("faults", "first", ("DataAvailable", "Unknown", "QueryFailed")).await;
    stage.wait_for_condition("faults", "first", ("Ready", "True", "Ready")).await;
    stage.bed.server(Part::Prometheus).start().await.expect("Prometheus should come back");
    stage.wait_for_condition("faults", "first", ("DataAvailable", "False", "NoSeries")).await;
    assert_eq!(generations(&stage.rules("faults").await), before);
}

/// Kills the operator a little later each time, so that every stage of a first reconciliation is hit.
async fn the_operator_may_be_killed_at_any_moment(stage: &Stage) {
    stage.operator.stop().await;
    for round in 0..8_u64 {
        stage.apply(&success_slo("faults", &format!("killed-{round}"), "99")).await;
        stage.operator.start().await.expect("the operator should start");
        tokio::time::sleep(Duration::from_millis(25 * round)).await;
        stage.operator.kill9();
    }
    stage.operator.start().await.expect("the operator should start");
    for round in 0..8 {
        stage
            .wait_for_condition("faults", &format!("killed-{round}"), ("RulesApplied", "True", "Applied"))
            .await;
    }
    let complete = async || (stage.rules("faults").await.len() == 11).then_some(());
    eventually(SOON, complete).await.expect("one rule object for each AgentSLO, and none besides");
}
