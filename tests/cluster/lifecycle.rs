//! From apply to deletion, without data: what is written, what is left alone, what goes.

use bed::{Options, Part, eventually};

use crate::permissions::{granted, used};
use crate::support::{SOON, Stage, condition, success_slo};

#[tokio::test(flavor = "multi_thread")]
async fn an_agentslo_lives_from_apply_to_deletion() {
    let stage = Stage::start(Options::everything(), "life").await;
    rules_are_written_owned_and_bound(&stage).await;
    a_changed_child_is_healed(&stage).await;
    // Twice, so that the second Event is added to the first.
    an_invalid_edit_keeps_the_old_rules_and_says_why(&stage).await;
    an_invalid_edit_keeps_the_old_rules_and_says_why(&stage).await;
    a_child_that_is_no_longer_asked_for_is_pruned(&stage).await;
    a_foreign_rule_of_the_same_name_is_left_alone(&stage).await;
    credentials_are_read_from_the_operators_namespace(&stage).await;
    deletion_leaves_nothing(&stage).await;
    permissions_are_exactly_what_is_used(&stage);
    stage.operator.stop().await;
    stage.bed.stop().await;
}

async fn rules_are_written_owned_and_bound(stage: &Stage) {
    stage.apply(&success_slo("life", "plain", "99")).await;
    let ready = ["wait", "--for=condition=Ready", "agentslo/plain", "-n", "life", "--timeout=60s"];
    stage.bed.kubectl(&ready).await.expect("the AgentSLO should become Ready");
    let rules = stage.rules("life").await;
    assert_eq!(rules.len(), 1);
    let slo = stage.get("agentslo", "life", "plain").await.expect("it should exist");
    assert_eq!(rules[0]["metadata"]["ownerReferences"][0]["uid"], slo["metadata"]["uid"]);
    assert_eq!(slo["metadata"].get("finalizers"), None);
    assert_eq!(slo["status"]["observedGeneration"], 1);
    stage.wait_for_condition("life", "plain", ("RulesAccepted", "True", "Bound")).await;
}

async fn a_changed_child_is_healed(stage: &Stage) {
    let name = stage.rules("life").await[0]["metadata"]["name"].as_str().expect("it has a name").to_owned();
    let before = stage.rules("life").await[0]["spec"].clone();
    let patch = r#"{"spec":{"groups":[]}}"#;
    let args = ["patch", "prometheusrule", &name, "-n", "life", "--type=merge", "-p", patch];
    stage.bed.kubectl(&args).await.expect("anybody may patch it");
    let healed = async || (stage.rules("life").await.first()?["spec"] == before).then_some(());
    eventually(SOON, healed).await.expect("the spec should come back");
    stage
        .bed
        .kubectl(&["delete", "prometheusrule", &name, "-n", "life"])
        .await
        .expect("anybody may delete it");
    eventually(SOON, healed).await.expect("the object should come back");
}

async fn an_invalid_edit_keeps_the_old_rules_and_says_why(stage: &Stage) {
    let before = stage.rules("life").await;
    // Only the operator knows that nobody may group by this label.
    let edit = r#"{"spec":{"groupBy":["trace_id"]}}"#;
    let args = ["patch", "agentslo", "plain", "-n", "life", "--type=merge", "-p", edit];
    stage.bed.kubectl(&args).await.expect("the schema should accept it");
    let accepted = stage.wait_for_condition("life", "plain", ("Accepted", "False", "NotPermitted")).await;
    let message = accepted["message"].as_str().expect("it has a message");
    assert!(message.contains("spec.groupBy[0]: label 'trace_id' is not allowed for grouping"), "{message}");
    let slo = stage.get("agentslo", "life", "plain").await.expect("it should exist");
    assert_eq!(condition(&slo, "Ready").expect("it is always there")["status"], "False");
    assert_eq!(condition(&slo, "Stalled").expect("it is always there")["status"], "True");
    assert_eq!(stage.rules("life").await, before, "the rules in force must not change");
    let undo = r#"{"spec":{"groupBy":null}}"#;
    let args = ["patch", "agentslo", "plain", "-n", "life", "--type=merge", "-p", undo];
    stage.bed.kubectl(&args).await.expect("the schema should accept it");
    stage.wait_for_condition("life", "plain", ("Ready", "True", "Ready")).await;
}

async fn a_child_that_is_no_longer_asked_for_is_pruned(stage: &Stage) {
    let slo = stage.get("agentslo", "life", "plain").await.expect("it should exist");
    let uid = slo["metadata"]["uid"].as_str().expect("it has a uid");
    let left_over = format!(
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n\
         metadata:\n  name: left-over\n  namespace: life\n  labels: {{app.kubernetes.io/managed-by: agentslo}}\n  \
         ownerReferences: [{{apiVersion: agentslo.dev/v1alpha1, kind: AgentSLO, name: plain, uid: {uid}, controller: true}}]\n\
         spec: {{groups: []}}\n"
    );
    stage.apply(&left_over).await;
    let gone = async || stage.get("prometheusrule", "life", "left-over").await.is_none().then_some(());
    eventually(SOON, gone).await.expect("it should be pruned");
    assert_eq!(stage.rules("life").await.len(), 1);
}

async fn credentials_are_read_from_the_operators_namespace(stage: &Stage) {
    let platform = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: prometheus, namespace: agentslo-system}}\nstringData: {{token: secret}}\n---\n\
         apiVersion: agentslo.dev/v1alpha1\nkind: AgentPlatform\nmetadata: {{name: default}}\n\
         spec:\n  prometheus:\n    address: \"{}\"\n    credentials: {{bearerTokenSecret: {{name: prometheus, key: token}}}}\n",
        stage.bed.prometheus_url()
    );
    stage.apply(&platform).await;
    let read = async || used(&audit_log(stage)).contains(&("get".into(), "secrets".into())).then_some(());
    eventually(SOON, read).await.expect("the operator should read the token");
}

/// Both ways: nothing is used that is not granted, and nothing is granted that is not used.
fn permissions_are_exactly_what_is_used(stage: &Stage) {
    let mut used = used(&audit_log(stage));
    // An apply that creates needs both verbs; the audit log has one line for it.
    used.insert(("create".into(), "prometheusrules".into()));
    assert_eq!(used, granted());
}

fn audit_log(stage: &Stage) -> String {
    std::fs::read_to_string(stage.bed.logs().join("audit.log"))
        .expect("the API server should keep an audit log")
}

async fn a_foreign_rule_of_the_same_name_is_left_alone(stage: &Stage) {
    let name = agentslo::domain::names::child_name("AgentSLO", "life", "taken");
    let foreign = format!(
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{name: {name}, namespace: life}}\n\
         spec: {{groups: [{{name: mine, rules: [{{record: mine, expr: vector(1)}}]}}]}}\n"
    );
    stage.apply(&foreign).await;
    let before = stage.get("prometheusrule", "life", &name).await.expect("it should exist");
    stage.apply(&success_slo("life", "taken", "99")).await;
    stage.wait_for_condition("life", "taken", ("RulesApplied", "False", "Conflict")).await;
    let after = stage.get("prometheusrule", "life", &name).await.expect("it should exist");
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"].get("ownerReferences"), None);
    stage
        .bed
        .kubectl(&["delete", "prometheusrule", &name, "-n", "life"])
        .await
        .expect("anybody may delete it");
    stage.bed.kubectl(&["delete", "agentslo", "taken", "-n", "life"]).await.expect("anybody may delete it");
}

async fn deletion_leaves_nothing(stage: &Stage) {
    stage.bed.kubectl(&["delete", "agentslo", "--all", "-n", "life"]).await.expect("anybody may delete them");
    let empty = async || stage.rules("life").await.is_empty().then_some(());
    eventually(SOON, empty).await.expect("the garbage collector should take the rules");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_prometheus_operator_is_a_condition_and_its_arrival_needs_no_restart() {
    let stage = Stage::start_without_prometheus("bare").await;
    stage.apply(&success_slo("bare", "early", "99")).await;
    stage.wait_for_condition("bare", "early", ("RulesApplied", "False", "DependencyMissing")).await;
    let crd = "prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml";
    let file = bed::servers_folder().expect("the servers should be found").join(crd);
    let text = std::fs::read_to_string(file).expect("the CRD should be there");
    stage.apply(&text).await;
    stage.wait_for_condition("bare", "early", ("RulesApplied", "True", "Applied")).await;
    assert_eq!(stage.rules("bare").await.len(), 1);
    stage.operator.stop().await;
    stage.bed.stop().await;
}

impl Stage {
    /// An API server with our CRDs, and nothing of prometheus-operator.
    async fn start_without_prometheus(namespace: &str) -> Self {
        let bed =
            bed::Bed::start(Options::nothing().with(Part::Apiserver)).await.expect("the bed should start");
        crate::stage::install(&bed, namespace).await.expect("the CRDs should install");
        let program = crate::support::program();
        let operator = crate::stage::start_operator(&bed, program, "agentslo").await;
        Self { bed, operator: operator.expect("the operator should start without prometheus-operator") }
    }
}
