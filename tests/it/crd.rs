//! The generated CRDs as trees of fields.

use agentslo::api::v1alpha1::custom_resource_definitions;
use serde_json::Value;

/// One field of a kind, or the kind itself.
pub(crate) struct Field<'a> {
    /// Where it is, for example `AgentSLO.spec.alerting.burnRates[].longWindow`.
    pub(crate) path: String,
    /// Its part of the schema.
    pub(crate) schema: &'a Value,
    /// Whether it must be written.
    pub(crate) is_required: bool,
}

impl Field<'_> {
    /// Its type in OpenAPI.
    pub(crate) fn kind(&self) -> &str {
        self.schema["type"].as_str().unwrap_or_default()
    }

    /// Its documentation, on one line.
    pub(crate) fn description(&self) -> String {
        let text = self.schema["description"].as_str().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether people write it, rather than the operator.
    pub(crate) fn is_spec(&self) -> bool {
        self.path.split('.').nth(1) == Some("spec")
    }

    /// Its direct fields.
    pub(crate) fn children(&self) -> Vec<Field<'_>> {
        let required = self.schema["required"].as_array().cloned().unwrap_or_default();
        let properties = self.schema["properties"].as_object().into_iter().flatten();
        let items = [("[]", "items"), (".*", "additionalProperties")];
        let items = items.into_iter().filter(|(_, key)| self.schema[*key].is_object());
        properties
            .map(|(name, schema)| Field {
                path: format!("{}.{name}", self.path),
                schema,
                is_required: required.iter().any(|other| other == name),
            })
            .chain(items.map(|(suffix, key)| Field {
                path: format!("{}{suffix}", self.path),
                schema: &self.schema[key],
                is_required: true,
            }))
            .collect()
    }

    /// It and everything below it, in reading order.
    pub(crate) fn walk(&self, visit: &mut impl FnMut(&Field<'_>)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}

/// The CRDs as JSON.
pub(crate) fn all() -> Vec<Value> {
    let values: Vec<Value> = custom_resource_definitions()
        .iter()
        .map(|crd| serde_json::to_value(crd).expect("CRDs should have only string keys"))
        .collect();
    assert!(values.len() >= 2, "the kinds should be found");
    values
}

/// Name of the kind that a CRD defines.
pub(crate) fn kind_of(crd: &Value) -> &str {
    crd["spec"]["names"]["kind"].as_str().expect("CRDs should have a kind")
}

/// The schema of the only version of a CRD.
pub(crate) fn schema(crd: &Value) -> &Value {
    &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// The schema of a kind.
pub(crate) fn schema_of(kind: &str) -> Value {
    let crds = all();
    let crd = crds.iter().find(|crd| kind_of(crd) == kind).unwrap_or_else(|| panic!("no CRD defines {kind}"));
    schema(crd).clone()
}

/// The kind itself as the root of its fields.
pub(crate) fn root(crd: &Value) -> Field<'_> {
    Field { path: kind_of(crd).to_owned(), schema: schema(crd), is_required: true }
}
