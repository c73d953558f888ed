//! Text under headings: what `explain` and `doctor` print.

use super::table::{Paint, Table, Tone};
use super::text::{columns, escaped};

/// Columns that running text fills at most.
const MEASURE: usize = 100;
/// Blanks before what stands under a heading.
const INDENT: &str = "  ";

/// What stands under a heading.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A sentence, wrapped.
    Sentence(String, Tone),
    /// A command, which is never wrapped.
    Command(String),
    /// A table.
    Table(Table),
}

/// A heading and what stands under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The heading; none for the first lines.
    pub title: Option<&'static str>,
    /// What stands under it.
    pub body: Vec<Body>,
}

/// Sections, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page(pub Vec<Section>);

impl Page {
    /// Adds a section, unless there is nothing in it.
    pub fn add(&mut self, title: Option<&'static str>, body: Vec<Body>) {
        if !body.is_empty() {
            self.0.push(Section { title, body });
        }
    }

    /// The lines, fitted to a terminal of so many columns where there is one.
    #[must_use]
    pub fn lines(&self, paint: Paint, most: Option<usize>) -> Vec<String> {
        let mut lines = Vec::new();
        for section in &self.0 {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(section.title.map(|title| paint.tinted(title, Tone::Strong)));
            let indent = if section.title.is_some() { INDENT } else { "" };
            let room = |most: usize| most.saturating_sub(indent.len());
            for body in &section.body {
                let own = match body {
                    Body::Sentence(text, tone) => {
                        let measure = room(most.unwrap_or(MEASURE).min(MEASURE));
                        let wrapped = wrap(&escaped(text), measure);
                        wrapped.iter().map(|line| paint.tinted(line, *tone)).collect()
                    }
                    Body::Command(text) => vec![escaped(text)],
                    Body::Table(table) => table.lines(paint, most.map(room)),
                };
                lines.extend(own.into_iter().map(|line| format!("{indent}{line}")));
            }
        }
        lines
    }
}

/// Breaks at blanks; a word that is longer than a line has one of its own.
fn wrap(text: &str, measure: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there should always be a line");
        if last.is_empty() {
            last.push_str(word);
        } else if columns(last) + 1 + columns(word) <= measure {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("{INDENT}{word}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_wrapped_and_commands_are_not() {
        let mut page = Page::default();
        page.add(None, vec![Body::Sentence("one two three".to_owned(), Tone::Plain)]);
        page.add(Some("NOTHING"), Vec::new());
        let command = Body::Command("kubectl get agentslo -n support".to_owned());
        page.add(Some("NEXT"), vec![Body::Sentence("a\x1bb 支援 c d".to_owned(), Tone::Bad), command]);
        let expected = [
            "one two",
            "  three",
            "",
            "NEXT",
            "  a\\u{1b}b",
            "    支援",
            "    c d",
            "  kubectl get agentslo -n support",
        ];
        assert_eq!(page.lines(Paint::Bare, Some(9)), expected);
    }
}
