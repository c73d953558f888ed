//! Every mistake of the catalogue that a schema does not see, made and put right: while it is made what was
//! in force stays in force, and afterwards everything is as before. What CEL refuses is tried as well, for
//! there are clusters without it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::moment::{Moment, moment};
use super::values;
use super::world::{Owned, Scene, World};
use crate::fixtures::{self, Fixture};

/// AC3.
#[test]
fn a_mistake_changes_no_child_and_put_right_leaves_no_trace() {
    let mistakes: Vec<(Fixture, Value)> = mistakes();
    assert!(mistakes.len() > 100, "the catalogue should be found, not only {}", mistakes.len());
    let mut world = World::default();
    let before = moment(&mut world, &good());
    assert!(before.refused.is_empty(), "{:?}", before.refused);
    let mut wrong = Vec::new();
    for (fixture, object) in &mistakes {
        let (owner, bad) = scene_with(object);
        let while_bad = moment(&mut world, &bad);
        wrong
            .extend(differences(&while_bad, &before, owner).map(|what| format!("{}: {what}", fixture.place)));
        if moment(&mut world, &good()) != before {
            wrong.push(format!("{}: it leaves a trace", fixture.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The documents of the catalogue that say what they mean and are refused for their spec.
fn mistakes() -> Vec<(Fixture, Value)> {
    let all = fixtures::files().into_iter().flat_map(|file| fixtures::read(&file));
    let is_refused_for_its_spec = |fixture: &Fixture| {
        matches!(fixture.layer.as_str(), "C" | "R")
            && !fixture.expected.is_empty()
            && fixture.expected.iter().all(|line| line.starts_with("spec"))
    };
    all.filter(is_refused_for_its_spec)
        .filter_map(|fixture| Some((serde_saphyr::from_str::<Value>(&fixture.document).ok()?, fixture)))
        .map(|(object, fixture)| (fixture, object))
        .collect()
}

/// Whose spec is wrong, and the scene in which it is.
fn scene_with(object: &Value) -> (&'static str, Scene) {
    let mut bad = good();
    let (owner, spec) = match object["kind"].as_str() {
        Some("AgentSLO") => ("checkout", &mut bad.slo),
        Some("AgentObservability") => ("support", &mut bad.observability),
        _ => ("default", &mut bad.platform),
    };
    spec.clone_from(&object["spec"]);
    (owner, bad)
}

/// What is not as it should be while a mistake is made.
fn differences<'a>(
    while_bad: &'a Moment,
    before: &'a Moment,
    owner: &'a str,
) -> impl Iterator<Item = String> + 'a {
    let is_taken = (!while_bad.refused.contains_key(owner)).then(|| "it is not refused".to_owned());
    let names: BTreeSet<&Owned> = while_bad.children.keys().chain(before.children.keys()).collect();
    let changed = names.into_iter().filter(|name| while_bad.children.get(name) != before.children.get(name));
    is_taken.into_iter().chain(changed.map(|name| format!("{name:?} is not as it was")))
}

/// Something of every part that needs no decision of the platform team.
fn good() -> Scene {
    Scene {
        platform: json!({}),
        observability: json!({
            "agent": "support-agent",
            "scrape": {"selector": {"matchLabels": {"app": "support"}}, "port": "metrics"},
            "guards": {"toolFailure": {}},
            "dashboards": {},
        }),
        slo: values::context("AgentSLO", ""),
    }
}
