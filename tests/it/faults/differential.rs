//! The way there leaves no trace: a spec that came after another ends as if there had been no other.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::Value;

use super::leaves::LEAVES;
use super::moment::{Moment, moment};
use super::world::{Scene, World};

/// Pairs of a run of the tests; a soak has a fifth of its seeds.
const PAIRS: u32 = 2_000;

/// A leaf, unset, set or changed.
type Pick = (usize, usize);

/// AC2.
#[test]
fn what_was_asked_for_in_between_does_not_matter() {
    let soak = std::env::var("SOAK").ok().map(|seeds| seeds.parse::<u32>());
    let pairs = soak.map_or(PAIRS, |seeds| seeds.expect("SOAK should be a number") / 5);
    let pick = || (any::<usize>(), 0..3_usize);
    let config = Config { cases: pairs, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result =
        TestRunner::new_with_rng(config, random).run(&(pick(), pick(), pick()), |(first, between, last)| {
            let scenes = specs([first, between, last]);
            let wrong = detour(&scenes).join("\n");
            if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{wrong}\n{scenes:#?}"))) }
        });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// What differs when one spec comes between two others.
fn detour([first, between, last]: &[Scene; 3]) -> Vec<String> {
    let (mut direct, mut roundabout) = (World::default(), World::default());
    direct.reconcile(first);
    let expected = moment(&mut direct, last);
    roundabout.reconcile(first);
    roundabout.reconcile(between);
    differences(&moment(&mut roundabout, last), &expected)
}

/// Three scenes with leaves of one kind, which is that of the last. All have the Prometheus of the last: what was
/// said of one stays until another has answered, and here none answers.
fn specs(picks: [Pick; 3]) -> [Scene; 3] {
    let last = &LEAVES[picks[2].0 % LEAVES.len()];
    let of_kind: Vec<_> = LEAVES.iter().filter(|leaf| leaf.kind == last.kind).collect();
    let mut scenes = picks.map(|(leaf, state)| {
        let leaf = of_kind[leaf % of_kind.len()];
        let transitions = leaf.transitions();
        let spec: Value = [transitions.unset, transitions.set, transitions.changed][state].clone();
        Scene::around(&leaf.kind, &last.path, &spec)
    });
    let prometheus = scenes[2].platform.get("prometheus").cloned();
    for scene in &mut scenes {
        let platform = scene.platform.as_object_mut().expect("a spec should be an object");
        platform.remove("prometheus");
        platform.extend(prometheus.clone().map(|prometheus| ("prometheus".to_owned(), prometheus)));
    }
    scenes
}

/// What differs, but for what stands still.
fn differences(found: &Moment, expected: &Moment) -> Vec<String> {
    let mut wrong = Vec::new();
    let (found, expected) = (found.in_force(), expected.in_force());
    if found.refused != expected.refused {
        wrong.push(format!("refused: {:?} not {:?}", found.refused, expected.refused));
    }
    for name in found.children.keys().chain(expected.children.keys()) {
        if found.children.get(name) != expected.children.get(name) {
            wrong.push(format!("child {name:?}"));
        }
    }
    for (name, status) in &found.statuses {
        if expected.statuses.get(name) != Some(status) {
            wrong.push(format!("status of {name}: {status} not {:?}", expected.statuses.get(name)));
        }
    }
    wrong
}
