//! What a new version does to what an earlier one left: no rule is ever absent, each is written at most
//! once, and nothing is written where nothing differs. `upgrade/<version>` has what that version left, as
//! the API server gave it; `make bless` records the present one under its version.

use std::fs;
use std::path::{Path, PathBuf};

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::scenarios::{self, Cluster, Kind};
use crate::support::FakeCluster;
use crate::workspace;

const TEAM: &str = "team-a";

/// What an earlier version left.
struct Left {
    version: String,
    slos: Vec<Value>,
    rules: Vec<Value>,
}

fn folder() -> PathBuf {
    workspace::path("tests/it/upgrade")
}

fn recorded() -> Vec<Left> {
    let entries = fs::read_dir(folder()).expect("there should be records");
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders.iter().map(|folder| read(folder)).collect()
}

fn read(folder: &Path) -> Left {
    let objects = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).expect("a record should be readable");
        serde_json::from_str(&text).expect("a record should be JSON")
    };
    let version = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    Left { version, slos: objects("agentslos.json"), rules: objects("prometheusrules.json") }
}

/// A cluster with what a version left, and no operator.
async fn given(left: &Left) -> FakeCluster {
    let cluster = FakeCluster::without_operator().await;
    scenarios::given_namespace(&cluster, TEAM).await;
    for slo in &left.slos {
        cluster.apply(&without(slo, &["status"])).await;
        let written = put(&cluster, Kind::Slo, &without(slo, &["spec"]), "status").await;
        let mut rules = rules_of(slo, &left.rules).clone();
        rules["metadata"]["ownerReferences"][0]["uid"] = written["metadata"]["uid"].clone();
        put(&cluster, Kind::Rules, &rules, "").await;
    }
    cluster
}

fn without(object: &Value, fields: &[&str]) -> Value {
    let mut object = object.clone();
    let map = object.as_object_mut().expect("an object is a map");
    map.retain(|field, _| !fields.contains(&field.as_str()));
    object
}

fn rules_of<'a>(slo: &Value, rules: &'a [Value]) -> &'a Value {
    let is_of = |rules: &&Value| rules["metadata"]["ownerReferences"][0]["name"] == slo["metadata"]["name"];
    rules.iter().find(is_of).expect("every recorded AgentSLO has rules")
}

/// Writes an object as the operator would have.
async fn put(cluster: &FakeCluster, kind: Kind, object: &Value, subresource: &str) -> Value {
    let api = cluster.api(kind, TEAM);
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let parameters = PatchParams::apply("agentslo").force();
    let written: Result<DynamicObject, kube::Error> = match subresource {
        "status" => api.patch_status(name, &parameters, &Patch::Apply(object)).await,
        _ => api.patch(name, &parameters, &Patch::Apply(object)).await,
    };
    serde_json::to_value(written.expect("it should be accepted")).expect("an object should be JSON")
}

/// Rules after the present version has looked at everything, and what it wrote of them. Before any of them
/// changes none is absent, for there is no deletion among the writes.
async fn upgraded(cluster: &FakeCluster) -> (Vec<Value>, Vec<String>) {
    let start = cluster.requests().len();
    cluster.start_operator().await;
    scenarios::wait_for_read(cluster, TEAM, start).await;
    scenarios::wait_for_polls(cluster, 6).await;
    let mut written = cluster.writes_since(start, TEAM);
    written.retain(|request| request.contains("prometheusrules"));
    (cluster.list(Kind::Rules, TEAM).await, written)
}

fn specs(rules: &[Value]) -> Vec<&Value> {
    rules.iter().map(|rules| &rules["spec"]).collect()
}

#[tokio::test]
async fn every_version_before_is_taken_over_without_a_gap() {
    for left in recorded() {
        let cluster = given(&left).await;
        let (rules, written) = upgraded(&cluster).await;
        assert_eq!(rules.len(), left.rules.len(), "{}: no rule may go", left.version);
        let mut distinct = written.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), written.len(), "{}: each at most once: {written:#?}", left.version);
        assert!(written.iter().all(|write| write.starts_with("patch ")), "{}: {written:#?}", left.version);
    }
}

#[tokio::test]
async fn the_same_version_writes_nothing() {
    let left = recorded().into_iter().find(|left| left.version == env!("CARGO_PKG_VERSION"));
    let left = left.expect("the present version should be recorded; run `make bless`");
    let cluster = given(&left).await;
    let (rules, written) = upgraded(&cluster).await;
    assert_eq!(written, Vec::<String>::new(), "what it left it should find as desired");
    assert_eq!(specs(&rules), specs(&left.rules));
}

/// A record in which each rule differs a little, as if another version had made it.
#[tokio::test]
async fn what_differs_is_written_once() {
    let mut left = recorded().pop().expect("there should be a record");
    for rules in &mut left.rules {
        rules["spec"]["groups"][0]["interval"] = json!("45s");
        rules["metadata"]["labels"]["of-an-earlier-version"] = json!("yes");
    }
    let cluster = given(&left).await;
    let (rules, written) = upgraded(&cluster).await;
    assert_eq!(written.len(), left.rules.len(), "{written:#?}");
    for rules in &rules {
        assert_ne!(rules["spec"]["groups"][0]["interval"], "45s");
        assert_eq!(
            rules["metadata"]["labels"].get("of-an-earlier-version"),
            None,
            "what it left goes with it"
        );
    }
}

/// Records what the present version leaves of a few AgentSLOs.
#[tokio::test]
async fn the_present_version_is_recorded() {
    let cluster = FakeCluster::start().await;
    for name in ["availability", "latency", "cost-per-run", "group-by"] {
        let text = workspace::read(format!("examples/{name}/agentslo.yaml"));
        let mut slo: Value = serde_saphyr::from_str(&text).expect("an example should be YAML");
        slo["metadata"]["namespace"] = json!(TEAM);
        scenarios::given_namespace(&cluster, TEAM).await;
        cluster.apply(&slo).await;
        let name = slo["metadata"]["name"].as_str().unwrap_or_default();
        cluster.wait_for(TEAM, name, ("Ready", "True", "Ready")).await;
    }
    let slos = stripped(cluster.list(Kind::Slo, TEAM).await);
    let rules = stripped(cluster.list(Kind::Rules, TEAM).await);
    let folder = folder().join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(&folder).expect("the folder of the version should be made");
        for (file, objects) in [("agentslos.json", &slos), ("prometheusrules.json", &rules)] {
            let text = serde_json::to_string_pretty(objects).expect("objects should be JSON") + "\n";
            fs::write(folder.join(file), text).expect("a record should be written");
        }
    }
    // A status tells of moments, too; the rules must be the same.
    assert_eq!(rules, read(&folder).rules, "the record of this version is stale; run `make bless`");
}

/// Without what differs from run to run.
fn stripped(mut objects: Vec<Value>) -> Vec<Value> {
    for object in &mut objects {
        let metadata = object["metadata"].as_object_mut().expect("every object has metadata");
        metadata.retain(|field, _| {
            !["uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"]
                .contains(&field.as_str())
        });
        for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
            owner["uid"] = json!("of-the-agentslo");
        }
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            condition["lastTransitionTime"] = json!("2026-01-01T00:00:00Z");
            if condition["type"] == "DataAvailable" {
                condition["message"] = json!("as it was");
            }
        }
    }
    objects
}
