//! Rule files for one objective, 99 % of runs over 30 days, each made by its own tool, and what their
//! recorded series mean: the history needs that, and the check that a rule read all of it.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use agentslo::api::v1alpha1::AgentSlo;
use agentslo::render::rules;
use agentslo::validate;
use agentslo::vocabulary::series;

use crate::fleet::{Fleet, METRIC, NAMESPACE, Side, as_float};
use crate::rule_file::{Group, Rule, RuleFile, seconds};
use crate::servers;

/// How often groups are evaluated that do not say it, as Sloth's: `evaluationInterval` of
/// prometheus-operator's `Prometheus` by default.
const OPERATOR_DEFAULT: i64 = 30;
/// The same of Prometheus without the operator.
const PROMETHEUS_DEFAULT: i64 = 60;

/// What the objective allows to fail.
const BUDGET: f64 = 0.01;
const WINDOW: i64 = 30 * 86_400;

/// The rules of one tool.
pub(crate) struct Contender {
    /// What the table calls it.
    pub name: &'static str,
    /// Its rules, each with the seconds between two evaluations.
    pub rules: Vec<(i64, Rule)>,
    /// What is counted.
    pub fleet: Fleet,
    /// Whether it counts; `rate` and `increase` extrapolate.
    pub is_exact: bool,
}

/// What a recorded series means.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// Events in so many seconds.
    Events(Side, i64),
    /// The same, one series for each status.
    EventsByStatus(i64),
    /// Share of bad events in so many seconds.
    Ratio(i64),
    /// The same, as a multiple of the budget.
    BurnRate(i64),
    /// What is left of the budget.
    Remaining,
    /// Always the same.
    Constant(f64),
}

/// A meaning that a window completes.
type OfWindow = fn(i64) -> Meaning;

/// Names in the table.
pub(crate) const OURS: &str = "agentslo";
pub(crate) const SLOTH: &str = "Sloth";
pub(crate) const PYRRA: &str = "Pyrra";

/// The three that the bars compare, ours first.
pub(crate) fn main_three(fleet: &Fleet, folder: &Path) -> Result<Vec<Contender>, Box<dyn Error>> {
    Ok(vec![
        ours(OURS, fleet, "Count")?,
        sloth(SLOTH, fleet, folder, OPERATOR_DEFAULT)?,
        pyrra(PYRRA, fleet, folder, false)?,
    ])
}

/// These, and the modes of each that cost less.
pub(crate) fn all(fleet: &Fleet, folder: &Path) -> Result<Vec<Contender>, Box<dyn Error>> {
    let mut all = main_three(fleet, folder)?;
    all.extend([
        ours("agentslo, counterBirths: Ignore", fleet, "Ignore")?,
        sloth("Sloth, evaluated every 60 s", fleet, folder, PROMETHEUS_DEFAULT)?,
        pyrra("Pyrra, performanceOverAccuracy", fleet, folder, true)?,
    ]);
    Ok(all)
}

fn ours(name: &'static str, fleet: &Fleet, births: &str) -> Result<Contender, Box<dyn Error>> {
    let agent = &fleet.agent;
    let text = format!(
        "{{apiVersion: agentslo.dev/v1alpha1, kind: AgentSLO, \
          metadata: {{name: {agent}, namespace: {NAMESPACE}}}, \
          spec: {{agent: {agent}, objective: '99', window: 30d, indicator: {{success: {{}}}}, \
                  telemetry: {{counterBirths: {births}}}}}}}"
    );
    let resource: AgentSlo = serde_saphyr::from_str(&text)?;
    let slo = validate::slo(&resource, &validate::SloFacts::default())
        .map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let groups: Vec<Group> = serde_json::from_value(serde_json::to_value(rules::groups(&slo))?)?;
    contender(name, fleet, groups, 0, true)
}

/// What `sloth generate` makes. The interval is part of the name, for each has a history of its own.
fn sloth(
    name: &'static str,
    fleet: &Fleet,
    folder: &Path,
    interval: i64,
) -> Result<Contender, Box<dyn Error>> {
    let agent = &fleet.agent;
    let (errors, all) = (bad_selector(fleet), selector(fleet));
    let text = format!(
        "version: prometheus/v1\nservice: {agent}\nslos:\n- name: success-{interval}s\n  objective: 99\n  \
         sli: {{events: {{error_query: 'sum(rate({errors}[{{{{.window}}}}]))', total_query: 'sum(rate({all}[{{{{.window}}}}]))'}}}}\n  \
         alerting: {{name: Errors}}\n"
    );
    let (input, output) = (folder.join("sloth.yaml"), folder.join("sloth-rules.yaml"));
    std::fs::write(&input, text)?;
    servers::run(
        "sloth",
        &["generate", "-i", &input.display().to_string(), "-o", &output.display().to_string()],
    )?;
    let file: RuleFile = serde_saphyr::from_str(&std::fs::read_to_string(output)?)?;
    contender(name, fleet, file.groups, interval, false)
}

/// What `pyrra generate` makes.
fn pyrra(
    name: &'static str,
    fleet: &Fleet,
    folder: &Path,
    performance: bool,
) -> Result<Contender, Box<dyn Error>> {
    let text = format!(
        "{{apiVersion: pyrra.dev/v1alpha1, kind: ServiceLevelObjective, \
          metadata: {{name: {}, namespace: {NAMESPACE}}}, \
          spec: {{target: '99', window: 30d, performanceOverAccuracy: {performance}, indicator: {{ratio: {{\
          errors: {{metric: '{}'}}, total: {{metric: '{}'}}}}}}}}}}",
        fleet.agent,
        bad_selector(fleet),
        selector(fleet),
    );
    let (input, output) = (folder.join("pyrra.yaml"), folder.join(format!("pyrra-rules-{performance}")));
    std::fs::write(&input, text)?;
    std::fs::create_dir_all(&output)?;
    let input = format!("--config-files={}", input.display());
    let output_argument = format!("--prometheus-folder={}", output.display());
    servers::run("pyrra", &["generate", &input, &output_argument])?;
    let mut groups = Vec::new();
    for entry in std::fs::read_dir(&output)? {
        let file: RuleFile = serde_saphyr::from_str(&std::fs::read_to_string(entry?.path())?)?;
        groups.extend(file.groups);
    }
    std::fs::remove_dir_all(output)?;
    contender(name, fleet, groups, 0, false)
}

/// Without our exclusion of cancelled runs, of which there are none here: Pyrra would no longer record
/// its counts by status.
fn selector(fleet: &Fleet) -> String {
    format!("{METRIC}{{agent_name=\"{}\",namespace=\"{NAMESPACE}\"}}", fleet.agent)
}

fn bad_selector(fleet: &Fleet) -> String {
    format!("{METRIC}{{agent_name=\"{}\",namespace=\"{NAMESPACE}\",status!=\"success\"}}", fleet.agent)
}

fn contender(
    name: &'static str,
    fleet: &Fleet,
    groups: Vec<Group>,
    otherwise: i64,
    is_exact: bool,
) -> Result<Contender, Box<dyn Error>> {
    let mut rules = Vec::new();
    for group in groups {
        let interval = group.interval.as_deref().map_or(Some(otherwise), seconds);
        let interval = interval.filter(|interval| *interval > 0).ok_or("a group has no readable interval")?;
        rules.extend(group.rules.into_iter().map(|rule| (interval, rule)));
    }
    Ok(Contender { name, rules, fleet: fleet.clone(), is_exact })
}

impl Meaning {
    /// By the name of the series; none for those that no rule reads.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let fixed = [
            (series::TOTAL_5M.to_owned(), Self::Events(Side::Total, 300)),
            (series::BAD_5M.to_owned(), Self::Events(Side::Bad, 300)),
            (format!("{}30d", series::TOTAL_COUNT), Self::Events(Side::Total, WINDOW)),
            (format!("{}30d", series::BAD_COUNT), Self::Events(Side::Bad, WINDOW)),
            (series::REMAINING.to_owned(), Self::Remaining),
            ("slo:error_budget:ratio".to_owned(), Self::Constant(BUDGET)),
            ("slo:period_burn_rate:ratio".to_owned(), Self::BurnRate(WINDOW)),
            ("slo:period_error_budget_remaining:ratio".to_owned(), Self::Remaining),
        ];
        let windowed: [(&str, OfWindow); 3] = [
            ("slo:sli_error:ratio_rate", Self::Ratio),
            ("agent_queries:burnrate", Self::Ratio),
            ("agent_queries:increase", Self::EventsByStatus),
        ];
        let by_window = windowed
            .into_iter()
            .find_map(|(prefix, meaning)| name.strip_prefix(prefix).and_then(seconds).map(meaning));
        fixed.into_iter().find(|(fixed, _)| fixed == name).map(|(_, meaning)| meaning).or(by_window)
    }

    /// The window, where it has one.
    pub(crate) fn window(self) -> Option<i64> {
        match self {
            Self::Events(_, window)
            | Self::EventsByStatus(window)
            | Self::Ratio(window)
            | Self::BurnRate(window) => Some(window),
            Self::Remaining | Self::Constant(_) => None,
        }
    }

    /// Its value; of several series, their sum.
    pub(crate) fn at(self, fleet: &Fleet, time: i64) -> f64 {
        match self {
            Self::Events(side, window) => as_float(fleet.events(side, time - window, time)),
            Self::EventsByStatus(window) => as_float(fleet.events(Side::Total, time - window, time)),
            Self::Ratio(window) => fleet.ratio(window, time),
            Self::BurnRate(window) => fleet.ratio(window, time) / BUDGET,
            Self::Remaining => 1.0 - fleet.ratio(WINDOW, time) / BUDGET,
            Self::Constant(value) => value,
        }
    }

    /// The parts of the fleet that have a series each, with the label that tells them apart.
    pub(crate) fn parts(self, fleet: &Fleet) -> Vec<(Option<String>, Fleet)> {
        let Self::EventsByStatus(_) = self else { return vec![(None, fleet.clone())] };
        let statuses: BTreeSet<&String> =
            fleet.counters.iter().map(|counter| &counter.labels["status"]).collect();
        let part = |status: &String| {
            let counters = fleet.counters.iter().filter(|counter| counter.labels["status"] == *status);
            Fleet { agent: fleet.agent.clone(), counters: counters.cloned().collect() }
        };
        statuses.into_iter().map(|status| (Some(status.clone()), part(status))).collect()
    }
}
