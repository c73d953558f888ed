//! What to do with the artifacts, given what exists and what is installed. Decides, does nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::foreign::managed_fields;
use crate::render::{Artifact, ArtifactKind, Artifacts};
use crate::vocabulary::FIELD_MANAGER;

/// Kind and name of a child, in the namespace of its owner.
pub type ChildName = (ArtifactKind, String);

/// What exists in the place of a child.
#[derive(Clone, Debug, PartialEq)]
pub enum Existing {
    /// It is ours, and unchanged since it was last found to have this content.
    Settled {
        /// The content.
        content: Fingerprint,
        /// The state in which it was found.
        version: Version,
    },
    /// It is ours, and was read just now.
    Live {
        /// The object.
        object: Value,
        /// The content that it was last found to have, if we have seen it before.
        known: Option<Fingerprint>,
    },
    /// It was ours, with this content, and is no longer there.
    Gone(Fingerprint),
    /// It belongs to somebody else.
    Foreign {
        /// Who controls it, for people.
        controller: String,
    },
}

impl Existing {
    /// The state in which one of ours was found, where it is there.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Settled { version, .. } => Some(version.clone()),
            Self::Live { object, .. } => Version::of(object),
            Self::Gone(_) | Self::Foreign { .. } => None,
        }
    }
}

/// One state of one object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// Tells the object from others that have or had its name.
    pub uid: String,
    /// Moves with every change of it.
    pub resource_version: String,
}

impl Version {
    fn of(object: &Value) -> Option<Self> {
        let text = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
        Some(Self { uid: text("uid")?, resource_version: text("resourceVersion")? })
    }
}

/// A digest of the content that we set.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of an artifact, with its owner.
    #[must_use]
    pub fn of(artifact: &Artifact) -> Self {
        Self::of_text(&artifact.to_json())
    }

    fn of_text(json: &[u8]) -> Self {
        let digest = Sha256::digest(json);
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(short)
    }
}

/// What to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// To be written.
    pub apply: Vec<Artifact>,
    /// Those of them that were as desired until somebody else changed or deleted them.
    pub corrects: Vec<ChildName>,
    /// As desired already.
    pub settled: Vec<Artifact>,
    /// Ours, and no longer asked for.
    pub prune: Vec<ChildName>,
    /// Cannot be written, and why.
    pub cannot: Vec<(ChildName, Obstacle)>,
}

/// Why an artifact cannot be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// Its kind is not installed in the cluster.
    NotInstalled,
    /// An object of the same name is not ours.
    Foreign {
        /// Who controls it, for people.
        controller: String,
    },
    /// Its reader would refuse it.
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
}

/// Decides what to do.
#[must_use]
pub fn plan(
    artifacts: Artifacts,
    existing: &BTreeMap<ChildName, Existing>,
    installed: &BTreeSet<ArtifactKind>,
) -> Plan {
    let mut plan = Plan::default();
    let wanted: BTreeSet<ChildName> = artifacts.0.iter().map(child_name).collect();
    for artifact in artifacts.0 {
        place(artifact, existing, installed, &mut plan);
    }
    let ours = |existing: &Existing| matches!(existing, Existing::Settled { .. } | Existing::Live { .. });
    plan.prune = existing
        .iter()
        .filter(|(name, existing)| ours(existing) && !wanted.contains(*name))
        .map(|(name, _)| name.clone())
        .collect();
    plan
}

/// Kind and name of an artifact.
#[must_use]
pub fn child_name(artifact: &Artifact) -> ChildName {
    (artifact.kind(), artifact.name().to_owned())
}

fn place(
    artifact: Artifact,
    existing: &BTreeMap<ChildName, Existing>,
    installed: &BTreeSet<ArtifactKind>,
    plan: &mut Plan,
) {
    let name = child_name(&artifact);
    // Most artifacts are as before, so what is looked at each time is made once.
    let json = artifact.to_json();
    let is_same_as = |known: Fingerprint| known == Fingerprint::of_text(&json);
    let mut cannot = |obstacle| plan.cannot.push((name.clone(), obstacle));
    if !installed.contains(&artifact.kind()) {
        return cannot(Obstacle::NotInstalled);
    }
    if json.len() > artifact.kind().size_limit() {
        return cannot(Obstacle::TooLarge { bytes: json.len() });
    }
    match existing.get(&name) {
        Some(Existing::Foreign { controller }) => {
            cannot(Obstacle::Foreign { controller: controller.clone() });
        }
        Some(Existing::Settled { content, .. }) if is_same_as(*content) => plan.settled.push(artifact),
        Some(Existing::Live { object, .. }) if is_as_desired(object, &artifact) => {
            plan.settled.push(artifact);
        }
        None | Some(Existing::Settled { .. } | Existing::Live { known: None, .. }) => {
            plan.apply.push(artifact);
        }
        Some(Existing::Live { known: Some(known), .. } | Existing::Gone(known)) => {
            // What is asked for has not changed, so somebody else has changed what is there.
            if is_same_as(*known) {
                plan.corrects.push(name);
            }
            plan.apply.push(artifact);
        }
    }
}

/// Whether an object is what an artifact asks for: it holds all of it, and all that is ours in it is asked
/// for. What others added beside it is theirs.
#[must_use]
pub fn is_as_desired(live: &Value, artifact: &Artifact) -> bool {
    let desired = artifact.to_value();
    let lists = if artifact.kind().has_exact_lists() { is_same } else { is_filled_in };
    contains(live, &desired, lists) && managed_fields::are_exactly(FIELD_MANAGER, live, &desired)
}

/// Whether an object holds everything that we set; `same` tells of what is in lists.
fn contains(live: &Value, desired: &Value, same: fn(&Value, &Value) -> bool) -> bool {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => desired
            .iter()
            .all(|(key, desired)| live.get(key).is_some_and(|live| contains(live, desired, same))),
        (live, desired) => same(live, desired),
    }
}

/// Whether two values are the same but for what is filled in where nothing was asked for.
fn is_filled_in(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (Value::Array(live), Value::Array(desired)) => {
            live.len() == desired.len()
                && live.iter().zip(desired).all(|(live, desired)| contains(live, desired, is_filled_in))
        }
        (live, desired) => is_same(live, desired),
    }
}

/// Whether two values are the same. An API server gives back `1` for `1.0`.
fn is_same(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => {
            live.len() == desired.len()
                && desired
                    .iter()
                    .all(|(key, desired)| live.get(key).is_some_and(|live| is_same(live, desired)))
        }
        (Value::Array(live), Value::Array(desired)) => {
            live.len() == desired.len()
                && live.iter().zip(desired).all(|(live, desired)| is_same(live, desired))
        }
        (Value::Number(live), Value::Number(desired)) => live == desired || live.as_f64() == desired.as_f64(),
        (live, desired) => live == desired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::{PrometheusRule, PrometheusRuleSpec};

    fn artifact(kind: &str) -> Artifact {
        let metadata = kube::api::ObjectMeta { name: Some("x".to_owned()), ..Default::default() };
        Artifact::PrometheusRule(PrometheusRule {
            api_version: "monitoring.coreos.com/v1".to_owned(),
            kind: kind.to_owned(),
            metadata,
            spec: PrometheusRuleSpec { groups: Vec::new() },
        })
    }

    /// An artifact as the API server has it after we applied it.
    fn applied(artifact: &Artifact) -> Value {
        let mut object = artifact.to_value();
        object["metadata"]["managedFields"] = serde_json::json!([
            {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:groups": {}}}},
        ]);
        object
    }

    /// How many objects are written, and how many of these because somebody else changed them.
    fn counts(wanted: &Artifact, existing: Option<Existing>) -> (usize, usize) {
        let existing = existing.map(|existing| (child_name(wanted), existing)).into_iter().collect();
        let plan = plan(Artifacts(vec![wanted.clone()]), &existing, &ArtifactKind::ALL.into());
        assert_eq!(plan.prune, []);
        (plan.apply.len(), plan.corrects.len())
    }

    #[test]
    fn what_is_in_a_list_is_the_same_or_not_as_desired() {
        let rule = serde_json::json!({"rules": [{"alert": "a", "limit": 1.0}]});
        let live = |rule: Value| serde_json::json!({"rules": [rule], "theirs": true});
        let holds = |live_rule: Value, same| contains(&live(live_rule), &rule, same);
        assert!(holds(serde_json::json!({"alert": "a", "limit": 1}), is_same));
        assert!(!holds(serde_json::json!({"alert": "a", "limit": 2}), is_same));
        let longer = serde_json::json!({"alert": "a", "limit": 1, "for": "30d"});
        assert!(!holds(longer.clone(), is_same));
        assert!(holds(longer, is_filled_in), "of a workload the API server fills in what is left open");
        assert!(!holds(serde_json::json!({"alert": "b", "limit": 1}), is_filled_in));
    }

    #[test]
    fn only_what_others_changed_is_corrected() {
        let (wanted, before) = (artifact("now"), artifact("before"));
        let live = |object: &Artifact, known: Option<&Artifact>| Existing::Live {
            object: applied(object),
            known: known.map(Fingerprint::of),
        };
        let settled = |object: &Artifact| Existing::Settled {
            content: Fingerprint::of(object),
            version: Version { uid: "u".to_owned(), resource_version: "7".to_owned() },
        };
        assert_eq!(counts(&wanted, None), (1, 0), "new");
        assert_eq!(counts(&wanted, Some(settled(&wanted))), (0, 0), "at rest");
        assert_eq!(counts(&wanted, Some(settled(&before))), (1, 0), "our own new spec, at rest before");
        assert_eq!(counts(&wanted, Some(live(&wanted, Some(&wanted)))), (0, 0), "touched, not changed");
        assert_eq!(counts(&wanted, Some(live(&before, Some(&wanted)))), (1, 1), "changed by somebody");
        assert_eq!(counts(&wanted, Some(Existing::Gone(Fingerprint::of(&wanted)))), (1, 1), "deleted");
        assert_eq!(counts(&wanted, Some(live(&before, Some(&before)))), (1, 0), "our own new spec");
        assert_eq!(counts(&wanted, Some(live(&before, None))), (1, 0), "after a restart nobody knows");
        assert_eq!(counts(&wanted, Some(Existing::Gone(Fingerprint::of(&before)))), (1, 0), "both at once");
    }
}
