//! What makes a spec that fits its schema one that perhaps does not: values at and beyond bounds, of another
//! type, twice, or not at all.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::crd::Field;
use crate::faults::leaves::SCHEMAS;

/// A change of one node.
#[derive(Clone, Debug)]
pub(super) struct Bend {
    node: Index,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Remove,
    Replace(Value),
    /// As long or as large as it may be, and so much more.
    Stretch(i64),
    /// As small as it may be, and so much less.
    Shrink(i64),
    /// An item once more, or a field that nobody knows.
    Add,
    /// Text around what is there.
    Surround(String, String),
}

/// A change of any node to anything.
pub(super) fn bend() -> impl Strategy<Value = Bend> {
    (any::<Index>(), how()).prop_map(|(node, how)| Bend { node, how })
}

fn how() -> impl Strategy<Value = How> {
    let strange = prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(0.1),
        json!(""),
        json!(" "),
        json!("0"),
        json!("00.50"),
        json!("1e9"),
        json!("99999999999999999999999d"),
        json!("٣d"),
        json!("NaN"),
        json!("-5m"),
        json!("{{ $value }}"),
        json!("$window"),
        json!("https://a.example/{agent}/{alert}/{nothing}"),
        json!("\u{202e}\u{0}\u{7}"),
        json!("é".repeat(40)),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"": ""}),
    ]);
    let part =
        prop::sample::select(vec!["", " ", "\n", "\"", "\\", "{{", "}}", "$", "(", "é", "\u{feff}", "."]);
    prop_oneof![
        2 => Just(How::Remove),
        4 => strange.prop_map(How::Replace),
        3 => (0_i64..=1).prop_map(How::Stretch),
        2 => (0_i64..=1).prop_map(How::Shrink),
        2 => Just(How::Add),
        2 => (part.clone(), part).prop_map(|(before, after)| How::Surround(before.to_owned(), after.to_owned())),
    ]
}

impl Bend {
    /// Changes a spec of a kind.
    pub(super) fn apply(&self, spec: &mut Value, kind: &str) {
        let mut nodes = Vec::new();
        let root = Field { path: String::new(), schema: &SCHEMAS[kind], is_required: true };
        collect(spec, &root, String::new(), &mut nodes);
        let (pointer, schema) = nodes.swap_remove(self.node.index(nodes.len()));
        if let How::Remove = self.how {
            remove(spec, &pointer);
        } else if let Some(node) = spec.pointer_mut(&pointer) {
            self.how.apply(node, &schema);
        }
    }
}

/// The pointer and the schema of a node and of all below it.
fn collect(value: &Value, field: &Field<'_>, pointer: String, nodes: &mut Vec<(String, Value)>) {
    let child =
        |name: &str| field.children().into_iter().find(|child| child.path == format!("{}{name}", field.path));
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let step = name.replace('~', "~0").replace('/', "~1");
                if let Some(field) = child(&format!(".{name}")).or_else(|| child(".*")) {
                    collect(value, &field, format!("{pointer}/{step}"), nodes);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(field) = child("[]") {
                    collect(item, &field, format!("{pointer}/{index}"), nodes);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    nodes.push((pointer, field.schema.clone()));
}

fn remove(spec: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match spec.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Ok(index) = name.parse::<usize>() {
                items.remove(index);
            }
        }
        _ => {}
    }
}

impl How {
    fn apply(&self, node: &mut Value, schema: &Value) {
        let bound = |name: &str| schema[name].as_f64();
        match (self, &mut *node) {
            (Self::Remove, _) => {}
            (Self::Replace(value), _) => *node = value.clone(),
            (Self::Stretch(more), Value::String(text)) => {
                *text = stretched(text, length(bound("maxLength").unwrap_or(64.0), *more));
            }
            (Self::Stretch(more), Value::Array(items)) => {
                let last = items.last().cloned().unwrap_or(Value::Null);
                items.resize(length(bound("maxItems").unwrap_or(8.0), *more), last);
            }
            (Self::Stretch(more), Value::Object(fields)) => {
                for index in 0..length(bound("maxProperties").unwrap_or(16.0), *more) {
                    fields.insert(format!("x{index}"), json!("x"));
                }
            }
            (Self::Stretch(more), _) => *node = whole(bound("maximum").unwrap_or(1e9), *more),
            (Self::Shrink(less), Value::String(text)) => {
                let least = length(bound("minLength").unwrap_or(1.0), -less);
                *text = text.chars().take(least).collect();
            }
            (Self::Shrink(_), Value::Array(items)) => items.clear(),
            (Self::Shrink(_), Value::Object(fields)) => fields.clear(),
            (Self::Shrink(less), _) => *node = whole(bound("minimum").unwrap_or(0.0), -less),
            (Self::Add, Value::Array(items)) => items.extend(items.first().cloned()),
            (Self::Add, Value::Object(fields)) => {
                fields.insert("nobodyKnows".to_owned(), json!(1));
            }
            (Self::Add, _) => *node = json!([node.clone()]),
            (Self::Surround(before, after), Value::String(text)) => *text = format!("{before}{text}{after}"),
            (Self::Surround(before, after), _) => *node = json!(format!("{before}{node}{after}")),
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "bounds are whole numbers")]
fn whole(bound: f64, more: i64) -> Value {
    json!((bound as i64).saturating_add(more))
}

fn length(bound: f64, more: i64) -> usize {
    whole(bound, more).as_u64().and_then(|length| usize::try_from(length).ok()).unwrap_or_default()
}

/// The text again and again until it is so long.
fn stretched(text: &str, length: usize) -> String {
    let text = if text.is_empty() { "a" } else { text };
    text.chars().cycle().take(length).collect()
}
