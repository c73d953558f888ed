//! The objects, their versions, and what changed when.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fields::{Owners, Wish};
use super::place::Place;

/// The time at which everything was made: no test here depends on it.
pub(super) const CREATED: &str = "2026-01-01T00:00:00Z";

/// Metadata that nobody else sets.
const SET_BY_SERVER: [&str; 6] =
    ["resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "generation", "managedFields"];

/// An answer: HTTP status and body.
pub(super) type Answer = (u16, Value);

/// All objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<Place, Stored>,
    /// Changes since the version that was compacted.
    changes: Vec<Change>,
    /// What was before this version is forgotten, so that no watch can begin there and no list is older.
    compacted: usize,
    /// How many changes are remembered, all of them if none is said.
    pub(super) memory: Option<usize>,
    /// UIDs of what was there.
    gone: BTreeSet<String>,
    /// Whether the garbage collector takes its time.
    pub(super) is_littered: bool,
}

#[derive(Clone, Debug)]
struct Stored {
    object: Value,
    owners: Owners,
}

/// One change of one object.
#[derive(Clone, Debug)]
struct Change {
    place: Place,
    before: Option<Value>,
    after: Option<Value>,
}

/// Part of an object that a request is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Main,
    Status,
}

/// Which objects a list or a watch asks for.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) collection: Place,
    pub(super) labels: Vec<(String, String)>,
    pub(super) name: Option<String>,
}

impl Selection {
    fn takes(&self, place: &Place, object: Option<&Value>) -> bool {
        let has = |(name, value): &(String, String)| {
            object.is_some_and(|object| object["metadata"]["labels"][name] == value.as_str())
        };
        let is_named = self.name.as_ref().is_none_or(|name| *name == place.name);
        object.is_some() && is_named && self.collection.holds(place) && self.labels.iter().all(has)
    }
}

impl Store {
    /// The version of the newest change.
    pub(super) fn version(&self) -> usize {
        self.compacted + self.changes.len()
    }

    /// Forgets how it came to be what it is, but for the latest changes.
    pub(super) fn compact(&mut self, latest: usize) {
        let forgotten = self.changes.len().saturating_sub(latest);
        self.changes.drain(..forgotten);
        self.compacted += forgotten;
    }

    /// What changed since a version, as far as it is remembered.
    fn changes_since(&self, version: usize) -> &[Change] {
        self.changes.get(version.saturating_sub(self.compacted)..).unwrap_or_default()
    }

    /// Whether a watch can begin after a version.
    pub(super) fn remembers(&self, version: usize) -> bool {
        version >= self.compacted
    }

    /// An object as it was at a version.
    pub(super) fn get(&self, place: &Place, version: usize) -> Answer {
        let first = self.changes_since(version).iter().find(|change| change.place == *place);
        let then = match first {
            Some(change) => change.before.as_ref(),
            None => self.objects.get(place).map(|stored| &stored.object),
        };
        then.map_or_else(|| missing(place), |object| (200, object.clone()))
    }

    /// The objects that there were at a version.
    pub(super) fn list(&self, selection: &Selection, version: usize) -> Vec<Value> {
        let is_asked_for = |place: &Place| selection.collection.holds(place);
        let now = self.objects.iter().filter(|(place, _)| is_asked_for(place));
        let mut then: BTreeMap<&Place, &Value> = now.map(|(place, stored)| (place, &stored.object)).collect();
        for change in self.changes_since(version).iter().rev().filter(|change| is_asked_for(&change.place)) {
            match &change.before {
                Some(before) => then.insert(&change.place, before),
                None => then.remove(&change.place),
            };
        }
        let taken = then.into_iter().filter(|(place, object)| selection.takes(place, Some(object)));
        taken.map(|(_, object)| object.clone()).collect()
    }

    /// What a watch is told of the changes after a version and up to another: kind of change and object.
    pub(super) fn changes_between(
        &self,
        version: usize,
        until: usize,
        selection: &Selection,
    ) -> Vec<(&'static str, Value)> {
        let numbered = (version.max(self.compacted)..until).zip(self.changes_since(version));
        let told = numbered.filter_map(|(index, change)| {
            let before = selection.takes(&change.place, change.before.as_ref());
            let after = selection.takes(&change.place, change.after.as_ref());
            match (before, after) {
                (false, true) => Some(("ADDED", change.after.clone()?)),
                (true, true) => Some(("MODIFIED", change.after.clone()?)),
                (true, false) => {
                    let mut last = change.before.clone()?;
                    last["metadata"]["resourceVersion"] = (index + 1).to_string().into();
                    Some(("DELETED", last))
                }
                (false, false) => None,
            }
        });
        told.collect()
    }

    pub(super) fn create(&mut self, place: &Place, mut object: Value) -> Answer {
        if self.objects.contains_key(place) {
            return failure(409, &format!("{} \"{}\" already exists", place.plural, place.name));
        }
        // A status is written by its own door.
        object.as_object_mut().map(|fields| fields.remove("status"));
        let mut stored = Stored { object, owners: Owners::default() };
        stored.owners.update("somebody, Update", &json!({}), &own_fields(&stored.object, Part::Main));
        (201, self.put(place, stored))
    }

    pub(super) fn replace(&mut self, place: &Place, mut object: Value) -> Answer {
        let Some(mut stored) = self.objects.get(place).cloned() else { return missing(place) };
        let before = stored.object.clone();
        let wanted = &object["metadata"]["resourceVersion"];
        if !wanted.is_null() && *wanted != before["metadata"]["resourceVersion"] {
            return conflict(place, "the object has been modified");
        }
        for set_by_server in SET_BY_SERVER {
            object["metadata"][set_by_server] = before["metadata"][set_by_server].clone();
        }
        stored.object = object;
        let own = |object: &Value| own_fields(object, Part::Main);
        stored.owners.update("somebody, Update", &own(&before), &own(&stored.object));
        (200, self.put(place, stored))
    }

    pub(super) fn merge(&mut self, place: &Place, patch: &Value) -> Answer {
        let Some(mut stored) = self.objects.get(place).cloned() else { return missing(place) };
        let before = stored.object.clone();
        json_patch::merge(&mut stored.object, patch);
        let own = |object: &Value| own_fields(object, Part::Main);
        stored.owners.update("somebody, Update", &own(&before), &own(&stored.object));
        (200, self.put(place, stored))
    }

    pub(super) fn apply(&mut self, place: &Place, part: Part, wish: Wish<'_>) -> Answer {
        let existing = self.objects.get(place);
        let differs = |name: &str| {
            let wanted = &wish.fields["metadata"][name];
            !wanted.is_null() && existing.is_none_or(|live| live.object["metadata"][name] != *wanted)
        };
        if differs("resourceVersion") {
            return conflict(place, "the object has been modified");
        }
        if differs("uid") {
            return match existing {
                Some(_) => failure(422, "metadata.uid: field is immutable"),
                None => conflict(place, "the uid is that of no object that is there"),
            };
        }
        let mut stored = match (existing, part) {
            (Some(stored), _) => stored.clone(),
            (None, Part::Main) => Stored { object: json!({}), owners: Owners::default() },
            (None, Part::Status) => return missing(place),
        };
        let owner = format!("{}, {part:?}", wish.owner);
        let fields = own_fields(wish.fields, part);
        match stored.owners.apply(&mut stored.object, Wish { owner: &owner, fields: &fields, ..wish }) {
            Ok(()) => (200, self.put(place, stored)),
            Err(other) => conflict(place, &format!("conflict with \"{other}\"")),
        }
    }

    /// Deletes an object, if it is the one that was meant, and what it owns.
    pub(super) fn delete(&mut self, place: &Place, preconditions: &Value) -> Answer {
        let Some(stored) = self.objects.get(place) else { return missing(place) };
        let metadata = &stored.object["metadata"];
        let is_met = |name: &str| preconditions[name].is_null() || preconditions[name] == metadata[name];
        if !is_met("uid") || !is_met("resourceVersion") {
            return conflict(place, "the precondition does not hold");
        }
        if finalizers(&stored.object) > 0 {
            let mut leaving = stored.clone();
            leaving.object["metadata"]["deletionTimestamp"] = CREATED.into();
            return (200, self.put(place, leaving));
        }
        self.remove(place);
        (200, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}))
    }

    fn remove(&mut self, place: &Place) {
        self.take_out(place);
        if !self.is_littered {
            self.collect_garbage();
        }
    }

    /// Removes every object of a kind.
    pub(super) fn remove_kind(&mut self, plural: &str) {
        let of_kind = self.objects.keys().filter(|place| place.plural == plural);
        for place in of_kind.cloned().collect::<Vec<_>>() {
            self.remove(&place);
        }
    }

    /// Removes that of which all owners are gone.
    pub(super) fn collect_garbage(&mut self) {
        let garbage = self.objects.iter().filter(|(_, stored)| self.is_garbage(&stored.object));
        let garbage: Vec<Place> = garbage.map(|(place, _)| place.clone()).collect();
        for place in &garbage {
            self.take_out(place);
        }
        if !garbage.is_empty() {
            self.collect_garbage();
        }
    }

    fn is_garbage(&self, object: &Value) -> bool {
        let is_gone = |owner: &Value| owner["uid"].as_str().is_some_and(|uid| self.gone.contains(uid));
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(is_gone))
    }

    fn take_out(&mut self, place: &Place) {
        let Some(Stored { object, .. }) = self.objects.remove(place) else { return };
        self.gone.extend(object["metadata"]["uid"].as_str().map(str::to_owned));
        self.note(place, Some(object), None);
    }

    /// Stores an object; one that is as before keeps its version, and one that was deleted and for which
    /// nobody has anything left to do goes.
    fn put(&mut self, place: &Place, mut stored: Stored) -> Value {
        let before = self.objects.get(place).map(|stored| stored.object.clone());
        if !stored.object["metadata"]["deletionTimestamp"].is_null() && finalizers(&stored.object) == 0 {
            self.remove(place);
            return stored.object;
        }
        let is_new = before.is_none();
        let next = self.version() + 1;
        complete(&mut stored.object, place, next);
        stored.object["metadata"]["managedFields"] = stored.owners.shown();
        if before.as_ref() != Some(&stored.object) {
            let metadata = &mut stored.object["metadata"];
            metadata["resourceVersion"] = next.to_string().into();
            let generation =
                before.as_ref().map_or(0, |before| before["metadata"]["generation"].as_i64().unwrap_or(0));
            let is_leaving = |object: &Value| !object["metadata"]["deletionTimestamp"].is_null();
            let is_edit = before.as_ref().is_none_or(|before| {
                content(before) != content(&stored.object) || is_leaving(before) != is_leaving(&stored.object)
            });
            stored.object["metadata"]["generation"] = (generation + i64::from(is_edit)).into();
            self.note(place, before, Some(stored.object.clone()));
        }
        let object = stored.object.clone();
        self.objects.insert(place.clone(), stored);
        // One whose owner is gone already does not last.
        if is_new && !self.is_littered && self.is_garbage(&object) {
            self.remove(place);
        }
        object
    }

    fn note(&mut self, place: &Place, before: Option<Value>, after: Option<Value>) {
        self.changes.push(Change { place: place.clone(), before, after });
        // Not at every change, since what stays is moved.
        if let Some(memory) = self.memory.filter(|memory| self.changes.len() > 2 * memory) {
            self.compact(memory);
        }
    }
}

/// What the API server itself sets on a new object.
fn complete(object: &mut Value, place: &Place, version: usize) {
    let Some(kind) = place.kind() else { return };
    object["apiVersion"] = kind.group_version.into();
    object["kind"] = kind.name.into();
    let metadata = &mut object["metadata"];
    metadata["name"] = place.name.clone().into();
    if !place.namespace.is_empty() {
        metadata["namespace"] = place.namespace.clone().into();
    }
    if metadata["uid"].is_null() {
        metadata["uid"] = format!("uid-{version}").into();
        metadata["creationTimestamp"] = CREATED.into();
    }
}

/// The fields of one part that a person or a program may set.
fn own_fields(object: &Value, part: Part) -> Value {
    let mut fields = object.as_object().cloned().unwrap_or_default();
    match part {
        Part::Status => fields.retain(|name, _| name == "status"),
        Part::Main => fields.retain(|name, _| name != "status"),
    }
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !SET_BY_SERVER.contains(&name.as_str()));
    }
    Value::Object(fields)
}

/// How many have something to do before an object may go.
fn finalizers(object: &Value) -> usize {
    object["metadata"]["finalizers"].as_array().map_or(0, Vec::len)
}

/// What counts as an edit.
fn content(object: &Value) -> Value {
    let mut content = object.as_object().cloned().unwrap_or_default();
    content.retain(|name, _| name != "metadata" && name != "status");
    Value::Object(content)
}

pub(super) fn failure(code: u16, message: &str) -> Answer {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    (code, body)
}

pub(super) fn missing(place: &Place) -> Answer {
    failure(404, &format!("{} \"{}\" not found", place.plural, place.name))
}

fn conflict(place: &Place, why: &str) -> Answer {
    failure(409, &format!("operation cannot be fulfilled on {} \"{}\": {why}", place.plural, place.name))
}
