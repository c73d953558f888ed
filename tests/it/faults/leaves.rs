//! The leaves of what people write, taken from the schemas of the CRDs, with values for each. A leaf gets its
//! values from its enum, its bounds or its pattern; where the schema does not say enough a table does, and a
//! leaf without a value is a failing test.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::values::{self, context};
use crate::crd::{self, Field};

/// One leaf of a spec.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// The kind whose spec it is in.
    pub(crate) kind: String,
    /// Where it is in the spec, for example `alerting.burnRates[].longWindow`.
    pub(crate) path: String,
    /// Whether what it is in cannot be without it.
    pub(crate) is_required: bool,
    schema: Value,
}

/// The schemas of the specs, by kind.
pub(crate) static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let crds = crd::all();
    crds.iter()
        .map(|crd| (crd::kind_of(crd).to_owned(), crd::schema(crd)["properties"]["spec"].clone()))
        .collect()
});

/// Every leaf that people can write.
pub(crate) static LEAVES: LazyLock<Vec<Leaf>> = LazyLock::new(|| {
    let mut leaves = Vec::new();
    for (kind, schema) in SCHEMAS.iter() {
        let root = Field { path: String::new(), schema, is_required: true };
        root.walk(&mut |field| {
            if field.children().is_empty() {
                leaves.push(Leaf {
                    kind: kind.clone(),
                    path: field.path.trim_start_matches('.').to_owned(),
                    is_required: field.is_required,
                    schema: field.schema.clone(),
                });
            }
        });
    }
    leaves
});

/// A leaf, set, changed and unset.
#[derive(Clone, Debug)]
pub(crate) struct Transitions {
    /// The spec as it is without the leaf, or before it is changed where it must be there.
    pub(crate) unset: Value,
    /// With a value.
    pub(crate) set: Value,
    /// With another.
    pub(crate) changed: Value,
}

impl Leaf {
    /// Its name with the kind, for people.
    pub(crate) fn name(&self) -> String {
        format!("{}.spec.{}", self.kind, self.path)
    }

    /// Two values, of which the first is not the default.
    pub(crate) fn values(&self) -> Option<[Value; 2]> {
        values::written(&self.kind, &self.path).or_else(|| generated(&self.schema))
    }

    /// The specs between which it is set, changed and unset.
    pub(crate) fn transitions(&self) -> Transitions {
        let start = context(&self.kind, &self.path);
        if let Some([set, changed]) = values::whole(&self.kind, &self.path) {
            return Transitions { unset: start, set, changed };
        }
        let [one, other] =
            self.values().unwrap_or_else(|| panic!("{} needs a value in values.rs", self.name()));
        let with = |value: &Value| {
            let mut spec = start.clone();
            self.put(&mut spec, value);
            spec
        };
        let set = with(&one);
        let mut unset = set.clone();
        let is_removed = !self.is_required && remove(&mut unset, &steps(&self.path));
        Transitions { unset: if is_removed { unset } else { start.clone() }, set, changed: with(&other) }
    }

    /// Writes a value of the leaf into a spec, with what must be beside it.
    pub(crate) fn put(&self, spec: &mut Value, value: &Value) {
        let schema = &SCHEMAS[&self.kind];
        put(
            spec,
            &Field { path: String::new(), schema, is_required: true },
            &steps(&self.path),
            value,
            &self.kind,
        );
    }
}

/// The steps of a path: names of fields, `[]` and `*`.
fn steps(path: &str) -> Vec<String> {
    path.replace("[]", ".[]").split('.').map(str::to_owned).collect()
}

fn put(target: &mut Value, field: &Field<'_>, steps: &[String], value: &Value, kind: &str) {
    let Some((step, rest)) = steps.split_first() else {
        *target = value.clone();
        return;
    };
    let suffix = if step == "[]" { "[]".to_owned() } else { format!(".{step}") };
    let child = field.children().into_iter().find(|child| child.path == format!("{}{suffix}", field.path));
    let child = child.unwrap_or_else(|| panic!("{} should have {step}", field.path));
    match step.as_str() {
        "[]" => {
            if target.as_array().is_none_or(Vec::is_empty) {
                *target = json!([minimal(&child, kind)]);
            }
            put(&mut target[0], &child, rest, value, kind);
        }
        "*" => put(&mut target[values::map_key(&child.path)], &child, rest, value, kind),
        name => {
            if field.schema["oneOf"].is_array() && target.get(name).is_none() {
                *target = json!({});
            } else if !target.is_object() {
                *target = minimal(field, kind);
            }
            if target.get(name).is_none() {
                target[name] = minimal(&child, kind);
            }
            put(&mut target[name], &child, rest, value, kind);
        }
    }
}

/// The smallest thing that fits a schema: what is required and nothing else.
fn minimal(field: &Field<'_>, kind: &str) -> Value {
    let children = field.children();
    match field.kind() {
        "object" => {
            let required = children.iter().filter(|child| child.is_required && !child.path.ends_with(".*"));
            let fields = required.map(|child| {
                let name = child.path.rsplit('.').next().unwrap_or_default().to_owned();
                (name, minimal(child, kind))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        "array" => children.first().map_or(json!([]), |item| json!([minimal(item, kind)])),
        _ => {
            let path = field.path.trim_start_matches('.');
            let values = values::written(kind, path).or_else(|| generated(field.schema));
            values.unwrap_or_else(|| panic!("{kind}.spec.{path} needs a value in values.rs"))[0].clone()
        }
    }
}

/// Removes what a path leads to; says whether it was there.
fn remove(spec: &mut Value, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return false };
    match spec {
        Value::Object(fields) if rest.is_empty() => fields.remove(step).is_some(),
        Value::Object(fields) => fields.get_mut(step).is_some_and(|inner| remove(inner, rest)),
        Value::Array(items) => items.first_mut().is_some_and(|item| remove(item, rest)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Two values from what a schema says, the first of them not the default.
fn generated(schema: &Value) -> Option<[Value; 2]> {
    let default = &schema["default"];
    let mut found: Vec<Value> = if let Some(choices) = schema["enum"].as_array() {
        choices.clone()
    } else {
        match schema["type"].as_str()? {
            "boolean" => vec![json!(true), json!(false)],
            "integer" => integers(schema),
            "string" => texts(schema["pattern"].as_str()?, schema)?,
            _ => return None,
        }
    };
    found.sort_by_key(|value| value == default);
    let mut found = found.into_iter();
    Some([found.next()?, found.next()?])
}

fn integers(schema: &Value) -> Vec<Value> {
    let bound = |name: &str| schema[name].as_f64();
    let least = bound("minimum").unwrap_or(0.0);
    let most = bound("maximum").unwrap_or(least + 100.0);
    // The lower bound may switch off what the field is about.
    let of_range = |share: f64| json!(((most - least) * share + least).floor().max(least + 1.0).to_string());
    [of_range(0.005), of_range(0.01)]
        .iter()
        .filter_map(|text| text.as_str()?.parse::<i64>().ok())
        .map(Value::from)
        .collect()
}

/// Texts of a pattern, the same ones each time.
fn texts(pattern: &str, schema: &Value) -> Option<Vec<Value>> {
    let inner =
        pattern.trim_start_matches('^').trim_end_matches('$').replace('*', "{0,6}").replace('+', "{1,6}");
    let strategy = proptest::string::string_regex(&inner).ok()?;
    let mut runner = TestRunner::deterministic();
    let (least, most) = (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64()?);
    let mut found: Vec<Value> = Vec::new();
    for _ in 0..200 {
        let text = strategy.new_tree(&mut runner).ok()?.current();
        let length = text.len() as u64;
        if (least..=most).contains(&length) && !found.iter().any(|known| *known == text.as_str()) {
            found.push(text.into());
        }
        if found.len() == 2 {
            return Some(found);
        }
    }
    None
}
