//! The sentences: what is wrong with the structure, and what would be right.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// How a message about an unknown field starts.
pub(super) const UNKNOWN_FIELD: &str = "unknown field";

/// Longest message.
const LONGEST: usize = 200;

/// Names that other tools give to our fields, and how ours are called.
const ELSEWHERE: [(&str, &str); 10] = [
    ("target", "objective"),
    ("goal", "objective"),
    ("objectives", "objective"),
    ("sli", "indicator"),
    ("timeWindow", "window"),
    ("agentRef", "agent"),
    ("runbook", "runbookURL"),
    ("warning", "ticket"),
    ("toolcalls", "toolSuccess"),
    ("query", "raw"),
];

/// From this likeness on (normalised Damerau-Levenshtein) a name is taken for another one misspelt:
/// `traget` and `target` have 0.83, `namespace` and `name` 0.44.
const ALIKE: f64 = 0.6;

/// A field that the schema does not have.
pub(super) fn unknown_field(field: &str, path: &str, known: &[String]) -> String {
    if let Some(meant) = meant(field, known) {
        return format!("{UNKNOWN_FIELD}; did you mean `{meant}`?");
    }
    let place = if path.is_empty() { "a resource".to_owned() } else { format!("`{path}`") };
    let message = format!("{UNKNOWN_FIELD}; {place} may have `{}`", known.join("`, `"));
    if known.is_empty() || message.len() > LONGEST { UNKNOWN_FIELD.to_owned() } else { message }
}

fn meant<'a>(field: &str, known: &'a [String]) -> Option<&'a str> {
    let likeness =
        |name: &str| strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &field.to_lowercase());
    let ours = known.iter().map(|name| (likeness(name), name.as_str()));
    let elsewhere = ELSEWHERE.iter().filter_map(|(theirs, ours)| {
        let ours = known.iter().find(|name| name == ours)?;
        Some((likeness(theirs), ours.as_str()))
    });
    ours.chain(elsewhere)
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// A field that must be there and is not.
pub(super) fn missing(example: Option<&str>) -> String {
    example
        .map_or_else(|| "must be set".to_owned(), |example| format!("must be set, for example '{example}'"))
}

/// A value of another type.
pub(super) fn wrong_type(kind: &TypeKind, found: &Value) -> String {
    let expected = match kind {
        TypeKind::Single(expected) => expected.as_str().to_owned(),
        TypeKind::Multiple(expected) => {
            expected.iter().map(jsonschema::JsonType::as_str).collect::<Vec<_>>().join(" or ")
        }
    };
    match found {
        Value::Number(_) if expected == "string" => {
            format!("must be of type string, write it in quotes: \"{found}\"")
        }
        // YAML reads `y`, `no` and `on` as booleans too, so the spelling is not known any more.
        Value::Bool(_) if expected == "string" => "must be of type string, write it in quotes".to_owned(),
        Value::String(text) if matches!(expected.as_str(), "integer" | "boolean") => {
            format!("must be of type {expected}, write it without quotes: {}", cut(text))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => format!("must be of type {expected}, not {}", type_of(found)),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// None or several of the fields of which one is meant.
pub(super) fn not_exactly_one(fields: &[String]) -> String {
    if fields.iter().any(|field| field == "success") {
        return crate::api::v1alpha1::messages::ONE_INDICATOR.to_owned();
    }
    format!("set exactly one of `{}`", fields.join("`, `"))
}

/// A value of the right type and a wrong form.
#[allow(clippy::wildcard_enum_match_arm, reason = "keywords that our schemas do not use")]
pub(super) fn wrong_form(kind: &ValidationErrorKind, found: &Value) -> String {
    match kind {
        ValidationErrorKind::Enum { options } => format!("must be one of {}", listed(options)),
        ValidationErrorKind::Pattern { pattern } => format!("must match '{pattern}'"),
        ValidationErrorKind::MinLength { .. } if found.as_str() == Some("") => "must not be empty".to_owned(),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("may not be longer than {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::MinProperties { limit } => format!("must have at least {limit} entries"),
        ValidationErrorKind::MaxProperties { limit } => format!("must have at most {limit} entries"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {}", whole(limit)),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {}", whole(limit)),
        other => format!("must satisfy `{}` of the schema", other.keyword()),
    }
}

/// The bounds of our schemas are whole numbers, which Kubernetes' types keep as floats.
fn whole(limit: &Value) -> String {
    let printed = limit.to_string();
    printed.strip_suffix(".0").map_or(printed.clone(), str::to_owned)
}

fn listed(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let quoted: Vec<String> = options
        .iter()
        .map(|option| option.as_str().map_or_else(|| format!("'{option}'"), |text| format!("'{text}'")))
        .collect();
    quoted.join(", ")
}
