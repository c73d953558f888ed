//! What the operator promises of its dealings with an API server, written once. The hermetic tests run
//! these scenarios against stand-ins, the cluster tests against the real servers; each has a namespace of
//! its own. They assert what is there in the end and what was asked for, never an order.

mod cluster;
pub(crate) mod conformance;
mod corpus;
mod observability;
mod tenants;
pub(crate) mod unpermitted;

use agentslo::domain::names::child_name;
use agentslo::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE, series};
use bed::eventually;
use serde_json::{Value, json};

pub(crate) use observability::*;
pub(crate) use tenants::a_tenant_changes_nothing_outside_its_namespace;

pub(crate) use cluster::{Cluster, Kind, PATIENCE, Request, condition, success_slo};

pub(crate) async fn a_new_slo_gets_its_rules(cluster: &impl Cluster, namespace: &str) {
    let start = cluster.requests().len();
    given_slo(cluster, namespace, "new").await;
    let slo = cluster.get(Kind::Slo, namespace, "new").await.expect("it should exist");
    assert_eq!(slo["metadata"].get("finalizers"), None);
    assert_eq!(slo["status"]["observedGeneration"], slo["metadata"]["generation"]);

    let rules = only_rules(cluster, namespace).await;
    let metadata = &rules["metadata"];
    assert_eq!(metadata["name"], child_name("AgentSLO", namespace, "new"));
    assert_eq!(metadata["labels"][MANAGED_BY_LABEL], MANAGED_BY_VALUE);
    assert_eq!(metadata["ownerReferences"][0]["uid"], slo["metadata"]["uid"]);
    assert_eq!(metadata["ownerReferences"][0]["controller"], true);
    assert_eq!(metadata["generation"], 1, "nothing should be written twice");
    assert_eq!(objective_of(&rules), "99");

    let written = wait_for_rule_writes(cluster, start, namespace).await;
    assert_eq!(written.len(), 1, "{written:#?}");
    let events = cluster.list(Kind::Event, namespace).await;
    let told: Vec<&Value> = events.iter().filter(|event| event["reason"] == "RulesApplied").collect();
    assert_eq!(told.len(), 1, "{told:#?}");
}

/// Started anew it reads everything, asks Prometheus, and finds that nothing is news. A start may still tell
/// an AgentPlatform how many AgentSLOs it governs, so a busy one is followed by another.
pub(crate) async fn reconciling_twice_writes_nothing(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "twice").await;
    let is_diagnosed = |condition: &Value| text(condition, "message").starts_with("selector ");
    cluster.wait_until(Kind::Slo, (namespace, "twice"), "DataAvailable", is_diagnosed).await;

    cluster.stop_operator().await;
    let mut written = Vec::new();
    for _ in 0..4 {
        let start = cluster.requests().len();
        cluster.start_operator().await;
        wait_for_read(cluster, namespace, start).await;
        wait_for_polls(cluster, 4).await;
        cluster.stop_operator().await;
        written = cluster.writes_since(start, namespace);
        if written.is_empty() {
            break;
        }
    }
    cluster.start_operator().await;
    assert_eq!(written, Vec::<String>::new(), "nothing changed, so nothing is to be written");
}

pub(crate) async fn an_invalid_edit_keeps_the_old_rules_and_says_why(
    cluster: &impl Cluster,
    namespace: &str,
) {
    given_slo(cluster, namespace, "edited").await;
    let before = only_rules(cluster, namespace).await;
    let mut slo = success_slo(namespace, "edited");
    slo["spec"]["objective"] = "95".into();
    // Only the operator knows that nobody may group by this label.
    slo["spec"]["groupBy"] = json!(["trace_id"]);
    cluster.apply(&slo).await;

    let accepted = cluster.wait_for(namespace, "edited", ("Accepted", "False", "NotPermitted")).await;
    let message = text(&accepted, "message");
    assert!(message.contains("spec.groupBy[0]: label 'trace_id' is not allowed for grouping"), "{message}");
    let said = cluster.get(Kind::Slo, namespace, "edited").await.expect("it should exist");
    assert_eq!(condition(&said, "Ready").expect("it is always there")["status"], "False");
    assert_eq!(condition(&said, "Stalled").expect("it is always there")["status"], "True");
    assert_eq!(condition(&said, "RulesApplied").expect("it is always there")["status"], "True");
    assert_eq!(only_rules(cluster, namespace).await["spec"], before["spec"]);

    // The second time is counted on the Event of the first.
    cluster.apply(&success_slo(namespace, "edited")).await;
    cluster.wait_for(namespace, "edited", ("Ready", "True", "Ready")).await;
    cluster.apply(&slo).await;
    let counted = async || {
        let events = cluster.list(Kind::Event, namespace).await;
        let rejected: Vec<&Value> = events.iter().filter(|event| event["reason"] == "SpecRejected").collect();
        (rejected.len() == 1 && rejected[0]["series"]["count"] == 2).then_some(())
    };
    eventually(PATIENCE, counted).await.expect("one Event should tell of both");

    // An operator that never saw the valid spec leaves its rules alone as well.
    cluster.stop_operator().await;
    let start = cluster.requests().len();
    cluster.start_operator().await;
    wait_for_read(cluster, namespace, start).await;
    slo["spec"].as_object_mut().expect("a spec is an object").remove("groupBy");
    assert_eq!(only_rules(cluster, namespace).await["spec"], before["spec"]);
    cluster.apply(&slo).await;
    cluster.wait_for(namespace, "edited", ("Ready", "True", "Ready")).await;
    assert_eq!(objective_of(&only_rules(cluster, namespace).await), "95");
}

/// The cluster should not have the kinds of prometheus-operator.
pub(crate) async fn a_missing_prometheus_operator_is_a_condition_not_an_error(
    cluster: &impl Cluster,
    namespace: &str,
) {
    let start = cluster.requests().len();
    given_namespace(cluster, namespace).await;
    cluster.apply(&success_slo(namespace, "early")).await;
    cluster.wait_for(namespace, "early", ("RulesApplied", "False", "DependencyMissing")).await;
    cluster.wait_for(namespace, "early", ("Accepted", "True", "Valid")).await;
    let mut tried = cluster.writes_since(start, namespace);
    tried.retain(|request| request.contains("prometheusrules"));
    assert_eq!(tried, Vec::<String>::new(), "what is not installed should not be written");

    cluster.install_prometheus_operator().await;
    cluster.wait_for(namespace, "early", ("RulesApplied", "True", "Applied")).await;
    only_rules(cluster, namespace).await;
}

pub(crate) async fn a_dropped_feature_prunes_only_what_we_own(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "plain").await;
    let mut sleeping = success_slo(namespace, "sleeping");
    sleeping["spec"]["suspend"] = true.into();
    cluster.apply(&sleeping).await;
    let plain = cluster.get(Kind::Slo, namespace, "plain").await.expect("it should exist");
    let sleeping = cluster.get(Kind::Slo, namespace, "sleeping").await.expect("it should exist");
    let ours = || json!({MANAGED_BY_LABEL: MANAGED_BY_VALUE});
    let rules = |name: &str, labels: Value, owners: Value| {
        let metadata =
            json!({"namespace": namespace, "name": name, "labels": labels, "ownerReferences": owners});
        json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": metadata, "spec": {"groups": []},
        })
    };
    // Before the other in every order, so that they would be gone when it is.
    cluster.apply(&rules("kept-of-another", ours(), owned_by(&sleeping, true))).await;
    cluster.apply(&rules("kept-not-controlled", ours(), owned_by(&plain, false))).await;
    cluster.apply(&rules("kept-not-owned", ours(), json!([]))).await;
    cluster.apply(&rules("kept-without-label", json!({}), owned_by(&plain, true))).await;
    cluster.apply(&rules("left-over", ours(), owned_by(&plain, true))).await;

    let gone = async || cluster.get(Kind::Rules, namespace, "left-over").await.is_none().then_some(());
    eventually(PATIENCE, gone).await.expect("what we own and nobody asks for should be pruned");
    let rules = cluster.list(Kind::Rules, namespace).await;
    let mut names: Vec<&str> = rules.iter().filter_map(|rule| rule["metadata"]["name"].as_str()).collect();
    names.retain(|name| name.starts_with("kept-"));
    names.sort_unstable();
    let kept = ["kept-not-controlled", "kept-not-owned", "kept-of-another", "kept-without-label"];
    assert_eq!(names, kept);
    assert_eq!(rules.len(), kept.len() + 1, "and the rules that are asked for");
}

pub(crate) async fn prometheus_down_leaves_rules_untouched(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "unread").await;
    let before = only_rules(cluster, namespace).await;
    let start = cluster.requests().len();
    cluster.stop_prometheus().await;
    cluster.wait_for(namespace, "unread", ("DataAvailable", "Unknown", "QueryFailed")).await;
    let slo = cluster.get(Kind::Slo, namespace, "unread").await.expect("it should exist");
    assert_eq!(condition(&slo, "Ready").expect("it is always there")["status"], "True");
    let after = only_rules(cluster, namespace).await;
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
    let mut written = cluster.writes_since(start, namespace);
    written.retain(|request| request.contains("prometheusrules"));
    assert_eq!(written, Vec::<String>::new());

    cluster.start_prometheus().await;
    let is_read = |condition: &Value| condition["reason"] != "QueryFailed";
    cluster.wait_until(Kind::Slo, (namespace, "unread"), "DataAvailable", is_read).await;
}

pub(crate) async fn forbidden_names_the_permission(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    cluster.forbid("patch", "prometheusrules").await;
    let mut slo = success_slo(namespace, "forbidden");
    cluster.apply(&slo).await;
    let applied = cluster.wait_for(namespace, "forbidden", ("RulesApplied", "False", "Forbidden")).await;
    let message = text(&applied, "message");
    assert!(message.contains("may not patch prometheusrules"), "{message}");
    assert!(message.contains(namespace), "{message}");
    // Nobody but a person can mend it, and who waits for the object should not wait for nothing.
    cluster.wait_for(namespace, "forbidden", ("Stalled", "True", "Forbidden")).await;
    assert_eq!(cluster.list(Kind::Rules, namespace).await, Vec::<Value>::new());

    cluster.permit("patch", "prometheusrules").await;
    slo["spec"]["objective"] = "95".into();
    cluster.apply(&slo).await;
    cluster.wait_for(namespace, "forbidden", ("RulesApplied", "True", "Applied")).await;
    only_rules(cluster, namespace).await;
}

/// What others add to our object stays, through their edits and ours.
pub(crate) async fn a_foreign_field_manager_is_left_alone(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "shared").await;
    let name = child_name("AgentSLO", namespace, "shared");
    let start = cluster.requests().len();
    cluster
        .apply(&json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": {
                "namespace": namespace, "name": name,
                "labels": {"theirs": "kept"}, "annotations": {"theirs": "kept"},
            },
        }))
        .await;
    wait_for_read(cluster, namespace, start).await;
    let mut slo = success_slo(namespace, "shared");
    slo["spec"]["objective"] = "95".into();
    cluster.apply(&slo).await;
    let changed =
        async || Some(only_rules(cluster, namespace).await).filter(|rules| objective_of(rules) == "95");
    let rules = eventually(PATIENCE, changed).await.expect("the edit should reach the rules");
    assert_eq!(rules["metadata"]["labels"]["theirs"], "kept");
    assert_eq!(rules["metadata"]["annotations"]["theirs"], "kept");
    assert_eq!(rules["metadata"]["labels"][MANAGED_BY_LABEL], MANAGED_BY_VALUE);
    let written = wait_for_rule_writes(cluster, start, namespace).await;
    assert_eq!(written.len(), 1, "once for our edit and never for theirs: {written:#?}");
}

/// What others change or delete of ours comes back.
pub(crate) async fn a_changed_child_is_healed(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "healed").await;
    let before = only_rules(cluster, namespace).await;
    let name = text(&before["metadata"], "name");
    cluster.edit(Kind::Rules, namespace, &name, &json!({"spec": {"groups": []}})).await;
    let healed = async || {
        let rules = cluster.get(Kind::Rules, namespace, &name).await?;
        (rules["spec"] == before["spec"]).then_some(())
    };
    eventually(PATIENCE, healed).await.expect("the spec should come back");
    cluster.delete(Kind::Rules, namespace, &name).await;
    eventually(PATIENCE, healed).await.expect("the object should come back");
}

/// Nobody saw the edit, and what was asked for before is still there.
pub(crate) async fn what_is_unset_while_nobody_looks_goes(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    let plain = success_slo(namespace, "unset");
    let mut described = plain.clone();
    described["spec"]["description"] = "Conversations end well.".into();
    described["spec"]["alerting"] = json!({"labels": {"team": "support"}});
    cluster.apply(&described).await;
    cluster.wait_for(namespace, "unset", ("Ready", "True", "Ready")).await;
    assert!(only_rules(cluster, namespace).await.to_string().contains("\"team\":\"support\""));
    cluster.stop_operator().await;
    cluster.apply(&plain).await;
    cluster.start_operator().await;
    let gone = async || {
        let rules = only_rules(cluster, namespace).await.to_string();
        (!rules.contains("\"team\"") && !rules.contains("end well")).then_some(())
    };
    eventually(PATIENCE, gone).await.expect("what is no longer asked for should go");
}

/// A field that we leave out can silence an alert as well as one that we set.
pub(crate) async fn what_is_added_to_an_alert_is_taken_out(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "silenced").await;
    let before = only_rules(cluster, namespace).await;
    let mut spec = before["spec"].clone();
    for group in spec["groups"].as_array_mut().expect("rules come in groups") {
        for rule in group["rules"].as_array_mut().expect("a group has rules") {
            if rule.get("alert").is_some() {
                rule["for"] = "30d".into();
            }
        }
    }
    let name = text(&before["metadata"], "name");
    cluster.edit(Kind::Rules, namespace, &name, &json!({"spec": spec})).await;
    let healed = async || (only_rules(cluster, namespace).await["spec"] == before["spec"]).then_some(());
    eventually(PATIENCE, healed).await.expect("the alerts should be as before");
}

pub(crate) async fn a_rule_of_somebody_else_is_left_alone(cluster: &impl Cluster, namespace: &str) {
    given_namespace(cluster, namespace).await;
    let name = child_name("AgentSLO", namespace, "taken");
    cluster
        .apply(&json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"groups": [{"name": "mine", "rules": [{"record": "mine", "expr": "vector(1)"}]}]},
        }))
        .await;
    let before = cluster.get(Kind::Rules, namespace, &name).await.expect("it should exist");
    cluster.apply(&success_slo(namespace, "taken")).await;
    cluster.wait_for(namespace, "taken", ("RulesApplied", "False", "Conflict")).await;
    let after = cluster.get(Kind::Rules, namespace, &name).await.expect("it should exist");
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"].get("ownerReferences"), None);
}

/// Characters that are line breaks in YAML, as which an API server reads an apply, and the edges of Unicode.
pub(crate) async fn text_of_people_arrives_byte_for_byte(cluster: &impl Cluster, namespace: &str) {
    let text = "a \u{2028} \u{2029}\u{feff}\u{fffd}\u{e000}\u{10ffff}\"\\é";
    given_namespace(cluster, namespace).await;
    let mut slo = success_slo(namespace, "worded");
    slo["spec"]["agent"] = text.into();
    slo["spec"]["description"] = text.into();
    slo["spec"]["alerting"] =
        json!({"labels": {"team": text}, "annotations": {"note": text}, "minFailures": 3});
    cluster.create(&slo).await;
    cluster.wait_for(namespace, "worded", ("RulesApplied", "True", "Applied")).await;
    let rules = only_rules(cluster, namespace).await;
    let alerts = rules["spec"]["groups"].as_array().into_iter().flatten();
    let alerts = alerts.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let mut alerts = alerts.filter(|rule| rule.get("alert").is_some()).peekable();
    assert!(alerts.peek().is_some(), "there should be alerts");
    for alert in alerts {
        assert_eq!(alert["annotations"]["note"], text);
        assert_eq!(alert["annotations"]["description"], text);
        assert_eq!(alert["labels"]["team"], text);
    }
}

/// Even without an operator: deletion is Kubernetes' business.
pub(crate) async fn deleting_needs_nothing_from_us(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "deleted").await;
    cluster.stop_operator().await;
    cluster.delete(Kind::Slo, namespace, "deleted").await;
    let gone = async || {
        let slo = cluster.get(Kind::Slo, namespace, "deleted").await;
        (slo.is_none() && cluster.list(Kind::Rules, namespace).await.is_empty()).then_some(())
    };
    eventually(PATIENCE, gone).await.expect("the rules should go with their owner");
    cluster.start_operator().await;
}

pub(crate) async fn given_namespace(cluster: &impl Cluster, namespace: &str) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    cluster.apply(&object).await;
}

/// A namespace with an AgentSLO in force.
pub(crate) async fn given_slo(cluster: &impl Cluster, namespace: &str, name: &str) {
    given_namespace(cluster, namespace).await;
    cluster.apply(&success_slo(namespace, name)).await;
    cluster.wait_for(namespace, name, ("Ready", "True", "Ready")).await;
}

/// The one PrometheusRule of a namespace.
async fn only_rules(cluster: &impl Cluster, namespace: &str) -> Value {
    let mut rules = cluster.list(Kind::Rules, namespace).await;
    assert_eq!(rules.len(), 1, "there should be one PrometheusRule in '{namespace}'");
    rules.remove(0)
}

/// The objective that the rules are made for.
pub(crate) fn objective_of(rules: &Value) -> String {
    let groups = rules["spec"]["groups"].as_array().into_iter().flatten();
    let mut rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let info =
        rules.find(|rule| rule["record"] == series::INFO).expect("the rules should have an info series");
    text(&info["labels"], "objective")
}

/// Waits until the operator has read the rules of a namespace: it is at work on their AgentSLO.
pub(crate) async fn wait_for_read(cluster: &impl Cluster, namespace: &str, start: usize) {
    let is_read = |request: &Request| {
        request.verb == "get" && request.resource == "prometheusrules" && request.namespace == namespace
    };
    let seen = async || cluster.requests().iter().skip(start).any(is_read).then_some(());
    eventually(PATIENCE, seen).await.expect("the operator should read the rules");
}

/// Writes of rules since a point in the requests, of which there should be some: the log of a real API server
/// comes a moment after the object.
async fn wait_for_rule_writes(cluster: &impl Cluster, start: usize, namespace: &str) -> Vec<String> {
    let written = async || {
        let mut written = cluster.writes_since(start, namespace);
        written.retain(|request| request.contains("prometheusrules"));
        (!written.is_empty()).then_some(written)
    };
    eventually(PATIENCE, written).await.expect("the operator should write rules")
}

/// Waits until Prometheus has answered some more queries.
pub(crate) async fn wait_for_polls(cluster: &impl Cluster, more: usize) {
    let before = cluster.queries().await;
    let asked = async || (cluster.queries().await >= before + more).then_some(());
    eventually(PATIENCE, asked).await.expect("the operator should ask Prometheus");
}

/// Owner references to an AgentSLO.
fn owned_by(slo: &Value, is_controller: bool) -> Value {
    let metadata = &slo["metadata"];
    json!([{
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
        "name": metadata["name"], "uid": metadata["uid"], "controller": is_controller,
    }])
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

/// Who edits all the time is told that it is too often, once, and the newest spec is in force in the end.
pub(crate) async fn who_edits_all_the_time_is_told_once(cluster: &impl Cluster, namespace: &str) {
    given_slo(cluster, namespace, "restless").await;
    let throttled = async || {
        let events = cluster.list(Kind::Event, namespace).await;
        let of_edits = events.into_iter().filter(|event| event["reason"] == "Throttled");
        Some(of_edits.collect::<Vec<Value>>()).filter(|events| !events.is_empty())
    };
    let mut edits = 0;
    while throttled().await.is_none() {
        edits += 1;
        assert!(edits < 600, "nobody is told");
        let objective = if edits % 2 == 0 { "98" } else { "97" };
        cluster.edit(Kind::Slo, namespace, "restless", &json!({"spec": {"objective": objective}})).await;
    }
    for objective in ["94", "95", "96"] {
        cluster.edit(Kind::Slo, namespace, "restless", &json!({"spec": {"objective": objective}})).await;
    }
    let in_force = async || (objective_of(&only_rules(cluster, namespace).await) == "96").then_some(());
    eventually(PATIENCE, in_force).await.expect("the newest spec should be in force");
    let told = throttled().await.expect("it was told");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].get("series"), None, "it should be told once: {told:#?}");
}
