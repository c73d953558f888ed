//! The structure of what was written, against the schemas of the CRDs: what the API server would say
//! about it, in our own words, without an API server.

mod closed;
mod repeated;
mod words;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use crate::domain::violation::{Rule, Violation};

/// What a document says, as far as its structure allows.
#[derive(Clone, Debug)]
pub struct Structure<T> {
    /// The resource. With violations it is what remains when they are overlooked, so that its meaning
    /// can still be judged; none where nothing sensible remains.
    pub resource: Option<T>,
    /// Where the structure is wrong.
    pub violations: Vec<StructureViolation>,
}

/// A place where the structure is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StructureViolation {
    /// Where, and what would be right.
    pub violation: Violation,
    /// Whether it is about the form of a text or number, of which the meaning may say more.
    is_form: bool,
}

impl<T> Structure<T> {
    /// The violations of structure and meaning, without those of structure where the meaning says more
    /// about the same place.
    pub fn and<'a>(self, meaning: impl IntoIterator<Item = &'a Violation>) -> Vec<Violation> {
        let meaning: Vec<Violation> = meaning.into_iter().cloned().collect();
        let said = |path: &str| {
            let on_form = |violation: &&Violation| {
                !matches!(violation.rule, Rule::UnknownReference | Rule::NotPermitted)
            };
            meaning.iter().filter(on_form).any(|violation| violation.path == path)
        };
        let structure = self.violations.into_iter();
        let kept = structure.filter(|found| !(found.is_form && said(&found.violation.path)));
        let mut all: Vec<Violation> = kept.map(|found| found.violation).chain(meaning.clone()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Reads an AgentSLO.
#[must_use]
pub fn read_slo(value: &Value) -> Structure<AgentSlo> {
    read(value, &closed::AGENT_SLO)
}

/// Reads an AgentObservability.
#[must_use]
pub fn read_observability(value: &Value) -> Structure<AgentObservability> {
    read(value, &closed::AGENT_OBSERVABILITY)
}

/// Reads an AgentPlatform.
#[must_use]
pub fn read_platform(value: &Value) -> Structure<AgentPlatform> {
    read(value, &closed::AGENT_PLATFORM)
}

fn read<T: DeserializeOwned>(value: &Value, schema: &closed::Schema) -> Structure<T> {
    let mut value = value.clone();
    closed::drop_nulls(&mut value, &schema.value);
    let errors: Vec<ValidationError<'_>> = schema.validator.iter_errors(&value).collect();
    let mut violations: Vec<StructureViolation> =
        errors.iter().flat_map(|error| translate(error, &value, &schema.value)).collect();
    drop_consequences(&mut violations);
    violations.extend(repeated::find(&value, &schema.value).into_iter().map(form));
    let repairs: Vec<Repair> = errors.iter().filter_map(repair).collect();
    for repair in repairs {
        repair.apply(&mut value);
    }
    match serde_json::from_value(value) {
        Ok(resource) => Structure { resource: Some(resource), violations },
        Err(error) => {
            if violations.is_empty() {
                violations.push(firm("spec", format!("must fit its kind: {error}")));
            }
            Structure { resource: None, violations }
        }
    }
}

/// An unknown name for an indicator is one mistake, not two.
fn drop_consequences(violations: &mut Vec<StructureViolation>) {
    let unknown: Vec<String> = violations
        .iter()
        .filter(|found| found.violation.message.starts_with(words::UNKNOWN_FIELD))
        .filter_map(|found| Some(found.violation.path.rsplit_once('.')?.0.to_owned()))
        .collect();
    violations.retain(|found| {
        found.violation.rule != Rule::NotExactlyOne || !unknown.contains(&found.violation.path)
    });
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the other keywords are about the form of a value")]
fn translate(error: &ValidationError<'_>, root: &Value, schema: &Value) -> Vec<StructureViolation> {
    let pointer = error.instance_path().as_str();
    let path = path_of(pointer, root);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = closed::fields_at(pointer, root, schema);
            unexpected
                .iter()
                .map(|field| firm(join(&path, field), words::unknown_field(field, &path, &known)))
                .collect()
        }
        ValidationErrorKind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            let example = closed::example_at(pointer, field, root, schema);
            vec![firm(join(&path, field), words::missing(example.as_deref()))]
        }
        ValidationErrorKind::Type { kind } => {
            vec![firm(path, words::wrong_type(kind, error.instance()))]
        }
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
            let message = words::not_exactly_one(&closed::fields_at(pointer, root, schema));
            let violation = Violation { path, rule: Rule::NotExactlyOne, message };
            vec![StructureViolation { violation, is_form: true }]
        }
        kind => vec![form((path, words::wrong_form(kind, error.instance())))],
    }
}

fn firm(path: impl Into<String>, message: String) -> StructureViolation {
    StructureViolation {
        violation: Violation { path: path.into(), rule: Rule::InvalidSchema, message },
        is_form: false,
    }
}

fn form((path, message): (String, String)) -> StructureViolation {
    StructureViolation { is_form: true, ..firm(path, message) }
}

/// What overlooking a violation means for the value, so that serde takes the rest.
enum Repair {
    /// A number or boolean where text is meant.
    AsText(String, String),
    /// A value that is none of those allowed.
    Remove(String),
}

impl Repair {
    fn apply(self, value: &mut Value) {
        match self {
            Self::AsText(pointer, text) => {
                if let Some(place) = value.pointer_mut(&pointer) {
                    *place = Value::String(text);
                }
            }
            Self::Remove(pointer) => {
                let (parent, field) = pointer.rsplit_once('/').unwrap_or(("", ""));
                if let Some(Value::Object(parent)) = value.pointer_mut(parent) {
                    parent.remove(field);
                }
            }
        }
    }
}

fn repair(error: &ValidationError<'_>) -> Option<Repair> {
    let pointer = error.instance_path().as_str().to_owned();
    if let ValidationErrorKind::Enum { .. } = error.kind() {
        return Some(Repair::Remove(pointer));
    }
    match (error.kind(), error.instance().as_ref()) {
        (ValidationErrorKind::Type { kind }, Value::Number(_) | Value::Bool(_)) if is_text(kind) => {
            Some(Repair::AsText(pointer, error.instance().to_string()))
        }
        _ => None,
    }
}

fn is_text(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Single(jsonschema::JsonType::String))
}

/// The path of a JSON pointer in the spelling of the YAML: `spec.groupBy[0]`.
fn path_of(pointer: &str, root: &Value) -> String {
    let mut path = String::new();
    let mut place = Some(root);
    for segment in segments(pointer) {
        if let Some(Value::Array(items)) = place {
            path = format!("{path}[{segment}]");
            place = segment.parse().ok().and_then(|index: usize| items.get(index));
        } else {
            path = join(&path, &segment);
            place = place.and_then(|value| value.get(&segment));
        }
    }
    path
}

fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

#[cfg(test)]
mod tests;
