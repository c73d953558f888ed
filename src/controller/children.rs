//! What we know of our children without asking: what a watch says of each, and the content that it was last
//! found to have. At rest no reconciliation reads anything.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::ResourceExt;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::Event;
use tokio::sync::watch;
use tokio::time::Instant;

use super::poison::locked;
use crate::plan::{ChildName, Fingerprint, Version};
use crate::render::ArtifactKind;
use crate::report::Acceptance;

/// Metadata of a child.
pub(super) type ChildMeta = PartialObjectMeta<DynamicObject>;

/// How long a start waits for the lists of children.
const LISTED_WITHIN: Duration = Duration::from_secs(10);

/// How long it is enough to have said that a child is being changed by somebody else.
const DRIFT_SAID_FOR: Duration = Duration::from_hours(1);

/// What a watch says of a child.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) uid: Option<String>,
    pub(super) resource_version: Option<String>,
    /// Who controls it.
    pub(super) controller: Option<Box<OwnerReference>>,
}

impl Seen {
    /// The state that the watch told of.
    pub(super) fn version(self) -> Option<Version> {
        Some(Version { uid: self.uid?, resource_version: self.resource_version? })
    }
}

/// What a child was last found to be.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// The version that was looked at. None where it was found to have changed since.
    pub(super) resource_version: Option<String>,
    /// The content that it has.
    pub(super) fingerprint: Fingerprint,
    /// The generation of its owner that asked for that.
    pub(super) generation: Option<i64>,
    /// What prometheus-operator said of it.
    pub(super) acceptance: Acceptance,
}

/// What we know of all children.
#[derive(Default)]
pub(super) struct Children {
    known: Mutex<Known>,
    /// Kinds of which what there is was listed once.
    listed: watch::Sender<BTreeSet<ArtifactKind>>,
    drifted: Mutex<BTreeMap<(String, ChildName), Instant>>,
}

impl Children {
    /// Follows a watch of one kind, and says which children it tells of. A list counts when it is complete, and
    /// tells then of those that it does not have any more.
    pub(super) fn follow(&self, kind: ArtifactKind, event: Event<ChildMeta>) -> Vec<ChildMeta> {
        let mut known = locked(&self.known);
        match event {
            Event::Init => {
                known.lists.insert(kind, Vec::new());
                Vec::new()
            }
            Event::InitApply(child) => {
                known.lists.entry(kind).or_default().push((place(kind, &child), seen(&child)));
                vec![child]
            }
            Event::InitDone => {
                self.listed.send_if_modified(|listed| listed.insert(kind));
                known.take_list(kind)
            }
            Event::Apply(child) => {
                known.child(place(kind, &child)).seen = Some(seen(&child));
                vec![child]
            }
            Event::Delete(child) => {
                known.lose(&place(kind, &child));
                vec![child]
            }
        }
    }

    /// Done when what there is of these kinds was listed, or after a while: where a list is refused, a child is
    /// read when its owner is looked at.
    pub(super) async fn listed(&self, kinds: &BTreeSet<ArtifactKind>) {
        let mut listed = self.listed.subscribe();
        let all = listed.wait_for(|listed| listed.is_superset(kinds));
        let _ = tokio::time::timeout(LISTED_WITHIN, all).await;
    }

    /// What the watch says of a child, if it is there.
    pub(super) fn seen(&self, namespace: &str, name: &ChildName) -> Option<Seen> {
        locked(&self.known).get(namespace, name)?.seen.clone()
    }

    /// All children of a kind in a namespace that are there, as a watch would tell of them.
    pub(super) fn of_kind(&self, kind: ArtifactKind, namespace: &str) -> Vec<ChildMeta> {
        let known = locked(&self.known);
        let all = known.children.get(namespace).into_iter().flatten();
        let of_kind = all.filter(|((other, _), _)| *other == kind);
        of_kind.filter_map(|(name, child)| Some(meta(namespace, name, child.seen.as_ref()?))).collect()
    }

    /// Names of the children of an owner that are there.
    pub(super) fn owned_by(&self, namespace: &str, owner: &str) -> BTreeSet<ChildName> {
        let known = locked(&self.known);
        let is_owned = |child: &Child| child.controller().is_some_and(|controller| controller.uid == owner);
        let all = known.children.get(namespace).into_iter().flatten();
        all.filter(|(_, child)| is_owned(child)).map(|(name, _)| name.clone()).collect()
    }

    /// Whether somebody changed or deleted a child since it was last looked at.
    pub(super) fn is_disturbed(&self, namespace: &str, name: &ChildName) -> bool {
        let known = locked(&self.known);
        let Some(Child { seen, settled: Some(settled) }) = known.get(namespace, name) else { return false };
        let version = seen.as_ref().and_then(|seen| seen.resource_version.as_ref());
        settled.resource_version.is_none() || version != settled.resource_version.as_ref()
    }

    /// What the child was last found to be.
    pub(super) fn settled(&self, namespace: &str, name: &ChildName) -> Option<Settled> {
        locked(&self.known).get(namespace, name)?.settled.clone()
    }

    /// Notes what a child was found to be.
    pub(super) fn settle(&self, namespace: &str, name: &ChildName, settled: Settled) {
        locked(&self.known).child((namespace.to_owned(), name.clone())).settled = Some(settled);
    }

    /// Notes that a child has changed since it was looked at, so that it is read before it is written again. What
    /// it was found to be stays known: by that, a change of somebody else is told from our own.
    pub(super) fn doubt(&self, namespace: &str, name: &ChildName) {
        locked(&self.known).change(&(namespace.to_owned(), name.clone()), |child| {
            child.settled.iter_mut().for_each(|settled| settled.resource_version = None);
        });
    }

    /// Forgets what a child was found to be.
    pub(super) fn forget(&self, namespace: &str, name: &ChildName) {
        locked(&self.known).forget(&(namespace.to_owned(), name.clone()));
    }

    /// Forgets what the children of an owner that is gone were found to be: nobody will look at them again.
    pub(super) fn abandon(&self, namespace: &str, owner: &str) {
        for name in self.owned_by(namespace, owner) {
            self.forget(namespace, &name);
        }
    }

    /// The same for all owners of a kind but those that are there.
    pub(super) fn abandon_all_but(&self, kind: &str, there: &BTreeSet<String>) {
        let is_gone = |owner: &OwnerReference| owner.kind == kind && !there.contains(&owner.uid);
        let mut known = locked(&self.known);
        for child in known.children.values_mut().flat_map(BTreeMap::values_mut) {
            if child.controller().is_some_and(is_gone) {
                child.settled = None;
            }
        }
        known.leave_out_unknown();
    }

    /// Notes that somebody else had changed a child; says whether that is worth saying again.
    pub(super) fn note_drift(&self, namespace: &str, name: &ChildName) -> bool {
        let mut drifted = locked(&self.drifted);
        drifted.retain(|_, said| said.elapsed() < DRIFT_SAID_FOR);
        let key = (namespace.to_owned(), name.clone());
        let is_news = !drifted.contains_key(&key);
        drifted.entry(key).or_insert_with(Instant::now);
        is_news
    }
}

/// Namespace, kind and name of a child.
type Place = (String, ChildName);

/// One child: what the watch says of it, and what it was found to be. One of the two there always is.
#[derive(Default)]
struct Child {
    seen: Option<Seen>,
    settled: Option<Settled>,
}

#[derive(Default)]
struct Known {
    children: BTreeMap<String, BTreeMap<ChildName, Child>>,
    /// Lists under way.
    lists: BTreeMap<ArtifactKind, Vec<(Place, Seen)>>,
}

impl Known {
    fn get(&self, namespace: &str, name: &ChildName) -> Option<&Child> {
        self.children.get(namespace)?.get(name)
    }

    fn child(&mut self, (namespace, name): Place) -> &mut Child {
        self.children.entry(namespace).or_default().entry(name).or_default()
    }

    fn take_list(&mut self, kind: ArtifactKind) -> Vec<ChildMeta> {
        let mut before = BTreeMap::new();
        for (namespace, of_namespace) in &mut self.children {
            for (name, child) in of_namespace.iter_mut().filter(|((other, _), _)| *other == kind) {
                before.extend(child.seen.take().map(|seen| ((namespace.clone(), name.clone()), seen)));
            }
        }
        for (place, seen) in self.lists.remove(&kind).unwrap_or_default() {
            before.remove(&place);
            self.child(place).seen = Some(seen);
        }
        self.leave_out_unknown();
        before.iter().map(|((namespace, name), seen)| meta(namespace, name, seen)).collect()
    }

    fn leave_out_unknown(&mut self) {
        for of_namespace in self.children.values_mut() {
            of_namespace.retain(|_, child| child.is_known());
        }
        self.children.retain(|_, of_namespace| !of_namespace.is_empty());
    }

    fn lose(&mut self, place: &Place) {
        self.change(place, |child| child.seen = None);
    }

    fn forget(&mut self, place: &Place) {
        self.change(place, |child| child.settled = None);
    }

    fn change(&mut self, (namespace, name): &Place, change: impl FnOnce(&mut Child)) {
        let Some(of_namespace) = self.children.get_mut(namespace) else { return };
        let Some(child) = of_namespace.get_mut(name) else { return };
        change(child);
        if !child.is_known() {
            of_namespace.remove(name);
        }
        if of_namespace.is_empty() {
            self.children.remove(namespace);
        }
    }
}

impl Child {
    /// Who controls it, as the watch says.
    fn controller(&self) -> Option<&OwnerReference> {
        self.seen.as_ref()?.controller.as_deref()
    }

    fn is_known(&self) -> bool {
        self.seen.is_some() || self.settled.is_some()
    }
}

fn place(kind: ArtifactKind, child: &ChildMeta) -> Place {
    (child.namespace().unwrap_or_default(), (kind, child.name_any()))
}

fn seen(child: &ChildMeta) -> Seen {
    let ObjectMeta { uid, resource_version, owner_references, .. } = &child.metadata;
    let controller = owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    Seen {
        uid: uid.clone(),
        resource_version: resource_version.clone(),
        controller: controller.cloned().map(Box::new),
    }
}

fn meta(namespace: &str, (_, name): &ChildName, seen: &Seen) -> ChildMeta {
    let metadata = ObjectMeta {
        namespace: Some(namespace.to_owned()),
        name: Some(name.clone()),
        uid: seen.uid.clone(),
        resource_version: seen.resource_version.clone(),
        owner_references: seen.controller.as_deref().map(|controller| vec![controller.clone()]),
        ..ObjectMeta::default()
    };
    ChildMeta { types: None, metadata, _phantom: PhantomData }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::{PrometheusRule, PrometheusRuleSpec};
    use crate::render::Artifact;

    fn child(name: &str, version: &str, owner: &str) -> ChildMeta {
        let owner = OwnerReference {
            kind: "AgentSLO".to_owned(),
            uid: owner.to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        };
        let seen =
            Seen { uid: None, resource_version: Some(version.to_owned()), controller: Some(Box::new(owner)) };
        meta("team", &rule(name), &seen)
    }

    fn rule(name: &str) -> ChildName {
        (ArtifactKind::PrometheusRule, name.to_owned())
    }

    fn settled(version: &str) -> Settled {
        let artifact = Artifact::PrometheusRule(PrometheusRule {
            api_version: "monitoring.coreos.com/v1".to_owned(),
            kind: "PrometheusRule".to_owned(),
            metadata: ObjectMeta::default(),
            spec: PrometheusRuleSpec { groups: Vec::new() },
        });
        Settled {
            resource_version: Some(version.to_owned()),
            fingerprint: Fingerprint::of(&artifact),
            generation: None,
            acceptance: Acceptance::NotReported,
        }
    }

    /// Names of those that the events tell of.
    fn happens(children: &Children, events: impl IntoIterator<Item = Event<ChildMeta>>) -> Vec<String> {
        let told = events.into_iter().flat_map(|event| children.follow(ArtifactKind::PrometheusRule, event));
        told.map(|child| child.name_any()).collect()
    }

    fn names(children: &Children, owner: &str) -> String {
        let owned = children.owned_by("team", owner);
        owned.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_list_counts_when_it_is_complete() {
        let children = Children::default();
        let [one, two, three] = ["one", "two", "three"].map(|name| child(name, "1", "owner"));
        happens(&children, [Event::Init, Event::InitApply(one.clone()), Event::InitApply(two)]);
        assert_eq!(names(&children, "owner"), "");
        happens(&children, [Event::InitDone]);
        assert_eq!(names(&children, "owner"), "one two");
        happens(&children, [Event::Init, Event::InitApply(one.clone()), Event::InitApply(three)]);
        assert_eq!(names(&children, "owner"), "one two");
        assert_eq!(happens(&children, [Event::InitDone]), ["two"]);
        assert_eq!(names(&children, "owner"), "one three");
        happens(&children, [Event::Delete(one)]);
        assert_eq!(names(&children, "owner"), "three");
        assert_eq!(names(&children, "other"), "");
    }

    #[test]
    fn whoever_changes_or_deletes_a_child_disturbs_it() {
        let children = Children::default();
        let is_disturbed = || children.is_disturbed("team", &rule("one"));
        happens(&children, [Event::Apply(child("one", "1", "owner"))]);
        assert!(!is_disturbed(), "nobody has looked at it yet");
        children.settle("team", &rule("one"), settled("1"));
        assert!(!is_disturbed());
        happens(&children, [Event::Apply(child("one", "2", "owner"))]);
        assert!(is_disturbed());
        children.settle("team", &rule("one"), settled("2"));
        happens(&children, [Event::Delete(child("one", "3", "owner"))]);
        assert!(is_disturbed(), "it was there");
        children.forget("team", &rule("one"));
        assert!(!is_disturbed());
        assert!(locked(&children.known).children.is_empty(), "nothing is left of it");
    }

    /// Of two children, that of `owner` goes with it, and that of `other` stays.
    fn assert_goes(abandon: impl FnOnce(&Children)) {
        let children = Children::default();
        happens(
            &children,
            [Event::Apply(child("one", "1", "owner")), Event::Apply(child("two", "1", "other"))],
        );
        children.settle("team", &rule("one"), settled("1"));
        children.settle("team", &rule("two"), settled("1"));
        abandon(&children);
        happens(&children, [Event::Delete(child("one", "2", "owner"))]);
        let left: Vec<ChildName> = locked(&children.known).children["team"].keys().cloned().collect();
        assert_eq!(left, [rule("two")]);
        assert!(children.settled("team", &rule("two")).is_some());
    }

    #[test]
    fn nothing_is_left_of_a_child_that_goes_with_its_owner() {
        assert_goes(|children| children.abandon("team", "owner"));
    }

    #[test]
    fn nothing_is_left_of_a_child_whose_owner_a_list_does_not_have_any_more() {
        assert_goes(|children| {
            children.abandon_all_but("AgentObservability", &BTreeSet::new());
            children.abandon_all_but("AgentSLO", &BTreeSet::from(["other".to_owned()]));
        });
    }
}
