//! What the redaction component cannot see in maps and lists: bytes, which it passes; keys below the first
//! level of attributes; and whole maps with a number in them that JSON cannot write. OTTL neither walks a
//! map nor tells bytes by their type, but it can write a map as text after every text in it was blanked.
//! What is then no blank, no number and no truth is a map, a list, or bytes. Maps and lists are flattened
//! aside, their bytes and secret keys are deleted there, and only where that took something out does the
//! flat form take their place.
//!
//! Of attributes of its own name that component reads none, so none gets to it.

use serde_json::Value;

use super::escape::quoted;
use super::patterns::{SECRET_KEYS, SPARED_KEYS, any_of, below};
use super::statements::{OF_LOGS, OF_METRICS, OF_TRACES, Statements, deleted, strict};

/// Stands between a key and its value, and ends an entry, as OTTL and as RE2 write them.
const UNIT: &str = r"\x1f";
const RECORD: &str = r"\x1e";
/// A value that is none of bytes, map and list, once every text is a `-`. Base64 is never one of them
/// unless its bytes have no letter of ASCII.
const PLAIN: &str = r"-|-?[0-9]+(?:[.][0-9]+)?(?:e[+-][0-9]+)?|true|false|NaN|-?Infinity";

/// Attributes in which a redaction component says what it did.
const SUMMARIES: &str = "^redaction[.](body[.])?(redacted|masked|allowed|ignored)[.](keys|count)$";

/// Takes bytes and what is behind secret keys out of maps and lists. `values` are the patterns of values.
pub(super) fn nested(statements: Statements<'_>, key_patterns: &[String], values: &str) -> Value {
    let attributes = |level: &str| of_attributes(&Scratch(level), key_patterns);
    let mut logs = statements.about_each(&OF_LOGS, attributes);
    logs.push(statements.about("log", &of_body(&Scratch("log"), key_patterns, values)));
    strict(
        statements.about_each(&OF_TRACES, attributes),
        logs,
        statements.about_each(&OF_METRICS, attributes),
    )
}

/// What is kept aside while the statements about one level run.
struct Scratch<'a>(&'a str);

impl Scratch<'_> {
    fn at(&self, name: &str) -> String {
        format!("{}.cache[\"{name}\"]", self.0)
    }
}

fn of_attributes(scratch: &Scratch<'_>, key_patterns: &[String]) -> Vec<String> {
    let attributes = format!("{}.attributes", scratch.0);
    let (nested, rest) = (scratch.at("nested"), scratch.at("rest"));
    let mut all = vec![format!("delete_matching_keys({attributes}, {})", quoted(SUMMARIES))];
    all.extend(remainder(scratch, &attributes, "rest", PLAIN));
    // Of a map that JSON cannot write there is no text, and redaction would let it pass.
    let unwritable = quoted(&format!("{UNIT}(?:{RECORD}|$)"));
    all.push(format!("set({}, true) where IsMatch({rest}, {unwritable})", scratch.at("changed")));
    all.extend(pattern_of_keys(scratch, "rest"));
    all.push(format!("set({nested}, {attributes}) where {}", is_found(&rest)));
    all.push(format!("keep_matching_keys({nested}, {rest}) where {nested} != nil"));
    let secret: Vec<String> = [SECRET_KEYS.to_owned()].into_iter().chain(key_patterns.to_vec()).collect();
    all.extend(cleaned(scratch, &secret, !key_patterns.is_empty()));
    let changed = format!("{} == true", scratch.at("changed"));
    all.push(format!("delete_matching_keys({attributes}, {rest}) where {changed}"));
    all.push(format!("merge_maps({attributes}, {nested}, \"insert\") where {changed}"));
    all
}

/// Redaction walks bodies itself, but passes bytes, and keys that are secrets.
fn of_body(scratch: &Scratch<'_>, key_patterns: &[String], values: &str) -> Vec<String> {
    let (nested, keys) = (scratch.at("nested"), scratch.at("keys"));
    let mut all = vec![
        format!("set({nested}, log.body) where IsMap(log.body)"),
        format!("set({nested}[\"body\"], log.body) where IsList(log.body)"),
    ];
    all.extend(cleaned(scratch, key_patterns, !key_patterns.is_empty()));
    all.push(format!("set({keys}, {nested}) where {nested} != nil"));
    all.push(format!("delete_matching_keys({keys}, {}) where {nested} != nil", quoted(values)));
    all.push(changed(scratch, &nested, &keys));
    let flat = format!("where {} == true", scratch.at("changed"));
    // What is behind a key that ends in the middle of a path, redaction would not find.
    all.push(format!("delete_matching_keys({nested}, {}) {flat}", quoted(&below(SECRET_KEYS))));
    all.push(format!("set(log.body, {nested}) {flat}"));
    all
}

/// Flattens what is kept aside as `nested`, deletes bytes and secret keys in it, and notes whether there
/// were any.
fn cleaned(scratch: &Scratch<'_>, secret_keys: &[String], spares: bool) -> Vec<String> {
    let (nested, bytes) = (scratch.at("nested"), scratch.at("bytes"));
    let before = scratch.at("before");
    let exists = format!("where {nested} != nil");
    let mut all = vec![format!("flatten({nested}) {exists}")];
    let remainder = remainder(scratch, &nested, "bytes", &format!("|{PLAIN}"));
    all.extend(remainder.into_iter().map(|statement| format!("{statement} {exists}")));
    all.push(format!("set({before}, {nested}) {exists}"));
    all.extend(pattern_of_keys(scratch, "bytes"));
    all.push(format!("delete_matching_keys({nested}, {bytes}) where {}", is_found(&bytes)));
    let secret_keys: Vec<String> = secret_keys.iter().map(|pattern| below(pattern)).collect();
    let keys = quoted(&any_of(&secret_keys));
    let deletes: Vec<String> = if spares {
        deleted(&nested, &keys, &scratch.at("spared"), &quoted(&below(SPARED_KEYS))).into()
    } else if secret_keys.is_empty() {
        Vec::new()
    } else {
        vec![format!("delete_matching_keys({nested}, {keys})")]
    };
    all.extend(deletes.into_iter().map(|statement| format!("{statement} {exists}")));
    all.push(changed(scratch, &before, &nested));
    all
}

fn changed(scratch: &Scratch<'_>, one: &str, other: &str) -> String {
    let (changed, nested) = (scratch.at("changed"), scratch.at("nested"));
    format!("set({changed}, true) where {nested} != nil and Len({one}) != Len({other})")
}

fn is_found(text: &str) -> String {
    format!("{text} != nil and {text} != \"\"")
}

/// Writes a map as text, under this name, without the entries whose values are plain.
fn remainder(scratch: &Scratch<'_>, map: &str, name: &str, plain: &str) -> Vec<String> {
    let (blank, text) = (scratch.at("blank"), scratch.at(name));
    let entry = quoted(&format!("[^{UNIT}{RECORD}]*{UNIT}(?:{plain})(?:{RECORD}|$)"));
    vec![
        // Or an entry could not be told from two.
        format!("replace_all_patterns({map}, \"key\", {}, \"_\")", quoted(&format!("[{UNIT}{RECORD}]"))),
        format!("set({blank}, {map})"),
        format!("truncate_all({blank}, 0)"),
        format!("replace_all_patterns({blank}, \"value\", \"^$\", \"-\")"),
        format!("set({text}, ToKeyValueString({blank}, \"{UNIT}\", \"{RECORD}\"))"),
        format!("replace_pattern({text}, {entry}, \"\")"),
    ]
}

/// Makes of what remained a pattern of its keys. Quotes in keys were escaped, so there any will do.
fn pattern_of_keys(scratch: &Scratch<'_>, name: &str) -> Vec<String> {
    let text = scratch.at(name);
    let found = is_found(&text);
    let becomes = [
        (format!("{UNIT}[^{RECORD}]*(?:{RECORD}|$)"), RECORD_ITSELF),
        (r#"[\\"]+"#.to_owned(), r#"\E[\\"]*\Q"#),
        (RECORD.to_owned(), r"\E|\Q"),
    ];
    let mut all: Vec<String> = becomes
        .into_iter()
        .map(|(old, new)| format!("replace_pattern({text}, {}, {}) where {found}", quoted(&old), quoted(new)))
        .collect();
    let (start, end) = (quoted(r"^(?:\Q"), quoted(r"\E)$"));
    all.push(format!("set({text}, Concat([{start}, {text}, {end}], \"\")) where {found}"));
    all
}

/// The character that ends an entry.
const RECORD_ITSELF: &str = "\u{1e}";
