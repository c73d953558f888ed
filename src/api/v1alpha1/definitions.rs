//! The CustomResourceDefinitions as they are installed: what the derive makes, less `nullable`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use super::{AgentObservability, AgentPlatform, AgentSlo};

/// The definitions of all kinds, in the order in which they are installed.
#[must_use]
pub fn custom_resource_definitions() -> Vec<CustomResourceDefinition> {
    let kinds = [AgentPlatform::crd(), AgentObservability::crd(), AgentSlo::crd()];
    kinds.into_iter().map(without_nullable).collect()
}

/// The API server drops a null for a field that is not nullable, as if it had not been written, and so
/// does `validate`. For one that is nullable it keeps the null, and an enumeration then refuses it, since
/// null is none of its values.
fn without_nullable(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut definition.spec.versions {
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        schema.into_iter().for_each(clear_nullable);
    }
    definition
}

fn clear_nullable(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(clear_nullable);
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => clear_nullable(items),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(clear_nullable),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        clear_nullable(values);
    }
}
