//! What is entered: one thing that an agent did, as text that is the same bytes whenever it is the same thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hash::Sha256;

/// Whole numbers that JSON numbers hold everywhere; larger ones are texts.
const LARGEST_NUMBER: i64 = (1 << 53) - 1;

/// One thing that an agent did.
///
/// There are no fractions in it: money is in millionths of a dollar, durations are in microseconds, and a fraction
/// that telemetry brings is kept as the text that it would be printed as. So the text of an entry never depends on
/// how somebody rounds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// When it happened, by the clock of whoever did it: nanoseconds since the epoch, in digits.
    pub at: String,
    /// What happened, as the telemetry names it. Example: `tool_result`.
    pub event: String,
    /// Session or conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whoever it was done for, under a pseudonym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// W3C trace id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// W3C span id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// What else the telemetry says, by its name there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, Detail>,
    /// Hashes of contents that are not kept, by their name in the telemetry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub withheld: BTreeMap<String, Sha256>,
}

/// A value of an attribute.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// Yes or no.
    Flag(bool),
    /// A whole number that JSON holds everywhere.
    Number(i64),
    /// Anything else.
    Text(String),
    /// Several.
    List(Vec<Detail>),
    /// Several, by name.
    Map(BTreeMap<String, Detail>),
}

impl From<i64> for Detail {
    fn from(number: i64) -> Self {
        let holds = (-LARGEST_NUMBER..=LARGEST_NUMBER).contains(&number);
        if holds { Self::Number(number) } else { Self::Text(number.to_string()) }
    }
}

impl From<f64> for Detail {
    /// A fraction becomes its shortest decimal text.
    fn from(fraction: f64) -> Self {
        Self::Text(fraction.to_string())
    }
}

impl From<&str> for Detail {
    /// PostgreSQL holds every character but NUL.
    fn from(text: &str) -> Self {
        Self::Text(text.replace('\0', "\u{fffd}"))
    }
}

impl Detail {
    /// The canonical text: RFC 8785.
    ///
    /// # Panics
    /// Never: a value has texts for keys and no fractions.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json_canonicalizer::to_string(self).expect("a value should be JSON")
    }
}

impl Entry {
    /// The canonical text: RFC 8785.
    ///
    /// # Panics
    /// Never: an entry has texts for keys and no fractions.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json_canonicalizer::to_string(self).expect("an entry should be JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            at: "1764493270000000001".to_owned(),
            event: "tool_result".to_owned(),
            session: Some("s-1".to_owned()),
            user: None,
            trace: None,
            span: None,
            details: BTreeMap::from([
                ("tool_name".to_owned(), "Bash\0\n\"é\u{1f600}".into()),
                ("duration_ms".to_owned(), 1200.into()),
                ("cost_usd".to_owned(), 0.1.into()),
                ("bytes".to_owned(), i64::MAX.into()),
                ("success".to_owned(), Detail::Flag(true)),
            ]),
            withheld: BTreeMap::from([("prompt".to_owned(), Sha256::of(&[b"hello"]))]),
        }
    }

    #[test]
    fn its_text_is_canonical_and_reads_back() {
        let text = entry().canonical();
        let expected = concat!(
            r#"{"at":"1764493270000000001","details":{"bytes":"9223372036854775807","cost_usd":"0.1","#,
            r#""duration_ms":1200,"success":true,"tool_name":"Bash"#,
            "\u{fffd}",
            r#"\n\"é"#,
            "\u{1f600}",
            r#""},"event":"tool_result","session":"s-1","withheld":{"prompt":"#,
            r#""2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}}"#,
        );
        assert_eq!(text, expected);
        let read: Entry = serde_json::from_str(&text).expect("it should read back");
        assert_eq!(read, entry());
        assert_eq!(read.canonical(), text);
    }
}
