//! What a month was like: which objectives were met, what it cost, and what nobody counted. What was not
//! counted is never called good.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::month::Month;
use super::text::escaped;
use crate::domain::names::SloKey;
use crate::domain::objective::Objective;

/// Share of the month that must have been counted for a verdict.
const ENOUGH: f64 = 0.95;

/// What Prometheus says of one AgentSLO, or of one group of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthCounts {
    /// Labels of the group, as text; empty without `groupBy`.
    pub group: String,
    /// Valid events.
    pub total: f64,
    /// Bad ones among them; none where they were not counted.
    pub bad: Option<f64>,
    /// Share of the month for which there are counts.
    pub coverage: f64,
}

/// What is known of one AgentSLO in a month.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthFigures {
    /// The agent.
    pub agent: String,
    /// Objectives that were in force, the last one last.
    pub objectives: Vec<String>,
    /// Counts of each group.
    pub counts: Vec<MonthCounts>,
    /// How often the page fired.
    pub pages: u64,
}

/// Whether an objective was met.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Outcome {
    /// It was.
    Met,
    /// It was not.
    Missed,
    /// Too little of the month was counted.
    Incomplete,
    /// There were too few events: one failure would have been more than the budget.
    Insufficient,
    /// Nothing happened.
    Idle,
    /// There are no counts.
    NoData,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Namespace of the AgentSLO.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Labels of the group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The agent.
    pub agent: String,
    /// The last objective of the month, in percent.
    pub objective: Option<String>,
    /// Whether it was met.
    pub outcome: Outcome,
    /// Share of good events, in percent, rounded down.
    pub good_percent: Option<String>,
    /// Valid events.
    pub events: Option<u64>,
    /// Bad ones among them.
    pub bad: Option<u64>,
    /// Share of the budget that was spent, in percent, rounded up.
    pub budget_spent_percent: Option<i64>,
    /// How often the page fired, in all groups together.
    pub pages: u64,
    /// Share of the month for which there are counts, in percent, rounded down.
    pub counted_percent: i64,
}

/// What one agent was estimated to cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spent {
    /// Namespace.
    pub namespace: String,
    /// The agent.
    pub agent: String,
    /// US dollars.
    #[serde(rename = "usd")]
    pub dollars: String,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonthReport {
    /// The month, `2026-11`.
    pub month: String,
    /// Whether it goes on.
    #[serde(rename = "isRunning")]
    pub is_running: bool,
    /// AgentSLOs and groups, by namespace and name.
    pub objectives: Vec<Row>,
    /// What agents were estimated to cost, where their telemetry tells.
    pub spent: Vec<Spent>,
    /// Where data is missing.
    pub missing: Vec<String>,
}

/// Makes the report.
#[must_use]
pub fn month_report(
    month: &Month,
    figures: &BTreeMap<SloKey, MonthFigures>,
    dollars: &BTreeMap<(String, String), f64>,
) -> MonthReport {
    let mut report = MonthReport {
        month: month.name.clone(),
        is_running: month.is_running,
        objectives: Vec::new(),
        spent: dollars
            .iter()
            .map(|((namespace, agent), dollars)| Spent {
                namespace: namespace.clone(),
                agent: agent.clone(),
                dollars: format!("{dollars:.2}"),
            })
            .collect(),
        missing: Vec::new(),
    };
    for (key, figures) in figures {
        let none = [MonthCounts::default()];
        let counts = if figures.counts.is_empty() { none.as_slice() } else { &figures.counts };
        report.objectives.extend(counts.iter().map(|counts| row(key, figures, counts)));
        report.missing.extend(missing(key, figures));
    }
    report
}

fn row(key: &SloKey, figures: &MonthFigures, counts: &MonthCounts) -> Row {
    let objective = figures.objectives.last();
    let parsed = objective.and_then(|objective| Objective::parse(objective).ok());
    let counted = counts.bad.filter(|_| counts.total >= 0.5);
    let share = counted.map(|bad| (1.0 - bad / counts.total).clamp(0.0, 1.0));
    let spent = parsed.and_then(|objective| Some(counted? / (objective.budget().to_f64() * counts.total)));
    Row {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        group: counts.group.clone(),
        agent: figures.agent.clone(),
        objective: objective.cloned(),
        outcome: outcome(parsed, counts),
        good_percent: share.map(|share| format!("{:.2}", (share * 10_000.0 + 1e-6).floor() / 100.0)),
        events: (counts.coverage > 0.0).then(|| whole(counts.total)),
        bad: counts.bad.filter(|_| counts.coverage > 0.0).map(whole),
        budget_spent_percent: spent.map(|spent| percent((spent * 100.0 - 1e-6).ceil())),
        pages: figures.pages,
        counted_percent: percent((counts.coverage * 100.0 + 1e-6).floor()),
    }
}

fn outcome(objective: Option<Objective>, counts: &MonthCounts) -> Outcome {
    let (Some(objective), Some(bad)) = (objective, counts.bad) else { return Outcome::NoData };
    let budget = objective.budget().to_f64();
    if counts.coverage <= 0.0 {
        Outcome::NoData
    } else if counts.coverage < ENOUGH {
        Outcome::Incomplete
    } else if counts.total < 0.5 {
        Outcome::Idle
    } else if counts.total * budget < 1.0 {
        Outcome::Insufficient
    } else if bad <= counts.total * budget + 1e-9 {
        Outcome::Met
    } else {
        Outcome::Missed
    }
}

/// Counts are never negative, and far below what fits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(count: f64) -> u64 {
    count.round().max(0.0) as u64
}

/// Whole already.
#[allow(clippy::cast_possible_truncation)]
fn percent(share: f64) -> i64 {
    share as i64
}

/// What nobody knows of an AgentSLO.
fn missing(key: &SloKey, figures: &MonthFigures) -> Vec<String> {
    let mut lines = Vec::new();
    if figures.counts.is_empty() {
        lines.push(format!("{key}: Prometheus has no counts of this month."));
    }
    for counts in &figures.counts {
        let of = if counts.group.is_empty() { key.to_string() } else { format!("{key} ({})", counts.group) };
        if counts.coverage < ENOUGH {
            let share = percent((counts.coverage * 100.0 + 1e-6).floor());
            lines.push(format!("{of}: only {share}% of the month was counted, so there is no verdict."));
        }
        if counts.bad.is_none() {
            lines.push(format!("{of}: bad events were not counted."));
        }
    }
    if figures.objectives.len() > 1 {
        lines.push(format!(
            "{key}: the objective was changed in the month ({}%); it is judged by the last one.",
            figures.objectives.join("%, ")
        ));
    }
    lines
}

impl MonthReport {
    /// As Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let so_far = if self.is_running { ", so far" } else { "" };
        let mut text = format!("# Objectives of agents in {}{so_far}\n\n", self.month);
        if self.objectives.is_empty() {
            text.push_str("There are no AgentSLOs.\n");
        } else {
            text.push_str("| Agent | AgentSLO | Objective | Result | Good | Events | Bad | Budget spent | Pages | Counted |\n");
            text.push_str("| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        }
        for row in &self.objectives {
            text.push_str(&row.to_markdown());
        }
        text.push_str("\n## Money\n\n");
        if self.spent.is_empty() {
            text.push_str("No telemetry tells what an agent costs.\n");
        } else {
            text.push_str(
                "Estimated from list prices; this is no bill.\n\n| Agent | US dollars |\n| --- | ---: |\n",
            );
        }
        for Spent { namespace, agent, dollars } in &self.spent {
            let _ = writeln!(text, "| {}/{} | {dollars} |", plain(namespace), plain(agent));
        }
        text.push_str("\n## Where data is missing\n\n");
        if self.missing.is_empty() {
            text.push_str("Nowhere: at least 95% of the time was counted for every AgentSLO.\n");
        }
        for line in &self.missing {
            let _ = writeln!(text, "- {}", plain(line));
        }
        text
    }
}

impl Row {
    fn to_markdown(&self) -> String {
        let unknown = || "?".to_owned();
        let or = |text: Option<String>| text.unwrap_or_else(unknown);
        let group = if self.group.is_empty() { String::new() } else { format!(" ({})", plain(&self.group)) };
        format!(
            "| {} | {}/{}{group} | {} | {:?} | {} | {} | {} | {} | {} | {}% |\n",
            plain(&self.agent),
            plain(&self.namespace),
            plain(&self.name),
            or(self.objective.as_ref().map(|objective| format!("{objective}%"))),
            self.outcome,
            or(self.good_percent.as_ref().map(|good| format!("{good}%"))),
            or(self.events.map(|events| events.to_string())),
            or(self.bad.map(|bad| bad.to_string())),
            or(self.budget_spent_percent.map(|spent| format!("{spent}%"))),
            self.pages,
            self.counted_percent
        )
    }
}

/// Text of users as Markdown shows it: it ends no cell and is no HTML.
fn plain(text: &str) -> String {
    escaped(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "\\`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(total: f64, bad: Option<f64>, coverage: f64) -> MonthCounts {
        MonthCounts { group: String::new(), total, bad, coverage }
    }

    #[test]
    fn what_was_not_counted_is_never_met() {
        let objective = Objective::parse("99").ok();
        let cases = [
            (counts(1000.0, Some(10.0), 1.0), Outcome::Met),
            (counts(1000.0, Some(11.0), 1.0), Outcome::Missed),
            (counts(1000.0, Some(0.0), 0.9), Outcome::Incomplete),
            (counts(99.0, Some(0.0), 1.0), Outcome::Insufficient),
            (counts(0.0, Some(0.0), 1.0), Outcome::Idle),
            (counts(1000.0, None, 1.0), Outcome::NoData),
            (counts(0.0, Some(0.0), 0.0), Outcome::NoData),
        ];
        for (counts, expected) in cases {
            assert_eq!(outcome(objective, &counts), expected, "{counts:?}");
            assert_eq!(outcome(None, &counts), Outcome::NoData, "without an objective");
        }
    }

    #[test]
    fn the_report_says_where_data_is_missing() {
        let month = Month { name: "2026-11".to_owned(), start: 0, end: 300, is_running: true };
        let key = |name: &str| SloKey { namespace: "team".to_owned(), name: name.to_owned() };
        let known = MonthFigures {
            agent: "a|b".to_owned(),
            objectives: vec!["99".to_owned(), "99.5".to_owned()],
            counts: vec![counts(1000.0, Some(7.0), 0.999)],
            pages: 2,
        };
        let unknown = MonthFigures { agent: "c".to_owned(), ..MonthFigures::default() };
        let figures = BTreeMap::from([(key("known"), known), (key("unknown"), unknown)]);
        let dollars = BTreeMap::from([(("team".to_owned(), "a|b".to_owned()), 12.346)]);
        let expected = "\
# Objectives of agents in 2026-11, so far

| Agent | AgentSLO | Objective | Result | Good | Events | Bad | Budget spent | Pages | Counted |
| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |
| a\\|b | team/known | 99.5% | Missed | 99.30% | 1000 | 7 | 140% | 2 | 99% |
| c | team/unknown | ? | NoData | ? | ? | ? | ? | 0 | 0% |

## Money

Estimated from list prices; this is no bill.

| Agent | US dollars |
| --- | ---: |
| team/a\\|b | 12.35 |

## Where data is missing

- team/known: the objective was changed in the month (99%, 99.5%); it is judged by the last one.
- team/unknown: Prometheus has no counts of this month.
";
        assert_eq!(month_report(&month, &figures, &dollars).to_markdown(), expected);
    }
}
