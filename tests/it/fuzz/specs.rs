//! Specs made from the schemas, some of them bent, through validation and rendering.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use agentslo::render::ArtifactKind;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::bends::{Bend, bend};
use super::consumers;
use super::documents::spec;
use super::judgement::{Documents, Judgement, resource};
use super::{Input, fuzz, keep};
use crate::consumers::promtool;
use crate::faults::values;

pub(super) const TARGET: &str = "specs";
/// Most rule files that promtool is asked about.
const MOST_RULE_FILES: usize = 1000;

/// Specs of the three kinds, with a few nodes bent.
fn documents() -> impl Strategy<Value = Documents> {
    let platform = prop_oneof![2 => Just(values::platform()), 1 => spec("AgentPlatform")];
    let bends = || prop_oneof![2 => Just(Vec::new()), 3 => vec(bend(), 1..4)];
    (platform, spec("AgentObservability"), spec("AgentSLO"), bends(), bends(), bends()).prop_map(
        |(platform, observability, slo, of_platform, of_observability, of_slo)| Documents {
            platform: bent("AgentPlatform", "default", platform, &of_platform),
            observability: bent("AgentObservability", "support", observability, &of_observability),
            slo: bent("AgentSLO", "checkout", slo, &of_slo),
        },
    )
}

fn bent(kind: &str, name: &str, mut spec: Value, bends: &[Bend]) -> Value {
    for bend in bends {
        bend.apply(&mut spec, kind);
    }
    resource(kind, name, &spec)
}

#[test]
fn whatever_is_written_is_refused_with_a_reason_or_rendered_for_its_readers() {
    let rules: RefCell<Vec<(Value, Documents)>> = RefCell::default();
    let accepted: RefCell<BTreeMap<&str, u32>> = RefCell::default();
    fuzz(TARGET, 400, &documents(), |documents| {
        let judgement = Judgement::of(documents);
        let kinds = [
            ("AgentPlatform", judgement.platform.is_some()),
            ("AgentObservability", judgement.observability.is_some()),
            ("AgentSLO", judgement.slo.is_some()),
        ];
        for (kind, _) in kinds.into_iter().filter(|(_, is_accepted)| *is_accepted) {
            *accepted.borrow_mut().entry(kind).or_default() += 1;
        }
        judgement.check_refusals()?;
        judgement.check_admission()?;
        let artifacts = judgement.artifacts();
        if rules.borrow().len() < MOST_RULE_FILES {
            let of_rules =
                artifacts.iter().filter(|artifact| artifact.kind() == ArtifactKind::PrometheusRule);
            let specs = of_rules.map(|artifact| artifact.to_value()["spec"].clone());
            rules.borrow_mut().extend(specs.map(|spec| (spec, documents.clone())));
        }
        if artifacts != judgement.artifacts() {
            return Err("rendered twice, it differs".to_owned());
        }
        artifacts.iter().try_for_each(consumers::check)
    });
    promtool_takes(&rules.into_inner());
    let accepted = accepted.into_inner();
    let enough = accepted.len() == 3 && accepted.values().all(|count| *count > 50);
    assert!(enough, "too few specs are accepted for this to mean anything: {accepted:?}");
}

/// Prometheus' own reader, where there is one: many files at a time, and alone what is refused.
fn promtool_takes(rules: &[(Value, Documents)]) {
    let Some(promtool) = promtool() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    for some in rules.chunks(200) {
        let files = some.iter().enumerate().map(|(index, (spec, documents))| {
            let file = folder.path().join(format!("{index}.yaml"));
            let text = serde_saphyr::to_string(spec).expect("rule files should have only string keys");
            std::fs::write(&file, text).expect("a temporary file should be possible");
            (file, documents)
        });
        let files: Vec<(PathBuf, &Documents)> = files.collect();
        let refused = |files: &[&PathBuf]| {
            let output = Command::new(&promtool).args(["check", "rules"]).args(files).output();
            let output = output.expect("promtool should start");
            (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let all: Vec<&PathBuf> = files.iter().map(|(file, _)| file).collect();
        if refused(&all).is_none() {
            continue;
        }
        for (file, documents) in &files {
            if let Some(why) = refused(&[file]) {
                keep(TARGET, &documents.to_bytes());
                panic!("promtool refuses the rules of {documents:?}: {why}");
            }
        }
    }
}
