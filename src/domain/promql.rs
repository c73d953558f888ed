//! Selectors, and the one place where text becomes part of a query.

use std::fmt;
use std::fmt::Write as _;

use crate::api::v1alpha1::MatchOp;

/// A condition on a label whose name is legal and whose expression, if it is one, compiles.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LabelMatcher {
    /// Name of the label; may hold dots.
    pub label: String,
    /// How it is compared.
    pub op: MatchOp,
    /// Value or RE2 expression, not escaped.
    pub value: String,
}

impl LabelMatcher {
    /// `label="value"`.
    pub fn equal(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), op: MatchOp::Equal, value: value.into() }
    }

    /// `label!="value"`.
    pub fn not_equal(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), op: MatchOp::NotEqual, value: value.into() }
    }

    /// A condition for one of several literal values; none where there are none.
    #[must_use]
    pub fn one_of(label: impl Into<String>, values: &[String]) -> Option<Self> {
        match values {
            [] => None,
            [single] => Some(Self::equal(label, single.clone())),
            several => {
                let escaped: Vec<String> = several.iter().map(|value| regex_syntax::escape(value)).collect();
                Some(Self::regex(label, escaped.join("|")))
            }
        }
    }

    /// `label=~"expression"`.
    pub fn regex(label: impl Into<String>, expression: impl Into<String>) -> Self {
        Self { label: label.into(), op: MatchOp::Regex, value: expression.into() }
    }
}

impl fmt::Display for LabelMatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(formatter, "{}{op}{}", quoted_name(&self.label), quoted(&self.value))
    }
}

/// A metric with conditions on its labels. Prints as a PromQL vector selector.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeriesSelector {
    /// Name of the metric; may hold dots.
    pub metric: String,
    /// Conditions, all of which must hold.
    pub matchers: Vec<LabelMatcher>,
}

impl SeriesSelector {
    /// A metric with conditions.
    pub fn new(metric: impl Into<String>, matchers: Vec<LabelMatcher>) -> Self {
        Self { metric: metric.into(), matchers }
    }

    /// The same conditions and more.
    #[must_use]
    pub fn with(mut self, matchers: impl IntoIterator<Item = LabelMatcher>) -> Self {
        self.matchers.extend(matchers);
        self
    }

    /// The same conditions on a metric whose name has a suffix, such as `_bucket`.
    #[must_use]
    pub fn suffixed(&self, suffix: &str) -> Self {
        Self { metric: format!("{}{suffix}", self.metric), matchers: self.matchers.clone() }
    }
}

impl fmt::Display for SeriesSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matchers: Vec<String> = self.matchers.iter().map(ToString::to_string).collect();
        if is_number(&self.metric) {
            let name = LabelMatcher::equal("__name__", &self.metric).to_string();
            return write!(formatter, "{{{}}}", [vec![name], matchers].concat().join(","));
        }
        if is_legacy_name(&self.metric) {
            let matchers = matchers.join(",");
            return write!(formatter, "{}{{{matchers}}}", self.metric);
        }
        let inside = [vec![quoted(&self.metric)], matchers].concat().join(",");
        write!(formatter, "{{{inside}}}")
    }
}

/// Whether PromQL reads a name as a number, in whichever case.
fn is_number(name: &str) -> bool {
    ["nan", "inf"].iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// A string literal of PromQL. Whatever the text, it stays one literal.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '\\' => literal.push_str("\\\\"),
            '"' => literal.push_str("\\\""),
            '\n' => literal.push_str("\\n"),
            other if is_fragile(other) => {
                write!(literal, "\\u{:04x}", u32::from(other)).expect("writing to a string should not fail");
            }
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

/// Whether a character would not survive: Prometheus takes U+FFFD for broken UTF-8, and the YAML of rule files
/// folds some of the others like line breaks and does not allow the rest.
fn is_fragile(character: char) -> bool {
    matches!(
        character,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffd}'..='\u{ffff}'
    )
}

/// A label or metric name as PromQL wants it: bare, or quoted when it is not of the old character set.
#[must_use]
pub fn quoted_name(name: &str) -> String {
    if is_legacy_name(name) && !name.contains(':') { name.to_owned() } else { quoted(name) }
}

/// Whether a name needs no quotes in any version of Prometheus.
#[must_use]
pub fn is_legacy_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    name.bytes().all(legal) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// `by (a, b) `, or nothing where there are no labels.
#[must_use]
pub fn by_clause(labels: &[String]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let names: Vec<String> = labels.iter().map(|label| quoted_name(label)).collect();
    format!(" by ({})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_print_bare_or_quoted_names() {
        let plain = SeriesSelector::new("up", vec![LabelMatcher::equal("job", "a\"} or b{c=\"")]);
        assert_eq!(plain.to_string(), r#"up{job="a\"} or b{c=\""}"#);
        let number = SeriesSelector::new("NaN", vec![LabelMatcher::equal("job", "x")]);
        assert_eq!(number.to_string(), r#"{__name__="NaN",job="x"}"#);
        let fragile = LabelMatcher::equal("job", "\u{85}\u{2028}\u{fffd}é😀");
        assert_eq!(fragile.to_string(), r#"job="\u0085\u2028\ufffdé😀""#);
        let dotted = SeriesSelector::new("gen_ai.x", vec![LabelMatcher::not_equal("error.type", "")]);
        assert_eq!(dotted.to_string(), r#"{"gen_ai.x","error.type"!=""}"#);
    }
}
