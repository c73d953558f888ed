//! One AgentSLO for every role that has series. Thresholds are bounds that are there, objectives are what
//! the past would have met: a place to start from, not a promise.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::facts::Facts;
use super::fit::{AgentFit, Fit};
use super::series::{self, Found};
use super::threshold::{self, Bounds, Threshold, bounds, objective};
use crate::api::v1alpha1::{AgentSlo, MatchOp, Matcher, NameTranslation};
use crate::domain::metric_name::{stored_label, stored_name};
use crate::profiles::{self, Metric, MetricKind, Outcome, OutcomeLabel, Outcomes};

/// Longest name of an agent that an AgentSLO takes.
const LONGEST_AGENT: usize = 128;
/// Longest part of a name that comes from an agent, so that the rest of it still fits.
const LONGEST_STEM: usize = 40;
/// Longest latency that makes a threshold, in seconds.
const LONGEST_LATENCY: f64 = 86_400.0;
/// Most evaluators that get an AgentSLO.
const MOST_EVALUATORS: usize = 5;
/// Limits of the mean cost of a run, in US dollars.
const COSTS: [(&str, f64); 12] = [
    ("0.01", 0.01),
    ("0.02", 0.02),
    ("0.05", 0.05),
    ("0.10", 0.1),
    ("0.20", 0.2),
    ("0.50", 0.5),
    ("1", 1.0),
    ("2", 2.0),
    ("5", 5.0),
    ("10", 10.0),
    ("20", 20.0),
    ("50", 50.0),
];

/// The AgentSLOs of all agents.
pub(super) fn slos(facts: &Facts, fits: &[Fit], namespace: Option<&str>) -> Vec<AgentSlo> {
    let mut names = BTreeSet::new();
    let mut slos = Vec::new();
    for fit in fits {
        for agent in fit.agents.iter().filter(|agent| can_be_named(&agent.agent)) {
            let view = View { facts, fit, agent };
            for suggestion in view.suggestions() {
                let name = unique(&mut names, &agent.agent, suggestion.kind);
                slos.push(suggestion.into_slo(&view, &name, namespace));
            }
        }
    }
    slos
}

fn can_be_named(agent: &str) -> bool {
    agent.len() <= LONGEST_AGENT && !agent.contains("{{") && !agent.chars().any(char::is_control)
}

/// What one AgentSLO would say.
struct Suggestion {
    kind: &'static str,
    objective: &'static str,
    indicator: Value,
}

impl Suggestion {
    fn into_slo(self, view: &View<'_>, name: &str, namespace: Option<&str>) -> AgentSlo {
        let mut telemetry = serde_json::Map::new();
        if view.fit.profile.name != profiles::DEFAULT {
            telemetry.insert("profile".to_owned(), json!(view.fit.profile.name));
        }
        if view.fit.translation != NameTranslation::default() {
            telemetry.insert("nameTranslation".to_owned(), json!(view.fit.translation));
        }
        let mut metadata = json!({"name": name});
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        let mut spec =
            json!({"agent": view.agent.agent, "objective": self.objective, "indicator": self.indicator});
        if !telemetry.is_empty() {
            spec["telemetry"] = Value::Object(telemetry);
        }
        let slo = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO", "metadata": metadata, "spec": spec,
        });
        serde_json::from_value(slo).expect("what is written here should have the shape of an AgentSLO")
    }
}

/// One agent, its profile, and what was read.
struct View<'a> {
    facts: &'a Facts,
    fit: &'a Fit,
    agent: &'a AgentFit,
}

impl<'a> View<'a> {
    fn suggestions(&self) -> Vec<Suggestion> {
        let profile = self.fit.profile;
        let mut found = Vec::new();
        found.extend(self.outcomes("success", profile.runs.as_ref(), json!({"success": {}})));
        found.extend(self.model_calls());
        found.extend(self.outcomes("tool-success", profile.tools.as_ref(), json!({"toolSuccess": {}})));
        let latencies = [
            ("latency", &profile.run_duration, "Run", 60.0),
            ("model-call-latency", &profile.model_call_duration, "ModelCall", 10.0),
            ("tool-latency", &profile.tool_duration, "Tool", 10.0),
        ];
        for (kind, metric, of, usual) in latencies {
            found.extend(self.latency(kind, metric.as_ref(), usual, |threshold| {
                let latency = json!({"threshold": threshold, "of": of});
                json!({"latency": latency})
            }));
        }
        let first = profile.time_to_first_token.as_ref();
        found.extend(self.latency(
            "time-to-first-token",
            first,
            2.0,
            |threshold| json!({"timeToFirstToken": {"threshold": threshold}}),
        ));
        found.extend(self.cost());
        found.extend(self.whole("tokens-per-run", profile.run_tokens.as_ref(), 65_536.0, "tokensPerRun"));
        found.extend(self.whole("turns", profile.run_turns.as_ref(), 16.0, "turns"));
        found.extend(self.evaluations());
        found.extend(self.outcomes("guardrail", profile.guardrails.as_ref(), json!({"guardrail": {}})));
        found
    }

    fn series(&self, metric: &Metric) -> Vec<Found<'a>> {
        self.fit.series_of(self.facts, metric, &self.agent.agent)
    }

    /// An indicator that reads the outcome as the profile has it.
    fn outcomes(&self, kind: &'static str, role: Option<&Outcomes>, indicator: Value) -> Option<Suggestion> {
        let (total, bad) = self.counts(role?)?;
        Some(Suggestion { kind, objective: objective(total, bad), indicator })
    }

    /// All and bad events so far; nothing where there are no series, or their outcome is not told.
    fn counts(&self, role: &Outcomes) -> Option<(f64, f64)> {
        let all = self.series(&role.metric);
        if all.is_empty() {
            return None;
        }
        let sum = |found: &[Found<'_>]| found.iter().map(|found| found.series.value).sum::<f64>();
        match &role.outcome {
            Outcome::Label(label) => {
                let meets = |matchers: Vec<Matcher>| {
                    let conditions = series::conditions(&matchers, self.fit.translation);
                    let part = all
                        .iter()
                        .filter(|found| conditions.iter().all(|condition| condition.holds(found.series)));
                    part.map(|found| found.series.value).sum::<f64>()
                };
                Some((meets(valid(label)), meets(bad(label))))
            }
            Outcome::Failed(metric) => Some((sum(&all), sum(&self.series(metric)))),
            Outcome::Succeeded(metric) => Some((sum(&all), sum(&all) - sum(&self.series(metric)))),
            Outcome::Untold => None,
        }
    }

    /// Model calls have no indicator of their own, so the two counters are written out.
    fn model_calls(&self) -> Option<Suggestion> {
        let role = self.fit.profile.model_calls.as_ref()?;
        let (total, failed) = self.counts(role)?;
        let ratio = match &role.outcome {
            Outcome::Label(label) => json!({
                "total": self.selector(&role.metric, valid(label))?,
                "bad": self.selector(&role.metric, bad(label))?,
            }),
            Outcome::Failed(metric) => json!({
                "total": self.selector(&role.metric, Vec::new())?,
                "bad": self.selector(metric, Vec::new())?,
            }),
            Outcome::Succeeded(metric) => json!({
                "total": self.selector(&role.metric, Vec::new())?,
                "good": self.selector(metric, Vec::new())?,
            }),
            Outcome::Untold => return None,
        };
        let objective = objective(total, failed);
        Some(Suggestion { kind: "model-calls", objective, indicator: json!({"ratio": ratio}) })
    }

    /// The agent's series of a metric as a user would name them; not those of a native histogram, which
    /// has no counter.
    fn selector(&self, metric: &Metric, conditions: Vec<Matcher>) -> Option<Value> {
        let translation = self.fit.translation;
        let stored = stored_name(metric, translation);
        let name = match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => stored,
            MetricKind::Histogram => format!("{stored}_count"),
        };
        let is_classic = metric.kind != MetricKind::Histogram || self.facts.series.contains_key(&name);
        let agent = Matcher {
            label: self.fit.agent_label(metric),
            op: MatchOp::Equal,
            value: self.agent.agent.clone(),
        };
        let own = metric
            .matchers
            .iter()
            .cloned()
            .chain(conditions)
            .map(|matcher| Matcher { label: stored_label(&matcher.label, translation), ..matcher });
        let matchers: Vec<Value> =
            std::iter::once(agent).chain(own).map(|matcher| written(&matcher)).collect();
        is_classic.then(|| json!({"metric": name, "matchers": matchers}))
    }

    fn threshold(
        &self,
        metric: Option<&Metric>,
        choose: impl Fn(&Bounds) -> Option<Threshold>,
    ) -> Option<Threshold> {
        let metric = metric?;
        if self.series(metric).is_empty() {
            return None;
        }
        choose(&bounds(self.facts, self.fit, metric, &self.agent.agent))
    }

    fn latency(
        &self,
        kind: &'static str,
        metric: Option<&Metric>,
        usual: f64,
        indicator: impl Fn(String) -> Value,
    ) -> Option<Suggestion> {
        let usable = |bound| duration(bound).is_some();
        let chosen = self.threshold(metric, |bounds| bounds.at_most(usual, usable))?;
        let indicator = indicator(duration(chosen.bound)?);
        Some(Suggestion { kind, objective: chosen.objective, indicator })
    }

    /// A limit that is a whole number.
    fn whole(
        &self,
        kind: &'static str,
        metric: Option<&Metric>,
        usual: f64,
        indicator: &str,
    ) -> Option<Suggestion> {
        let chosen =
            self.threshold(metric, |bounds| bounds.at_most(usual, |bound| whole(bound).is_some()))?;
        let indicator = json!({indicator: {"max": whole(chosen.bound)?}});
        Some(Suggestion { kind, objective: chosen.objective, indicator })
    }

    fn cost(&self) -> Option<Suggestion> {
        let profile = self.fit.profile;
        let usable = |bound| money(bound).is_some();
        if let Some(chosen) = self.threshold(profile.run_cost.as_ref(), |bounds| bounds.at_most(0.5, usable))
        {
            let indicator = json!({"costPerRun": {"maxUSD": money(chosen.bound)?}});
            return Some(Suggestion { kind: "cost-per-run", objective: chosen.objective, indicator });
        }
        let runs = self.series(&profile.runs.as_ref()?.metric);
        let cost = self.series(profile.cost.as_ref()?);
        if runs.is_empty() || cost.is_empty() {
            return None;
        }
        let limit = match profile.cost.as_ref()?.kind {
            MetricKind::Counter => mean_limit(&cost, &runs),
            // What was read of a histogram is its count, and the cost is its sum.
            MetricKind::Histogram | MetricKind::Gauge => "0.50",
        };
        let indicator = json!({"costPerRun": {"maxUSD": limit, "method": "HourlyMean"}});
        Some(Suggestion { kind: "cost-per-run", objective: "95", indicator })
    }

    /// One for each evaluator, by its scores where it gives them, else by its verdicts.
    fn evaluations(&self) -> Vec<Suggestion> {
        let profile = self.fit.profile;
        let scores = profile.evaluation_score.as_ref().map(|scores| (&scores.metric, &scores.name_label));
        let scored = scores.map(|(metric, label)| self.evaluators(metric, label)).unwrap_or_default();
        let verdicts = profile.evaluations.as_ref();
        let judged = verdicts.and_then(|role| Some((role, role.name_label.as_ref()?)));
        let judged = judged.map(|(role, label)| (self.evaluators(&role.metric, label), role));
        let mut found = Vec::new();
        for evaluator in scored.iter().take(MOST_EVALUATORS) {
            let usable = |bound: f64| (0.0..1.0).contains(&bound) && decimal(bound).is_some();
            let metric = scores.map(|(metric, _)| metric);
            let Some(chosen) = self.threshold(metric, |bounds| bounds.above(0.7, usable)) else { continue };
            let Some(score) = decimal(chosen.bound) else { continue };
            let indicator = json!({"evaluation": {"evaluator": evaluator, "minScore": score}});
            found.push(Suggestion { kind: "evaluation", objective: chosen.objective, indicator });
        }
        let Some((judged, role)) = judged else { return found };
        for evaluator in judged.difference(&scored).take(MOST_EVALUATORS) {
            let good = role.outcome.label().map(|label| label.good.clone()).unwrap_or_default();
            let indicator = json!({"evaluation": {"evaluator": evaluator, "goodLabels": good}});
            found.push(Suggestion {
                kind: "evaluation",
                objective: threshold::objective(0.0, 0.0),
                indicator,
            });
        }
        found
    }

    fn evaluators(&self, metric: &Metric, label: &str) -> BTreeSet<String> {
        let label = stored_label(label, self.fit.translation);
        let names = self.series(metric).into_iter().map(|found| found.series.label(&label).to_owned());
        names.filter(|name| !name.is_empty() && name.len() <= LONGEST_AGENT).collect()
    }
}

/// Conditions on valid events.
fn valid(label: &OutcomeLabel) -> Vec<Matcher> {
    none_of(&label.name, &label.excluded)
}

/// Conditions on bad events, at most one for each kind of comparison.
fn bad(label: &OutcomeLabel) -> Vec<Matcher> {
    match &label.bad {
        Some(expression) => {
            let bad = Matcher { label: label.name.clone(), op: MatchOp::Regex, value: expression.clone() };
            [valid(label), vec![bad]].concat()
        }
        None => none_of(&label.name, &[label.excluded.as_slice(), label.good.as_slice()].concat()),
    }
}

fn none_of(label: &str, values: &[String]) -> Vec<Matcher> {
    let (op, value) = match values {
        [] => return Vec::new(),
        [single] => (MatchOp::NotEqual, single.clone()),
        several => {
            let escaped: Vec<String> = several.iter().map(|value| regex_syntax::escape(value)).collect();
            (MatchOp::NotRegex, escaped.join("|"))
        }
    };
    vec![Matcher { label: label.to_owned(), op, value }]
}

/// Without what is the default.
fn written(matcher: &Matcher) -> Value {
    match matcher.op {
        MatchOp::Equal => json!({"label": matcher.label, "value": matcher.value}),
        MatchOp::NotEqual | MatchOp::Regex | MatchOp::NotRegex => {
            json!({"label": matcher.label, "op": matcher.op, "value": matcher.value})
        }
    }
}

/// A limit that leaves the mean of the past some room.
fn mean_limit(cost: &[Found<'_>], runs: &[Found<'_>]) -> &'static str {
    let sum = |found: &[Found<'_>]| found.iter().map(|found| found.series.value).sum::<f64>();
    let mean = sum(cost) / sum(runs).max(1.0);
    COSTS.iter().find(|(_, limit)| *limit >= 1.5 * mean).map_or("50", |(text, _)| text)
}

/// A bound in seconds as a duration of whole milliseconds.
fn duration(seconds: f64) -> Option<String> {
    let milliseconds = seconds * 1000.0;
    let rounded = milliseconds.round();
    let fits = (milliseconds - rounded).abs() < 1e-6 && rounded >= 1.0 && seconds <= LONGEST_LATENCY;
    fits.then(|| match (rounded % 60_000.0 == 0.0, rounded % 1000.0 == 0.0) {
        (true, _) if rounded > 60_000.0 => format!("{}m", rounded / 60_000.0),
        (_, true) => format!("{}s", rounded / 1000.0),
        _ => format!("{rounded}ms"),
    })
}

/// A bound that is a whole number and can be a limit.
fn whole(bound: f64) -> Option<i64> {
    // Below the bound that is asked for, so nothing is cut off.
    #[allow(clippy::cast_possible_truncation)]
    ((1.0..=1e9).contains(&bound) && bound.fract() == 0.0).then_some(bound as i64)
}

/// A bound as an amount of money.
fn money(bound: f64) -> Option<String> {
    decimal(bound).filter(|_| bound > 0.0 && bound < 1e6)
}

/// A number with at most six decimals, in digits.
fn decimal(number: f64) -> Option<String> {
    let text = format!("{number}");
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    (decimals <= 6 && number >= 0.0).then_some(text)
}

/// A name that Kubernetes takes and no other AgentSLO of the proposal has.
fn unique(names: &mut BTreeSet<String>, agent: &str, kind: &str) -> String {
    let plain = agent.to_lowercase();
    let stem: String = plain
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<&str>>()
        .join("-")
        .chars()
        .take(LONGEST_STEM)
        .collect();
    let stem = if stem.is_empty() { "agent" } else { stem.trim_end_matches('-') };
    let first = format!("{stem}-{kind}");
    let numbered = (2..).map(|number| format!("{first}-{number}"));
    let name = std::iter::once(first.clone())
        .chain(numbered)
        .find(|name| !names.contains(name))
        .expect("there should be a free number");
    names.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_people_would() {
        let cases = [
            (0.25, Some("250ms")),
            (60.0, Some("60s")),
            (120.0, Some("2m")),
            (81.92, Some("81920ms")),
            (0.006_25, None),
            (100_000.0, None),
        ];
        for (bound, text) in cases {
            assert_eq!(duration(bound).as_deref(), text, "{bound}");
        }
        assert_eq!(decimal(0.1).as_deref(), Some("0.1"));
        assert_eq!((whole(16.0), whole(0.5)), (Some(16), None));
    }

    #[test]
    fn names_are_kubernetes_names_and_differ() {
        let mut names = BTreeSet::new();
        let made = ["Team/Support agent", "team-support-agent", "\u{30a8}"];
        let made = made.map(|agent| unique(&mut names, agent, "success"));
        assert_eq!(made, ["team-support-agent-success", "team-support-agent-success-2", "agent-success"]);
    }
}
