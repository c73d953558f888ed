//! Rendered rules as their readers see them: parsed expressions, selectors, queries inside templates.

use agentslo::domain::slo::Slo;
use agentslo::foreign::Rule;
use agentslo::render::rules;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// Every rule of an AgentSLO.
pub(crate) fn rules_of(slo: &Slo) -> Vec<Rule> {
    rules::groups(slo).into_iter().flat_map(|group| group.rules).collect()
}

/// Every PromQL text in a rule: the expression, and the queries that its templates ask.
pub(crate) fn texts(rule: &Rule) -> Vec<String> {
    let templates = rule.annotations.values().flat_map(|template| template_queries(template));
    std::iter::once(rule.expr.clone()).chain(templates).collect()
}

/// Queries stand between back-ticks, in `query` or in a `printf` that fills in label values.
fn template_queries(template: &str) -> Vec<String> {
    let quoted = |text: &str| text.ends_with("query ") || text.ends_with("printf ");
    let parts: Vec<&str> = template.split('`').collect();
    parts
        .windows(2)
        .step_by(2)
        .filter(|pair| quoted(pair[0]))
        .map(|pair| pair[1].replace("%q", "\"of the group\""))
        .collect()
}

/// The parsed text.
pub(crate) fn parsed(text: &str) -> Expr {
    parse(text).unwrap_or_else(|error| panic!("rendered PromQL should parse: {error}\n{text}"))
}

/// Every part of an expression, itself included.
pub(crate) fn parts(expression: &Expr) -> Vec<Expr> {
    struct Parts(Vec<Expr>);
    impl ExprVisitor for Parts {
        type Error = std::convert::Infallible;
        fn pre_visit(&mut self, part: &Expr) -> Result<bool, Self::Error> {
            self.0.push(part.clone());
            Ok(true)
        }
    }
    let mut parts = Parts(Vec::new());
    let _ = walk_expr(&mut parts, expression);
    parts.0
}

/// Every selector in an expression.
pub(crate) fn selectors(expression: &Expr) -> Vec<VectorSelector> {
    let mut selectors = Vec::new();
    for part in parts(expression) {
        if let Expr::VectorSelector(selector) = part {
            selectors.push(selector);
        } else if let Expr::MatrixSelector(matrix) = part {
            selectors.push(matrix.vs);
        }
    }
    selectors
}

/// Name of the metric that a selector selects, however it was written.
pub(crate) fn metric(selector: &VectorSelector) -> String {
    let by_label =
        selector.matchers.find_matchers("__name__").into_iter().map(|matcher| matcher.value).next();
    selector.name.clone().or(by_label).unwrap_or_default()
}

/// Whether a selector demands that a label has a value.
pub(crate) fn demands(selector: &VectorSelector, label: &str, value: &str) -> bool {
    let wanted = |matcher: &Matcher| matcher.op == MatchOp::Equal && matcher.value == value;
    selector.matchers.find_matchers(label).iter().any(wanted)
}
