//! Server-side apply: which owner set which field of an object, and what an apply does to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// One step from a value into it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Step {
    /// A field of an object.
    Field(String),
    /// The item of a list whose key has this value.
    Item(&'static str, String),
}

type Path = Vec<Step>;

/// Who set which fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(BTreeMap<String, BTreeSet<Path>>);

/// What somebody wants an object to hold.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) owner: &'a str,
    pub(super) fields: &'a Value,
    /// Whether fields of others are taken over.
    pub(super) forced: bool,
}

impl Owners {
    /// Sets the fields that are wished for, and drops those that the same owner no longer wishes for.
    ///
    /// # Errors
    /// Names an owner who set a field to another value.
    pub(super) fn apply(&mut self, live: &mut Value, wish: Wish<'_>) -> Result<(), String> {
        let wanted = leaves(wish.fields);
        let before = leaves(live);
        let disputed = |path: &Path| before.get(path).is_some_and(|value| wanted.get(path) != Some(value));
        for (owner, fields) in self.0.iter_mut().filter(|(owner, _)| *owner != wish.owner) {
            let lost: Vec<Path> =
                fields.iter().filter(|path| wanted.contains_key(*path) && disputed(path)).cloned().collect();
            if !lost.is_empty() && !wish.forced {
                return Err(owner.clone());
            }
            fields.retain(|path| !lost.contains(path));
        }
        let set = self.0.insert(wish.owner.to_owned(), wanted.keys().cloned().collect()).unwrap_or_default();
        // What holds something that is somebody's stays too.
        let is_held = |path: &Path| self.0.values().flatten().any(|held| held.starts_with(path));
        // An item is found by its key, so the key goes last.
        let mut dropped: Vec<&Path> = set.iter().filter(|path| !is_held(path)).collect();
        dropped.sort_by_key(|path| is_key(path));
        for path in dropped {
            remove(live, path);
        }
        merge(live, wish.fields, "");
        Ok(())
    }
}

impl Owners {
    /// Notes what somebody changed who knows nothing of apply: it is theirs and nobody else's.
    pub(super) fn update(&mut self, owner: &str, before: &Value, after: &Value) {
        let (before, after) = (leaves(before), leaves(after));
        let changed: BTreeSet<Path> = after
            .iter()
            .filter(|(path, value)| before.get(*path) != Some(value))
            .map(|(path, _)| path.clone())
            .collect();
        for fields in self.0.values_mut() {
            fields.retain(|path| after.contains_key(path) && !changed.contains(path));
        }
        self.0.entry(owner.to_owned()).or_default().extend(changed);
    }

    /// The owners as objects show them.
    pub(super) fn shown(&self) -> Value {
        let entries = self.0.iter().filter(|(_, fields)| !fields.is_empty()).map(|(owner, fields)| {
            let (manager, part) = owner.rsplit_once(", ").unwrap_or((owner, "Main"));
            let operation = if part == "Update" { "Update" } else { "Apply" };
            let mut entry = json!({
                "manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": tree(fields),
            });
            if part == "Status" {
                entry["subresource"] = "status".into();
            }
            entry
        });
        entries.collect()
    }
}

/// Paths as a tree of fields. What makes an object this object is nobody's.
fn tree(paths: &BTreeSet<Path>) -> Value {
    let field = |name: &str| Step::Field(name.to_owned());
    let identity = [
        vec![field("apiVersion")],
        vec![field("kind")],
        vec![field("metadata"), field("name")],
        vec![field("metadata"), field("namespace")],
    ];
    let mut tree = json!({});
    for path in paths.iter().filter(|path| !identity.contains(path)) {
        let mut node = &mut tree;
        for step in path {
            let (name, is_item) = match step {
                Step::Field(name) => (format!("f:{name}"), false),
                Step::Item(key, value) => (format!("k:{}", json!({*key: value})), true),
            };
            node = &mut node[name];
            if node.is_null() {
                *node = if is_item { json!({".": {}}) } else { json!({}) };
            }
        }
    }
    tree
}

/// Key of the items of a list that is merged by key; other lists are one value.
fn key_of(list: &str, items: &[Value]) -> Option<&'static str> {
    let key = match list {
        "conditions" => "type",
        "ownerReferences" => "uid",
        "groups" => "name",
        _ => return None,
    };
    (!items.is_empty() && items.iter().all(|item| item[key].is_string())).then_some(key)
}

/// Whether a path leads to the key of an item.
fn is_key(path: &[Step]) -> bool {
    matches!(path, [.., Step::Item(key, _), Step::Field(name)] if key == name)
}

/// Every field that holds a value of its own.
fn leaves(value: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    collect(value, "", &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, name: &str, path: &mut Path, found: &mut BTreeMap<Path, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                path.push(Step::Field(name.clone()));
                collect(value, name, path, found);
                path.pop();
            }
        }
        Value::Array(items) if key_of(name, items).is_some() => {
            let key = key_of(name, items).expect("the guard should have seen it");
            for item in items {
                path.push(Step::Item(key, text(item, key)));
                collect(item, "", path, found);
                path.pop();
            }
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Number(_)
        | Value::Bool(_)
        | Value::Null => drop(found.insert(path.clone(), value.clone())),
    }
}

fn merge(live: &mut Value, wanted: &Value, name: &str) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (name, value) in wanted {
                merge(live.entry(name).or_insert(Value::Null), value, name);
            }
        }
        (Value::Array(live), Value::Array(wanted)) if key_of(name, wanted).is_some() => {
            let key = key_of(name, wanted).expect("the guard should have seen it");
            let mut rest = std::mem::take(live);
            for item in wanted {
                let known = rest.iter().position(|other| other[key] == item[key]);
                let mut merged = known.map_or(Value::Null, |index| rest.remove(index));
                merge(&mut merged, item, "");
                live.push(merged);
            }
            live.append(&mut rest);
        }
        (live, wanted) => *live = wanted.clone(),
    }
}

/// Removes a field, and what is empty without it.
fn remove(value: &mut Value, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) => {
            if let Some(inner) = fields.get_mut(name) {
                remove(inner, rest);
                if rest.is_empty() || is_empty(inner) {
                    fields.remove(name);
                }
            }
        }
        (Step::Item(key, wanted), Value::Array(items)) => {
            let is_wanted = |item: &Value| item[*key] == wanted.as_str();
            items.iter_mut().filter(|item| is_wanted(item)).for_each(|item| remove(item, rest));
            items.retain(|item| !is_empty(item));
        }
        (Step::Field(_) | Step::Item(..), _) => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(live: &mut Value, owners: &mut Owners, owner: &str, fields: &Value) {
        let wish = Wish { owner, fields, forced: true };
        owners.apply(live, wish).expect("a forced apply should not be refused");
    }

    #[test]
    fn each_owner_keeps_what_it_set() {
        let (mut live, mut owners) = (json!({}), Owners::default());
        apply(&mut live, &mut owners, "one", &json!({"labels": {"a": "1", "b": "1"}}));
        apply(&mut live, &mut owners, "two", &json!({"labels": {"c": "2"}}));
        apply(&mut live, &mut owners, "one", &json!({"labels": {"a": "1"}}));
        assert_eq!(live, json!({"labels": {"a": "1", "c": "2"}}));
    }

    #[test]
    fn items_with_a_key_are_merged_in_the_order_of_the_last_apply() {
        let (mut live, mut owners) = (json!({}), Owners::default());
        apply(&mut live, &mut owners, "one", &json!({"groups": [{"name": "z"}, {"name": "a"}]}));
        apply(&mut live, &mut owners, "two", &json!({"groups": [{"name": "theirs", "rules": [1]}]}));
        apply(&mut live, &mut owners, "one", &json!({"groups": [{"name": "z"}]}));
        assert_eq!(live, json!({"groups": [{"name": "z"}, {"name": "theirs", "rules": [1]}]}));
    }

    #[test]
    fn an_item_goes_with_the_last_of_its_fields() {
        let (mut live, mut owners) = (json!({}), Owners::default());
        let group = |name: &str| json!({"name": name, "interval": "1m", "rules": [1]});
        apply(&mut live, &mut owners, "one", &json!({"groups": [group("a"), group("b")]}));
        apply(&mut live, &mut owners, "one", &json!({"groups": [group("a")]}));
        assert_eq!(live, json!({"groups": [group("a")]}));
    }

    #[test]
    fn what_is_written_over_is_no_longer_the_first_ones() {
        let (mut live, mut owners) = (json!({}), Owners::default());
        apply(&mut live, &mut owners, "one, Main", &json!({"spec": {"a": 1, "b": 1}}));
        owners.update("two, Update", &live, &json!({"spec": {"a": 2, "b": 1}}));
        let of = |manager: &str, operation: &str, field: &str| {
            json!({
                "manager": manager, "operation": operation,
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {field: {}}},
            })
        };
        assert_eq!(owners.shown(), json!([of("one", "Apply", "f:b"), of("two", "Update", "f:a")]));
    }

    #[test]
    fn a_field_of_somebody_else_is_taken_only_by_force() {
        let (mut live, mut owners) = (json!({}), Owners::default());
        apply(&mut live, &mut owners, "one", &json!({"a": 1}));
        let fields = json!({"a": 2});
        let asked = owners.apply(&mut live, Wish { owner: "two", fields: &fields, forced: false });
        assert_eq!(asked, Err("one".to_owned()));
        assert_eq!(live, json!({"a": 1}));
        apply(&mut live, &mut owners, "two", &fields);
        assert_eq!(live, json!({"a": 2}));
    }
}
