//! From the text of a file to its documents, each with the line of every path in it.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Error, MessageFormatter, Spanned, UserMessageFormatter, budget::BudgetBreach};

/// Deepest nesting; our kinds need 8.
const DEEPEST: usize = 64;
/// Most nodes of a document, and most of them that may come from aliases.
const MOST_NODES: usize = 250_000;
const MOST_ALIASED: usize = 100_000;

/// One document of a file.
pub(super) struct Document {
    /// What it says.
    pub(super) value: Value,
    /// Where it says it.
    pub(super) lines: Lines,
}

/// The line of each path.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    first: u64,
    by_path: BTreeMap<String, u64>,
}

impl Lines {
    /// The line of the path, or of the longest part of it that was written.
    pub(super) fn of(&self, path: &str) -> u64 {
        let mut path = path;
        loop {
            if let Some(line) = self.by_path.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return self.first,
            }
        }
    }
}

/// A document that cannot be read, and where the reader stopped.
pub(super) struct Unreadable {
    /// Line in the file.
    pub(super) line: u64,
    /// What is wrong, and what would be right.
    pub(super) message: String,
}

/// Stack of the thread that reads: the reader calls itself for each level, and an unoptimised build takes
/// about 30 KiB for one, so that the usual 2 MiB do not carry the deepest document.
const STACK: usize = 64 * 1024 * 1024;

/// The documents of a text, without empty ones. One that cannot be read does not hide the others.
pub(super) fn read(text: &str) -> Vec<Result<Document, Unreadable>> {
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || read_all(text));
        let reader = reader.expect("a process should be able to start a thread");
        reader.join().expect("the reader should not panic, whatever it reads")
    })
}

fn read_all(text: &str) -> Vec<Result<Document, Unreadable>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    split(text).into_iter().filter_map(|(line, part)| read_one(line, &part).transpose()).collect()
}

/// The parts between the `---`, each with the line before its first. Such a line cannot be part of a text
/// in YAML, however it is quoted.
fn split(text: &str) -> Vec<(u64, String)> {
    let mut parts = vec![(0, String::new())];
    for (before, line) in (0_u64..).zip(text.split_inclusive('\n')) {
        if line
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim_start().len() < rest.len() || rest.is_empty())
        {
            parts.push((before, String::new()));
        }
        if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
        }
    }
    parts.retain(|(_, part)| part.lines().any(has_content));
    parts
}

/// Whether a line is more than blank, a comment, a directive or a mark of a document.
fn has_content(line: &str) -> bool {
    let rest = line.strip_prefix("---").unwrap_or(line).trim();
    !(rest.is_empty() || rest.starts_with('#') || line.starts_with('%') || rest == "...")
}

fn read_one(before: u64, text: &str) -> Result<Option<Document>, Unreadable> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEEPEST, max_nodes: MOST_NODES },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_ALIASED },
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options) {
        Ok(tree) if matches!(tree.value, Tree::Null) => Ok(None),
        Ok(tree) => {
            let mut lines = Lines { first: before + tree.referenced.line().max(1), ..Lines::default() };
            let value = flatten(tree.value, "", before, &mut lines.by_path);
            Ok(Some(Document { value, lines }))
        }
        Err(error) => {
            let line = error.location().map_or(1, |location| location.line()).max(1);
            Err(Unreadable { line: before + line, message: explain(&error) })
        }
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the reader has 60 more kinds of errors, all of them about the YAML"
)]
fn explain(error: &Error) -> String {
    let mut cause = error;
    while let Error::AliasError { error, .. } | Error::WithSnippet { error, .. } = cause {
        cause = error;
    }
    match cause {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("must not have the key '{key}' twice"),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            format!("must not be nested deeper than {DEEPEST} levels")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "too many nodes or aliases".to_owned(),
        other => format!("must be valid YAML: {}", UserMessageFormatter.format_message(other)),
    }
}

/// A node with the places of what is in it.
enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

/// The plain value of a node; notes the line of every path in it.
fn flatten(tree: Tree, path: &str, before: u64, lines: &mut BTreeMap<String, u64>) -> Value {
    match tree {
        Tree::Null => Value::Null,
        Tree::Bool(value) => Value::Bool(value),
        Tree::Number(value) => Value::Number(value),
        Tree::Text(value) => Value::String(value),
        Tree::List(items) => {
            let items = items.into_iter().enumerate().map(|(index, item)| {
                let path = format!("{path}[{index}]");
                lines.insert(path.clone(), before + item.referenced.line());
                flatten(item.value, &path, before, lines)
            });
            Value::Array(items.collect())
        }
        Tree::Map(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let path =
                    if path.is_empty() { name.value.clone() } else { format!("{path}.{}", name.value) };
                lines.insert(path.clone(), before + name.referenced.line());
                (name.value, flatten(value.value, &path, before, lines))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Number::from_i128(value).map_or_else(|| Tree::Text(value.to_string()), Tree::Number))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Number::from_u128(value).map_or_else(|| Tree::Text(value.to_string()), Tree::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Number::from_f64(value).map_or_else(|| Tree::Text(value.to_string()), Tree::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &str) -> Vec<String> {
        let print = |part: Result<Document, Unreadable>| match part {
            Ok(document) => format!("{} {}", document.lines.of("spec.x[1].y"), document.value),
            Err(unreadable) => format!("{} {}", unreadable.line, unreadable.message),
        };
        read(text).into_iter().map(print).collect()
    }

    #[test]
    fn every_document_is_read_with_its_lines() {
        let text = "\u{feff}# first\r\nspec:\r\n  x:\r\n  - 1\r\n  - y: 2\r\n---\r\n---\n# nothing\n--- {a: *b}\n---\nspec: {x: [~, {y: no}]}\n...\n";
        assert_eq!(
            lines_of(text),
            [
                "5 {\"spec\":{\"x\":[1,{\"y\":2}]}}",
                "9 must be valid YAML: reference to unknown value",
                "11 {\"spec\":{\"x\":[null,{\"y\":false}]}}",
            ]
        );
    }

    #[test]
    fn what_would_exhaust_memory_is_refused() {
        let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
            let last = level - 1;
            format!("{text}a{level}: &a{level} [*a{last}, *a{last}, *a{last}]\n")
        });
        let deep = "[".repeat(100) + &"]".repeat(100);
        for (text, message) in [
            (bomb.as_str(), "too many nodes or aliases"),
            (&deep, "must not be nested deeper than 64 levels"),
            ("a: 1\na: 2\n", "must not have the key 'a' twice"),
        ] {
            let said = lines_of(text);
            assert!(said.len() == 1 && said[0].ends_with(message), "{said:?}");
        }
    }
}
