//! PromQL that a user wrote: parsed, fenced, and printed again, so that what runs is what was checked.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector, parse, value::ValueType};
use promql_parser::util::{ExprVisitor, walk_expr};

use super::go_regex;
use crate::domain::promql::LabelMatcher;

/// Stands for the window while the query is parsed; a length that nobody would write.
const PLACEHOLDER_WINDOW: &str = "7919s";

/// The query with the fence in every selector, still with `$window`.
///
/// # Errors
/// A sentence for the user, if it does not parse, is not a vector, or selects beyond the fence.
pub(super) fn fence_query(text: &str, fence: Option<&LabelMatcher>) -> Result<String, String> {
    let concrete = text.replace("$window", PLACEHOLDER_WINDOW);
    let mut expression =
        parse(&concrete).map_err(|error| format!("must be valid PromQL: {}", one_line(&error)))?;
    if expression.value_type() != ValueType::Vector {
        return Err("must yield a vector, for example 'sum(increase(my_errors_total[$window]))'".to_owned());
    }
    for_each_selector(&expression, check_regexes)?;
    if let Some(fence) = fence {
        add_fence(&mut expression, fence)?;
        if !every_selector_has(&expression, fence) {
            return Err("must be simpler: a selector in it could not be fenced".to_owned());
        }
    }
    Ok(expression.to_string().replace(&printed_placeholder(), "$window"))
}

fn printed_placeholder() -> String {
    // The printer turns 7919s into its own notation.
    parse(&format!("x[{PLACEHOLDER_WINDOW}]"))
        .map(|expression| expression.to_string())
        .ok()
        .and_then(|printed| Some(printed.strip_prefix("x[")?.strip_suffix(']')?.to_owned()))
        .expect("a range selector should parse and print")
}

fn one_line(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    flat.chars().take(120).collect()
}

fn add_fence(expression: &mut Expr, fence: &LabelMatcher) -> Result<(), String> {
    match expression {
        Expr::VectorSelector(selector) => fence_selector(selector, fence),
        Expr::MatrixSelector(matrix) => fence_selector(&mut matrix.vs, fence),
        Expr::Aggregate(aggregate) => {
            if let Some(parameter) = &mut aggregate.param {
                add_fence(parameter, fence)?;
            }
            add_fence(&mut aggregate.expr, fence)
        }
        Expr::Unary(unary) => add_fence(&mut unary.expr, fence),
        Expr::Binary(binary) => {
            add_fence(&mut binary.lhs, fence)?;
            add_fence(&mut binary.rhs, fence)
        }
        Expr::Paren(paren) => add_fence(&mut paren.expr, fence),
        Expr::Subquery(subquery) => add_fence(&mut subquery.expr, fence),
        Expr::Call(call) if call.func.name == "info" => {
            Err("must not use 'info', which reads a metric that no selector names".to_owned())
        }
        Expr::Call(call) => call.args.args.iter_mut().try_for_each(|argument| add_fence(argument, fence)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(()),
        Expr::Extension(_) => Err("must not use extensions of PromQL".to_owned()),
    }
}

fn fence_selector(selector: &mut VectorSelector, fence: &LabelMatcher) -> Result<(), String> {
    if !selector.matchers.or_matchers.is_empty() {
        return Err("must not use 'or' between matchers".to_owned());
    }
    let written = selector.matchers.matchers.iter().find(|matcher| matcher.name == fence.label);
    match written {
        Some(matcher) if matcher.op == MatchOp::Equal && matcher.value == fence.value => Ok(()),
        Some(_) => Err(format!("selector conflicts with enforced label {}='{}'", fence.label, fence.value)),
        None => {
            selector.matchers.matchers.push(Matcher::new(MatchOp::Equal, &fence.label, &fence.value));
            Ok(())
        }
    }
}

fn every_selector_has(expression: &Expr, fence: &LabelMatcher) -> bool {
    let is_fence = |matcher: &Matcher| {
        matcher.name == fence.label && matcher.op == MatchOp::Equal && matcher.value == fence.value
    };
    let is_fenced = |selector: &VectorSelector| {
        let fenced = selector.matchers.matchers.iter().any(is_fence);
        if fenced { Ok(()) } else { Err(String::new()) }
    };
    for_each_selector(expression, is_fenced).is_ok()
}

/// Prometheus refuses all rules of an object for one expression that it does not take.
fn check_regexes(selector: &VectorSelector) -> Result<(), String> {
    selector.matchers.matchers.iter().try_for_each(|matcher| match matcher.op {
        MatchOp::Re(_) | MatchOp::NotRe(_) => go_regex::check_syntax(&matcher.value),
        MatchOp::Equal | MatchOp::NotEqual => Ok(()),
    })
}

/// Stops at the first selector with which something is wrong.
fn for_each_selector(
    expression: &Expr,
    check: impl Fn(&VectorSelector) -> Result<(), String>,
) -> Result<(), String> {
    struct Selectors<F>(F);
    impl<F: Fn(&VectorSelector) -> Result<(), String>> ExprVisitor for Selectors<F> {
        type Error = String;
        fn pre_visit(&mut self, expression: &Expr) -> Result<bool, String> {
            match expression {
                Expr::VectorSelector(selector) => (self.0)(selector)?,
                Expr::MatrixSelector(matrix) => (self.0)(&matrix.vs)?,
                Expr::Aggregate(_)
                | Expr::Unary(_)
                | Expr::Binary(_)
                | Expr::Paren(_)
                | Expr::Subquery(_)
                | Expr::NumberLiteral(_)
                | Expr::StringLiteral(_)
                | Expr::Call(_)
                | Expr::Extension(_) => {}
            }
            Ok(true)
        }
    }
    walk_expr(&mut Selectors(check), expression).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_selector_is_fenced() {
        let fence = LabelMatcher::equal("namespace", "team-a");
        let cases = [
            (
                "sum(increase(a[$window])) / on() sum(rate(b{x=~\"y\"}[$window:1m] offset 5m))",
                "sum(increase(a{namespace=\"team-a\"}[$window])) / on () sum(rate(b{namespace=\"team-a\",x=~\"y\"}[$window:1m] offset 5m))",
            ),
            (
                "quantile(0.5, a @ end() + b) > bool time()",
                "quantile(0.5, a{namespace=\"team-a\"} @ end() + b{namespace=\"team-a\"}) > bool time()",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(fence_query(text, Some(&fence)).as_deref(), Ok(expected), "{text}");
        }
    }

    /// Every form of expression that has a selector in it: the cases by which prom-label-proxy is tested, too.
    #[test]
    fn no_form_of_a_selector_is_left_out() {
        let fence = LabelMatcher::equal("namespace", "team-a");
        for text in [
            "a or b and c unless d",
            "{__name__=\"a\"}",
            "{__name__=~\"a|b\", job!=\"x\"}",
            "a{namespace=\"team-a\"}",
            "a{namespace=\"team-a\", job=~\".+\"}",
            "-a",
            "(((a)))",
            "a offset 5m",
            "a @ 1609746000",
            "max_over_time(a[5m:1m] @ start() offset -1m)",
            "sum by (namespace) (label_replace(a, \"namespace\", \"other\", \"\", \"\"))",
            "topk(scalar(a), b)",
            "histogram_quantile(0.9, sum by (le) (rate(a[5m])))",
            "absent(a)",
            "count_values(\"namespace\", a)",
            "a * on (pod) group_left (node) b",
            "vector(scalar(a)) > bool 1",
        ] {
            let fenced =
                fence_query(text, Some(&fence)).unwrap_or_else(|message| panic!("{text}: {message}"));
            let fenced = parse(&fenced).unwrap_or_else(|message| panic!("{text}: {message}"));
            assert!(every_selector_has(&fenced, &fence), "{text}: {fenced}");
        }
    }

    #[test]
    fn what_would_look_beyond_the_fence_is_refused() {
        let fence = LabelMatcher::equal("namespace", "team-a");
        for text in [
            "a{namespace=~\"team-a\"}",
            "a{namespace!=\"team-a\"}",
            "a{namespace=\"\"}",
            "a{namespace=~\".*\", namespace=\"team-a\"}",
            "a{job=\"x\" or namespace=\"other\"}",
            "a + on () group_left () b{namespace=\"other\"}",
            "count(a) by (namespace) > scalar(b{namespace=\"other\"})",
            // It joins with another metric, which no selector names.
            "info(a)",
            "info(a, {__name__=\"target_info\"})",
        ] {
            assert!(fence_query(text, Some(&fence)).is_err(), "{text}");
        }
    }

    #[test]
    fn queries_that_cannot_run_say_why() {
        let fence = LabelMatcher::equal("namespace", "team-a");
        let refused = |text| fence_query(text, Some(&fence)).expect_err("the query should be refused");
        assert!(refused("sum(rate(").starts_with("must be valid PromQL"));
        assert!(
            refused("a{namespace=\"other\"}").contains("conflicts with enforced label namespace='team-a'")
        );
        assert!(refused("a[$window]").starts_with("must yield a vector"));
        assert!(refused("a{b=~\"x{1001}\"}").starts_with("must be an RE2 regular expression"));
    }
}
