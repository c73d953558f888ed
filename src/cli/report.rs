//! `agentslo report`: what a month was like.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use k8s_openapi::jiff::Timestamp;

use super::cluster::{Selection, Stop, Target, block_on};
use super::print::write_out;
use super::readings::{Road, Source, advice};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::SloKey;
use crate::inspect::{Month, MonthCounts, MonthFigures, month_report};
use crate::prometheus::{GroupKey, MonthData, month};

const EXAMPLES: &str = "\
Examples:
  # What has passed of this month, as Markdown
  kubectl agentslo report -n support

  # A month, of every namespace
  kubectl agentslo report -A --month 2026-10 > october.md

  # For a program
  kubectl agentslo report -A --month 2026-10 -o json

Months are those of UTC. Result is Met, Missed, Incomplete (less than 95% of the
month was counted), Insufficient (one failure would be more than the budget),
Idle (nothing happened) or NoData. What was not counted is never called good.

Exit codes:
  0  the report was made, whatever it says
  1  an AgentSLO of that name is not there
  2  usage
  3  the cluster or Prometheus could not be reached";

/// Report on a month: which objectives were met, events, pages, money, and where data is missing.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    source: Source,
    /// The month; that which is now where none is given. Example: `2026-11`.
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    /// A page of Markdown.
    #[default]
    Markdown,
    /// One JSON object.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let now = Timestamp::now();
        let name = arguments.month.clone().unwrap_or_else(|| Month::name_of(now));
        let when = Month::parse(&name, now).map_err(Stop::Usage)?;
        let cluster = arguments.target.open().await?;
        let slos = cluster.slos(&arguments.selection).await?;
        let namespaces: BTreeSet<String> = if arguments.selection.all_namespaces {
            slos.iter().map(|slo| SloKey::of(slo).namespace).collect()
        } else {
            [cluster.namespace.clone()].into()
        };
        let known: BTreeMap<SloKey, MonthFigures> = slos.iter().map(known).collect();
        let roads = arguments.source.roads(&cluster, &namespaces).await;
        let (figures, dollars) = read(arguments, &when, &roads, known).await?;
        let report = month_report(&when, &figures, &dollars);
        match arguments.output {
            Output::Markdown => write_out(&report.to_markdown()),
            Output::Json => {
                let report = serde_json::to_string_pretty(&report);
                write_out(&(report.expect("a report should have only string keys") + "\n"));
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Dollars by namespace and agent.
type Dollars = BTreeMap<(String, String), f64>;

/// What every Prometheus says of a month, added to what is known.
async fn read(
    arguments: &Arguments,
    when: &Month,
    roads: &[Road],
    mut figures: BTreeMap<SloKey, MonthFigures>,
) -> Result<(BTreeMap<SloKey, MonthFigures>, Dollars), Stop> {
    let mut dollars = Dollars::new();
    let takes_others = arguments.selection.names.is_empty() && arguments.selection.selector.is_none();
    for road in roads {
        let refuse = |why: String| Stop::Unreachable(format!("{}: {why}", road.name));
        let connection = road.connection.as_ref().map_err(|why| refuse(why.clone()))?;
        let data = month(connection, when.end, when.seconds()).await;
        let data = data.map_err(|error| refuse(advice(&error)))?;
        let is_meant = |namespace: &str| road.namespaces.contains(namespace);
        let spent = data.dollars.iter().filter(|((namespace, _), _)| is_meant(namespace));
        dollars.extend(spent.map(|(key, dollars)| (key.clone(), *dollars)));
        take(&mut figures, &data, |key| is_meant(&key.namespace) && takes_others);
    }
    Ok((figures, dollars))
}

/// What the cluster says of an AgentSLO, for those that Prometheus says nothing of.
fn known(slo: &AgentSlo) -> (SloKey, MonthFigures) {
    let figures = MonthFigures { agent: slo.spec.agent.clone(), ..MonthFigures::default() };
    (SloKey::of(slo), figures)
}

/// Takes in what Prometheus says: of AgentSLOs of the cluster, and of others that are meant, which were
/// deleted since.
fn take(figures: &mut BTreeMap<SloKey, MonthFigures>, data: &MonthData, is_meant: impl Fn(&SloKey) -> bool) {
    for (key, agent, objective, _) in &data.infos {
        let Some(figures) = entry(figures, key, &is_meant) else { continue };
        figures.agent.clone_from(agent);
        figures.objectives.retain(|before| before != objective);
        figures.objectives.push(objective.clone());
    }
    for (group, coverage) in &data.coverage {
        let Some(figures) = entry(figures, &group.0, &is_meant) else { continue };
        let total = data.total.get(group).copied().unwrap_or_default();
        let bad = data.bad.get(group).copied();
        figures.counts.push(MonthCounts { group: group_text(group), total, bad, coverage: *coverage });
    }
    for (key, pages) in &data.pages {
        // Counted in whole starts, so it fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        if let Some(figures) = entry(figures, key, &is_meant) {
            figures.pages = *pages as u64;
        }
    }
}

fn entry<'a>(
    figures: &'a mut BTreeMap<SloKey, MonthFigures>,
    key: &SloKey,
    is_meant: impl Fn(&SloKey) -> bool,
) -> Option<&'a mut MonthFigures> {
    if !figures.contains_key(key) && is_meant(key) {
        figures.insert(key.clone(), MonthFigures::default());
    }
    figures.get_mut(key)
}

fn group_text(group: &GroupKey) -> String {
    let parts: Vec<String> = group.1.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join(",")
}
