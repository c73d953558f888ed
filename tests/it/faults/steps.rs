//! What people and machines do to a cluster in a storm, one step at a time.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use agentslo::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::leaves::{LEAVES, Leaf};
use super::stage::{Stage, namespace, pass, resource};
use super::values;
use crate::support::OPERATORS;

/// Kind, namespace and name of what people write.
pub(crate) type Written = (&'static str, &'static str, &'static str);

const WRITTEN: [Written; 7] = [
    ("AgentSLO", "team-a", "one"),
    ("AgentSLO", "team-a", "two"),
    ("AgentSLO", "team-b", "one"),
    ("AgentObservability", "team-a", "second"),
    ("AgentObservability", "team-a", "support"),
    ("AgentPlatform", "", "canary"),
    ("AgentPlatform", "", "default"),
];

/// Kinds that may be missing for a while.
const KINDS: [&str; 3] = ["prometheusrules", "podmonitors", "configmaps"];

/// One step, and the time that passes after it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    deed: Deed,
    pause: Duration,
}

/// What happens.
#[derive(Clone, Debug)]
enum Deed {
    /// A spec in which a leaf is unset, set or changed is written.
    Write {
        which: usize,
        leaf: usize,
        state: usize,
    },
    /// Suspended, or no longer.
    Suspend {
        which: usize,
    },
    /// Another agent.
    Move {
        which: usize,
    },
    Delete {
        which: usize,
    },
    /// Deleted, and made anew at once.
    Recreate {
        which: usize,
    },
    /// A child is changed or deleted by hand.
    Disturb {
        child: usize,
        how: Disturbance,
    },
    /// A namespace gets the label that the other AgentPlatform asks for, or loses it.
    Label,
    Uninstall {
        kind: usize,
    },
    Install {
        kind: usize,
    },
    Start {
        operator: usize,
    },
    Kill {
        operator: usize,
    },
    Stop {
        operator: usize,
    },
    /// An operator hears nothing for a while, and nobody hears it.
    Hold {
        operator: usize,
        seconds: u64,
    },
    CollectGarbage,
    Compact,
    Wait {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Disturbance {
    Empty,
    Unlabel,
    Delete,
}

/// Any steps, so many of them.
pub(crate) fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (deed(), 0..3_000_u64);
    vec(step.prop_map(|(deed, pause)| Step { deed, pause: Duration::from_millis(pause) }), 1..=count)
}

fn deed() -> impl Strategy<Value = Deed> {
    let (which, operator) = (0..WRITTEN.len(), 0..OPERATORS.len());
    let children = 0..WRITTEN.len() - 2;
    let how = prop_oneof![Just(Disturbance::Empty), Just(Disturbance::Unlabel), Just(Disturbance::Delete)];
    prop_oneof![
        8 => (which.clone(), any::<usize>(), 0..3_usize)
            .prop_map(|(which, leaf, state)| Deed::Write { which, leaf, state }),
        1 => children.clone().prop_map(|which| Deed::Suspend { which }),
        1 => children.prop_map(|which| Deed::Move { which }),
        1 => which.clone().prop_map(|which| Deed::Delete { which }),
        1 => which.prop_map(|which| Deed::Recreate { which }),
        4 => (any::<usize>(), how).prop_map(|(child, how)| Deed::Disturb { child, how }),
        1 => Just(Deed::Label),
        1 => (0..KINDS.len()).prop_map(|kind| Deed::Uninstall { kind }),
        2 => (0..KINDS.len()).prop_map(|kind| Deed::Install { kind }),
        3 => operator.clone().prop_map(|operator| Deed::Start { operator }),
        1 => operator.clone().prop_map(|operator| Deed::Kill { operator }),
        1 => operator.clone().prop_map(|operator| Deed::Stop { operator }),
        1 => (operator, 1..40_u64).prop_map(|(operator, seconds)| Deed::Hold { operator, seconds }),
        2 => Just(Deed::CollectGarbage),
        1 => Just(Deed::Compact),
        1 => (1..120_u64).prop_map(|seconds| Deed::Wait { seconds }),
    ]
}

/// A cluster in a storm: what people want to be there, and what is.
#[derive(Default)]
pub(crate) struct Storm {
    pub(crate) stage: Stage,
    /// The specs that were written last.
    specs: BTreeMap<Written, Value>,
    is_labelled: bool,
}

impl Storm {
    /// Two namespaces and an AgentPlatform that offers everything.
    pub(crate) fn new() -> Self {
        let mut storm = Self::default();
        storm.stage.server.set_littered(true);
        storm.write(WRITTEN[6], platform());
        storm.write_namespaces();
        storm.stage.start(0);
        storm
    }

    pub(crate) async fn take(&mut self, Step { deed, pause }: &Step) {
        match deed {
            Deed::Write { which, leaf, state } => {
                let written = WRITTEN[*which];
                self.write(written, spec(written, *leaf, *state));
            }
            Deed::Suspend { which } => self.edit(*which, |spec| {
                spec["suspend"] = (spec["suspend"] != true).into();
            }),
            Deed::Move { which } => self.edit(*which, |spec| {
                let is_support = spec["agent"] == "support-agent";
                spec["agent"] = if is_support { "billing-agent" } else { "support-agent" }.into();
            }),
            Deed::Delete { which } => self.delete(WRITTEN[*which]),
            Deed::Recreate { which } => {
                if let Some(spec) = self.specs.get(&WRITTEN[*which]).cloned() {
                    self.delete(WRITTEN[*which]);
                    self.write(WRITTEN[*which], spec);
                }
            }
            Deed::Disturb { child, how } => self.disturb(*child, *how),
            Deed::Label => {
                self.is_labelled = !self.is_labelled;
                self.write_namespaces();
            }
            Deed::Uninstall { kind } => self.stage.server.uninstall(KINDS[*kind]),
            Deed::Install { kind } => self.stage.server.install(KINDS[*kind]),
            Deed::Start { operator } => self.stage.start(*operator),
            Deed::Kill { operator } => self.stage.kill(*operator).await,
            Deed::Stop { operator } => self.stage.stop(*operator).await,
            Deed::Hold { operator, seconds } => {
                self.stage.server.hold(OPERATORS[*operator], Duration::from_secs(*seconds));
            }
            Deed::CollectGarbage => self.stage.server.collect_garbage(),
            Deed::Compact => self.stage.server.compact(),
            Deed::Wait { seconds } => pass(Duration::from_secs(*seconds)).await,
        }
        pass(*pause).await;
    }

    /// From now on nothing goes wrong, and one operator is there.
    pub(crate) async fn calm(&mut self) {
        let server = &self.stage.server;
        server.set_weather(None);
        server.set_littered(false);
        server.collect_garbage();
        for operator in OPERATORS {
            server.hold(operator, Duration::ZERO);
        }
        for kind in KINDS {
            server.install(kind);
        }
        self.stage.kill(1).await;
        self.stage.start(0);
    }

    /// A fresh operator in a fresh cluster in which the same is asked for.
    pub(crate) fn anew(&self) -> Self {
        let mut anew = Self { is_labelled: self.is_labelled, ..Self::default() };
        anew.write_namespaces();
        for (written, spec) in &self.specs {
            anew.write(*written, spec.clone());
        }
        anew.stage.start(0);
        anew
    }

    fn write_namespaces(&self) {
        let labels = if self.is_labelled { json!({"tier": "canary"}) } else { json!({}) };
        self.stage.write(&namespace("team-a", &labels));
        self.stage.write(&namespace("team-b", &json!({})));
    }

    fn write(&mut self, written: Written, spec: Value) {
        let (kind, namespace, name) = written;
        self.stage.write(&resource(kind, namespace, name, &spec));
        self.specs.insert(written, spec);
    }

    fn edit(&mut self, which: usize, change: impl Fn(&mut Value)) {
        if let Some(mut spec) = self.specs.get(&WRITTEN[which]).cloned() {
            change(&mut spec);
            self.write(WRITTEN[which], spec);
        }
    }

    fn delete(&mut self, written: Written) {
        if let Some(spec) = self.specs.remove(&written) {
            let (kind, namespace, name) = written;
            self.stage.server.delete_now(&resource(kind, namespace, name, &spec));
        }
    }

    fn disturb(&self, child: usize, how: Disturbance) {
        let server = &self.stage.server;
        let mut children = server.everything();
        children.retain(|object| object["metadata"]["ownerReferences"].is_array());
        if children.is_empty() {
            return;
        }
        let child = &children[child % children.len()];
        match how {
            Disturbance::Empty => server.edit_now(child, &json!({"spec": null, "data": null})),
            Disturbance::Unlabel => {
                let label = &child["metadata"]["labels"][MANAGED_BY_LABEL];
                let changed = if *label == MANAGED_BY_VALUE { json!(null) } else { json!("nobody") };
                server.edit_now(child, &json!({"metadata": {"labels": {MANAGED_BY_LABEL: changed}}}));
            }
            Disturbance::Delete => server.delete_now(child),
        }
    }
}

/// The leaves of each kind that a storm changes.
static CHANGED: LazyLock<BTreeMap<&'static str, Vec<&'static Leaf>>> = LazyLock::new(|| {
    let mut changed: BTreeMap<&str, Vec<&Leaf>> = BTreeMap::new();
    // Where Prometheus is would be asked over a network.
    for leaf in LEAVES.iter().filter(|leaf| !leaf.path.starts_with("prometheus")) {
        changed.entry(&leaf.kind).or_default().push(leaf);
    }
    changed
});

/// A spec in which a leaf is unset, set or changed.
fn spec((kind, _, name): Written, leaf: usize, state: usize) -> Value {
    let leaves = &CHANGED[kind];
    let leaf = leaves[leaf % leaves.len()];
    if kind != "AgentPlatform" {
        let transitions = leaf.transitions();
        return [transitions.unset, transitions.set, transitions.changed][state].clone();
    }
    let mut spec = platform();
    if let Some(value) = state.checked_sub(1).and_then(|state| Some(leaf.values()?[state].clone())) {
        leaf.put(&mut spec, &value);
    }
    if name == "canary" {
        spec["ruleLabels"] = json!({"release": "canary"});
        spec["namespaceSelector"] = json!({"matchLabels": {"tier": "canary"}});
    }
    spec
}

fn platform() -> Value {
    let mut platform = values::platform();
    platform.as_object_mut().expect("a spec is an object").remove("prometheus");
    platform
}
