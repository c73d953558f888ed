//! Every rendered example, read by its readers: PromQL by a parser, rule files by promtool.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use agentslo::domain::slo::Slo;
use agentslo::render::{self, Artifact, rules};
use serde_json::json;

use crate::example;
use crate::promql::{parsed, texts};
use crate::spec::{valid, with_indicator};

/// What a rule file with nothing unusual may cost.
const RULES: usize = 12;
/// Prometheus-operator refuses more groups than a tenant may have; two are enough.
const GROUPS: usize = 2;
/// Mimir's default for rules in a group.
const RULES_IN_A_GROUP: usize = 20;

#[test]
fn every_query_of_every_example_parses() {
    for example in example::all() {
        for rule in crate::promql::rules_of(&example.slo) {
            for text in texts(&rule) {
                parsed(&text);
            }
        }
    }
}

#[test]
fn every_rule_object_stays_within_what_its_readers_take() {
    for example in example::all() {
        let groups = rules::groups(&example.slo);
        let rules: usize = groups.iter().map(|group| group.rules.len()).sum();
        assert!(groups.len() == GROUPS && rules <= RULES, "{} has {rules} rules", example.name);
        assert!(groups.iter().all(|group| group.rules.len() <= RULES_IN_A_GROUP), "{}", example.name);
        for artifact in example.artifacts().0 {
            let size = artifact.to_value().to_string().len();
            assert!(size < artifact.kind().size_limit(), "{} has {size} bytes", example.name);
        }
    }
}

#[test]
fn group_names_are_unique_in_a_prometheus() {
    let names: Vec<String> = example::all()
        .iter()
        .flat_map(|example| rules::groups(&example.slo))
        .map(|group| group.name)
        .collect();
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
}

#[test]
fn every_rule_is_a_recording_or_an_alert_and_not_both() {
    for example in example::all() {
        for rule in crate::promql::rules_of(&example.slo) {
            assert!(rule.record.is_some() != rule.alert.is_some(), "{}: {}", example.name, rule.expr);
        }
    }
}

/// `make test` sets AGENTSLO_SERVERS, and then promtool must be there; without it, PATH is tried, and
/// without either, the parser above has to do.
#[test]
fn promtool_takes_every_rule_file_without_a_word() {
    let Some(promtool) = promtool() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    let mut files: Vec<PathBuf> = example::all()
        .iter()
        .flat_map(|example| rule_files(&example.name, &example.slo, folder.path()))
        .collect();
    files.extend(rule_files("hostile", &hostile(), folder.path()));
    let output = Command::new(promtool)
        .args(["check", "rules", "--lint=all", "--lint-fatal"])
        .args(&files)
        .output()
        .expect("promtool should start");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool refused:\n{said}{complained}");
    assert_eq!(said.matches("SUCCESS").count(), files.len(), "{said}");
    assert_eq!(complained, "", "promtool should not warn");
}

pub(crate) fn promtool() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("AGENTSLO_SERVERS") {
        let promtool = Path::new(&folder).join("promtool");
        assert!(promtool.exists(), "AGENTSLO_SERVERS is set, so {} should exist", promtool.display());
        return Some(promtool);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("promtool")).find(|file| file.exists())
}

/// The `spec` of a PrometheusRule is a rule file.
fn rule_files(name: &str, slo: &Slo, folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for artifact in render::slo(slo).0 {
        let Artifact::PrometheusRule(rule) = artifact else { panic!("an AgentSLO becomes rules") };
        let file = folder.join(format!("{name}.yaml"));
        let text = serde_saphyr::to_string(&rule.spec).expect("rule files should have only string keys");
        std::fs::write(&file, text).expect("a temporary file should be possible");
        files.push(file);
    }
    files
}

/// Text that tries to end every literal on its way: in JSON, YAML, PromQL and Go's templates.
fn hostile() -> Slo {
    let text = "a\"} or up{x=\"\\ ` # %q }} \u{2028}\u{fffd}\u{feff} $window : é'";
    let mut spec = with_indicator(&json!({"evaluation": {"evaluator": text, "goodLabels": [text]}}));
    spec["agent"] = text.into();
    spec["description"] = text.into();
    spec["groupBy"] = json!(["model", "a.b"]);
    spec["telemetry"] = json!({"matchers": [{"label": "x.y", "op": "NotEqual", "value": text}]});
    spec["alerting"] = json!({"labels": {"team": text}, "annotations": {"note": text}});
    valid(&spec)
}
