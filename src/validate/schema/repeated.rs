//! Items that repeat in a list that is a set or a map: the API server refuses them, JSON schema cannot
//! say it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::closed::field_schema;
use super::join;

/// Path and message of each item that repeats an earlier one.
pub(super) fn find(value: &Value, schema: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    visit(value, schema, "", &mut found);
    found
}

fn visit(value: &Value, schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                visit(value, field_schema(schema, field), &join(path, field), found);
            }
        }
        Value::Array(items) => {
            note_repeated(items, schema, path, found);
            for (index, item) in items.iter().enumerate() {
                visit(item, &schema["items"], &format!("{path}[{index}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn note_repeated(items: &[Value], schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(identity) = identity(item, schema)
            && !seen.insert(identity.clone())
        {
            found.push((format!("{path}[{index}]"), format!("must not repeat {identity}")));
        }
    }
}

/// What tells an item from the others of its list; none where items may be alike.
fn identity(item: &Value, schema: &Value) -> Option<String> {
    match schema.get("x-kubernetes-list-type")?.as_str()? {
        "set" => Some(quoted(item)),
        "map" => {
            let keys = schema.get("x-kubernetes-list-map-keys")?.as_array()?;
            let keys = keys.iter().filter_map(Value::as_str);
            let parts: Option<Vec<String>> = keys.map(|key| key_of(item, key, schema)).collect();
            Some(parts?.join(" with "))
        }
        _ => None,
    }
}

fn key_of(item: &Value, key: &str, schema: &Value) -> Option<String> {
    let default = schema["items"]["properties"][key].get("default");
    item.get(key).or(default).map(|value| format!("`{key}` {}", quoted(value)))
}

fn quoted(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("'{value}'"), |text| format!("'{text}'"))
}
