//! What Grafana does to text before it sends a query: it puts in the values of variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// The three spellings of a variable, as in Grafana's `variableRegex`.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$(\w+)|\[\[(\w+?)(?::\w+)?\]\]|\$\{(\w+)(?:\.[^:^\}]+)?(?::[^\}]+)?\}")
        .expect("it should compile")
});

/// A text with the values of known variables; others stay, as they do in Grafana.
pub(super) fn interpolated(text: &str, values: &BTreeMap<String, String>) -> String {
    let value = |captures: &regex::Captures<'_>| {
        let name = captures.iter().skip(1).flatten().next().expect("one arm should match").as_str();
        values.get(name).cloned().unwrap_or_else(|| captures[0].to_owned())
    };
    VARIABLE.replace_all(text, value).into_owned()
}

/// Names of the variables in a text.
pub(super) fn variables(text: &str) -> BTreeSet<String> {
    let name = |captures: regex::Captures<'_>| {
        captures.iter().skip(1).flatten().next().expect("one arm should match").as_str().to_owned()
    };
    VARIABLE.captures_iter(text).map(name).collect()
}

/// Every text in a value.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(elements) => elements.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
