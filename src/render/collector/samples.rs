//! The patterns of a pipeline for whoever tries them on samples, in the dialect of our own crate.

use super::dialect::as_in_go;
use super::patterns::{SECRET_KEYS, SPARED_KEYS, below, content_keys, named, named_values};
use super::redaction::MASK;
use crate::api::v1alpha1::ContentCapture;
use crate::domain::pipeline::Redaction;

/// A pattern with its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    /// What it is called: a set and a kind in it, or the place in the resource where it was written.
    pub name: String,
    /// The expression.
    pub expression: String,
}

/// A pattern of keys: for keys by themselves, and for the paths of what is nested.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyPattern {
    /// For keys of the first level.
    pub own: Pattern,
    /// For keys below it, joined by `.`.
    pub below: Pattern,
}

/// What a pipeline takes out, as regular expressions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Patterns {
    /// Keys whose values are content, where none may pass.
    pub content: Option<Pattern>,
    /// Keys that a user named.
    pub keys: Vec<KeyPattern>,
    /// Keys that those spare.
    pub spared: KeyPattern,
    /// Keys whose values are credentials.
    pub secret: KeyPattern,
    /// Values, in the order in which they are tried.
    pub values: Vec<Pattern>,
    /// What stands where a value was.
    pub mask: &'static str,
}

/// The patterns of a pipeline.
pub(in crate::render) fn patterns(redaction: &Redaction) -> Patterns {
    let content = (redaction.content == ContentCapture::None).then(content_keys);
    Patterns {
        content: content.map(|expression| pattern("ContentKeys", &expression)),
        keys: named("keyPatterns", &redaction.key_patterns)
            .iter()
            .map(|(name, expression)| key_pattern(name, expression))
            .collect(),
        spared: key_pattern("SparedKeys", SPARED_KEYS),
        secret: key_pattern("SecretKeys", SECRET_KEYS),
        values: named_values(redaction).iter().map(|(name, expression)| pattern(name, expression)).collect(),
        mask: MASK,
    }
}

fn pattern(name: &str, expression: &str) -> Pattern {
    Pattern { name: name.to_owned(), expression: as_in_go(expression) }
}

fn key_pattern(name: &str, expression: &str) -> KeyPattern {
    KeyPattern { own: pattern(name, expression), below: pattern(name, &below(expression)) }
}
