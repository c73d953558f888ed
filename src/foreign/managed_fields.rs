//! The bookkeeping of server-side apply: which fields of an object a field manager has set. Only it tells
//! what we once set and no longer ask for from what others added, and what others wrote over from what we
//! wrote.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Whether exactly the fields of `desired` are the manager's: nothing is left over from an earlier apply, and
/// nobody else has written over a part of it since.
#[must_use]
pub(crate) fn are_exactly(manager: &str, live: &Value, desired: &Value) -> bool {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut applied = entries.filter(|entry| {
        entry["manager"] == manager && entry["operation"] == "Apply" && entry.get("subresource").is_none()
    });
    applied.next().is_some_and(|entry| is_set(&entry["fieldsV1"], &without_identity(desired)))
}

/// The names of others who have fields of an object, but for those of its status, in alphabetical order.
#[must_use]
pub(crate) fn others(manager: &str, live: &Value) -> Vec<String> {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let of_the_rest = entries.filter(|entry| entry.get("subresource").is_none());
    let names = of_the_rest.filter_map(|entry| entry["manager"].as_str()).filter(|name| *name != manager);
    names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// An object without what the bookkeeping leaves out: what makes it this object.
fn without_identity(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| name != "apiVersion" && name != "kind");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| name != "name" && name != "namespace");
    }
    if let Some(fields) = object.as_object_mut() {
        fields
            .retain(|name, value| name != "metadata" || value.as_object().is_some_and(|all| !all.is_empty()));
    }
    object
}

/// Whether a set of fields holds a value and nothing else. A field without fields of its own is one value,
/// whatever is in it.
fn is_set(set: &Value, desired: &Value) -> bool {
    let nothing = Map::new();
    let set = set.as_object().unwrap_or(&nothing);
    let parts: Vec<(&String, &Value)> = set.iter().filter(|(step, _)| *step != ".").collect();
    if parts.is_empty() {
        return true;
    }
    match desired {
        Value::Object(fields) => {
            let part = |name: &str| set.get(&format!("f:{name}"));
            // An API server may drop a null or keep it; either way there is nothing to set.
            let written = || fields.iter().filter(|(_, value)| !value.is_null());
            written().all(|(name, value)| part(name).is_some_and(|part| is_set(part, value)))
                && parts
                    .iter()
                    .all(|(step, _)| step.strip_prefix("f:").is_some_and(|name| fields.contains_key(name)))
        }
        Value::Array(items) => {
            items.len() == parts.len()
                && items
                    .iter()
                    .all(|item| parts.iter().any(|(step, part)| is_item(step, item) && is_set(part, item)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a step leads to an item of a list: by its keys, or by its value.
fn is_item(step: &str, item: &Value) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    if let Some(value) = step.strip_prefix("v:") {
        return parsed(value).as_ref() == Some(item);
    }
    let keys = step.strip_prefix("k:").and_then(parsed);
    keys.as_ref()
        .and_then(Value::as_object)
        .is_some_and(|keys| keys.iter().all(|(name, value)| item.get(name) == Some(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(set: &Value) -> Value {
        json!({"metadata": {"managedFields": [
            {"manager": "somebody", "operation": "Apply", "fieldsV1": {"f:spec": {"f:theirs": {}}}},
            {"manager": "us", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
            {"manager": "us", "operation": "Apply", "fieldsV1": set},
        ]}})
    }

    #[test]
    fn what_is_left_over_or_written_over_is_not_exactly_what_is_desired() {
        let desired = json!({
            "apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x", "labels": {"app": "a"}},
            "spec": {"groups": [{"name": "one", "rules": [1, 2]}], "tags": ["t"], "empty": {}, "none": null},
        });
        let exact = json!({
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {
                "f:groups": {"k:{\"name\":\"one\"}": {".": {}, "f:name": {}, "f:rules": {}}},
                "f:tags": {"v:\"t\"": {}},
                "f:empty": {},
            },
        });
        assert!(are_exactly("us", &live(&exact), &desired));
        assert!(!are_exactly("others", &live(&exact), &desired), "nobody of that name");
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut set = exact.clone();
            change(&mut set);
            are_exactly("us", &live(&set), &desired)
        };
        assert!(!changed(&|set| set["f:metadata"]["f:labels"]["f:old"] = json!({})), "a label is left over");
        assert!(!changed(&|set| set["f:spec"]["f:groups"]["k:{\"name\":\"old\"}"] = json!({".": {}})));
        let without_rules = json!({".": {}, "f:name": {}});
        assert!(!changed(&|set| set["f:spec"]["f:groups"]["k:{\"name\":\"one\"}"] = without_rules.clone()));
    }
}
