//! Regular expressions that say the same elsewhere: a few of their parts are replaced, the rest stays as it
//! was written.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, Span};

/// A part that may have to be written in another way.
pub(super) enum Part<'a> {
    /// A place, such as `^` or `\b`.
    Assertion(&'a AssertionKind),
    /// A class, such as `\d`, also in brackets.
    Class(&'a ClassPerl),
}

/// The expression with other parts for those that have one.
pub(super) fn rewritten(expression: &str, part: impl Fn(&Part<'_>) -> Option<&'static str>) -> String {
    let parsed = Parser::new().parse(expression).expect("validation should let only patterns through");
    let mut parts = Parts { part, found: Vec::new() };
    parts.walk(&parsed);
    let mut text = expression.to_owned();
    // They were found from left to right.
    for (start, end, replacement) in parts.found.into_iter().rev() {
        text.replace_range(start..end, replacement);
    }
    text
}

/// The expression as Go reads it, for the crate of our own: there `\d`, `\s`, `\w` and `\b` know only
/// ASCII.
pub(super) fn as_in_go(expression: &str) -> String {
    rewritten(expression, |part| match part {
        Part::Assertion(AssertionKind::WordBoundary) => Some(r"(?-u:\b)"),
        Part::Assertion(_) => None,
        Part::Class(class) => Some(match (&class.kind, class.negated) {
            (ClassPerlKind::Digit, false) => "[0-9]",
            (ClassPerlKind::Digit, true) => "[^0-9]",
            (ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
            (ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
            (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
        }),
    })
}

/// Where parts stand, and what stands for them.
struct Parts<F> {
    part: F,
    found: Vec<(usize, usize, &'static str)>,
}

impl<F: Fn(&Part<'_>) -> Option<&'static str>> Parts<F> {
    fn see(&mut self, part: &Part<'_>, span: &Span) {
        let replacement = (self.part)(part);
        self.found.extend(replacement.map(|it| (span.start.offset, span.end.offset, it)));
    }

    fn walk(&mut self, node: &Ast) {
        match node {
            Ast::Assertion(assertion) => self.see(&Part::Assertion(&assertion.kind), &assertion.span),
            Ast::ClassPerl(class) => self.see(&Part::Class(class), &class.span),
            Ast::ClassBracketed(class) => self.walk_set(&class.kind),
            Ast::Repetition(repetition) => self.walk(&repetition.ast),
            Ast::Group(group) => self.walk(&group.ast),
            Ast::Alternation(alternation) => alternation.asts.iter().for_each(|node| self.walk(node)),
            Ast::Concat(concat) => concat.asts.iter().for_each(|node| self.walk(node)),
            Ast::Empty(_) | Ast::Flags(_) | Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) => {}
        }
    }

    /// Go has no operations on classes, nor classes in classes.
    fn walk_set(&mut self, set: &ClassSet) {
        if let ClassSet::Item(item) = set {
            self.walk_item(item);
        }
    }

    fn walk_item(&mut self, item: &ClassSetItem) {
        match item {
            ClassSetItem::Perl(class) => self.see(&Part::Class(class), &class.span),
            ClassSetItem::Union(union) => union.items.iter().for_each(|item| self.walk_item(item)),
            ClassSetItem::Empty(_)
            | ClassSetItem::Literal(_)
            | ClassSetItem::Range(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Unicode(_)
            | ClassSetItem::Bracketed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::super::patterns::below;
    use super::as_in_go;

    #[test]
    fn keys_are_found_where_they_begin_and_end_in_a_path() {
        let finds = |pattern: &str, path: &str| {
            Regex::new(&below(pattern)).expect("it should stay a pattern").is_match(path)
        };
        for path in ["token", "a.token", "a.0.token.b", "token.b"] {
            assert!(finds("^token$", path) && finds(r"\Atoken\z", path), "{path}");
        }
        for path in ["atoken", "a.tokens", "a.my-token.b"] {
            assert!(!finds("^token$", path), "{path}");
        }
        assert!(finds("^customer[.]", "a.customer.id") && !finds("^customer[.]", "a.my_customer.id"));
        assert!(finds(r"x|^[\^$]\$$", "a.^$.b"));
    }

    #[test]
    fn classes_know_only_ascii_as_in_go() {
        let finds = |pattern: &str, text: &str| {
            Regex::new(&as_in_go(pattern)).expect("it should stay a pattern").is_match(text)
        };
        for (pattern, is, is_not) in
            [(r"^\d$", "7", "٣"), (r"^[\w.]$", "_", "é"), (r"^\s$", "\t", "\u{b}"), (r"^\W$", "é", "a")]
        {
            assert!(finds(pattern, is) && !finds(pattern, is_not), "{pattern}");
        }
        assert!(finds(r"\ba", "éa") && finds(r"[^\D]", "7") && !finds(r"[^\D]", "٣"));
    }
}
