//! Two tenants: whatever one of them applies, edits and deletes in its namespace, nothing outside it changes.

use std::collections::BTreeMap;

use agentslo::domain::names::child_name;
use agentslo::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};
use bed::eventually;
use serde_json::{Value, json};

use super::corpus::{self, Input};
use super::unpermitted;
use super::{Cluster, Kind, PATIENCE, Request, condition, success_slo};

/// Namespaces and names that would be one if they were joined by a dash.
const NEIGHBOUR: (&str, &str) = ("a", "b-c");
const TENANT: (&str, &str) = ("a-b", "c");
/// Length of the longest names.
const LONGEST: usize = 253;

/// The cluster should have no Prometheus in its AgentPlatform, whose answers would be news.
pub(crate) async fn a_tenant_changes_nothing_outside_its_namespace(cluster: &impl Cluster) {
    cluster.apply(&permissive_platform()).await;
    for (namespace, _) in [NEIGHBOUR, TENANT] {
        super::given_namespace(cluster, namespace).await;
    }
    given_neighbour(cluster).await;
    let before = outside(cluster).await;
    assert!(before.len() > 12, "the neighbour should have something: {:?}", before.keys());
    let start = cluster.requests().len();

    let inputs = inputs();
    apply_all(cluster, &inputs).await;
    claim_what_is_the_neighbours(cluster).await;
    edit_and_delete_all(cluster, &inputs).await;

    let after = outside(cluster).await;
    for (place, object) in &before {
        let (before, after) = (lines(Some(object)), lines(after.get(place)));
        let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
        let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        assert!(before == after, "{place:?} changed from {gone:#?} to {new:#?}");
    }
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "nothing is new or gone");
    only_the_tenants_namespace_was_written(cluster, start);
}

fn lines(object: Option<&Value>) -> Vec<String> {
    format!("{:#}", object.unwrap_or(&Value::Null)).lines().map(|line| line.trim().to_owned()).collect()
}

/// A platform that permits whatever the inputs ask for.
fn permissive_platform() -> Value {
    let mut platform = unpermitted::platform(&unpermitted::everything());
    let spec = &mut platform["spec"];
    spec["defaults"] = json!({});
    spec["ruleLabels"] = json!({"release": "monitoring"});
    spec["dashboards"]["grafanaLabels"] = json!({"dashboards": "agents"});
    let backends = spec["backends"].as_array_mut().expect("everything has back ends");
    for name in ["elastic", "mimir"] {
        let kind = if name == "mimir" { "PrometheusRemoteWrite" } else { "Elasticsearch" };
        backends.push(json!({"name": name, "kind": kind, "address": "https://backend.monitoring.svc"}));
    }
    platform
}

/// One of each kind that a tenant writes, and an object that has nothing to do with us.
async fn given_neighbour(cluster: &impl Cluster) {
    let (namespace, name) = NEIGHBOUR;
    for (name, agent) in [(name.to_owned(), "support-agent"), ("x".repeat(LONGEST), "other-agent")] {
        let mut slo = success_slo(namespace, &name);
        slo["spec"]["agent"] = agent.into();
        cluster.apply(&slo).await;
        cluster.wait_for(namespace, &name, ("RulesApplied", "True", "Applied")).await;
    }
    cluster.apply(&observability(namespace, name)).await;
    let applied = ("DashboardsApplied", "True", "Applied");
    cluster.wait_for_one(Kind::Observability, namespace, name, applied).await;
    let theirs = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": "theirs"}, "data": {"key": "value"},
    });
    cluster.apply(&theirs).await;
    settle(cluster).await;
}

fn observability(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "agent": "support-agent", "dashboards": {}, "pipeline": {},
            "guards": {"telemetryMissing": {"after": "15m"}},
            "scrape": {"selector": {"matchLabels": {"app": "support-agent"}}, "port": "metrics"},
            "routing": {
                "page": ["pager"],
                "receivers": [{"name": "pager", "webhook": {"url": {"secret": "pager", "key": "url"}}}],
            },
        },
    })
}

/// The corpus, and the names that are the neighbour's or nearly.
fn inputs() -> Vec<Input> {
    let (namespace, name) = TENANT;
    let almost = format!("{}y", "x".repeat(LONGEST - 1));
    let names = [name.to_owned(), NEIGHBOUR.1.to_owned(), "x".repeat(LONGEST), almost];
    let slos = names.iter().map(|name| success_slo(namespace, name));
    let observabilities = [name, NEIGHBOUR.1].map(|name| observability(namespace, name));
    let colliding = slos.chain(observabilities);
    let mut inputs = corpus::inputs();
    let valid = inputs.iter().filter(|input| input.is_valid).count();
    assert!(valid > 70, "of {} inputs only {valid} are valid", inputs.len());
    for object in colliding {
        inputs.push(Input { place: "a name that collides".to_owned(), object, is_valid: false });
    }
    for input in &mut inputs {
        input.object["metadata"]["namespace"] = namespace.into();
    }
    inputs
}

async fn apply_all(cluster: &impl Cluster, inputs: &[Input]) {
    for input in inputs {
        cluster.create_as_tenant(&input.object).await;
    }
    for Input { place, object, is_valid } in inputs {
        let seen = wait_until_seen(cluster, object).await;
        let accepted = condition(&seen, "Accepted").expect("it is always there");
        // What is suspended is not looked at.
        let is_taken = accepted["status"] == "True" || object["spec"]["suspend"] == true;
        assert!(is_taken || !is_valid, "{place}: {object}: {accepted}");
    }
}

/// Waits until the operator has said something about the object as it is now.
async fn wait_until_seen(cluster: &impl Cluster, object: &Value) -> Value {
    let name = object["metadata"]["name"].as_str().expect("objects should have a name");
    let seen = async || {
        let live = cluster.get(kind_of(object), TENANT.0, name).await?;
        (live["status"]["observedGeneration"] == live["metadata"]["generation"]).then_some(live)
    };
    let found = eventually(PATIENCE, seen).await;
    found.unwrap_or_else(|| panic!("the operator should look at {object}"))
}

fn kind_of(object: &Value) -> Kind {
    if object["kind"] == "AgentSLO" { Kind::Slo } else { Kind::Observability }
}

/// Objects by hand, in the tenant's namespace, that say they were made for the neighbour's AgentSLO, under the
/// name that its child has and under another.
async fn claim_what_is_the_neighbours(cluster: &impl Cluster) {
    let (namespace, name) = NEIGHBOUR;
    let slo = cluster.get(Kind::Slo, namespace, name).await.expect("the neighbour's should exist");
    let owners = json!([{
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO", "name": name,
        "uid": slo["metadata"]["uid"], "controller": true,
    }]);
    for claimed in [child_name("AgentSLO", namespace, name), "left-over".to_owned()] {
        let metadata = json!({
            "namespace": TENANT.0, "name": claimed, "ownerReferences": owners,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY_VALUE},
        });
        let rules = json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": metadata, "spec": {"groups": []},
        });
        cluster.create_as_tenant(&rules).await;
    }
    settle(cluster).await;
}

async fn edit_and_delete_all(cluster: &impl Cluster, inputs: &[Input]) {
    for input in inputs {
        let suspend = input.object["spec"]["suspend"] != true;
        cluster.edit_as_tenant(&input.object, &json!({"spec": {"suspend": suspend}})).await;
    }
    for input in inputs {
        wait_until_seen(cluster, &input.object).await;
    }
    for Input { object, .. } in inputs {
        let name = object["metadata"]["name"].as_str().expect("objects should have a name");
        cluster.delete(kind_of(object), TENANT.0, name).await;
    }
    let gone = async || {
        let mut rules = cluster.list(Kind::Rules, TENANT.0).await;
        rules.retain(|rule| rule["metadata"]["ownerReferences"][0]["name"] != NEIGHBOUR.1);
        rules.is_empty().then_some(())
    };
    eventually(PATIENCE, gone).await.expect("what was made for the tenant should go");
    settle(cluster).await;
}

/// Has the operator do something new, twice; by then it has seen whatever was before.
async fn settle(cluster: &impl Cluster) {
    for name in ["first-marker", "second-marker"] {
        let marker = success_slo(TENANT.0, name);
        cluster.create_as_tenant(&marker).await;
        wait_until_seen(cluster, &marker).await;
        cluster.delete(Kind::Slo, TENANT.0, name).await;
    }
}

/// Everything that is not in the tenant's namespace, byte for byte, but for what the status of an
/// AgentPlatform tells the platform team.
async fn outside(cluster: &impl Cluster) -> BTreeMap<[String; 4], Value> {
    let everything = cluster.everything().await.into_iter();
    let outside = everything.filter(|object| object["metadata"]["namespace"] != TENANT.0);
    outside
        .map(|mut object| {
            let place = ["/kind", "/apiVersion", "/metadata/namespace", "/metadata/name"]
                .map(|path| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned());
            if place[0] == "AgentPlatform" {
                let object = object.as_object_mut().expect("an object should be one");
                object.remove("status");
                let metadata = object["metadata"].as_object_mut().expect("objects should have metadata");
                metadata.retain(|name, _| name != "resourceVersion" && name != "managedFields");
            }
            (place, object)
        })
        .collect()
}

/// What the operator wrote: in the tenant's namespace, or how many AgentSLOs there are.
fn only_the_tenants_namespace_was_written(cluster: &impl Cluster, start: usize) {
    let requests = cluster.requests();
    let writes: Vec<&Request> = requests.iter().skip(start).filter(|request| request.is_write()).collect();
    assert!(writes.len() > 200, "only {} writes were seen", writes.len());
    for request in writes {
        let is_status_of_platform = request.resource == "agentplatforms/status";
        assert!(request.namespace == TENANT.0 || is_status_of_platform, "{request}");
    }
}
