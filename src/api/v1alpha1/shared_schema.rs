//! Schemas that a derive cannot say: maps whose values are bounded, and optional words that keep the
//! documentation of their field.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// Labels of alerts: at most 16, each value at most 256 bytes.
pub(super) fn alert_labels(_: &mut SchemaGenerator) -> Schema {
    bounded_map(16, 256)
}

/// Annotations of alerts: at most 16, each value at most 1,024 bytes.
pub(super) fn alert_annotations(_: &mut SchemaGenerator) -> Schema {
    bounded_map(16, 1024)
}

/// Labels of Kubernetes objects: at most 16, each value at most 63 bytes, of the letters that Kubernetes takes.
pub(super) fn object_labels(_: &mut SchemaGenerator) -> Schema {
    let mut labels = bounded_map(16, 63);
    labels.insert(
        "additionalProperties".to_owned(),
        json!({"type": "string", "maxLength": 63, "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$"}),
    );
    labels
}

/// One of the words of an enum, or nothing. The derive would put the documentation of the enum where that
/// of the field belongs.
pub(super) fn optional_word<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let schema = T::json_schema(generator);
    let variants = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<&Value> = variants.filter_map(|variant| variant.get("const")).collect();
    json_schema!({"type": "string", "enum": words, "nullable": true})
}

fn bounded_map(max_properties: u32, max_length: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": max_properties,
        "additionalProperties": {"type": "string", "maxLength": max_length},
    })
}
