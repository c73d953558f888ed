//! Server-side apply: which owner set which field of an object, and what an apply does to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

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
        let is_held = |path: &Path| self.0.values().any(|fields| fields.contains(path));
        for path in set.iter().filter(|path| !is_held(path)) {
            remove(live, path);
        }
        merge(live, wish.fields, "");
        Ok(())
    }
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
    use serde_json::json;

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
