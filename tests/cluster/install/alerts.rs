//! The alerts about the operator itself, each on a story that it is for and beside one that it is not for.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::helm::{Helm, objects, of_kind, root, tool};

fn rules() -> Value {
    let values = ["--set", "monitoring.rules.enabled=true", "--show-only", "templates/prometheusrule.yaml"];
    let text = Helm::offline().template(&values).expect("the rules should render");
    of_kind(&objects(&text), "PrometheusRule").remove(0)["spec"].clone()
}

fn alerts(rules: &Value) -> BTreeSet<String> {
    let groups = rules["groups"].as_array().into_iter().flatten();
    let alerts = groups.flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
    alerts.filter_map(|rule| Some(rule["alert"].as_str()?.to_owned())).collect()
}

/// What promtool complains of.
fn complaint(rules: &Value) -> Option<String> {
    let folder = tempfile::tempdir().expect("there should be room for a folder");
    std::fs::write(folder.path().join("rules.yaml"), rules.to_string()).expect("there should be room");
    let stories = root().join("tests/cluster/install/stories.yaml");
    let test = folder.path().join("stories.yaml");
    std::fs::copy(stories, &test).expect("the stories should be there");
    let output = Command::new(tool("promtool")).args(["test", "rules"]).arg(&test).output();
    let output = output.expect("promtool should start");
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn each_alert_fires_on_its_story_and_on_no_other() {
    let rules = rules();
    assert_eq!(complaint(&rules), None);
    let stories = std::fs::read_to_string(root().join("tests/cluster/install/stories.yaml"));
    let stories = stories.expect("the stories should be there");
    for alert in alerts(&rules) {
        let (fires, silent) = (format!("{alert} fires"), format!("{alert} is silent"));
        assert!(stories.contains(&fires) && stories.contains(&silent), "{alert} has two stories");
    }
}

/// A rule that does not look at what its story is about would pass, were the stories too weak.
#[test]
fn a_fault_in_any_alert_is_found() {
    let sound = rules();
    for name in alerts(&sound) {
        for fault in ["vector(0) > 1", "vector(1)"] {
            let mut faulty = sound.clone();
            let rules = faulty["groups"][0]["rules"].as_array_mut().expect("there should be rules");
            let rule = rules.iter_mut().find(|rule| rule["alert"] == name.as_str());
            rule.expect("the alert should be there")["expr"] = fault.into();
            assert!(complaint(&faulty).is_some(), "{name} as {fault} passes");
        }
    }
}
