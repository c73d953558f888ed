//! The schemas of the CRDs as JSON schemas that refuse unknown fields, and what they say at a place.

use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Map, Value, json};

use super::segments;
use crate::api::v1alpha1::custom_resource_definitions;

/// The schema of one kind.
pub(super) struct Schema {
    /// As JSON schema.
    pub(super) value: Value,
    /// The same, ready for use.
    pub(super) validator: Validator,
}

pub(super) static AGENT_SLO: LazyLock<Schema> = LazyLock::new(|| schema_of("AgentSLO"));
pub(super) static AGENT_OBSERVABILITY: LazyLock<Schema> = LazyLock::new(|| schema_of("AgentObservability"));
pub(super) static AGENT_PLATFORM: LazyLock<Schema> = LazyLock::new(|| schema_of("AgentPlatform"));

fn schema_of(kind: &str) -> Schema {
    let definitions = custom_resource_definitions();
    let definition = definitions.iter().find(|definition| definition.spec.names.kind == kind);
    let mut value = definition.and_then(openapi).expect("the CRDs should have the kind with a schema");
    close(&mut value);
    value["properties"]["apiVersion"] = json!({"type": "string"});
    value["properties"]["kind"] = json!({"type": "string"});
    value["properties"]["metadata"] = metadata();
    // The API server ignores it in what users write.
    value["properties"]["status"] = json!({});
    value["required"] = json!(["metadata", "spec"]);
    let validator = jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(false)
        .build(&value)
        .expect("the schema of a CRD should be a JSON schema");
    Schema { value, validator }
}

fn openapi(definition: &CustomResourceDefinition) -> Option<Value> {
    let schema = definition.spec.versions.first()?.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    serde_json::to_value(schema).ok()
}

/// Structural schemas are closed: what is not described is refused.
fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    } else if let Some(values) = schema.get_mut("additionalProperties") {
        close(values);
    }
    if let Some(items) = schema.get_mut("items") {
        close(items);
    }
}

/// What the API server asks of metadata, as far as it can be said without it.
fn metadata() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let label = json!({"type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"});
    let mut fields: Map<String, Value> = [
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ]
    .into_iter()
    .map(|field| (field.to_owned(), json!({})))
    .collect();
    fields.insert("namespace".to_owned(), text);
    fields.insert("annotations".to_owned(), texts);
    fields.insert("labels".to_owned(), json!({"type": "object", "additionalProperties": label}));
    let name = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    fields.insert(
        "name".to_owned(),
        json!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": name, "description": "Example: `support-success`."}),
    );
    json!({"type": "object", "properties": fields, "additionalProperties": false, "required": ["name"]})
}

/// Drops nulls of known fields, which the API server takes as not written.
pub(super) fn drop_nulls(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            let known = schema.get("properties");
            fields.retain(|field, value| {
                !value.is_null() || known.and_then(|known| known.get(field)).is_none()
            });
            for (field, value) in fields {
                drop_nulls(value, field_schema(schema, field));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(item, &schema["items"])),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schema of a field: its own, or the one of all values of a map.
pub(super) fn field_schema<'a>(schema: &'a Value, field: &str) -> &'a Value {
    schema.get("properties").and_then(|fields| fields.get(field)).unwrap_or(&schema["additionalProperties"])
}

/// Names of the fields that the object at a place may have.
pub(super) fn fields_at(pointer: &str, root: &Value, schema: &Value) -> Vec<String> {
    let fields = schema_at(pointer, root, schema).get("properties").and_then(Value::as_object);
    fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

/// The example in the description of a field.
pub(super) fn example_at(pointer: &str, field: &str, root: &Value, schema: &Value) -> Option<String> {
    let description = schema_at(pointer, root, schema)["properties"][field]["description"].as_str()?;
    let (_, example) = description.split_once("Example: `")?;
    let (example, _) = example.split_once('`')?;
    Some(example.trim_matches('"').to_owned())
}

fn schema_at<'a>(pointer: &str, root: &Value, schema: &'a Value) -> &'a Value {
    let mut place = Some(root);
    let mut schema = schema;
    for segment in segments(pointer) {
        if let Some(Value::Array(items)) = place {
            place = segment.parse().ok().and_then(|index: usize| items.get(index));
            schema = &schema["items"];
        } else {
            place = place.and_then(|value| value.get(&segment));
            schema = field_schema(schema, &segment);
        }
    }
    schema
}
