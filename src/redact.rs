//! What the Collector's pipeline would make of a sample: the same patterns in the same order, without a
//! Collector. A line that is an object or a list in JSON is taken as a record's body of that form, any
//! other line as a body of text.

#![allow(clippy::wildcard_enum_match_arm, reason = "the enums here are those of JSON and of the crate regex")]

use std::collections::BTreeMap;

use regex::{NoExpand, Regex};
use serde_json::{Map, Value};

use crate::render::samples::{KeyPattern, Pattern, Patterns};

/// How often each pattern took something out, by its name.
pub type Hits = BTreeMap<String, usize>;

/// Patterns, ready to be used.
pub struct Sieve {
    content: Option<Named>,
    keys: Vec<NamedKeys>,
    spared: NamedKeys,
    secret: NamedKeys,
    values: Vec<Named>,
    mask: &'static str,
}

struct Named {
    name: String,
    regex: Regex,
}

struct NamedKeys {
    own: Named,
    below: Named,
}

impl Named {
    fn new(pattern: &Pattern) -> Result<Self, String> {
        let Pattern { name, expression } = pattern;
        let regex = Regex::new(expression).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => format!("{name}: the pattern is too large to be tried here"),
            error => format!("{name}: {error}"),
        })?;
        Ok(Self { name: name.clone(), regex })
    }

    fn all(patterns: &[Pattern]) -> Result<Vec<Self>, String> {
        patterns.iter().map(Self::new).collect()
    }
}

impl NamedKeys {
    fn new(pattern: &KeyPattern) -> Result<Self, String> {
        Ok(Self { own: Named::new(&pattern.own)?, below: Named::new(&pattern.below)? })
    }
}

impl Sieve {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// A sentence, if one of them is more than can be compiled here.
    pub fn new(patterns: &Patterns) -> Result<Self, String> {
        Ok(Self {
            content: patterns.content.as_ref().map(Named::new).transpose()?,
            keys: patterns.keys.iter().map(NamedKeys::new).collect::<Result<_, _>>()?,
            spared: NamedKeys::new(&patterns.spared)?,
            secret: NamedKeys::new(&patterns.secret)?,
            values: Named::all(&patterns.values)?,
            mask: patterns.mask,
        })
    }

    /// What becomes of one line.
    pub fn line(&self, line: &str, hits: &mut Hits) -> String {
        match serde_json::from_str(line) {
            Ok(body @ (Value::Object(_) | Value::Array(_))) => self.body(body, hits).to_string(),
            Ok(_) | Err(_) => self.text(line, hits),
        }
    }

    /// Each pattern works on what the ones before it left.
    fn text(&self, text: &str, hits: &mut Hits) -> String {
        self.values.iter().fold(text.to_owned(), |text, pattern| {
            let found = pattern.regex.find_iter(&text).count();
            if found == 0 {
                return text;
            }
            count(hits, &pattern.name, found);
            pattern.regex.replace_all(&text, NoExpand(self.mask)).into_owned()
        })
    }

    fn body(&self, mut body: Value, hits: &mut Hits) -> Value {
        if let Value::Object(entries) = &mut body {
            entries.retain(|key, _| !self.is_content(key, hits));
            entries.retain(|key, _| !self.is_secret(key, |keys| &keys.own, hits));
        }
        let mut body = self.without_nested(body, hits);
        self.mask_within(&mut body, hits);
        match body {
            Value::Object(entries) => Value::Object(self.with_masked_keys(entries, hits)),
            other => other,
        }
    }

    fn is_content(&self, key: &str, hits: &mut Hits) -> bool {
        let content = self.content.as_ref().filter(|content| content.regex.is_match(key));
        if let Some(content) = content {
            count(hits, &content.name, 1);
        }
        content.is_some()
    }

    fn is_secret(&self, key: &str, form: impl Fn(&NamedKeys) -> &Named, hits: &mut Hits) -> bool {
        let found = self.keys.iter().map(&form).find(|pattern| pattern.regex.is_match(key));
        let found = found.filter(|_| !form(&self.spared).regex.is_match(key));
        if let Some(found) = found {
            count(hits, &found.name, 1);
        }
        found.is_some()
    }

    /// The flat form without secret keys, where there are any, or keys that look like secrets.
    fn without_nested(&self, body: Value, hits: &mut Hits) -> Value {
        let mut flat = Map::new();
        match &body {
            Value::Object(entries) => flatten("", entries, &mut flat),
            Value::Array(items) => flatten_list("body", items, &mut flat),
            _ => return body,
        }
        let before = flat.len();
        flat.retain(|key, _| !self.is_secret(key, |keys| &keys.below, hits));
        let looks_secret = |key: &String| self.values.iter().any(|pattern| pattern.regex.is_match(key));
        if flat.len() == before && !flat.keys().any(looks_secret) {
            return body;
        }
        flat.retain(|key, _| {
            let secret = self.secret.below.regex.is_match(key);
            count(hits, &self.secret.below.name, usize::from(secret));
            !secret
        });
        Value::Object(flat)
    }

    fn mask_within(&self, value: &mut Value, hits: &mut Hits) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries.iter_mut() {
                    if self.secret.own.regex.is_match(key) {
                        count(hits, &self.secret.own.name, 1);
                        *value = Value::from(self.mask);
                    } else {
                        self.mask_within(value, hits);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_within(item, hits)),
            leaf => {
                let text = as_text(leaf);
                let masked = self.text(&text, hits);
                if masked != text {
                    *leaf = Value::from(masked);
                }
            }
        }
    }

    /// Keys are masked by one expression of all patterns, so that the first that matches takes its part.
    fn with_masked_keys(&self, entries: Map<String, Value>, hits: &mut Hits) -> Map<String, Value> {
        entries.into_iter().map(|(key, value)| (self.masked_key(&key, hits), value)).collect()
    }

    fn masked_key(&self, key: &str, hits: &mut Hits) -> String {
        let (mut masked, mut rest) = (String::new(), 0);
        while let Some((pattern, found)) = self.next_in(key, rest) {
            count(hits, &pattern.name, 1);
            masked.push_str(&key[rest..found.start()]);
            masked.push_str(self.mask);
            rest = found.end();
        }
        masked + &key[rest..]
    }

    /// The leftmost match; of several there, that of the first pattern.
    fn next_in<'a>(&self, key: &'a str, from: usize) -> Option<(&Named, regex::Match<'a>)> {
        let matches = self.values.iter().filter_map(|it| Some((it, it.regex.find_at(key, from)?)));
        matches.min_by_key(|(_, found)| found.start())
    }
}

fn count(hits: &mut Hits, name: &str, times: usize) {
    if times == 0 {
        return;
    }
    *hits.entry(name.to_owned()).or_default() += times;
}

/// As the Collector writes a value that is no text.
fn as_text(leaf: &Value) -> String {
    match leaf {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float_as_text(float),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Without an exponent from 0.000001 up to 21 digits.
fn float_as_text(float: f64) -> String {
    if float == 0.0 || (1e-6..1e21).contains(&float.abs()) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

/// As OTTL's `flatten` names things; that a list in a list has no `.` before its number is its own.
fn flatten(prefix: &str, entries: &Map<String, Value>, flat: &mut Map<String, Value>) {
    for (key, value) in entries {
        flatten_value(format!("{prefix}{key}"), value, flat);
    }
}

fn flatten_value(path: String, value: &Value, flat: &mut Map<String, Value>) {
    match value {
        Value::Object(entries) => flatten(&below(&path), entries, flat),
        Value::Array(items) => flatten_list(&path, items, flat),
        leaf => {
            flat.insert(path, leaf.clone());
        }
    }
}

fn flatten_list(path: &str, items: &[Value], flat: &mut Map<String, Value>) {
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}.{index}");
        match item {
            Value::Array(inner) => {
                let inner = inner.iter().enumerate();
                inner.for_each(|(index, item)| flatten_value(format!("{path}{index}"), item, flat));
            }
            other => flatten_value(path, other, flat),
        }
    }
}

fn below(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}.") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_the_collector_does() {
        for (number, text) in [
            (json!(12), "12"),
            (json!(12.0), "12"),
            (json!(-0.5), "-0.5"),
            (json!(4_111_111_111_111_111.0), "4111111111111111"),
            (json!(1e300), "1e+300"),
            (json!(1.5e-7), "1.5e-7"),
            (json!(true), "true"),
            (json!(null), ""),
        ] {
            assert_eq!(as_text(&number), text);
        }
    }

    #[test]
    fn paths_are_written_as_ottl_does() {
        let nested = json!({"a": {"b": [1, [2, {"c": 3}], {"d": 4}]}, "e": {}, "f": []});
        let mut flat = Map::new();
        flatten("", nested.as_object().expect("it is an object"), &mut flat);
        let expected = json!({"a.b.0": 1, "a.b.10": 2, "a.b.11.c": 3, "a.b.2.d": 4});
        assert_eq!(Value::Object(flat), expected);
    }
}
