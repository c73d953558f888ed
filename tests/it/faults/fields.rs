//! Every leaf of every schema: set, changed and unset, it leaves nothing behind, and it changes something.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::thread;

use serde_json::Value;

use super::leaves::{LEAVES, Leaf, Transitions};
use super::moment::{Moment, moment};
use super::values::context;
use super::world::{Owned, Scene, World};

/// Leaves that change no child and no status, and why.
const AFFECTS_NOTHING: &[(&str, &str)] = &[
    ("AgentPlatform.spec.namespaceSelector.matchExpressions[].key", SELECTS),
    ("AgentPlatform.spec.namespaceSelector.matchExpressions[].operator", SELECTS),
    ("AgentPlatform.spec.namespaceSelector.matchExpressions[].values[]", SELECTS),
    ("AgentPlatform.spec.namespaceSelector.matchLabels.*", SELECTS),
    ("AgentPlatform.spec.prometheus.address", ASKS),
    ("AgentPlatform.spec.prometheus.credentials.bearerTokenSecret.key", ASKS),
    ("AgentPlatform.spec.prometheus.credentials.bearerTokenSecret.name", ASKS),
    ("AgentPlatform.spec.prometheus.tenantHeader.name", ASKS),
    ("AgentPlatform.spec.prometheus.tenantHeader.value", ASKS),
    ("AgentPlatform.spec.prometheus.tls.caSecret.key", ASKS),
    ("AgentPlatform.spec.prometheus.tls.caSecret.name", ASKS),
];

/// The shell looks it up before any stage.
const SELECTS: &str = "which AgentPlatform governs a namespace is not a matter of validation or rendering";
/// Before it has answered, the status goes on saying what it said.
const ASKS: &str = "which Prometheus is asked and how: only its answer shows";

/// A leaf that was set, changed and unset.
struct Visit {
    leaf: &'static Leaf,
    never: Moment,
    set: Moment,
    changed: Moment,
    unset: Moment,
}

/// Every leaf, visited once for all tests.
static VISITS: LazyLock<Vec<Visit>> = LazyLock::new(|| {
    assert!(LEAVES.len() > 150, "the leaves should be found, not only {}", LEAVES.len());
    let leaves: &'static [Leaf] = &LEAVES;
    let parts: Vec<_> = leaves
        .chunks(leaves.len() / 4 + 1)
        .map(|leaves| thread::spawn(|| leaves.iter().map(visit).collect::<Vec<_>>()))
        .collect();
    parts.into_iter().flat_map(|part| part.join().expect("a leaf should be visited")).collect()
});

fn visit(leaf: &'static Leaf) -> Visit {
    let Transitions { unset, set, changed } = leaf.transitions();
    let scene = |spec: &Value| Scene::around(&leaf.kind, &leaf.path, spec);
    let (mut world, mut without) = (World::default(), scene(&unset));
    let mut never = moment(&mut world, &without);
    // What admission asks for beside the leaf may make it one that cannot be missing.
    if never.refused.contains_key(owner(&leaf.kind)) {
        (world, without) = (World::default(), scene(&context(&leaf.kind, &leaf.path)));
        never = moment(&mut world, &without);
    }
    let set = moment(&mut world, &scene(&set));
    let changed = moment(&mut world, &scene(&changed));
    let unset = moment(&mut world, &without);
    Visit { leaf, never, set, changed, unset }
}

/// Whose spec the leaves of a kind are in.
fn owner(kind: &str) -> &'static str {
    match kind {
        "AgentSLO" => "checkout",
        "AgentObservability" => "support",
        _ => "default",
    }
}

#[test]
fn every_leaf_has_two_values_that_are_valid() {
    let mut wrong = Vec::new();
    for Visit { leaf, never, set, changed, .. } in VISITS.iter() {
        for (what, moment) in [("unset", never), ("set", set), ("changed", changed)] {
            if let Some(why) = moment.refused.get(owner(&leaf.kind)) {
                wrong.push(format!("{} {what}: {why}", leaf.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// AC1: what is refused keeps what it had; whatever else there is, is as if the leaf had never been written.
#[test]
fn what_is_unset_leaves_nothing_behind() {
    let mut wrong = Vec::new();
    for Visit { leaf, never, changed, unset, .. } in VISITS.iter() {
        let is_refused = |name: &str| never.refused.contains_key(name);
        let taken = |moment: &Moment, refused: bool| -> BTreeMap<Owned, Value> {
            let mut children = moment.children.clone();
            children.retain(|(name, _), _| is_refused(name) == refused);
            children
        };
        if taken(unset, false) != taken(never, false) || taken(unset, true) != taken(changed, true) {
            wrong.push(format!("{}: children", leaf.name()));
        }
        for (name, status) in unset.statuses.iter().filter(|(name, _)| !is_refused(name)) {
            let expected = &never.statuses[name];
            if expected != status {
                wrong.push(format!("{}: status of {name}: {status} not {expected}", leaf.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// AC4: a field that changes nothing is a promise that nobody keeps.
#[test]
fn every_leaf_changes_a_child_or_a_status() {
    let mut wrong = Vec::new();
    for Visit { leaf, never, set, changed, .. } in VISITS.iter() {
        let matters = never != set || set != changed;
        let is_listed = AFFECTS_NOTHING.iter().any(|(path, _)| *path == leaf.name());
        if matters == is_listed {
            let what = if matters { "is listed and matters" } else { "changes nothing" };
            wrong.push(format!("{} {what}", leaf.name()));
        }
    }
    let is_leaf = |path: &str| LEAVES.iter().any(|leaf| leaf.name() == path);
    wrong.extend(
        AFFECTS_NOTHING
            .iter()
            .filter(|(path, _)| !is_leaf(path))
            .map(|(path, _)| format!("{path} is no leaf")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
