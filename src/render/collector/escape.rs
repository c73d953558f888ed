//! What keeps text from becoming configuration. The Collector reads a configuration three times: as YAML,
//! whose quoting is a serialiser's; then it puts values in for `$…` in every string; then OTTL reads what
//! is left of a statement. Text goes the way back: quoted for OTTL, then made literal, then serialised.

use serde_json::Value;

/// An OTTL string that means this text.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The same configuration with nothing to be put in: every `$` means itself.
pub(super) fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('$', "$$")),
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key.replace('$', "$$"), literal(value)));
            Value::Object(entries.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// A reference to an environment variable, for the few places that are not made literal.
pub(super) fn environment(variable: &str) -> String {
    format!("${{env:{variable}}}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What the Collector makes of `$` in a string; `None` where it would look something up.
    fn expanded(text: &str) -> Option<String> {
        let mut rest = text.chars().peekable();
        let mut result = String::new();
        while let Some(letter) = rest.next() {
            if letter == '$' {
                match rest.peek() {
                    Some('$') => rest.next(),
                    Some(_) | None => return None,
                };
            }
            result.push(letter);
        }
        Some(result)
    }

    /// What OTTL makes of a string, which must end where it is meant to.
    fn unquoted(text: &str) -> Option<String> {
        let inner = text.strip_prefix('"')?;
        let mut letters = inner.chars();
        let mut result = String::new();
        loop {
            match letters.next()? {
                '\\' => result.push(letters.next().filter(|letter| matches!(letter, '\\' | '"'))?),
                '"' => return letters.next().is_none().then_some(result),
                letter => result.push(letter),
            }
        }
    }

    proptest! {
        #[test]
        fn text_arrives_as_it_was(text in any::<String>(), hostile in "[$\\\\\"{}a:env]{0,24}") {
            for text in [text, hostile] {
                let written = literal(json!({"key": [quoted(&text)]}));
                let read = expanded(written["key"][0].as_str().expect("text should stay text"));
                let read = read.expect("nothing should be looked up");
                prop_assert_eq!(unquoted(&read), Some(text));
            }
        }

        #[test]
        fn keys_are_literal_too(key in "[$a{}:env]{0,12}") {
            let written = literal(json!({key.as_str(): 1}));
            let written = written.as_object().expect("an object should stay one").keys().next();
            prop_assert_eq!(written.and_then(|written| expanded(written)), Some(key));
        }
    }
}
