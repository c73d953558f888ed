//! Specs that fit their schema: made from it field by field, with bounds, patterns and enums as it has them.
//! Where it does not say enough, values are those by which the leaves are tried elsewhere.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Map, Value, json};

use super::mends::mend;
use crate::crd::Field;
use crate::faults::leaves::SCHEMAS;
use crate::faults::values;
use crate::spec::hostile_text;

/// How often a field is there that need not be.
const OPTIONAL: f64 = 0.3;

/// A spec of a kind; most of them with fields that agree.
pub(super) fn spec(kind: &'static str) -> BoxedStrategy<Value> {
    let spec = of(&Field { path: String::new(), schema: &SCHEMAS[kind], is_required: true }, kind);
    (spec, prop::bool::weighted(0.9))
        .prop_map(move |(mut spec, is_mended)| {
            if is_mended {
                mend(kind, &mut spec);
            }
            spec
        })
        .boxed()
}

fn of(field: &Field<'_>, kind: &'static str) -> BoxedStrategy<Value> {
    let path = field.path.trim_start_matches('.');
    match field.kind() {
        "object" if field.schema["oneOf"].is_array() => one_of(field, kind),
        "object" if field.schema["additionalProperties"].is_object() => map(field, kind),
        "object" => object(field, kind),
        "array" => list(field, kind),
        _ => leaf(path, field.schema, kind),
    }
}

fn name_of(field: &Field<'_>) -> String {
    field.path.rsplit('.').next().unwrap_or_default().to_owned()
}

fn object(field: &Field<'_>, kind: &'static str) -> BoxedStrategy<Value> {
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = field
        .children()
        .iter()
        .map(|child| {
            let name = name_of(child);
            let named = of(child, kind).prop_map(move |value| (name.clone(), value));
            if child.is_required {
                named.prop_map(Some).boxed()
            } else {
                option::weighted(OPTIONAL, named).boxed()
            }
        })
        .collect();
    fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect())).boxed()
}

/// Exactly one of the fields.
fn one_of(field: &Field<'_>, kind: &'static str) -> BoxedStrategy<Value> {
    let required: Vec<String> =
        field.children().iter().filter(|child| child.is_required).map(name_of).collect();
    let choices = field.children().into_iter().filter(|child| !required.contains(&name_of(child)));
    let choices: Vec<BoxedStrategy<Value>> = choices
        .map(|child| {
            let name = name_of(&child);
            of(&child, kind).prop_map(move |value| json!({name.clone(): value})).boxed()
        })
        .collect();
    let rest: Vec<BoxedStrategy<(String, Value)>> = field
        .children()
        .iter()
        .filter(|child| child.is_required)
        .map(|child| {
            let name = name_of(child);
            of(child, kind).prop_map(move |value| (name.clone(), value)).boxed()
        })
        .collect();
    (proptest::strategy::Union::new(choices), rest)
        .prop_map(|(mut chosen, rest)| {
            for (name, value) in rest {
                chosen[name] = value;
            }
            chosen
        })
        .boxed()
}

fn map(field: &Field<'_>, kind: &'static str) -> BoxedStrategy<Value> {
    let Some(entry) = field.children().into_iter().find(|child| child.path.ends_with(".*")) else {
        return Just(json!({})).boxed();
    };
    let key = prop_oneof![Just(values::map_key(&entry.path).to_owned()), "[a-z][a-z0-9_]{0,12}"];
    btree_map(key, of(&entry, kind), 0..4)
        .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>()))
        .boxed()
}

fn list(field: &Field<'_>, kind: &'static str) -> BoxedStrategy<Value> {
    let Some(item) = field.children().into_iter().next() else { return Just(json!([])).boxed() };
    let most = usize::try_from(field.schema["maxItems"].as_u64().unwrap_or(8)).unwrap_or(8);
    let keys: Vec<String> =
        serde_json::from_value(field.schema["x-kubernetes-list-map-keys"].clone()).unwrap_or_default();
    vec(of(&item, kind), 0..=most.min(4))
        .prop_map(move |items| Value::Array(without_repetition(items, &keys)))
        .boxed()
}

/// Items that differ, in their keys where they have any.
fn without_repetition(items: Vec<Value>, keys: &[String]) -> Vec<Value> {
    let identity = |item: &Value| -> Value {
        if keys.is_empty() { item.clone() } else { keys.iter().map(|key| item[key].clone()).collect() }
    };
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| identity(other) == identity(&item)) {
            kept.push(item);
        }
    }
    kept
}

fn leaf(path: &str, schema: &Value, kind: &'static str) -> BoxedStrategy<Value> {
    let known: Vec<Value> = values::written(kind, path).into_iter().flatten().collect();
    if let Some(choices) = schema["enum"].as_array() {
        return prop::sample::select(choices.clone()).boxed();
    }
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" => integer(schema),
        _ if known.is_empty() => text(schema),
        _ => prop_oneof![15 => prop::sample::select(known), 1 => text(schema)].boxed(),
    }
}

fn integer(schema: &Value) -> BoxedStrategy<Value> {
    #[allow(clippy::cast_possible_truncation, reason = "bounds are whole numbers")]
    let bound = |name: &str| schema[name].as_f64().map(|number| number as i64);
    let least = bound("minimum").unwrap_or(0);
    let most = bound("maximum").unwrap_or(least + 1000);
    prop_oneof![Just(least), Just(most), least..=most].prop_map(Value::from).boxed()
}

/// Text of the pattern, or any text where there is none, no longer than it may be.
fn text(schema: &Value) -> BoxedStrategy<Value> {
    let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(64)).unwrap_or(64);
    let of_pattern =
        schema["pattern"].as_str().and_then(|pattern| string_regex(inner(pattern).as_str()).ok());
    let text = of_pattern.map_or_else(|| hostile_text().boxed(), Strategy::boxed);
    text.prop_map(move |text| Value::from(text.chars().take(most).collect::<String>())).boxed()
}

/// A pattern without its anchors and without endless repetitions.
fn inner(pattern: &str) -> String {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    inner.replace('*', "{0,6}").replace('+', "{1,6}")
}
