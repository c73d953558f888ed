//! Whether Go takes a regular expression, of which we know that the crate of our own takes it. The two
//! differ at the edges: an expression that a Collector refuses keeps it from starting, and one that Prometheus
//! refuses takes all rules of its object with it.

use regex_syntax::ast::{self, Ast, parse::Parser};

/// Most repetitions that Go takes, also of one inside the other.
const MOST_REPETITIONS: u32 = 1000;

/// Checks an expression whose matches are replaced.
///
/// # Errors
/// What would have to be written differently.
pub(super) fn check(expression: &str) -> Result<(), String> {
    check_syntax(expression)?;
    let matches_nothing = regex::Regex::new(expression).is_ok_and(|regex| regex.is_match(""));
    if matches_nothing {
        return Err("must not match the empty text, which stands everywhere".to_owned());
    }
    Ok(())
}

/// Checks an expression.
///
/// # Errors
/// What would have to be written differently.
pub(super) fn check_syntax(expression: &str) -> Result<(), String> {
    let parsed = Parser::new().parse(expression).map_err(|error| error.kind().to_string())?;
    let visitor = Differences { repetitions: vec![1] };
    ast::visit(&parsed, visitor).map_err(|what| format!("must be an RE2 regular expression: {what}"))
}

struct Differences {
    /// Products of the repetitions that are open.
    repetitions: Vec<u32>,
}

impl ast::Visitor for Differences {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, node: &Ast) -> Result<(), String> {
        match node {
            Ast::Flags(flags) => check_flags(&flags.flags),
            Ast::Group(group) => group.flags().map_or(Ok(()), check_flags),
            Ast::Literal(literal) => check_literal(literal),
            Ast::Assertion(assertion) => check_assertion(&assertion.kind),
            Ast::ClassUnicode(class) => check_class(class),
            Ast::Repetition(repetition) => self.open(repetition),
            Ast::Empty(_)
            | Ast::Dot(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => Ok(()),
        }
    }

    fn visit_post(&mut self, node: &Ast) -> Result<(), String> {
        if matches!(node, Ast::Repetition(_)) {
            self.repetitions.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), String> {
        match item {
            ast::ClassSetItem::Literal(literal) => check_literal(literal),
            ast::ClassSetItem::Range(range) => {
                check_literal(&range.start).and_then(|()| check_literal(&range.end))
            }
            ast::ClassSetItem::Unicode(class) => check_class(class),
            ast::ClassSetItem::Bracketed(_) => Err("a class inside a class is not one".to_owned()),
            ast::ClassSetItem::Empty(_)
            | ast::ClassSetItem::Ascii(_)
            | ast::ClassSetItem::Perl(_)
            | ast::ClassSetItem::Union(_) => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), String> {
        Err("'&&', '--' and '~~' in a class mean nothing".to_owned())
    }
}

impl Differences {
    fn open(&mut self, repetition: &ast::Repetition) -> Result<(), String> {
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return Err("a repetition follows a repetition".to_owned());
        }
        let times = match &repetition.op.kind {
            ast::RepetitionKind::ZeroOrOne
            | ast::RepetitionKind::ZeroOrMore
            | ast::RepetitionKind::OneOrMore => 1,
            ast::RepetitionKind::Range(range) => most(range).max(1),
        };
        let product = self.repetitions.last().map_or(times, |outer| outer.saturating_mul(times));
        self.repetitions.push(product);
        if product > MOST_REPETITIONS {
            return Err(format!("more than {MOST_REPETITIONS} repetitions"));
        }
        Ok(())
    }
}

fn most(range: &ast::RepetitionRange) -> u32 {
    match *range {
        ast::RepetitionRange::Exactly(times) | ast::RepetitionRange::AtLeast(times) => times,
        ast::RepetitionRange::Bounded(least, most) => least.max(most),
    }
}

fn check_flags(flags: &ast::Flags) -> Result<(), String> {
    let unknown = flags.items.iter().any(|item| {
        matches!(
            item.kind,
            ast::FlagsItemKind::Flag(ast::Flag::Unicode | ast::Flag::CRLF | ast::Flag::IgnoreWhitespace)
        )
    });
    if unknown { Err("its flags are 'i', 'm', 's' and 'U'".to_owned()) } else { Ok(()) }
}

fn check_literal(literal: &ast::Literal) -> Result<(), String> {
    match literal.kind {
        ast::LiteralKind::HexFixed(ast::HexLiteralKind::X)
        | ast::LiteralKind::HexBrace(ast::HexLiteralKind::X)
        | ast::LiteralKind::Verbatim
        | ast::LiteralKind::Meta
        | ast::LiteralKind::Superfluous
        | ast::LiteralKind::Octal
        | ast::LiteralKind::Special(_) => Ok(()),
        ast::LiteralKind::HexFixed(_) | ast::LiteralKind::HexBrace(_) => {
            Err("a character by its number is '\\x{…}'".to_owned())
        }
    }
}

fn check_assertion(kind: &ast::AssertionKind) -> Result<(), String> {
    match kind {
        ast::AssertionKind::StartLine
        | ast::AssertionKind::EndLine
        | ast::AssertionKind::StartText
        | ast::AssertionKind::EndText
        | ast::AssertionKind::WordBoundary
        | ast::AssertionKind::NotWordBoundary => Ok(()),
        ast::AssertionKind::WordBoundaryStart
        | ast::AssertionKind::WordBoundaryEnd
        | ast::AssertionKind::WordBoundaryStartAngle
        | ast::AssertionKind::WordBoundaryEndAngle
        | ast::AssertionKind::WordBoundaryStartHalf
        | ast::AssertionKind::WordBoundaryEndHalf => Err("a border of a word is '\\b'".to_owned()),
    }
}

fn check_class(class: &ast::ClassUnicode) -> Result<(), String> {
    match &class.kind {
        ast::ClassUnicodeKind::OneLetter(_) => Ok(()),
        ast::ClassUnicodeKind::Named(name) if name.len() <= 2 => Ok(()),
        ast::ClassUnicodeKind::Named(_) | ast::ClassUnicodeKind::NamedValue { .. } => {
            Err("of the classes of Unicode only categories such as '\\pL' and '\\p{Lu}' are known".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_go_takes_passes() {
        for expression in [
            "CUST-[0-9]{8}",
            r"(?i)token\s+\x{41}",
            r"^customer[.]",
            r"(?P<name>a|b)+?c",
            r"[[:alpha:]\d\pL]x{2,1000}",
            r#"\$\{env:HOME\}|"""#,
        ] {
            assert_eq!(check(expression), Ok(()), "{expression}");
        }
    }

    #[test]
    fn what_go_refuses_or_reads_differently_is_told() {
        let refused = [
            "(?x)a b",
            "(?u)a",
            "(?R)a",
            "[a-z&&b]",
            "[a[b]]",
            "a**",
            "a{2}{3}",
            "(a{40}){40}",
            "x{1001}",
            r"\u0041",
            r"\b{start}x",
            r"\<x",
            r"\p{Greek}",
            r"\p{sc=Greek}",
            "a*",
            "",
            "a|",
            "^",
            "x{,3}y",
        ];
        for expression in refused {
            assert!(check(expression).is_err(), "{expression}");
        }
    }
}
