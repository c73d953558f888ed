//! A release from its installation to its end on a real API server. Nothing runs pods there: that they would
//! be let in is Pod Security's answer, asked for with the pod of the Deployment.

use bed::{Bed, Options, eventually};
use serde_json::{Value, json};

use super::helm::{CHART, Helm, NAMESPACE};
use crate::support::SOON;

/// Another release of the chart is not there yet, so what an upgrade changes are values.
const UPGRADED: [&str; 4] = [
    "--set",
    "shards=2,replicas=3,platform.create=true",
    "--set",
    "platform.spec.prometheus.address=http://prometheus.monitoring.svc:9090",
];

struct Release {
    bed: Bed,
    helm: Helm,
}

impl Release {
    async fn on_an_empty_cluster() -> Self {
        let bed = Bed::start(Options::default()).await.expect("etcd and kube-apiserver should start");
        let helm = Helm::on(&bed);
        Self { bed, helm }
    }

    fn helm(&self, command: &[&str], values: &[&str]) -> Result<String, String> {
        self.helm.run(&[command, &["--namespace", NAMESPACE], values].concat())
    }

    /// An object of the operator's namespace, or without one.
    async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let text = self.bed.kubectl(&["get", kind, name, "-n", NAMESPACE, "-o", "json"]).await.ok()?;
        Some(serde_json::from_str(&text).expect("kubectl should print JSON"))
    }

    async fn arguments(&self) -> String {
        let deployment = self.get("deployment", "agentslo").await.expect("the Deployment should be there");
        deployment["spec"]["template"]["spec"]["containers"][0]["args"].to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_installed_upgraded_rolled_back_and_removed_and_no_slo_is_lost() {
    let release = Release::on_an_empty_cluster().await;
    a_platform_without_crds_is_refused(&release);
    let notes = release.helm(&["install", "agentslo", CHART, "--create-namespace"], &[]);
    let notes = notes.expect("the chart should install");
    assert!(notes.contains("kubectl rollout status -n agentslo-system deployment/agentslo"), "{notes}");
    let crds = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    release.bed.kubectl(&crds).await.expect("the CRDs should be established");
    release.bed.apply_yaml(SLO).await.expect("an AgentSLO should be accepted");
    pods_are_as_pod_security_wants_them(&release).await;

    release.helm(&["upgrade", "agentslo", CHART], &UPGRADED).expect("the release should be upgraded");
    assert!(release.arguments().await.contains("--shards=2"));
    assert!(release.get("agentplatform", "default").await.is_some());
    release.helm(&["rollback", "agentslo", "1"], &[]).expect("the release should be rolled back");
    assert!(!release.arguments().await.contains("--shards"));
    assert!(release.get("agentplatform", "default").await.is_none());

    release.helm(&["uninstall", "agentslo"], &[]).expect("the release should be removed");
    assert!(release.get("deployment", "agentslo").await.is_none());
    assert!(release.get("clusterrole", "agentslo").await.is_none());
    let kept = release.bed.kubectl(&["get", "agentslo", "-n", "default", "kept", "-o", "name"]).await;
    assert_eq!(kept.expect("the AgentSLO should be kept").trim(), "agentslo.agentslo.dev/kept");
    release.helm(&["install", "agentslo", CHART], &UPGRADED).expect("the release should come back");

    let unkept = ["--reset-then-reuse-values", "--set", "crds.keep=false"];
    release.helm(&["upgrade", "agentslo", CHART], &unkept).expect("the release should be upgraded");
    assert!(release.arguments().await.contains("--shards=2"), "the other values stay");
    release.helm(&["uninstall", "agentslo"], &[]).expect("the release should be removed");
    // The API server deletes what is of a kind before the kind itself.
    let are_gone = async || {
        let crds = release.bed.kubectl(&["get", "crd", "-o", "name"]).await.ok()?;
        crds.trim().is_empty().then_some(())
    };
    eventually(SOON, are_gone).await.expect("who wants them gone gets that");
    release.bed.stop().await;
}

const SLO: &str = "
apiVersion: agentslo.dev/v1alpha1
kind: AgentSLO
metadata: {name: kept, namespace: default}
spec: {agent: support-agent, objective: \"99\", indicator: {success: {}}}
";

/// Helm would only say that it knows no such kind.
fn a_platform_without_crds_is_refused(release: &Release) {
    let said = release.helm(&["install", "agentslo", CHART, "--create-namespace"], &UPGRADED);
    let said = said.expect_err("the AgentPlatform has no kind yet");
    assert!(said.contains("platform.create must be false until the CRDs are there"), "{said}");
}

/// The pod is let in where the strictest standard is enforced, and each way to spoil it is not.
async fn pods_are_as_pod_security_wants_them(release: &Release) {
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: \
                     {pod-security.kubernetes.io/enforce: restricted}}}";
    release.bed.apply_yaml(namespace).await.expect("the namespace should be made");
    let deployment = release.get("deployment", "agentslo").await.expect("the Deployment should be there");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": "strict"},
        "spec": deployment["spec"]["template"]["spec"],
    });
    release.bed.apply_yaml(&pod.to_string()).await.expect("the pod should be let in");
    let container = "/spec/containers/0/securityContext";
    for spoilt in [
        json!({"op": "remove", "path": format!("{container}/capabilities")}),
        json!({"op": "replace", "path": format!("{container}/allowPrivilegeEscalation"), "value": true}),
        json!({"op": "remove", "path": "/spec/securityContext/seccompProfile"}),
        json!({"op": "replace", "path": "/spec/securityContext/runAsNonRoot", "value": false}),
        json!({"op": "add", "path": "/spec/volumes/-", "value": {"name": "host", "hostPath": {"path": "/"}}}),
    ] {
        let patch: json_patch::Patch =
            serde_json::from_value(json!([spoilt])).expect("a patch should have its shape");
        let mut pod = pod.clone();
        json_patch::patch(&mut pod, &patch).expect("the pod should have what is spoilt");
        pod["metadata"]["name"] = "spoilt".into();
        let said = release.bed.apply_yaml(&pod.to_string()).await;
        let said = format!("{:?}", said.expect_err(&format!("{spoilt} should not be let in")));
        assert!(said.contains("violates PodSecurity \\\"restricted"), "{spoilt}: {said}");
    }
}
