//! Secrets are taken out of everything before anything else reads it. Attributes and bodies are the
//! redaction component's; what it cannot reach is parked in an attribute before it and put back behind
//! it, so that one list of patterns serves all. An error refuses the data: nothing passes unread.

use serde_json::{Map, Value, json};

use super::content;
use super::escape::quoted;
use super::nested::nested;
use super::patterns::{SECRET_KEYS, SPARED_KEYS, any_of, values};
use super::statements::{OF_LOGS, OF_METRICS, OF_TRACES, Statements, deleted, strict};
use crate::api::v1alpha1::ContentCapture;
use crate::collector_versions::Release;
use crate::domain::pipeline::Redaction;

/// What stands where a secret was.
pub(super) const MASK: &str = "****";
/// Prefix of the attributes in which text is parked.
const PARKED: &str = "agentslo.parked.";

/// Names of the components that every signal passes, in their order.
pub(super) fn steps(redaction: &Redaction) -> Vec<&'static str> {
    let content = (redaction.content == ContentCapture::None).then_some("transform/content");
    let keys = (!redaction.key_patterns.is_empty()).then_some("transform/keys");
    content
        .into_iter()
        .chain(keys)
        .chain(["transform/nested", "transform/park", "redaction", "transform/unpark"])
        .collect()
}

/// The components.
pub(super) fn components(
    redaction: &Redaction,
    statements: Statements<'_>,
    release: &Release,
) -> Map<String, Value> {
    let patterns = values(redaction);
    let every = any_of(&patterns);
    let components = [
        ("filter/metric_names", metric_names(&every)),
        ("transform/content", content::removal(statements)),
        ("transform/keys", keys(statements, &redaction.key_patterns)),
        ("transform/nested", nested(statements, &redaction.key_patterns, &every)),
        ("transform/park", park(statements, release, &every)),
        ("redaction", redact(&patterns)),
        ("transform/unpark", unpark(statements, &every)),
    ];
    let steps = steps(redaction);
    let used = |name: &str| name == "filter/metric_names" || steps.contains(&name);
    components.into_iter().filter(|(name, _)| used(name)).map(|(name, it)| (name.to_owned(), it)).collect()
}

/// A metric's name cannot be changed without meaning another metric.
fn metric_names(every: &str) -> Value {
    let legal = quoted("^[A-Za-z][A-Za-z0-9_./:-]{0,119}$");
    let condition = format!("not IsMatch(metric.name, {legal}) or IsMatch(metric.name, {})", quoted(every));
    json!({"error_mode": "propagate", "metric_conditions": [condition]})
}

/// `allowed_values` is never written: it lets a whole value pass, secrets and all.
fn redact(patterns: &[String]) -> Value {
    json!({
        "allow_all_keys": true,
        // Or nested objects, lists and numbers pass unread.
        "redact_all_types": true,
        "summary": "silent",
        "blocked_key_patterns": [SECRET_KEYS],
        "blocked_values": patterns,
    })
}

/// Takes out what a user's patterns of keys name. RE2 cannot say "but not", so what is spared is kept
/// aside.
fn keys(statements: Statements<'_>, patterns: &[String]) -> Value {
    let (every, spared) = (quoted(&any_of(patterns)), quoted(SPARED_KEYS));
    let of_map =
        |level: &str, map: &str| deleted(map, &every, &format!("{level}.cache[\"spared\"]"), &spared);
    let attributes = |level: &str| of_map(level, &format!("{level}.attributes")).to_vec();
    let mut logs = statements.about_each(&OF_LOGS, attributes);
    let body = of_map("log", "log.body").map(|statement| format!("{statement} where IsMap(log.body)"));
    logs.push(statements.about("log", &body));
    strict(
        statements.about_each(&OF_TRACES, attributes),
        logs,
        statements.about_each(&OF_METRICS, attributes),
    )
}

/// Text outside attributes, by level.
const TEXTS: [(&str, &[&str]); 4] = [
    ("scope", &["name", "version"]),
    ("span", &["name", "status.message", "trace_state"]),
    ("spanevent", &["name"]),
    ("log", &["event_name", "severity_text"]),
];

fn texts_of(level: &str) -> &'static [&'static str] {
    TEXTS.iter().find(|(of, _)| *of == level).map_or(&[], |(_, texts)| texts)
}

fn parked(level: &str, text: &str) -> String {
    format!("{level}.attributes[\"{PARKED}{text}\"]")
}

fn park(statements: Statements<'_>, release: &Release, every: &str) -> Value {
    let of_level = |level: &str| {
        let texts = texts_of(level).iter();
        let mut all: Vec<String> =
            texts.map(|text| format!("set({}, {level}.{text})", parked(level, text))).collect();
        all.extend(emptied(level, release, every));
        all
    };
    let of_levels = |levels: &[&str]| statements.about_each(levels, of_level);
    strict(
        of_levels(&OF_TRACES),
        of_levels(&OF_LOGS),
        of_levels(&["resource", "scope", "metric", "exemplar"]),
    )
}

/// What is emptied because nobody can read it. `clear(span.links)` would end the process.
fn emptied(level: &str, release: &Release, every: &str) -> Vec<String> {
    let (unit, every) = (quoted("^[A-Za-z0-9{}/%_.-]{0,20}$"), quoted(every));
    let emptied = match level {
        "resource" => vec!["set(resource.schema_url, \"\")".to_owned()],
        "scope" => vec!["set(scope.schema_url, \"\")".to_owned()],
        "span" => vec!["set(span.links, nil)".to_owned()],
        "log" => vec![bytes()],
        "metric" => vec![
            "set(metric.description, \"\")".to_owned(),
            "set(metric.metadata, nil)".to_owned(),
            format!(
                "set(metric.unit, \"\") where not IsMatch(metric.unit, {unit}) or IsMatch(metric.unit, {every})"
            ),
        ],
        "exemplar" => vec!["set(exemplar.filtered_attributes, nil)".to_owned()],
        _ => Vec::new(),
    };
    // Where it does nothing it is not written, so that nobody believes in it.
    emptied.into_iter().filter(|it| release.unsets_with_nil || !it.ends_with(" nil)")).collect()
}

/// A body that is of no other type is bytes.
fn bytes() -> String {
    let types = ["String", "Map", "List", "Int", "Double", "Bool"].map(|name| format!("Is{name}(log.body)"));
    format!("set(log.body, \"[bytes removed]\") where log.body != nil and not ({})", types.join(" or "))
}

fn unpark(statements: Statements<'_>, every: &str) -> Value {
    let every = quoted(every);
    let of_level = |level: &str| {
        let mut all: Vec<String> = texts_of(level).iter().map(|text| unparked(level, text)).collect();
        if !all.is_empty() {
            all.push(format!("delete_matching_keys({level}.attributes, \"^agentslo[.]parked[.]\")"));
        }
        all.push(format!("replace_all_patterns({level}.attributes, \"key\", {every}, \"{MASK}\")"));
        all
    };
    let mut logs = statements.about_each(&OF_LOGS, of_level);
    let body = format!("replace_all_patterns(log.body, \"key\", {every}, \"{MASK}\") where IsMap(log.body)");
    logs.push(statements.about("log", &[body]));
    strict(statements.about_each(&OF_TRACES, of_level), logs, statements.about_each(&OF_METRICS, of_level))
}

/// A trace state with a mask in it would be none.
fn unparked(level: &str, text: &str) -> String {
    let parked = parked(level, text);
    if text == "trace_state" {
        return format!("set({level}.{text}, \"\") where {level}.{text} != {parked}");
    }
    format!("set({level}.{text}, {parked})")
}
