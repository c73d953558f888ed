//! `agentslo status`: the table of budgets, once or for as long as somebody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::StreamExt;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::cluster::{Cluster, Selection, Stop, Target, block_on};
use super::print::{Format, escaped, write_note, write_out};
use super::readings::{Road, Source, advice};
use super::terminal::{Look, clear, is_terminal, redraw};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::SloKey;
use crate::domain::objective::Objective;
use crate::domain::window::Window;
use crate::inspect::{Detail, PARTS, overview, sparkline};
use crate::prometheus::burns;

const EXAMPLES: &str = "\
Examples:
  # The budgets of a namespace
  kubectl agentslo status -n support

  # Of all namespaces, as they change
  kubectl agentslo status -A --watch

  # One AgentSLO, and a Prometheus that was forwarded to this machine
  kubectl agentslo status checkout --prometheus http://127.0.0.1:9090

BURN is the rate in the shortest window: 1x spends exactly the budget. TREND
shows it over the whole window, oldest first, where Prometheus can be reached:
▁ nothing burnt, ▃ half, ▄ from 1x, ▅ 2x, ▆ 3x, ▇ 6x, █ 14.4x, · not known.

Exit codes:
  0  the AgentSLOs were read, whatever they say
  1  an AgentSLO of that name is not there
  2  usage
  3  the cluster could not be reached";

/// Longest wait for the trends, without which the table is worth printing too.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often ages and trends are drawn anew.
const REDRAWN_EVERY: Duration = Duration::from_secs(30);

/// Show how much budget is left, and how it came to that.
///
/// All but the trend comes from the status that the operator writes.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    look: Look,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t, conflicts_with = "watch")]
    output: Output,
    /// Keep looking: draw anew on a terminal, append the lines that changed in a pipe.
    #[arg(short, long)]
    watch: bool,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Output {
    /// A table.
    #[default]
    Table,
    /// A table with more columns.
    Wide,
    /// The objects in JSON.
    Json,
    /// The objects in YAML.
    Yaml,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let cluster = arguments.target.open().await?;
        if arguments.watch { watch(arguments, &cluster).await } else { once(arguments, &cluster).await }
    })
}

async fn once(arguments: &Arguments, cluster: &Cluster) -> Result<ExitCode, Stop> {
    let slos = cluster.slos(&arguments.selection).await?;
    match arguments.output {
        Output::Json => write_out(&objects(&slos, Format::Json, &arguments.selection)),
        Output::Yaml => write_out(&objects(&slos, Format::Yaml, &arguments.selection)),
        Output::Table | Output::Wide if slos.is_empty() => write_note(&nothing(arguments, cluster)),
        Output::Table | Output::Wide => {
            let (trends, notes) = trends(arguments, cluster, &slos).await;
            let lines = arguments.look.table(&overview(&slos, &trends, arguments.detail(), Timestamp::now()));
            write_out(&(lines.join("\n") + "\n"));
            for note in &notes {
                write_note(&escaped(note));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One object as itself, several as a list, as kubectl prints them.
fn objects(slos: &[AgentSlo], format: Format, selection: &Selection) -> String {
    let print = |object: &Value| match format {
        Format::Json => Format::Json.print(object),
        Format::Yaml => Format::Yaml.print(object).trim_start_matches("---\n").to_owned(),
    };
    // Who wrote which field is noise here, as it is for kubectl.
    let mut slos = slos.to_vec();
    for slo in &mut slos {
        slo.metadata.managed_fields = None;
    }
    match (slos.as_slice(), selection.names.len()) {
        ([only], 1) => print(&json!(only)),
        (several, _) => print(&json!({"apiVersion": "v1", "kind": "List", "items": several})),
    }
}

fn nothing(arguments: &Arguments, cluster: &Cluster) -> String {
    if arguments.selection.all_namespaces {
        "No AgentSLOs found.".to_owned()
    } else {
        format!("No AgentSLOs found in namespace {}.", escaped(&cluster.namespace))
    }
}

impl Arguments {
    fn detail(&self) -> Detail {
        Detail { has_namespace: self.selection.all_namespaces, is_wide: self.output == Output::Wide }
    }
}

/// The trend of each AgentSLO, and why some have none.
async fn trends(
    arguments: &Arguments,
    cluster: &Cluster,
    slos: &[AgentSlo],
) -> (BTreeMap<SloKey, String>, Vec<String>) {
    let namespaces: BTreeSet<String> = slos.iter().map(|slo| SloKey::of(slo).namespace).collect();
    let roads = arguments.source.roads(cluster, &namespaces).await;
    let (mut trends, mut notes) = (BTreeMap::new(), Vec::new());
    for road in roads {
        let own: Vec<&AgentSlo> =
            slos.iter().filter(|slo| road.namespaces.contains(&SloKey::of(slo).namespace)).collect();
        match timeout(PATIENCE, trends_of(&road, &own)).await {
            Ok(Ok(found)) => trends.extend(found),
            Ok(Err(why)) => notes.push(format!("note: no trend from {}: {why}", road.name)),
            Err(_) => notes.push(format!("note: no trend from {}: it does not answer", road.name)),
        }
    }
    (trends, notes)
}

async fn trends_of(road: &Road, slos: &[&AgentSlo]) -> Result<BTreeMap<SloKey, String>, String> {
    let connection = road.connection.as_ref().map_err(Clone::clone)?;
    let now = Timestamp::now().as_second();
    let mut trends = BTreeMap::new();
    let windows: BTreeSet<Window> = slos.iter().filter_map(|slo| window(slo)).collect();
    for each in windows {
        let shares = burns(connection, each, PARTS, now).await.map_err(|error| advice(&error))?;
        for slo in slos.iter().filter(|slo| window(slo) == Some(each)) {
            let key = SloKey::of(slo);
            if let (Some(shares), Ok(objective)) = (shares.get(&key), Objective::parse(&slo.spec.objective)) {
                let budget = objective.budget().to_f64();
                let rates: Vec<Option<f64>> =
                    shares.iter().map(|share| share.map(|share| share / budget)).collect();
                trends.insert(key, sparkline(&rates));
            }
        }
    }
    Ok(trends)
}

/// The window in force.
fn window(slo: &AgentSlo) -> Option<Window> {
    Window::parse(slo.status.as_ref()?.window.as_deref()?)
}

/// What is seen while somebody looks.
#[derive(Default)]
struct Seen {
    slos: BTreeMap<SloKey, AgentSlo>,
    trends: BTreeMap<SloKey, String>,
    /// What a pipe was last told of each.
    told: BTreeMap<SloKey, String>,
    is_titled: bool,
}

async fn watch(arguments: &Arguments, cluster: &Cluster) -> Result<ExitCode, Stop> {
    let config = watcher::Config {
        label_selector: arguments.selection.selector.clone(),
        ..watcher::Config::default()
    };
    let mut events = pin!(watcher(cluster.api(&arguments.selection), config).default_backoff());
    let mut clock = interval(REDRAWN_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Seen::default();
    let mut is_listed = false;
    if is_terminal() && clear().is_err() {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => is_listed |= seen.take(event, &arguments.selection),
                Some(Err(error)) if !is_listed => return Err(unlisted(&error)),
                // It is tried again; what was seen holds until then.
                Some(Err(_)) => continue,
                None => return Ok(ExitCode::SUCCESS),
            },
            _ = clock.tick() => if is_listed {
                let slos: Vec<AgentSlo> = seen.slos.values().cloned().collect();
                seen.trends = trends(arguments, cluster, &slos).await.0;
            },
        }
        if is_listed && !seen.show(arguments) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn unlisted(error: &watcher::Error) -> Stop {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Stop::of("AgentSLOs", error),
        watcher::Error::WatchError(status) => Stop::Unreachable(status.message.clone()),
        watcher::Error::NoResourceVersion => {
            Stop::Unreachable("the cluster lists without a version".to_owned())
        }
    }
}

impl Seen {
    /// Takes in an event, and says whether everything is known now.
    fn take(&mut self, event: Event<AgentSlo>, selection: &Selection) -> bool {
        let is_meant =
            |slo: &AgentSlo| selection.names.is_empty() || selection.names.contains(&SloKey::of(slo).name);
        match event {
            Event::Init => self.slos.clear(),
            Event::InitApply(slo) | Event::Apply(slo) if is_meant(&slo) => {
                self.slos.insert(SloKey::of(&slo), slo);
            }
            Event::InitApply(_) | Event::Apply(_) => {}
            Event::Delete(slo) => drop(self.slos.remove(&SloKey::of(&slo))),
            Event::InitDone => return true,
        }
        false
    }

    /// Draws anew on a terminal; in a pipe, tells what is new. Says whether anybody reads it.
    fn show(&mut self, arguments: &Arguments) -> bool {
        let slos: Vec<AgentSlo> = self.slos.values().cloned().collect();
        if is_terminal() {
            let table = overview(&slos, &self.trends, arguments.detail(), Timestamp::now());
            return redraw(&arguments.look.table(&table)).is_ok();
        }
        // No trend and no age in what is compared: time alone is no news.
        let table = overview(&slos, &BTreeMap::new(), arguments.detail(), Timestamp::UNIX_EPOCH);
        let shown = overview(&slos, &BTreeMap::new(), arguments.detail(), Timestamp::now());
        let shown = arguments.look.table(&shown);
        let mut lines = if self.is_titled { Vec::new() } else { vec![shown[0].clone()] };
        self.is_titled = true;
        let rows = arguments.look.table(&table).into_iter().zip(shown).skip(1);
        for ((compared, line), slo) in rows.zip(&slos) {
            let told = self.told.insert(SloKey::of(slo), compared.clone());
            lines.extend((told.as_ref() != Some(&compared)).then_some(line));
        }
        lines.is_empty() || super::print::try_write_out(&(lines.join("\n") + "\n"))
    }
}
