//! What the operator promises of AgentObservabilities.

use std::collections::BTreeSet;

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

const SUPERSEDED: (&str, &str, &str) = ("Accepted", "False", "Superseded");

/// AgentObservabilities `a-older`, which is in force, and `newer`, which is not.
async fn given_two_of_one_agent(cluster: &impl Cluster, namespace: &str) -> [Value; 2] {
    given_namespace(cluster, namespace).await;
    let both = ["a-older", "newer"].map(|name| observability(namespace, name, "support-agent"));
    cluster.apply(&both[0]).await;
    cluster.wait_for_one(Kind::Observability, namespace, "a-older", ("Ready", "True", "Ready")).await;
    cluster.apply(&both[1]).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", SUPERSEDED).await;
    both
}

pub(crate) async fn of_two_for_one_agent_the_older_is_in_force(cluster: &impl Cluster, namespace: &str) {
    let [_, mut newer] = given_two_of_one_agent(cluster, namespace).await;
    let said = cluster.wait_for_one(Kind::Observability, namespace, "newer", SUPERSEDED).await;
    assert!(said["message"].as_str().unwrap_or_default().contains("'a-older' is older"), "{said}");
    cluster.wait_for_one(Kind::Observability, namespace, "a-older", ("Ready", "True", "Ready")).await;

    // Another agent is another matter.
    newer["spec"]["agent"] = "billing-agent".into();
    cluster.apply(&newer).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", ("Ready", "True", "Ready")).await;
    newer["spec"]["agent"] = "support-agent".into();
    cluster.apply(&newer).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", SUPERSEDED).await;

    cluster.delete(Kind::Observability, namespace, "a-older").await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", ("Ready", "True", "Ready")).await;
}

/// The one that is in force is edited away, and nothing else happens to the other.
pub(crate) async fn an_agent_that_is_left_goes_to_the_next_in_line(cluster: &impl Cluster, namespace: &str) {
    let [mut older, _] = given_two_of_one_agent(cluster, namespace).await;
    older["spec"]["agent"] = "billing-agent".into();
    cluster.apply(&older).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", ("Ready", "True", "Ready")).await;

    // And back: the older one is in force again, and the newer is told.
    older["spec"]["agent"] = "support-agent".into();
    cluster.apply(&older).await;
    cluster.wait_for_one(Kind::Observability, namespace, "newer", SUPERSEDED).await;
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

/// What is refused is refused as a whole, also what AgentSLOs take from it.
pub(crate) async fn a_refused_observability_changes_no_rule(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    let mut support = observability(namespace, "support", "support-agent");
    let of_cluster = |name: &str| json!({"matchers": [{"label": "cluster", "value": name}]});
    support["spec"]["telemetry"] = of_cluster("eu-1");
    cluster.apply(&support).await;
    let mut slo = success_slo(namespace, "referring");
    slo["spec"]["observabilityRef"] = json!({"name": "support"});
    cluster.apply(&slo).await;
    cluster.wait_for(namespace, "referring", ("Ready", "True", "Ready")).await;

    support["spec"]["telemetry"] = of_cluster("eu-2");
    // Only the operator knows which folders are allowed.
    support["spec"]["dashboards"] = json!({"folder": "Secrets"});
    cluster.apply(&support).await;
    let refused = ("Accepted", "False", "NotPermitted");
    cluster.wait_for_one(Kind::Observability, namespace, "support", refused).await;
    // What AgentSLOs ask for themselves is done all the same.
    slo["spec"]["objective"] = "95".into();
    cluster.apply(&slo).await;
    let of_rules = async || {
        let rules = cluster.list(Kind::Rules, namespace).await;
        let own = rules.iter().find(|rule| rule["metadata"]["ownerReferences"][0]["kind"] == "AgentSLO");
        own.cloned().expect("the AgentSLO should have rules")
    };
    let edited = async || (super::objective_of(&of_rules().await) == "95").then_some(());
    eventually(PATIENCE, edited).await.expect("the rules should follow the AgentSLO");
    assert!(
        expressions(&of_rules().await).contains("cluster=\"eu-1\""),
        "the last valid telemetry is in force"
    );

    // An operator that never saw the valid spec does not guess.
    let before = of_rules().await;
    cluster.stop_operator().await;
    cluster.start_operator().await;
    cluster.wait_for(namespace, "referring", ("Accepted", "False", "UnknownReference")).await;
    assert_eq!(of_rules().await["spec"], before["spec"]);

    support["spec"]["dashboards"] = json!({});
    cluster.apply(&support).await;
    cluster.wait_for(namespace, "referring", ("Accepted", "True", "Valid")).await;
    let follows = async || expressions(&of_rules().await).contains("cluster=\"eu-2\"").then_some(());
    eventually(PATIENCE, follows).await.expect("the rules should select what is valid now");
}

/// Whatever the readers of the children fill in by themselves, a start reads everything and writes nothing. It
/// may still have something to say, so a busy one is followed by another.
pub(crate) async fn a_start_writes_no_child_anew(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    let mut support = everything(namespace);
    support["spec"]["pipeline"]["delivery"] = "OpenTelemetryCollector".into();
    cluster.apply(&support).await;
    cluster.wait_for_one(Kind::Observability, namespace, "support", ("Ready", "True", "Ready")).await;
    let mut written = Vec::new();
    for _ in 0..4 {
        super::wait_for_polls(cluster, 4).await;
        cluster.stop_operator().await;
        let start = cluster.requests().len();
        cluster.start_operator().await;
        let read_all = async || {
            let requests = cluster.requests();
            let read = requests.iter().skip(start).filter(|request| {
                request.verb == "get" && request.namespace == namespace && request.resource != "events"
            });
            (read.count() >= children(cluster, namespace).await.len()).then_some(())
        };
        eventually(PATIENCE, read_all).await.expect("the children should be read");
        super::wait_for_polls(cluster, 4).await;
        written = cluster.writes_since(start, namespace);
        written.retain(|request| !request.contains("/status ") && !request.contains(" events "));
        if written.is_empty() {
            break;
        }
    }
    assert_eq!(written, Vec::<String>::new());
}

fn expressions(rule: &Value) -> String {
    let groups = rule["spec"]["groups"].as_array().into_iter().flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    rules.filter_map(|rule| rule["expr"].as_str()).collect()
}

/// Everything that a spec can ask for.
fn everything(namespace: &str) -> Value {
    let mut everything = observability(namespace, "support", "support-agent");
    everything["spec"] = json!({
        "agent": "support-agent",
        "scrape": {"selector": {"matchLabels": {"app": "support-agent"}}, "port": "metrics"},
        "pipeline": {},
        "dashboards": {},
        "guards": {"telemetryMissing": {}},
        "routing": {
            "page": ["pager"],
            "receivers": [{"name": "pager", "webhook": {"url": {"secret": "pager", "key": "url"}}}],
        },
    });
    everything
}

/// Kinds and names of what there is for an AgentObservability.
async fn children(cluster: &impl Cluster, namespace: &str) -> BTreeSet<(String, String)> {
    let owner = cluster.get(Kind::Observability, namespace, "support").await.expect("it should exist");
    let mut children = BTreeSet::new();
    for kind in [Kind::ConfigMap, Kind::Monitor, Kind::Routes, Kind::Collector, Kind::Dashboard, Kind::Rules]
    {
        for object in cluster.list(kind, namespace).await {
            let metadata = &object["metadata"];
            if metadata["ownerReferences"][0]["uid"] == owner["metadata"]["uid"] {
                let name = metadata["name"].as_str().unwrap_or_default().to_owned();
                children.insert((format!("{kind:?}"), name));
            }
        }
    }
    children
}

/// How many of a kind.
fn count(children: &BTreeSet<(String, String)>, kind: Kind) -> usize {
    children.iter().filter(|(other, _)| *other == format!("{kind:?}")).count()
}

pub(crate) async fn an_agent_gets_all_that_is_asked_for_and_no_more(cluster: &impl Cluster, namespace: &str) {
    const APPLIED: [&str; 5] =
        ["PipelineApplied", "MonitorsApplied", "GuardsApplied", "RoutesApplied", "DashboardsApplied"];
    given_namespace(cluster, namespace).await;
    let mut support = everything(namespace);
    cluster.apply(&support).await;
    for condition in APPLIED {
        // Nobody runs a Collector here, and Prometheus says so.
        let reason = if condition == "PipelineApplied" { "NotObserved" } else { "Applied" };
        let wanted = (condition, "True", reason);
        cluster.wait_for_one(Kind::Observability, namespace, "support", wanted).await;
    }
    cluster.wait_for_one(Kind::Observability, namespace, "support", ("Ready", "True", "Ready")).await;
    let there = children(cluster, namespace).await;
    let names: Vec<&str> = there.iter().map(|(_, name)| name.as_str()).collect();
    assert!(names.contains(&"support-collector") && names.contains(&"support-otel"), "{there:?}");
    assert_eq!(count(&there, Kind::Monitor), 2, "the agent's pods and the Collector's: {there:?}");
    assert_eq!((count(&there, Kind::Routes), count(&there, Kind::Rules)), (1, 1), "{there:?}");
    assert!(count(&there, Kind::ConfigMap) > 3, "{there:?}");
    assert_eq!((count(&there, Kind::Collector), count(&there, Kind::Dashboard)), (0, 0), "{there:?}");

    // What is asked for in another form takes the place of the first.
    support["spec"]["pipeline"]["delivery"] = "OpenTelemetryCollector".into();
    support["spec"]["dashboards"]["delivery"] = "GrafanaDashboard".into();
    cluster.apply(&support).await;
    let moved = async || {
        let there = children(cluster, namespace).await;
        let only_environment = count(&there, Kind::ConfigMap) == 1;
        let is_there = count(&there, Kind::Collector) == 1 && count(&there, Kind::Dashboard) > 1;
        (only_environment && is_there).then_some(())
    };
    eventually(PATIENCE, moved).await.expect("the other forms should take the place of the first");

    // What is no longer asked for goes.
    support["spec"] = json!({"agent": "support-agent"});
    cluster.apply(&support).await;
    let gone = async || {
        let there = children(cluster, namespace).await;
        // The rule that records the cost needs nothing but an agent.
        there.iter().all(|(kind, _)| *kind == format!("{:?}", Kind::Rules)).then_some(())
    };
    eventually(PATIENCE, gone).await.expect("what nobody asks for should be pruned");
    for condition in APPLIED.into_iter().filter(|condition| *condition != "GuardsApplied") {
        let wanted = (condition, "True", "NotRequested");
        cluster.wait_for_one(Kind::Observability, namespace, "support", wanted).await;
    }
}
