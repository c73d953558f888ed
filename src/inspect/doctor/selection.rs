//! Which Prometheus takes our rules: the selectors of every Prometheus of prometheus-operator against the
//! labels of every PrometheusRule of ours, as prometheus-operator compares them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};

use super::super::text::counted;
use super::Check;

/// Most names that a line lists.
const MOST_NAMES: usize = 3;

/// What reads rules: a `Prometheus` or a `ThanosRuler`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleReader {
    /// Kind, namespace and name, for people.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// `ruleSelector`: none selects nothing, an empty one everything.
    pub rules: Option<LabelSelector>,
    /// `ruleNamespaceSelector`: none selects its own namespace, an empty one all of them.
    pub namespaces: Option<LabelSelector>,
}

/// One of our PrometheusRules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleObject {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Labels of its namespace; none where they may not be read.
    pub namespace_labels: Option<BTreeMap<String, String>>,
}

/// What a reader does with a rule object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Taken {
    Yes,
    Unknown,
    NotItsNamespace,
    NotItsLabels,
}

/// Whether some reader takes each rule object. No readers may be no mistake: Prometheus can be told of
/// rules by other means.
#[must_use]
pub fn selection(rules: &[RuleObject], readers: Option<&[RuleReader]>) -> Vec<Check> {
    let about = "selection";
    let asked = "whether the rules are evaluated is asked of Prometheus itself, below";
    let readers = match readers {
        None => return vec![Check::unknown(about, "kind Prometheus may not be listed", asked)],
        Some([]) => {
            return vec![Check::unknown(about, "there is no Prometheus of prometheus-operator", asked)];
        }
        Some(readers) => readers,
    };
    if rules.is_empty() {
        return vec![Check::ok(about, "there are no rules of ours to be selected")];
    }
    let mut checks: Vec<Check> = readers.iter().filter_map(|reader| takes(reader, rules)).collect();
    checks.extend(untaken(rules, readers));
    checks
}

/// What one reader takes, if it takes anything.
fn takes(reader: &RuleReader, rules: &[RuleObject]) -> Option<Check> {
    let number = rules.iter().filter(|rule| taken(reader, rule) == Taken::Yes).count();
    let found = format!("{} takes {} of {}", reader.name, number, counted(rules.len(), "PrometheusRule"));
    (number > 0).then(|| Check::ok("selection", found))
}

/// The rules that nobody takes.
fn untaken(rules: &[RuleObject], readers: &[RuleReader]) -> Option<Check> {
    let best = |rule: &RuleObject| {
        readers.iter().map(|reader| (taken(reader, rule), reader)).min_by_key(|(taken, _)| *taken)
    };
    let untaken: Vec<(&RuleObject, Taken, &RuleReader)> = rules
        .iter()
        .filter_map(|rule| best(rule).map(|(taken, reader)| (rule, taken, reader)))
        .filter(|(_, taken, _)| *taken != Taken::Yes)
        .collect();
    let (rule, taken, reader) = untaken.first()?;
    let names: BTreeSet<String> =
        untaken.iter().map(|(rule, _, _)| format!("{}/{}", rule.namespace, rule.name)).collect();
    let listed: Vec<&str> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
    let found = format!(
        "no Prometheus takes {}, such as {}",
        counted(names.len(), "PrometheusRule"),
        listed.join(", ")
    );
    Some(match taken {
        Taken::Yes | Taken::Unknown => {
            let found = format!("whether a Prometheus takes {}/{} cannot be told", rule.namespace, rule.name);
            Check::unknown("selection", found, "let somebody run this who may read namespaces")
        }
        Taken::NotItsLabels => Check::problem("selection", found, labels_wanted(reader)),
        Taken::NotItsNamespace => Check::problem("selection", found, namespace_wanted(reader, rule)),
    })
}

fn labels_wanted(reader: &RuleReader) -> String {
    let Some(selector) = &reader.rules else {
        return format!(
            "{} has no ruleSelector, which selects nothing; `ruleSelector: {{}}` selects all",
            reader.name
        );
    };
    let wanted = selector.match_labels.clone().unwrap_or_default();
    let pairs: Vec<String> = wanted.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let expressions = selector.match_expressions.as_ref().is_some_and(|expressions| !expressions.is_empty());
    let besides = if expressions { " and what its matchExpressions ask for" } else { "" };
    format!(
        "set `ruleLabels: {{{}}}`{besides} in the AgentPlatform, which is what the ruleSelector of {} asks for",
        pairs.join(", "),
        reader.name
    )
}

fn namespace_wanted(reader: &RuleReader, rule: &RuleObject) -> String {
    match &reader.namespaces {
        None => format!(
            "{} has no ruleNamespaceSelector, so it looks only into its own namespace; `ruleNamespaceSelector: {{}}` lets it look into all",
            reader.name
        ),
        Some(_) => format!(
            "label namespace {} as the ruleNamespaceSelector of {} asks for, or widen the selector",
            rule.namespace, reader.name
        ),
    }
}

fn taken(reader: &RuleReader, rule: &RuleObject) -> Taken {
    if !reader.rules.as_ref().is_some_and(|selector| matches(selector, &rule.labels)) {
        return Taken::NotItsLabels;
    }
    match (&reader.namespaces, &rule.namespace_labels) {
        (None, _) if reader.namespace == rule.namespace => Taken::Yes,
        (Some(selector), _) if *selector == LabelSelector::default() => Taken::Yes,
        (Some(_), None) => Taken::Unknown,
        (Some(selector), Some(labels)) if matches(selector, labels) => Taken::Yes,
        (None | Some(_), _) => Taken::NotItsNamespace,
    }
}

/// A selector that does not parse selects nothing.
fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(labels))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Verdict::{Ok, Problem, Unknown};
    use super::*;

    fn selector(value: Value) -> Option<LabelSelector> {
        serde_json::from_value(value).expect("test data should be a selector")
    }

    fn reader(rules: Value, namespaces: Value) -> RuleReader {
        RuleReader {
            name: "Prometheus monitoring/k8s".to_owned(),
            namespace: "monitoring".to_owned(),
            rules: selector(rules),
            namespaces: selector(namespaces),
        }
    }

    fn rule() -> RuleObject {
        let labels = |text: &str| BTreeMap::from([(text.to_owned(), "a".to_owned())]);
        RuleObject {
            namespace: "team".to_owned(),
            name: "agentslo-x".to_owned(),
            labels: labels("release"),
            namespace_labels: Some(labels("tier")),
        }
    }

    #[test]
    fn selectors_are_read_as_prometheus_operator_reads_them() {
        let (all, nothing) = (json!({}), Value::Null);
        let fits = json!({"matchLabels": {"release": "a"}});
        let other = json!({"matchLabels": {"release": "b"}});
        let by_expression =
            json!({"matchExpressions": [{"key": "release", "operator": "In", "values": ["a"]}]});
        let tier = json!({"matchLabels": {"tier": "a"}});
        let no_tier = json!({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]});
        let cases = [
            (&all, &all, Ok),
            (&nothing, &all, Problem),
            (&fits, &all, Ok),
            (&by_expression, &all, Ok),
            (&other, &all, Problem),
            (&fits, &nothing, Problem),
            (&fits, &tier, Ok),
            (&fits, &no_tier, Problem),
        ];
        for (rules, namespaces, expected) in cases {
            let checks = selection(&[rule()], Some(&[reader(rules.clone(), namespaces.clone())]));
            let verdicts: Vec<_> = checks.iter().map(|check| check.verdict).collect();
            assert_eq!(verdicts, [expected], "{rules} {namespaces}: {checks:?}");
        }
    }

    #[test]
    fn the_labels_that_are_missing_are_named() {
        let wanted = reader(json!({"matchLabels": {"release": "kube-prometheus-stack"}}), json!({}));
        let checks = selection(&[rule()], Some(&[wanted]));
        let fix = checks[0].fix.clone().unwrap_or_default();
        assert!(
            fix.starts_with("set `ruleLabels: {release: kube-prometheus-stack}` in the AgentPlatform"),
            "{fix}"
        );
    }

    #[test]
    fn what_may_not_be_read_is_not_called_well() {
        assert_eq!(selection(&[rule()], None)[0].verdict, Unknown);
        assert_eq!(selection(&[rule()], Some(&[]))[0].verdict, Unknown);
        let hidden = RuleObject { namespace_labels: None, ..rule() };
        let tier = reader(json!({}), json!({"matchLabels": {"tier": "a"}}));
        assert_eq!(selection(&[hidden], Some(&[tier]))[0].verdict, Unknown);
    }
}
