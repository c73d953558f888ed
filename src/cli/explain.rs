//! `agentslo explain`: why a budget stands where it stands.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use kube::api::Api;
use tokio::time::timeout;

use super::cluster::{Cluster, Stop, Target, block_on};
use super::complete::slo_names;
use super::policy::Policy;
use super::print::write_out;
use super::readings::{Platforms, Source, advice};
use super::terminal::{Look, width};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::SloKey;
use crate::domain::reading::Recent;
use crate::domain::slo::Slo;
use crate::inspect::{Subject, explanation};
use crate::prometheus::recent;

const EXAMPLES: &str = "\
Examples:
  kubectl agentslo explain checkout -n support

  # With a Prometheus that was forwarded to this machine
  kubectl agentslo explain checkout --prometheus http://127.0.0.1:9090

What was counted comes from the status; what the alerts see now, from
Prometheus.

Exit codes:
  0  it was explained
  1  an AgentSLO of that name is not there
  2  usage
  3  the cluster could not be reached";

/// Longest wait for what the alerts see; the rest is worth reading without it.
const PATIENCE: Duration = Duration::from_secs(8);

/// Explain one AgentSLO: what was counted, what its alerts see, what blocks, and what to do.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Name of the AgentSLO.
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(slo_names))]
    name: String,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    look: Look,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let cluster = arguments.target.open().await?;
        let api: Api<AgentSlo> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let slo = api.get(&arguments.name).await.map_err(|error| Stop::of("AgentSLOs", &error))?;
        // Whoever may not read AgentPlatforms sees what the safe defaults would make of it.
        let platforms = Platforms::read(&cluster).await.unwrap_or_default();
        let policy = Policy { cluster: &cluster, platforms: &platforms, referred: Vec::new() };
        let valid = policy.slo(&slo, Some(&slo)).await.ok();
        let recent = match &valid {
            Some(valid) => seen(arguments, &cluster, &slo, valid).await,
            None => Err("the spec is not valid".to_owned()),
        };
        let recent = recent.as_ref().map_err(String::as_str);
        let page = explanation(Subject { slo: &slo, valid: valid.as_ref(), recent });
        write_out(&(page.lines(arguments.look.paint(), width()).join("\n") + "\n"));
        Ok(ExitCode::SUCCESS)
    })
}

/// What the alerts see now, or why nobody can tell.
async fn seen(
    arguments: &Arguments,
    cluster: &Cluster,
    slo: &AgentSlo,
    valid: &Slo,
) -> Result<Recent, String> {
    let namespaces = [SloKey::of(slo).namespace].into();
    let roads = arguments.source.roads(cluster, &namespaces).await;
    let road = roads.into_iter().next().ok_or("no Prometheus is named")?;
    let connection = road.connection?;
    let answer = timeout(PATIENCE, recent(&connection, valid)).await;
    answer.map_err(|_| "Prometheus does not answer".to_owned())?.map_err(|error| advice(&error))
}
