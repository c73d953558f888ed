//! What a change would do to what is in force: rules and objects that come, go and change, thresholds, and
//! what the rules cost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::table::{Paint, Tone};
use super::text::escaped;
use crate::domain::burn_rate::{Pair, Urgency};
use crate::domain::slo::Slo;
use crate::plan::is_as_desired;
use crate::render::Artifact;
use crate::render::rules::{Cost, cost};

/// What becomes of one thing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fate {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It is there and becomes another.
    Changed,
    /// It tells of the others.
    Note,
}

impl Fate {
    fn sign(self) -> (char, Tone) {
        match self {
            Self::Added => ('+', Tone::Good),
            Self::Removed => ('-', Tone::Bad),
            Self::Changed => ('~', Tone::Warning),
            Self::Note => (' ', Tone::Plain),
        }
    }
}

/// What a change does, line by line; nothing where it does nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference(pub Vec<(Fate, String)>);

impl Difference {
    /// The lines under the name of the resource.
    #[must_use]
    pub fn lines(&self, resource: &str, paint: Paint) -> Vec<String> {
        let mut lines = vec![paint.tinted(&escaped(resource), Tone::Strong)];
        lines.extend(self.0.iter().map(|(fate, text)| {
            let (sign, tone) = fate.sign();
            format!("  {}", paint.tinted(&format!("{sign} {}", escaped(text)), tone))
        }));
        lines
    }

    fn push(&mut self, fate: Fate, text: impl Into<String>) {
        self.0.push((fate, text.into()));
    }
}

/// What the artifacts of a resource change, where `live` is what the cluster has in the place of each, and
/// `orphans` are children that are no longer asked for.
#[must_use]
pub fn difference(artifacts: &[(Artifact, Option<Value>)], orphans: &[String]) -> Difference {
    let mut difference = Difference::default();
    for (artifact, live) in artifacts {
        let name = format!("{} {}", artifact.kind().name(), artifact.name());
        match live {
            Some(live) if is_as_desired(live, artifact) => {}
            Some(live) => {
                difference.push(Fate::Changed, name);
                difference.0.extend(rules(live, &artifact.to_value()));
            }
            None => {
                difference.push(Fate::Added, name);
                difference.0.extend(rules(&Value::Null, &artifact.to_value()));
            }
        }
    }
    for orphan in orphans {
        difference.push(Fate::Removed, orphan);
    }
    difference
}

/// A rule within its group: what it is called, and what kind of urgency it is for.
type Rules<'a> = BTreeMap<String, &'a Value>;

/// Rules that come, go and change between two PrometheusRules.
fn rules(old: &Value, new: &Value) -> Vec<(Fate, String)> {
    let (old, new) = (rules_of(old), rules_of(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (old.get(name), new.get(name)) {
            (None, Some(_)) => Some((Fate::Added, name.clone())),
            (Some(_), None) => Some((Fate::Removed, name.clone())),
            (Some(old), Some(new)) if old != new => {
                Some((Fate::Changed, format!("{name}: {}", changed_fields(old, new).join(", "))))
            }
            _ => None,
        })
        .collect()
}

fn rules_of(object: &Value) -> Rules<'_> {
    let groups = object.pointer("/spec/groups").and_then(Value::as_array).into_iter().flatten();
    let mut rules = Rules::new();
    for group in groups {
        for rule in group.get("rules").and_then(Value::as_array).into_iter().flatten() {
            let text = |pointer: &str| rule.pointer(pointer).and_then(Value::as_str);
            let name = match (text("/record"), text("/alert")) {
                (Some(record), _) => format!("record {record}{}", distinction(text("/labels/event"))),
                (None, Some(alert)) => format!("alert {alert}{}", distinction(text("/labels/urgency"))),
                (None, None) => continue,
            };
            rules.insert(name, rule);
        }
    }
    rules
}

fn distinction(label: Option<&str>) -> String {
    label.map(|label| format!(" ({label})")).unwrap_or_default()
}

fn changed_fields(old: &Value, new: &Value) -> Vec<String> {
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
    };
    let all: BTreeSet<String> = keys(old).union(&keys(new)).cloned().collect();
    all.into_iter().filter(|key| old.get(key) != new.get(key)).collect()
}

/// What becomes of thresholds and cost; `old` is what is in force, if anything is.
#[must_use]
pub fn consequences(old: Option<&Slo>, new: &Slo) -> Vec<(Fate, String)> {
    let mut lines = thresholds(old, new);
    let (before, after) = (old.map(cost), cost(new));
    if before != Some(after) {
        lines.push((Fate::Note, cost_line(before, after)));
    }
    lines
}

fn thresholds(old: Option<&Slo>, new: &Slo) -> Vec<(Fate, String)> {
    let before: BTreeMap<String, String> = old.map(pairs).unwrap_or_default();
    let after = pairs(new);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let line = |name: &String| match (before.get(name), after.get(name)) {
        (Some(before), Some(after)) if before != after => {
            Some((Fate::Changed, format!("{name} fires above {after}, was {before}")))
        }
        (None, Some(after)) => Some((Fate::Added, format!("{name} fires above {after}"))),
        (Some(before), None) => Some((Fate::Removed, format!("{name}, which fires above {before}"))),
        _ => None,
    };
    names.into_iter().filter_map(line).collect()
}

/// Pairs of windows, and the bad share of events above which each fires.
fn pairs(slo: &Slo) -> BTreeMap<String, String> {
    let hundred = crate::domain::decimal::Decimal::from_integer(100);
    let line = |pair: &Pair| {
        let urgency = match pair.urgency {
            Urgency::Page => "page",
            Urgency::Ticket => "ticket",
        };
        let share = (pair.threshold(slo.objective()) * hundred).rounded(3);
        (
            format!("{urgency} over {} and {}", pair.long, pair.short),
            format!("{share}% bad ({}x the budget)", pair.factor),
        )
    };
    slo.alerting().pairs.iter().map(line).collect()
}

fn cost_line(before: Option<Cost>, after: Cost) -> String {
    let number = |of: fn(&Cost) -> u64, name: &str| match before.as_ref().map(of) {
        Some(before) if before != of(&after) => format!("{} {name}, was {before}", of(&after)),
        Some(_) | None => format!("{} {name}", of(&after)),
    };
    format!(
        "cost: {}; {}; {}",
        number(|cost| cost.rules as u64, "rules"),
        number(|cost| cost.series as u64, "series"),
        number(|cost| cost.samples_per_hour, "recorded samples read an hour")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(rules: &Value) -> Value {
        json!({"spec": {"groups": [{"name": "g", "rules": rules}]}})
    }

    #[test]
    fn rules_that_come_go_and_change_are_told_apart() {
        let old = object(&json!([
            {"record": "a", "expr": "1"},
            {"alert": "Burn", "expr": "1", "labels": {"urgency": "page"}},
            {"alert": "Burn", "expr": "1", "labels": {"urgency": "ticket"}},
        ]));
        let new = object(&json!([
            {"record": "b", "expr": "1"},
            {"alert": "Burn", "expr": "2", "for": "1m", "labels": {"urgency": "page"}},
            {"alert": "Burn", "expr": "1", "labels": {"urgency": "ticket"}},
        ]));
        let expected = [
            (Fate::Changed, "alert Burn (page): expr, for".to_owned()),
            (Fate::Removed, "record a".to_owned()),
            (Fate::Added, "record b".to_owned()),
        ];
        assert_eq!(rules(&old, &new), expected);
        assert_eq!(rules(&new, &new), []);
    }

    #[test]
    fn signs_say_what_colours_say() {
        let difference = Difference(vec![(Fate::Added, "a\x1b".to_owned()), (Fate::Note, "b".to_owned())]);
        let lines = difference.lines("AgentSLO team/x", Paint::Bare);
        assert_eq!(lines, ["AgentSLO team/x", "  + a\\u{1b}", "    b"]);
    }
}
