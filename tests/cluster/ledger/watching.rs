//! Who watches the ledger, in a cluster: chains are verified and signed, anchors are kept in a ConfigMap, and what is
//! found is a metric.

use std::process::Command;

use bed::{Bed, Launch, Options, Part, Probe, Process};

use super::{Ledger, agent, event, write_anew};
use crate::support::program;

const WATCHER: &str = "watcher";

/// What a watcher needs, and nothing else.
const PERMISSIONS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: ledger}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: anchors, namespace: ledger}
rules:
  - {apiGroups: [""], resources: [configmaps], resourceNames: [anchors], verbs: [get, update]}
  - {apiGroups: [""], resources: [configmaps], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: anchors, namespace: ledger}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: anchors}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: watcher}]
"#;

struct Watch<'a> {
    ledger: &'a Ledger,
    process: Process,
    url: String,
}

impl<'a> Watch<'a> {
    async fn start(ledger: &'a Ledger, key: &str) -> Self {
        let address = format!("127.0.0.1:{}", ledger.bed.port().expect("a port should be free"));
        let kubeconfig = ledger.bed.kubeconfig(WATCHER).expect("there should be one").display().to_string();
        let log = ledger.bed.logs().join("watch.log");
        let ready = Probe::Url(format!("http://{address}/readyz"));
        let launch = Launch::new("watch", program(), &log, ready)
            .args([
                "ledger",
                "watch",
                "--key",
                key,
                "--anchors-configmap",
                "ledger/anchors",
                "--listen",
                &address,
            ])
            .env("AGENTSLO_DATABASE_URL", ledger.postgres.url("reader", "ledger"))
            .env("KUBECONFIG", &kubeconfig);
        let process = Process::launch(launch).await.expect("it should have read the chains");
        Self { ledger, process, url: format!("http://{address}/metrics") }
    }

    async fn metrics(&self) -> String {
        let answer = reqwest::get(&self.url).await.expect("it should answer");
        answer.text().await.expect("metrics should be text")
    }

    /// The lines of the anchors that are kept.
    async fn anchors(&self) -> String {
        let path = r"jsonpath={.data.anchors\.jsonl}";
        let args = ["get", "configmap", "anchors", "-n", "ledger", "-o", path];
        self.ledger.bed.kubectl(&args).await.expect("the anchors should be there")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_are_signed_into_the_cluster_and_a_break_is_a_metric() {
    let options = Options::nothing().with(Part::Apiserver).user(WATCHER, &[]);
    let ledger = Ledger::on(Bed::start(options).await.expect("the bed should start")).await;
    ledger.bed.apply_yaml(PERMISSIONS).await.expect("the permissions should apply");
    ledger.admin.batch_execute("CREATE ROLE reader LOGIN IN ROLE ledger_reader").await.expect("a reader");
    let (sink, url) = ledger.sink("sink").await;
    for name in ["support", "billing"] {
        agent(&url, name).logs((0..5).map(event).collect()).await.expect("the events should be taken");
    }
    let (key, public) = ledger.keys();

    let watch = Watch::start(&ledger, &key).await;
    let found = watch.metrics().await;
    for line in [
        "agentslo_ledger_chain_intact{stream=\"team-a/support\"} 1",
        "agentslo_ledger_chain_head_sequence{stream=\"team-a/billing\"} 5",
        "agentslo_ledger_anchor_info{stream=\"team-a/support\",sequence=\"5\",hash=\"",
    ] {
        assert!(found.contains(line), "{line} is missing in {found}");
    }
    assert_eq!(watch.anchors().await.lines().count(), 2);
    watch.process.stop().await;

    // It begins anew and signs only what has grown.
    agent(&url, "support").logs(vec![event(7)]).await.expect("the event should be taken");
    let watch = Watch::start(&ledger, &key).await;
    let anchors = watch.anchors().await;
    assert_eq!((anchors.lines().count(), anchors.matches("\"sequence\":6").count()), (3, 1), "{anchors}");
    watch.process.stop().await;

    let unguard = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL";
    ledger.admin.batch_execute(unguard).await.expect("a superuser may do anything");
    write_anew(&ledger.admin, "team-a/support").await;
    let watch = Watch::start(&ledger, &key).await;
    let found = watch.metrics().await;
    assert!(found.contains("chain_intact{stream=\"team-a/support\"} 0"), "{found}");
    assert!(found.contains("chain_intact{stream=\"team-a/billing\"} 1"), "{found}");
    assert_eq!(watch.anchors().await, anchors, "what is not intact is not signed");
    let last = "agentslo_ledger_anchor_info{stream=\"team-a/support\",sequence=\"6\"";
    assert!(found.contains(last), "what was signed before is told all the same: {found}");
    watch.process.stop().await;

    let mut verify = Command::new(program());
    verify.args(["ledger", "verify", "--anchors-configmap", "ledger/anchors", "--public-key", &public]);
    verify.env("AGENTSLO_DATABASE_URL", ledger.postgres.url("reader", "ledger"));
    verify.env("KUBECONFIG", ledger.bed.kubeconfig(WATCHER).expect("there should be one"));
    let output = verify.output().expect("it should run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("team-a/support: entry 5 is not the one that was anchored"), "{said}");
    sink.stop().await;
}
