//! A bed with prometheus-operator, its webhook and an Alertmanager, and what tests of routes and monitors
//! ask of them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use agentslo::api::v1alpha1::{AgentObservability, AgentPlatform, MailServer};
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::{Grafana, Platform};
use agentslo::render::{self, Artifact, Part};
use agentslo::validate::{self, ObservabilityFacts};
use bed::{Bed, Options};
use flate2::read::GzDecoder;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use walkdir::WalkDir;

/// The Secret that every receiver of these tests names.
pub(crate) const SECRET: &str = "alert-receivers";

/// The bed, shared by the tests of this binary.
pub(crate) async fn monitored() -> &'static Bed {
    static BED: OnceCell<Bed> = OnceCell::const_new();
    BED.get_or_init(|| async {
        let options = Options::nothing()
            .with(bed::Part::Alertmanager)
            .with(bed::Part::AdmissionWebhook)
            .with(bed::Part::PrometheusOperator);
        Bed::start(options).await.expect("the bed should start")
    })
    .await
}

/// The same for a test of what Alertmanager tells, alone: when its configuration changes while it tells
/// somebody, it may tell that again.
pub(crate) async fn alone() -> (&'static Bed, MutexGuard<'static, ()>) {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let guard = ALONE.lock().await;
    (monitored().await, guard)
}

/// Every AgentObservability of `examples/`, by the name of its folder.
pub(crate) fn examples() -> BTreeMap<String, Observability> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = WalkDir::new(&root).max_depth(1).min_depth(1);
    let folders = entries.into_iter().map(|entry| entry.expect("the examples should be readable"));
    folders
        .filter(|folder| folder.path().join("agentobservability.yaml").exists())
        .map(|folder| {
            let name = folder.file_name().to_string_lossy().into_owned();
            (name, example(folder.path()))
        })
        .collect()
}

fn example(folder: &Path) -> Observability {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
    let written = read("agentobservability.yaml").expect("the example should be there");
    let written: AgentObservability = serde_saphyr::from_str(&written).expect("the example should parse");
    let platform = read("platform.yaml").map_or_else(Platform::default, |text| {
        let platform: AgentPlatform = serde_saphyr::from_str(&text).expect("the platform should parse");
        validate::platform(&platform).expect("the platform should be valid")
    });
    valid(&written, platform)
}

/// An AgentObservability named as its agent, with these fields besides, where mail goes to a port of this machine.
pub(crate) fn observability(namespace: &str, agent: &str, fields: &Value, mail: u16) -> Observability {
    let mut spec = json!({"agent": agent});
    fields.as_object().expect("fields should be an object").iter().for_each(|(name, value)| {
        spec[name] = value.clone();
    });
    let is_name = agent.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let name = if is_name { agent } else { "odd" };
    let written = json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    });
    let written = serde_json::from_value(written).expect("the resource should have the right types");
    let mail = MailServer { smarthost: format!("127.0.0.1:{mail}"), from: "alerts@example.com".to_owned() };
    let grafana = Grafana { url: Some("https://grafana.example.com".to_owned()), ..Grafana::default() };
    valid(&written, Platform { mail: Some(mail), grafana, ..Platform::default() })
}

fn valid(written: &AgentObservability, platform: Platform) -> Observability {
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    validate::observability(written, &facts).unwrap_or_else(|violations| {
        let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
        panic!("the resource should be valid:\n{}", all.join("\n"))
    })
}

/// What one part of an AgentObservability is rendered to.
pub(crate) fn rendered(observability: &Observability, part: Part) -> Vec<Artifact> {
    render::observability(observability).remove(&part).unwrap_or_default().0
}

/// Applies an object as strictly as the API server can, by way of the webhook.
pub(crate) async fn apply(bed: &Bed, object: &Value) {
    let file = tempfile::NamedTempFile::with_suffix(".json").expect("there should be room for a file");
    std::fs::write(file.path(), object.to_string()).expect("there should be room for a file");
    let path = file.path().display().to_string();
    let apply = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", &path];
    let applied = bed.kubectl(&apply).await;
    applied.unwrap_or_else(|error| panic!("{} should be taken: {error:?}", object["metadata"]["name"]));
}

/// A namespace with the Secret of all receivers; each key is a path at the bed's receiver.
pub(crate) async fn prepare(bed: &Bed, namespace: &str) {
    apply(bed, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})).await;
    let url = bed.receiver().url();
    let at = |path: &str| format!("{url}{namespace}/{path}");
    let keys = json!({
        "slack": at("slack"), "teams": at("teams"), "hook": at("hook"), "url": at("slack"),
        "pagerduty": "routing-key", "opsgenie": "api-key",
    });
    for name in [SECRET, "slack"] {
        let metadata = json!({"name": name, "namespace": namespace});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys});
        apply(bed, &secret).await;
    }
}

/// A gzipped file that prometheus-operator wrote into a Secret; none where there is none yet.
pub(crate) async fn generated(bed: &Bed, secret: &str, file: &str) -> Option<String> {
    let text = bed.kubectl(&["get", "secret", "-n", "monitoring", secret, "-o", "json"]).await.ok()?;
    let secret: Secret = serde_json::from_str(&text).ok()?;
    let packed = secret.data?.remove(&format!("{file}.gz"))?;
    let mut text = String::new();
    GzDecoder::new(packed.0.as_slice()).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Runs one of the servers' tools: whether it succeeds, and what it prints.
pub(crate) fn tool(name: &str, args: &[&str]) -> (bool, String) {
    let program = bed::servers_folder().expect("the servers should be there").join(name);
    let output = Command::new(program).args(args).output().expect("the tool should start");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}
