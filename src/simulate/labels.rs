//! Label sets that a selector matches, and that another one does not.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::{Expr, parse};
use regex::Regex;
use regex_syntax::hir::{Hir, HirKind};

use super::scene::Unprovable;
use crate::api::v1alpha1::MatchOp;
use crate::domain::promql::{LabelMatcher, SeriesSelector};

/// Labels by name; an absent one is not in it.
pub(super) type Labels = BTreeMap<String, String>;

/// Value for a label that may be anything.
const ANYTHING: &str = "other";

/// A label set that all these conditions match, if there is one.
pub(super) fn matching(conditions: &[LabelMatcher]) -> Option<Labels> {
    let names: BTreeSet<&String> = conditions.iter().map(|matcher| &matcher.label).collect();
    let mut labels = Labels::new();
    for name in names {
        let value = value_for(name, conditions, None)?;
        if !value.is_empty() {
            labels.insert(name.clone(), value);
        }
    }
    Some(labels)
}

/// A label set that the first conditions match and the second do not.
pub(super) fn matching_but_not(conditions: &[LabelMatcher], others: &[LabelMatcher]) -> Option<Labels> {
    others.iter().find_map(|violated| {
        let value = value_for(&violated.label, conditions, Some(violated))?;
        let mut labels = matching(conditions)?;
        labels.remove(&violated.label);
        if !value.is_empty() {
            labels.insert(violated.label.clone(), value);
        }
        Some(labels)
    })
}

/// Whether all conditions hold for a label set.
pub(super) fn is_matched(labels: &Labels, conditions: &[LabelMatcher]) -> bool {
    let value = |name: &String| labels.get(name).map_or("", String::as_str);
    conditions.iter().all(|matcher| accepts(matcher, value(&matcher.label)))
}

/// One of several labels that no selector mentions.
pub(super) fn free_label(selectors: &[&SeriesSelector], taken: &[String]) -> String {
    let mentioned = |name: &str| {
        let matchers = selectors.iter().flat_map(|selector| &selector.matchers);
        matchers.into_iter().any(|matcher| matcher.label == name) || taken.iter().any(|label| label == name)
    };
    let names = ["pod", "instance", "replica", "process"];
    names.into_iter().find(|name| !mentioned(name)).unwrap_or("replica_of_incident").to_owned()
}

/// The selector in `sum(increase(selector[$window]))`, perhaps with `by`.
pub(super) fn increased(query: &str) -> Result<SeriesSelector, Unprovable> {
    let refused = || Unprovable(format!("only sums of increases can be proven, and '{query}' is none"));
    let expression = parse(&query.replace("$window", "5m")).map_err(|_| refused())?;
    let Expr::Aggregate(sum) = expression else { return Err(refused()) };
    let Expr::Call(call) = *sum.expr else { return Err(refused()) };
    let [argument] = &call.args.args[..] else { return Err(refused()) };
    let Expr::MatrixSelector(matrix) = &**argument else { return Err(refused()) };
    let is_sum = sum.op.to_string() == "sum" && call.func.name == "increase" && matrix.vs.offset.is_none();
    let metric = matrix.vs.name.clone().filter(|_| is_sum).ok_or_else(refused)?;
    let matchers = matrix.vs.matchers.matchers.iter().map(|matcher| LabelMatcher {
        label: matcher.name.clone(),
        op: match &matcher.op {
            promql_parser::label::MatchOp::Equal => MatchOp::Equal,
            promql_parser::label::MatchOp::NotEqual => MatchOp::NotEqual,
            promql_parser::label::MatchOp::Re(_) => MatchOp::Regex,
            promql_parser::label::MatchOp::NotRe(_) => MatchOp::NotRegex,
        },
        value: matcher.value.clone(),
    });
    Ok(SeriesSelector::new(metric, matchers.collect()))
}

fn value_for(name: &str, conditions: &[LabelMatcher], violated: Option<&LabelMatcher>) -> Option<String> {
    let on_label: Vec<&LabelMatcher> = conditions.iter().filter(|matcher| matcher.label == name).collect();
    let suggestions = on_label.iter().copied().chain(violated).flat_map(suggested);
    let plain = [ANYTHING.to_owned(), String::new()];
    suggestions.chain(plain).find(|value| {
        on_label.iter().all(|matcher| accepts(matcher, value))
            && violated.is_none_or(|matcher| !accepts(matcher, value))
    })
}

fn suggested(matcher: &LabelMatcher) -> Vec<String> {
    match matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => vec![matcher.value.clone()],
        MatchOp::Regex | MatchOp::NotRegex => {
            let parsed = regex_syntax::parse(&matcher.value);
            parsed.map(|expression| vec![example(&expression)]).unwrap_or_default()
        }
    }
}

fn accepts(matcher: &LabelMatcher, value: &str) -> bool {
    let fits = || Regex::new(&format!("^(?s:{})$", matcher.value)).is_ok_and(|regex| regex.is_match(value));
    match matcher.op {
        MatchOp::Equal => matcher.value == value,
        MatchOp::NotEqual => matcher.value != value,
        MatchOp::Regex => fits(),
        MatchOp::NotRegex => !fits(),
    }
}

/// A text that the expression matches.
fn example(expression: &Hir) -> String {
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(class) => match class {
            regex_syntax::hir::Class::Unicode(class) => {
                // A letter where one will do: `.` begins with a control character.
                let has =
                    |letter: char| class.iter().any(|range| (range.start()..=range.end()).contains(&letter));
                let letter = ['a', '0'].into_iter().find(|letter| has(*letter));
                letter
                    .or_else(|| class.iter().next().map(regex_syntax::hir::ClassUnicodeRange::start))
                    .map(String::from)
                    .unwrap_or_default()
            }
            regex_syntax::hir::Class::Bytes(_) => "a".to_owned(),
        },
        HirKind::Repetition(repetition) => {
            let times = usize::try_from(repetition.min.max(1)).unwrap_or(1);
            let times = if repetition.max == Some(0) { 0 } else { times };
            example(&repetition.sub).repeat(times)
        }
        HirKind::Capture(capture) => example(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(example).collect(),
        HirKind::Alternation(arms) => arms.first().map(example).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_match_one_selector_and_not_the_other() {
        let valid = [LabelMatcher::equal("agent", "x"), LabelMatcher::not_equal("status", "cancelled")];
        let bad = [valid.to_vec(), vec![LabelMatcher::not_equal("status", "ok")]].concat();
        let labels = |pairs: &[(&str, &str)]| -> Option<Labels> {
            Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(matching(&bad), labels(&[("agent", "x"), ("status", "other")]));
        assert_eq!(matching_but_not(&valid, &bad), labels(&[("agent", "x"), ("status", "ok")]));
        let missing_is_good = [LabelMatcher::not_equal("error", "")];
        assert_eq!(matching_but_not(&[], &missing_is_good), labels(&[]));
        let codes = [LabelMatcher::regex("code", "5[0-9]+|4..")];
        assert_eq!(matching(&codes), labels(&[("code", "50")]));
        assert_eq!(matching_but_not(&valid, &valid), None);
        assert_eq!(matching(&[LabelMatcher::equal("a", "1"), LabelMatcher::equal("a", "2")]), None);
    }
}
