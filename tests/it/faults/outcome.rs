//! What there is in the end, without what differs from run to run, and how it differs from what there should
//! be.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};
use serde_json::Value;

use crate::scenarios::condition;
use crate::support::ApiServer;

/// Objects by kind, namespace and name.
pub(crate) type Outcome = BTreeMap<String, Value>;

/// Everything but Events, and but children from which somebody took our label: they are nobody's business.
pub(crate) fn outcome(server: &ApiServer) -> Outcome {
    let mut objects = server.everything();
    objects.retain(|object| {
        let metadata = &object["metadata"];
        let is_taken = metadata["labels"][MANAGED_BY_LABEL] != MANAGED_BY_VALUE;
        object["kind"] != "Event" && (metadata["ownerReferences"].is_null() || !is_taken)
    });
    objects.into_iter().map(|object| (name_of(&object), timeless(object))).collect()
}

/// Children of which no owner is there.
pub(crate) fn orphans(server: &ApiServer) -> Vec<String> {
    let objects = server.everything();
    let uids: Vec<&Value> = objects.iter().map(|object| &object["metadata"]["uid"]).collect();
    let owners = |object: &Value| object["metadata"]["ownerReferences"].as_array().cloned();
    let is_orphan = |object: &&Value| {
        owners(object).is_some_and(|owners| !owners.iter().any(|owner| uids.contains(&&owner["uid"])))
    };
    objects.iter().filter(is_orphan).map(name_of).collect()
}

/// How what was found differs from what should be there. Of an owner that is refused or suspended only that
/// is compared: what it has in force depends on what it asked for before. Whether somebody is refused who goes by
/// somebody who is depends on that, too, and so does whether another AgentSLO promises the same.
pub(crate) fn differences(found: &Outcome, expected: &Outcome) -> Vec<String> {
    let is_kept = |name: &&String| !is_left_alone(name, expected);
    let names: BTreeSet<&String> = found.keys().chain(expected.keys()).filter(is_kept).collect();
    let differs = |name: &String| {
        let (is, should) = match (found.get(name), expected.get(name)) {
            (Some(is), Some(should)) if is_suspended(should) => {
                (condition(is, "Ready"), condition(should, "Ready"))
            }
            (Some(_), Some(should)) if is_behind(should) => (None, None),
            (Some(is), Some(should)) if is_refused(should) => {
                (condition(is, "Accepted"), condition(should, "Accepted"))
            }
            (Some(is), Some(should))
                if [is, should].iter().any(|slo| repeats_one_left_alone(slo, expected)) =>
            {
                (Some(without_plausible(is)), Some(without_plausible(should)))
            }
            (is, should) => (is.cloned(), should.cloned()),
        };
        (is != should).then(|| format!("{name}:\n{}", difference(is, should)))
    };
    names.into_iter().filter_map(differs).collect()
}

/// Whether an object belongs to an owner whose children stay as they are.
fn is_left_alone(name: &str, expected: &Outcome) -> bool {
    let owner = name.rsplit_once(" of ").map(|(_, owner)| owner);
    let owner = owner.and_then(|owner| expected.get(owner));
    owner.is_some_and(stays_as_it_is)
}

/// Whether what an owner has in force is not changed, whatever it asks for.
fn stays_as_it_is(owner: &Value) -> bool {
    is_suspended(owner) || is_refused(owner)
}

/// Whether an AgentSLO is said to repeat one whose rules stay as they are, whatever they are.
fn repeats_one_left_alone(slo: &Value, expected: &Outcome) -> bool {
    let plausible =
        condition(slo, "Plausible").filter(|plausible| plausible["reason"] == "DuplicateObjective");
    let first = plausible.as_ref().and_then(|plausible| plausible["message"].as_str()?.split('\'').nth(1));
    let namespace = slo["metadata"]["namespace"].as_str().unwrap_or_default();
    let first = first.and_then(|first| expected.get(&format!("AgentSLO {namespace}/{first}")));
    first.is_some_and(stays_as_it_is)
}

fn without_plausible(slo: &Value) -> Value {
    let mut slo = slo.clone();
    if let Some(conditions) = slo.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        conditions.retain(|one| one["type"] != "Plausible");
    }
    slo
}

fn is_suspended(owner: &Value) -> bool {
    owner["spec"]["suspend"] == true
}

fn is_refused(owner: &Value) -> bool {
    condition(owner, "Accepted").is_some_and(|accepted| accepted["status"] == "False")
}

/// Whether an owner goes by what an AgentPlatform or an AgentObservability was before it was refused, if that was ever
/// valid.
fn is_behind(owner: &Value) -> bool {
    condition(owner, "Accepted").is_some_and(|accepted| {
        let message = accepted["message"].as_str().unwrap_or_default();
        let is_of_another =
            ["UnknownReference", "NotPermitted"].map(Value::from).contains(&accepted["reason"]);
        is_of_another && message.contains("is not valid")
    })
}

/// Kind, namespace and name, with those of the owner where there is one.
fn name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    let namespace = text(&metadata["namespace"]);
    let name = format!("{} {namespace}/{}", text(&object["kind"]), text(&metadata["name"]));
    let owner = &metadata["ownerReferences"][0];
    if owner.is_null() {
        return name;
    }
    format!("{name} of {} {namespace}/{}", text(&owner["kind"]), text(&owner["name"]))
}

fn timeless(mut object: Value) -> Value {
    let generation = object["metadata"]["generation"].clone();
    let drop_generation = |value: &mut Value| {
        if value["observedGeneration"] == generation {
            value.as_object_mut().map(|fields| fields.remove("observedGeneration"));
        }
    };
    if object["status"].is_object() {
        drop_generation(&mut object["status"]);
    }
    for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
        drop_generation(condition);
        condition.as_object_mut().map(|fields| fields.remove("lastTransitionTime"));
    }
    let metadata = object["metadata"].as_object_mut().expect("every object has metadata");
    let of_a_run = ["resourceVersion", "uid", "generation", "creationTimestamp", "managedFields"];
    metadata.retain(|name, _| !of_a_run.contains(&name.as_str()));
    for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        owner.as_object_mut().map(|fields| fields.remove("uid"));
    }
    object
}

fn difference(found: Option<Value>, expected: Option<Value>) -> String {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            let patch = json_patch::diff(&expected, &found);
            format!("  found differs by {}", serde_json::to_string(&patch).unwrap_or_default())
        }
        (Some(_), None) => "  should not be there".to_owned(),
        (None, _) => "  is missing".to_owned(),
    }
}
