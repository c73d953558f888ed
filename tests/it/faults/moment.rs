//! What there is at one moment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::world::{Owned, Scene, World};

/// What there is at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    pub(crate) children: BTreeMap<Owned, Value>,
    pub(crate) statuses: BTreeMap<String, Value>,
    /// Whose spec was refused, and why.
    pub(crate) refused: BTreeMap<String, String>,
    /// Those that go by what something was before it was refused.
    behind: BTreeSet<String>,
}

impl Moment {
    /// The same without what belongs to somebody who is refused or suspended, or goes by somebody who is
    /// refused, and so keeps what it had.
    pub(crate) fn in_force(&self) -> Self {
        let mut in_force = self.clone();
        in_force.children.retain(|(owner, _), _| !self.stands_still(owner));
        in_force.statuses.retain(|owner, _| !self.stands_still(owner));
        in_force.refused.retain(|owner, _| !self.behind.contains(owner));
        in_force
    }

    fn stands_still(&self, owner: &str) -> bool {
        let ready = self.statuses.get(owner).and_then(|status| {
            status["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Ready")
        });
        self.refused.contains_key(owner)
            || self.behind.contains(owner)
            || ready.is_some_and(|ready| ready["reason"] == "Suspended")
    }
}

/// Reconciles everything, and says what there is then.
pub(crate) fn moment(world: &mut World, scene: &Scene) -> Moment {
    world.reconcile(scene);
    Moment {
        children: world.children(),
        statuses: world.statuses(),
        refused: world.refused.clone(),
        behind: world.behind.clone(),
    }
}
