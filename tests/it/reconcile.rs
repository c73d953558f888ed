//! The whole operator against stand-ins for the API server and Prometheus.

use std::collections::BTreeSet;
use std::time::Duration;

use bed::eventually;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::scenarios::{self, Cluster, Kind, PATIENCE, Request, success_slo};
use crate::support::{FakeCluster, Moment};
use crate::workspace;

/// A test for each scenario that the cluster tests have as well.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                scenarios::$name(&FakeCluster::start().await, "team-a").await;
            }
        )+
    };
}

scenarios! {
    a_new_slo_gets_its_rules,
    reconciling_twice_writes_nothing,
    an_invalid_edit_keeps_the_old_rules_and_says_why,
    a_dropped_feature_prunes_only_what_we_own,
    prometheus_down_leaves_rules_untouched,
    forbidden_names_the_permission,
    a_foreign_field_manager_is_left_alone,
    a_changed_child_is_healed,
    what_is_unset_while_nobody_looks_goes,
    what_is_added_to_an_alert_is_taken_out,
    a_start_writes_no_child_anew,
    a_rule_of_somebody_else_is_left_alone,
    text_of_people_arrives_byte_for_byte,
    deleting_needs_nothing_from_us,
    who_edits_all_the_time_is_told_once,
    of_two_for_one_agent_the_older_is_in_force,
    an_agent_that_is_left_goes_to_the_next_in_line,
    an_agent_slo_follows_its_observability,
    a_refused_observability_changes_no_rule,
    an_agent_gets_all_that_is_asked_for_and_no_more,
}

#[tokio::test]
async fn a_missing_prometheus_operator_is_a_condition_not_an_error() {
    let cluster = FakeCluster::start_bare().await;
    scenarios::a_missing_prometheus_operator_is_a_condition_not_an_error(&cluster, "team-a").await;
}

#[tokio::test]
async fn a_tenant_changes_nothing_outside_its_namespace() {
    scenarios::a_tenant_changes_nothing_outside_its_namespace(&FakeCluster::start().await).await;
}

/// Path of the status of the AgentSLO that the tests below are about.
const STATUS: &str = "/apis/agentslo.dev/v1alpha1/namespaces/team-a/agentslos/one/status";

/// Suspension writes nothing but the status, so nothing else wakes the AgentSLO again.
#[tokio::test]
async fn a_conflict_is_retried_soon() {
    let cluster = FakeCluster::start().await;
    scenarios::given_slo(&cluster, "team-a", "one").await;
    let is_diagnosed = |condition: &Value| condition["reason"] == "NoSeries";
    cluster.wait_until(Kind::Slo, ("team-a", "one"), "DataAvailable", is_diagnosed).await;
    cluster.server.fail_once("patch", STATUS, 409);
    let mut slo = success_slo("team-a", "one");
    slo["spec"]["suspend"] = true.into();
    cluster.apply(&slo).await;
    cluster.wait_for("team-a", "one", ("Ready", "True", "Suspended")).await;

    let log = cluster.log();
    let refused = log.iter().rposition(|line| line.request.code == 409);
    let refused = refused.expect("the conflict should have happened");
    let again = log[refused..].iter().find(|line| line.request.is_write() && line.request.code == 200);
    let pause = again.expect("it should be tried again").at - log[refused].at;
    // Any other failure waits for one and a half seconds at least.
    assert!(pause < Duration::from_millis(1400), "{pause:?}");
}

/// Alerts are what people wait for; what is said of them can follow.
#[tokio::test]
async fn where_many_wait_rules_come_before_reports() {
    let cluster = FakeCluster::without_operator().await;
    let names: Vec<String> = (0..60).map(|number| format!("slo-{number}")).collect();
    for name in &names {
        cluster.apply(&success_slo("team-a", name)).await;
    }
    cluster.start_operator().await;
    for name in &names {
        cluster.wait_for("team-a", name, ("Ready", "True", "Ready")).await;
    }
    let log = cluster.requests();
    let is_rule = |request: &Request| request.is_write() && request.resource == "prometheusrules";
    let last_rule = log.iter().rposition(is_rule).expect("there should be rules");
    let written = &log[..last_rule];
    assert!(written.iter().filter(|request| is_rule(request)).count() >= 59, "each is written once");
    let is_report = |request: &&Request| request.is_write() && request.resource == "agentslos/status";
    let reports = written.iter().filter(is_report).count();
    // Those at work when nobody waits any more report at once.
    assert!(reports <= 20, "{reports} of 60 were reported before the last rules were written");
}

/// Whatever moment the operator dies at, its successor ends where an undisturbed one does.
#[tokio::test]
async fn operator_killed_at_every_write() {
    let expected = outcome(&undisturbed().await).await;
    let mut write = 1;
    while killed_at(write, Moment::Before, &expected).await {
        assert!(killed_at(write, Moment::After, &expected).await, "write {write} should happen again");
        write += 1;
    }
    assert!(write > 4, "rules, status and Event should be written, but only {write} writes were seen");
}

/// One error of the API server, whichever request it befalls, changes nothing but the time it takes.
#[tokio::test]
async fn any_request_may_fail_once() {
    let undisturbed = undisturbed().await;
    let expected = outcome(&undisturbed).await;
    let requests: BTreeSet<(String, String)> =
        undisturbed.log().into_iter().map(|line| (line.request.verb, line.path)).collect();
    assert!(requests.len() > 10, "lists, watches, discovery and writes should be seen: {requests:#?}");
    let ends = requests.iter().map(async |(verb, path)| {
        let cluster = given_unseen_slo().await;
        cluster.server.fail_once(verb, path, 500);
        cluster.start_operator().await;
        let is_over = async || (outcome(&cluster).await == expected).then_some(());
        let ended = eventually(PATIENCE, is_over).await;
        assert!(ended.is_some(), "{verb} {path} failed once: {:#?}", outcome(&cluster).await);
        assert!(cluster.requests().iter().any(|request| request.code == 500), "{verb} {path} should fail");
    });
    join_all(ends).await;
}

/// Without any one of its permissions the operator goes on with what it may do, ends well, and does the rest
/// once it has it.
#[tokio::test]
async fn no_missing_permission_is_the_end() {
    let expected = outcome(&undisturbed().await).await;
    let rights = rights();
    assert!(rights.len() > 40, "the permissions should be found: {rights:#?}");
    let ends = rights.iter().map(async |(verb, resource)| {
        let cluster = given_unseen_slo().await;
        cluster.forbid(verb, resource).await;
        cluster.start_operator().await;
        let is_over = async || (outcome(&cluster).await == expected).then_some(());
        let was_refused = || cluster.requests().iter().any(|request| request.code == 403);
        let refused_or_over = async || if was_refused() { Some(()) } else { is_over().await };
        eventually(PATIENCE, refused_or_over).await.expect("it should be refused, or not needed here");
        let was_refused = was_refused();
        cluster.permit(verb, resource).await;
        // By itself it would ask again in some minutes.
        cluster.stop_operator().await;
        cluster.start_operator().await;
        let ended = eventually(PATIENCE, is_over).await;
        assert!(ended.is_some(), "without {verb} {resource}: {:#?}", outcome(&cluster).await);
        was_refused
    });
    let refused = join_all(ends).await.into_iter().filter(|refused| *refused).count();
    assert!(refused > 15, "only {refused} permissions were missed");
}

/// Verbs on resources that the chart grants for the whole cluster.
fn rights() -> Vec<(String, String)> {
    let text = workspace::read("deploy/overlays/cluster/permissions.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("permissions should parse");
    let rules = documents.iter().flat_map(|document| document["rules"].as_array().into_iter().flatten());
    let texts = |rule: &Value, key: &str| -> Vec<String> {
        serde_json::from_value(rule[key].clone()).unwrap_or_else(|_| panic!("{rule} should have {key}"))
    };
    let rights = rules.flat_map(|rule| {
        let verbs = texts(rule, "verbs");
        let of_resource =
            |resource: String| verbs.iter().map(|verb| (verb.clone(), resource.clone())).collect::<Vec<_>>();
        texts(rule, "resources").into_iter().flat_map(of_resource).collect::<Vec<_>>()
    });
    rights.collect()
}

/// A cluster whose operator has nothing left to do.
async fn undisturbed() -> FakeCluster {
    let cluster = given_unseen_slo().await;
    cluster.start_operator().await;
    let is_diagnosed = |condition: &Value| condition["reason"] == "NoSeries";
    cluster.wait_until(Kind::Slo, ("team-a", "one"), "DataAvailable", is_diagnosed).await;
    cluster.wait_for("team-a", "one", ("Ready", "True", "Ready")).await;
    cluster
}

/// Breaks the operator's connection at a write, kills it, starts another and compares the outcome. Says
/// whether there were as many writes.
async fn killed_at(write: usize, moment: Moment, expected: &[Value]) -> bool {
    let cluster = given_unseen_slo().await;
    let mut broken = cluster.server.cut(write, moment);
    cluster.start_operator().await;
    let is_over = async || (outcome(&cluster).await == expected).then_some(());
    let was_broken = tokio::select! {
        broken = broken.wait_for(|broken| *broken) => broken.is_ok(),
        () = async { eventually(PATIENCE, is_over).await.expect("it should end well") } => false,
    };
    cluster.kill_operator().await;
    cluster.server.mend();
    cluster.start_operator().await;
    if eventually(PATIENCE, is_over).await.is_none() {
        let found = outcome(&cluster).await;
        panic!("killed {moment:?} write {write}: {found:#?} instead of {expected:#?}");
    }
    was_broken
}

/// An AgentSLO, and no operator yet.
async fn given_unseen_slo() -> FakeCluster {
    let cluster = FakeCluster::without_operator().await;
    scenarios::given_namespace(&cluster, "team-a").await;
    cluster.apply(&success_slo("team-a", "one")).await;
    cluster
}

/// What the operator is there for: rules and status, without what differs from run to run.
async fn outcome(cluster: &FakeCluster) -> Vec<Value> {
    let mut objects = cluster.list(Kind::Slo, "team-a").await;
    objects.extend(cluster.list(Kind::Rules, "team-a").await);
    for object in &mut objects {
        let metadata = object["metadata"].as_object_mut().expect("every object has metadata");
        metadata.retain(|name, _| name != "uid" && name != "resourceVersion");
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            condition["lastTransitionTime"] = json!(null);
            // It names the selector once somebody looked, and they look once a minute.
            if condition["type"] == "DataAvailable" {
                condition["message"] = json!(null);
            }
        }
    }
    objects
}

/// An operator that decided before it knows the AgentPlatforms would take their labels from the rules, and
/// with them the Prometheus that selects them.
#[tokio::test]
async fn a_late_list_of_platforms_changes_no_rule() {
    let cluster = given_labelled_rules().await;
    cluster.stop_operator().await;
    cluster.server.fail_once("list", "/apis/agentslo.dev/v1alpha1/agentplatforms", 500);
    let start = cluster.requests().len();
    cluster.start_operator().await;
    let looked_again = async || {
        let requests = cluster.requests();
        let is_list = |request: &&Request| request.resource == "agentplatforms" && request.verb == "list";
        (requests.iter().skip(start).filter(is_list).count() > 1).then_some(())
    };
    eventually(PATIENCE, looked_again).await.expect("the list should be asked for again");
    scenarios::wait_for_read(&cluster, "team-a", start).await;
    cluster.stop_operator().await;
    let mut written = cluster.writes_since(start, "team-a");
    written.retain(|request| request.contains("prometheusrules"));
    assert_eq!(written, Vec::<String>::new());
}

/// Polls of Prometheus go on, and nobody troubles the API server. The last transitions may still be on their
/// way, so a busy time is followed by another look.
#[tokio::test]
async fn nothing_is_asked_at_rest() {
    let cluster = undisturbed().await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        let before = cluster.requests().len();
        scenarios::wait_for_polls(&cluster, 20).await;
        asked = cluster.requests().iter().skip(before).map(ToString::to_string).collect();
        if asked.is_empty() {
            break;
        }
    }
    assert_eq!(asked, Vec::<String>::new());
}

/// Not even for an operator that never saw the valid form.
#[tokio::test]
async fn an_invalid_platform_changes_no_rule() {
    let cluster = given_labelled_rules().await;
    let start = cluster.requests().len();
    cluster.stop_operator().await;
    let broken = json!({"ruleLabels": {}, "defaults": {"pageSeverity": "not a severity"}});
    cluster.apply(&platform(&broken)).await;
    cluster.start_operator().await;
    let accepted = cluster.wait_for("team-a", "one", ("Accepted", "False", "NotPermitted")).await;
    let message = accepted["message"].as_str().unwrap_or_default();
    assert!(message.contains("AgentPlatform 'default' governs this namespace and is not valid"), "{message}");
    let mut written = cluster.writes_since(start, "team-a");
    written.retain(|request| request.contains("prometheusrules"));
    assert_eq!(written, Vec::<String>::new());

    cluster.apply(&platform(&json!({"ruleLabels": {"release": "other"}}))).await;
    cluster.wait_for("team-a", "one", ("Ready", "True", "Ready")).await;
    assert_eq!(release_of_rules(&cluster).await, "other");
}

/// Rules with a label of the AgentPlatform.
async fn given_labelled_rules() -> FakeCluster {
    let cluster = FakeCluster::start().await;
    cluster.apply(&platform(&json!({"ruleLabels": {"release": "monitoring"}}))).await;
    scenarios::given_slo(&cluster, "team-a", "one").await;
    let labelled = async || (release_of_rules(&cluster).await == "monitoring").then_some(());
    eventually(PATIENCE, labelled).await.expect("the platform's label should be on the rules");
    cluster
}

fn platform(spec: &Value) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform",
        "metadata": {"name": "default"}, "spec": spec,
    })
}

async fn release_of_rules(cluster: &FakeCluster) -> Value {
    let rules = cluster.list(Kind::Rules, "team-a").await;
    rules.first().map(|rules| rules["metadata"]["labels"]["release"].clone()).unwrap_or_default()
}
