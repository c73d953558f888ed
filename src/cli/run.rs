//! `agentslo run`: the controller.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use k8s_openapi::jiff::Timestamp;
use kube::{Client, Config};

use super::check::valid_platforms;
use super::daemon::{LogFormat, start_logging, told_to_stop};
use super::print::{UNREACHABLE, USAGE};
use crate::controller::{self, Election, Scope, Settings, without_ledgers};
use crate::domain::names::short_hash;
use crate::domain::shard::Shards;
use crate::render::ArtifactKind;

/// Longest time in which the API server may say nothing on a connection that it should answer on. A watch
/// has a bookmark every minute.
const LONGEST_SILENCE: Duration = Duration::from_mins(2);

/// Run the controller until it is told to stop.
///
/// The cluster is that of KUBECONFIG, of ~/.kube/config, or the one that the process runs in.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Address for /livez, /readyz and /metrics.
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Seconds between two reads of the budgets from Prometheus.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "SECONDS")]
    poll_interval: u64,
    /// Namespace of the Lease, and of the Secrets that an AgentPlatform refers to.
    #[arg(long, env = "POD_NAMESPACE", default_value = "agentslo-system")]
    operator_namespace: String,
    /// Namespaces to look at, separated by commas. By default all of them.
    #[arg(long, value_delimiter = ',', value_name = "NAMESPACES")]
    namespaces: Vec<String>,
    /// Label selector of the AgentSLOs and AgentObservabilities to look at.
    #[arg(long, value_name = "SELECTOR")]
    watch_label_selector: Option<String>,
    /// File with AgentPlatforms to go by instead of those in the cluster. With --namespaces nothing outside
    /// these is read then.
    #[arg(long, value_name = "FILE")]
    platform_file: Option<PathBuf>,
    /// Share the work with other replicas: whoever holds the Lease does it, and the others stand by.
    #[arg(long)]
    leader_elect: bool,
    /// Name of the Lease, in the operator's namespace.
    #[arg(long, default_value = "agentslo", value_name = "NAME", requires = "leader_elect")]
    lease_name: String,
    /// Divide the namespaces into so many ranges, each with a Lease of its own, so that several replicas
    /// work at once.
    #[arg(long, default_value = "1", value_name = "COUNT", requires = "leader_elect")]
    shards: NonZeroU16,
    /// Make the pods of ledgers, with what they need, where AgentObservabilities ask for one.
    #[arg(long)]
    ledger: bool,
    /// What this replica calls itself in the Lease; letters that differ from start to start are added. By default the host's name.
    #[arg(long, env = "POD_NAME", value_name = "NAME", hide_env_values = true)]
    identity: Option<String>,
    /// Form of the log. By default text on a terminal and JSON elsewhere.
    #[arg(long)]
    log_format: Option<LogFormat>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    start_logging(arguments.log_format);
    // Both TLS users of the process, the API server's and Prometheus' client, share this provider.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(arguments)),
        Err(error) => {
            tracing::error!(%error, "cannot start the runtime");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> ExitCode {
    let client = match connect().await {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no usable cluster configuration; set KUBECONFIG or run in a cluster");
            return ExitCode::from(UNREACHABLE);
        }
    };
    let settings = match settings(arguments) {
        Ok(settings) => settings,
        Err(message) => {
            tracing::error!("{message}");
            return ExitCode::from(USAGE);
        }
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %settings.listen, "agentslo starts");
    match controller::run(client, settings, told_to_stop()).await {
        Ok(()) => {
            tracing::info!("agentslo stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, listen = %arguments.listen, "cannot serve probes and metrics");
            ExitCode::FAILURE
        }
    }
}

/// A client that does not wait for ever for somebody who says nothing.
async fn connect() -> Result<Client, Box<dyn std::error::Error>> {
    let mut config = Config::infer().await?;
    config.read_timeout = Some(LONGEST_SILENCE);
    Ok(Client::try_from(config)?)
}

fn settings(arguments: &Arguments) -> Result<Settings, String> {
    let platforms = arguments.platform_file.as_deref().map(valid_platforms).transpose()?;
    let election = arguments.leader_elect.then(|| Election {
        lease: arguments.lease_name.clone(),
        shards: Shards::new(arguments.shards),
        identity: identity(arguments.identity.as_deref()),
    });
    Ok(Settings {
        listen: arguments.listen,
        poll_interval: Duration::from_secs(arguments.poll_interval),
        operator_namespace: arguments.operator_namespace.clone(),
        scope: Scope {
            namespaces: arguments.namespaces.clone(),
            selector: arguments.watch_label_selector.clone(),
            platforms,
        },
        kinds: if arguments.ledger { ArtifactKind::ALL.into() } else { without_ledgers() },
        election,
    })
}

/// The moment of the start tells a process from the one that had the name before it.
fn identity(name: Option<&str>) -> String {
    let hostname = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.map(str::to_owned).or_else(hostname).unwrap_or_default();
    let start = format!("{} {}", std::process::id(), Timestamp::now().as_nanosecond());
    format!("{}_{}", name.trim(), short_hash(&start))
}
