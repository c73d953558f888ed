//! What tools make of a status: Argo CD by a script, Flux, kpt and `kubectl wait` by the conventions of
//! kstatus.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::helm::{root, tool};

const FOLDER: &str = "deploy/argocd/resource_customizations/agentslo.dev";
const KINDS: [&str; 3] = ["AgentSLO", "AgentObservability", "AgentPlatform"];

/// Status and message, by Argo CD's own Lua.
pub(crate) fn health(script: &Path, object: &Value) -> (String, String) {
    let mut argo = Command::new(tool("argo-health"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("argo-health should start");
    let mut input = argo.stdin.take().expect("the input is a pipe");
    input.write_all(object.to_string().as_bytes()).expect("it should read the object");
    drop(input);
    let output = argo.wait_with_output().expect("argo-health should end");
    let mut health: BTreeMap<String, String> =
        serde_json::from_slice(&output.stdout).expect("the script should return a health");
    let mut part = |name: &str| health.remove(name).unwrap_or_default();
    (part("status"), part("message"))
}

/// The script that is configured in Argo CD.
pub(crate) fn script() -> std::path::PathBuf {
    root().join("deploy/argocd/health.lua")
}

/// `health_test.yaml`, in the shape that Argo CD has for contributed scripts.
#[derive(Deserialize)]
struct Tests {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    health_status: Health,
    input_path: String,
}

#[derive(Deserialize)]
struct Health {
    status: String,
    message: String,
}

fn object(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn argo_cd_says_of_each_object_what_its_test_expects() {
    for kind in KINDS {
        let folder = root().join(FOLDER).join(kind);
        let tests = std::fs::read_to_string(folder.join("health_test.yaml")).expect("there should be tests");
        let tests: Tests = serde_saphyr::from_str(&tests).expect("the tests should have Argo CD's shape");
        let inputs = std::fs::read_dir(folder.join("testdata")).expect("there should be data").count();
        assert_eq!(tests.tests.len(), inputs, "{kind}: every object has a test");
        for test in tests.tests {
            let said = health(&folder.join("health.lua"), &object(&folder.join(&test.input_path)));
            let expected = (test.health_status.status, test.health_status.message);
            assert_eq!(said, expected, "{kind} {}", test.input_path);
        }
    }
}

#[test]
fn a_spent_budget_degrades_only_where_that_is_wanted() {
    let folder = tempfile::tempdir().expect("there should be room for a folder");
    let strict = folder.path().join("health.lua");
    let text = std::fs::read_to_string(script()).expect("the script should be there");
    let changed = text.replace("local exhausted_degrades = false", "local exhausted_degrades = true");
    assert_ne!(text, changed);
    std::fs::write(&strict, changed).expect("there should be room for a file");
    let spent = object(&root().join(FOLDER).join("AgentSLO/testdata/exhausted.yaml"));
    assert_eq!(health(&script(), &spent).0, "Healthy");
    let expected = ("Degraded".to_owned(), "Exhausted: the budget is spent".to_owned());
    assert_eq!(health(&strict, &spent), expected);
    let fine = object(&root().join(FOLDER).join("AgentSLO/testdata/healthy.yaml"));
    assert_eq!(health(&strict, &fine).0, "Healthy");
}

/// As cli-utils computes it, which Flux, kpt and Helm's `--wait` use: `pkg/kstatus/status`.
pub(crate) fn kstatus(object: &Value) -> &'static str {
    let status = &object["status"];
    if object["metadata"].get("deletionTimestamp").is_some() {
        return "Terminating";
    }
    let observed = status.get("observedGeneration");
    if observed.is_some_and(|observed| *observed != object["metadata"]["generation"]) {
        return "InProgress";
    }
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    for condition in conditions.iter().filter(|condition| condition["status"] == "True") {
        match condition["type"].as_str() {
            Some("Reconciling") => return "InProgress",
            Some("Stalled") => return "Failed",
            Some(_) | None => {}
        }
    }
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
    match ready.and_then(|ready| ready["status"].as_str()) {
        Some("False" | "Unknown") => "InProgress",
        Some(_) | None => "Current",
    }
}

#[test]
fn argo_cd_and_kstatus_do_not_contradict_each_other() {
    for kind in KINDS {
        let data = root().join(FOLDER).join(kind).join("testdata");
        for entry in std::fs::read_dir(data).expect("there should be data") {
            let file = entry.expect("an entry should be readable").path();
            let object = object(&file);
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let agreeing: &[&str] = match health(&script(), &object).0.as_str() {
                "Healthy" => &["Current"],
                // It has no word for suspension, nor for an object that nobody has looked at.
                "Suspended" => &["Current", "InProgress"],
                "Progressing" if name == "new" => &["Current"],
                "Progressing" => &["InProgress"],
                // Prometheus' verdict may come yet, which kstatus waits for.
                "Degraded" if name == "not-selected" => &["InProgress"],
                "Degraded" => &["Failed"],
                other => panic!("{kind} {name}: {other}"),
            };
            assert!(agreeing.contains(&kstatus(&object)), "{kind} {name}: {}", kstatus(&object));
        }
    }
}
