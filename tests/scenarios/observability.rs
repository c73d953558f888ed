//! What the operator promises of AgentObservabilities.

use bed::eventually;
use serde_json::{Value, json};

use super::{Cluster, Kind, PATIENCE, given_namespace, success_slo};

fn observability(namespace: &str, name: &str, agent: &str) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"agent": agent},
    })
}

pub(crate) async fn of_two_for_one_agent_the_older_is_in_force(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    let mut newer = observability(namespace, "newer", "support-agent");
    cluster.apply(&observability(namespace, "a-older", "support-agent")).await;
    cluster.wait_for_one(Kind::Observability, namespace, "a-older", ("Ready", "True", "Ready")).await;
    cluster.apply(&newer).await;
    let wanted = ("Accepted", "False", "Superseded");
    let said = cluster.wait_for_one(Kind::Observability, namespace, "newer", wanted).await;
    assert!(said["message"].as_str().unwrap_or_default().contains("'a-older' is older"), "{said}");
    cluster.wait_for_one(Kind::Observability, namespace, "a-older", ("Ready", "True", "Ready")).await;

    // Another agent is another matter.
    newer["spec"]["agent"] = "billing-agent".into();
    cluster.apply(&newer).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", ("Ready", "True", "Ready")).await;
    newer["spec"]["agent"] = "support-agent".into();
    cluster.apply(&newer).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", wanted).await;

    cluster.delete(Kind::Observability, namespace, "a-older").await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", ("Ready", "True", "Ready")).await;
}

pub(crate) async fn an_agent_slo_follows_its_observability(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    let mut slo = success_slo(namespace, "referring");
    slo["spec"]["observabilityRef"] = json!({"name": "support"});
    cluster.apply(&slo).await;
    cluster.wait_for(namespace, "referring", ("Accepted", "False", "UnknownReference")).await;

    let mut support = observability(namespace, "support", "support-agent");
    for cluster_label in ["eu-1", "eu-2"] {
        support["spec"]["telemetry"] = json!({"matchers": [{"label": "cluster", "value": cluster_label}]});
        cluster.apply(&support).await;
        cluster.wait_for(namespace, "referring", ("Accepted", "True", "Valid")).await;
        let wanted = format!("cluster=\"{cluster_label}\"");
        let follows = async || {
            let rules = cluster.list(Kind::Rules, namespace).await;
            rules.iter().any(|rule| expressions(rule).contains(&wanted)).then_some(())
        };
        eventually(PATIENCE, follows)
            .await
            .expect("the rules should select what the AgentObservability says");
    }

    // The rules of the last valid spec stay.
    cluster.delete(Kind::Observability, namespace, "support").await;
    cluster.wait_for(namespace, "referring", ("Accepted", "False", "UnknownReference")).await;
    assert_eq!(cluster.list(Kind::Rules, namespace).await.len(), 1);
}

fn expressions(rule: &Value) -> String {
    let groups = rule["spec"]["groups"].as_array().into_iter().flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    rules.filter_map(|rule| rule["expr"].as_str()).collect()
}
