//! The operator as it was installed: as the ServiceAccount of the release, with the arguments of the
//! Deployment, and with the permissions that the chart grants.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use agentslo::render::ArtifactKind;
use bed::{Bed, Options, Part, Process, eventually};
use serde_json::{Value, json};

use super::gitops::{assert_nobody_tracks, assert_only_the_status_is_ours};
use super::health::{health, kstatus, script};
use super::helm::{CHART, Helm, NAMESPACE, objects, of_kind, root};
use crate::permissions::granted_by;
use crate::reconcile::{NEIGHBOURS, RealCluster, credentials_are_read_from_the_operators_namespace};
use crate::scenarios::{self, Cluster, Kind, Request, success_slo};
use crate::stage;
use crate::support::{SOON, Stage, program};

const ACCOUNT: &str = "system:serviceaccount:agentslo-system:agentslo";
/// What tools write on what they apply.
const TRACKED: &str = "
metadata:
  labels: {app.kubernetes.io/instance: app, kustomize.toolkit.fluxcd.io/name: app}
  annotations: {argocd.argoproj.io/tracking-id: app, meta.helm.sh/release-name: app}
";

/// Installs the chart and starts the operator as the pod would.
async fn installed(options: Options, values: &[&str]) -> RealCluster {
    let bed = Bed::start(options).await.expect("the bed should start");
    let install = ["install", "agentslo", CHART, "--namespace", NAMESPACE, "--create-namespace"];
    Helm::on(&bed).run(&[&install, values].concat()).expect("the chart should install");
    let crds = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    bed.kubectl(&crds).await.expect("the CRDs should be established");
    bed.apply_yaml(NEIGHBOURS).await.expect("the kinds of neighbours should install");
    let operator = start(&bed).await;
    RealCluster::over_as(Stage { bed, operator }, ACCOUNT)
}

async fn start(bed: &Bed) -> Process {
    let account = kubeconfig(bed).await;
    let arguments = arguments(bed).await;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let operator = stage::start_operator(bed, program(), ("agentslo", &account), &arguments).await;
    operator.expect("the operator should start with the arguments and permissions of the chart")
}

/// A kubeconfig with a token of the ServiceAccount, beside those of the bed's users; its name.
async fn kubeconfig(bed: &Bed) -> String {
    let token = bed.kubectl(&["create", "token", "agentslo", "-n", NAMESPACE]).await;
    let token = token.expect("the API server should issue a token");
    let admin = bed.kubeconfig("admin").expect("the bed should know its admin");
    let text = std::fs::read_to_string(&admin).expect("the kubeconfig should be readable");
    let mut config: Value = serde_json::from_str(&text).expect("the bed's kubeconfigs are JSON");
    config["users"][0]["user"] = json!({"token": token.trim()});
    std::fs::write(admin.with_file_name("installed"), config.to_string()).expect("there should be room");
    "installed".to_owned()
}

/// The arguments of the container but those about this machine, which the stage knows better. What the pod
/// mounts is written to a file.
async fn arguments(bed: &Bed) -> Vec<String> {
    let deployment = get(bed, &["deployment", "agentslo", "-n", NAMESPACE]).await;
    let arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"].clone();
    let arguments: Vec<String> = serde_json::from_value(arguments).expect("arguments should be texts");
    assert_eq!(arguments[0], "run");
    let of_stage = ["--listen", "--poll-interval", "--log-format"];
    let arguments = arguments.into_iter().skip(1);
    let arguments = arguments.filter(|argument| !of_stage.iter().any(|flag| argument.starts_with(flag)));
    let mut known = Vec::new();
    for argument in arguments {
        known.push(match argument.strip_prefix("--platform-file=") {
            Some(_) => format!("--platform-file={}", platform_file(bed).await.display()),
            None => argument,
        });
    }
    known
}

async fn platform_file(bed: &Bed) -> PathBuf {
    let map = get(bed, &["configmap", "agentslo-platform", "-n", NAMESPACE]).await;
    let text = map["data"]["platform.yaml"].as_str().expect("the file should be in the ConfigMap");
    let file = bed.folder().join("platform.yaml");
    std::fs::write(&file, text).expect("there should be room for a file");
    file
}

async fn get(bed: &Bed, what: &[&str]) -> Value {
    let text = bed.kubectl(&[&["get", "-o", "json"], what].concat()).await.expect("it should be there");
    serde_json::from_str(&text).expect("kubectl should print JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_needs_and_uses_exactly_what_the_chart_grants() {
    let cluster = installed(Options::everything().hastened(), &[]).await;
    stage::name_prometheus(&cluster.stage.bed, &json!({})).await.expect("the platform should apply");
    scenarios::a_new_slo_gets_its_rules(&cluster, "new").await;
    scenarios::a_changed_child_is_healed(&cluster, "healed").await;
    scenarios::a_dropped_feature_prunes_only_what_we_own(&cluster, "pruned").await;
    scenarios::an_agent_gets_all_that_is_asked_for_and_no_more(&cluster, "everything").await;
    credentials_are_read_from_the_operators_namespace(&cluster).await;
    tools_agree_on_what_is_well_and_what_is_not(&cluster).await;
    // An Event that comes again is counted on the first one.
    let used_to_the_end = async || {
        let (used, granted) = (cluster.used(), granted(&cluster.stage.bed).await);
        (used == granted).then_some(())
    };
    if eventually(Duration::from_secs(30), used_to_the_end).await.is_none() {
        assert_eq!(cluster.used(), granted(&cluster.stage.bed).await);
    }
    nothing_of_the_operator_confuses_who_applied_what(&cluster).await;
    cluster.stop().await;
}

/// What the roles that are installed grant.
async fn granted(bed: &Bed) -> BTreeSet<(String, String)> {
    let mut roles = vec![get(bed, &["clusterrole", "agentslo"]).await];
    for role in ["agentslo-secrets", "agentslo-leases"] {
        roles.push(get(bed, &["role", role, "-n", NAMESPACE]).await);
    }
    granted_by(roles)
}

async fn tools_agree_on_what_is_well_and_what_is_not(cluster: &RealCluster) {
    let name = "judged";
    scenarios::given_slo(cluster, name, name).await;
    let slo = cluster.get(Kind::Slo, name, name).await.expect("it should exist");
    assert_eq!(kstatus(&slo), "Current");
    let expected = ("Healthy".to_owned(), "Ready: the rules are in force".to_owned());
    assert_eq!(health(&script(), &slo), expected, "without any traffic");

    let mut rejected = success_slo(name, name);
    rejected["spec"]["groupBy"] = json!(["trace_id"]);
    for object in [&rejected, &success_slo(name, name), &rejected] {
        cluster.apply(object).await;
        let stalled = if object["spec"]["groupBy"].is_null() {
            ("Stalled", "False", "Observed")
        } else {
            ("Stalled", "True", "NotPermitted")
        };
        cluster.wait_for(name, name, stalled).await;
    }
    let slo = cluster.get(Kind::Slo, name, name).await.expect("it should exist");
    assert_eq!(kstatus(&slo), "Failed");
    let (status, message) = health(&script(), &slo);
    assert_eq!(status, "Degraded");
    assert!(message.contains("label 'trace_id' is not allowed for grouping"), "{message}");
}

/// Objects that carry the marks of tools get children that carry none, and stay as they were applied.
async fn nothing_of_the_operator_confuses_who_applied_what(cluster: &RealCluster) {
    let tracked: Value = serde_saphyr::from_str(TRACKED).expect("the marks should parse");
    for mut object in [success_slo("everything", "tracked"), observability("everything", "tracked")] {
        for place in ["labels", "annotations"] {
            object["metadata"][place] = tracked["metadata"][place].clone();
        }
        cluster.apply(&object).await;
    }
    cluster.wait_for("everything", "tracked", ("RulesApplied", "True", "Applied")).await;
    let guarded = ("GuardsApplied", "True", "Applied");
    cluster.wait_for_one(Kind::Observability, "everything", "tracked", guarded).await;
    for kind in ["agentslos", "agentobservabilities", "agentplatforms"] {
        let list = get(&cluster.stage.bed, &[kind, "-A", "--show-managed-fields"]).await;
        let objects = list["items"].as_array().expect("a list should have items");
        assert!(!objects.is_empty(), "there should be {kind}");
        objects.iter().for_each(assert_only_the_status_is_ours);
    }
    let children = children(cluster).await;
    assert!(children.len() > 6, "{children:?}");
    children.iter().for_each(assert_nobody_tracks);
}

fn observability(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"agent": "tracked", "guards": {"telemetryMissing": {"after": "15m"}}, "dashboards": {}},
    })
}

/// Everything that the operator made. One scenario leaves objects that only look like that.
async fn children(cluster: &RealCluster) -> Vec<Value> {
    let mut children = Vec::new();
    for kind in ArtifactKind::ALL {
        let resource = kind.api_resource();
        let plural = if resource.group.is_empty() {
            resource.plural
        } else {
            format!("{}.{}", resource.plural, resource.group)
        };
        let ours = [&plural, "-A", "-l", "app.kubernetes.io/managed-by=agentslo"];
        let list = get(&cluster.stage.bed, &ours).await;
        children.extend(list["items"].as_array().expect("a list should have items").iter().cloned());
    }
    children.retain(|child| child["metadata"]["namespace"] != "pruned");
    children
}

/// Two shards, one namespace: the other one does not exist for the operator, and nothing cluster-scoped does.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_one_namespace_asks_for_nothing_outside_it() {
    let options = Options::nothing().with(Part::Apiserver).with(Part::MonitoringCrds);
    let bed = Bed::start(options).await.expect("the bed should start");
    for team in ["team-a", "team-b"] {
        let namespace = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {team}}}}}");
        bed.apply_yaml(&namespace).await.expect("the namespace should be made");
    }
    let values = root().join("tests/cluster/install/values/one-namespace.yaml");
    let install = ["install", "agentslo", CHART, "--namespace", NAMESPACE, "--create-namespace", "--values"];
    let path = values.display().to_string();
    Helm::on(&bed).run(&[&install[..], &[&path]].concat()).expect("the chart should install");
    bed.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"])
        .await
        .expect("the CRDs should be established");
    let operator = start(&bed).await;
    let cluster = RealCluster::over_as(Stage { bed, operator }, ACCOUNT);
    for team in ["team-b", "team-a"] {
        cluster.apply(&success_slo(team, "small")).await;
    }
    cluster.wait_for("team-a", "small", ("RulesApplied", "True", "Applied")).await;
    let other = cluster.get(Kind::Slo, "team-b", "small").await.expect("it should exist");
    assert_eq!(other.get("status"), None, "nobody looks at it");
    asks_only_where_it_may(&cluster).await;
    cluster.stop().await;
}

async fn asks_only_where_it_may(cluster: &RealCluster) {
    let of_leases = |request: &Request| request.resource == "leases" && request.verb == "update";
    let renewed = async || cluster.requests().iter().any(of_leases).then_some(());
    eventually(SOON, renewed).await.expect("the Leases should be renewed");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let requests = cluster.requests();
    assert!(requests.len() > 10, "{requests:?}");
    for request in requests {
        // Which kinds there are, anybody may ask.
        let is_discovery = request.resource.is_empty();
        let is_own = ["team-a", NAMESPACE].contains(&request.namespace.as_str());
        assert!(is_own || is_discovery, "{request}");
        assert_ne!(request.code, 403, "{request}");
    }
}

/// A flag that the program does not know would keep the pod from starting.
#[test]
fn the_program_knows_every_argument_that_the_chart_can_give_it() {
    let help = std::process::Command::new(program()).args(["run", "--help"]).output();
    let help = String::from_utf8(help.expect("the program should start").stdout).expect("help is text");
    let mut flags = BTreeSet::new();
    for values in ["namespaced", "sharded", "everything"] {
        let file = root().join(format!("tests/cluster/install/rendered/{values}.yaml"));
        let text = std::fs::read_to_string(file).expect("a kept text should be readable");
        let deployment = of_kind(&objects(&text), "Deployment").remove(0);
        let arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"].clone();
        let arguments: Vec<String> = serde_json::from_value(arguments).expect("arguments should be texts");
        flags.extend(arguments.iter().filter_map(|argument| Some(argument.split_once('=')?.0.to_owned())));
    }
    assert!(flags.len() > 7, "{flags:?}");
    for flag in flags {
        assert!(help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")), "{flag}");
    }
}
