//! Schemas that a derive cannot say: maps whose values are bounded.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Labels of alerts: at most 16, each value at most 256 bytes.
pub(super) fn alert_labels(_: &mut SchemaGenerator) -> Schema {
    bounded_map(16, 256)
}

/// Annotations of alerts: at most 16, each value at most 1,024 bytes.
pub(super) fn alert_annotations(_: &mut SchemaGenerator) -> Schema {
    bounded_map(16, 1024)
}

/// Labels of Kubernetes objects: at most 16, each value at most 63 bytes.
pub(super) fn object_labels(_: &mut SchemaGenerator) -> Schema {
    bounded_map(16, 63)
}

fn bounded_map(max_properties: u32, max_length: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": max_properties,
        "additionalProperties": {"type": "string", "maxLength": max_length},
    })
}
