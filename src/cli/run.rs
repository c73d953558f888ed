//! `agentslo run`: the controller.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kube::Client;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::print::UNREACHABLE;
use crate::controller::{self, Settings};

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
    /// Namespace of the Secrets that an AgentPlatform refers to.
    #[arg(long, env = "POD_NAMESPACE", default_value = "agentslo-system")]
    operator_namespace: String,
    /// Form of the log. By default text on a terminal and JSON elsewhere.
    #[arg(long)]
    log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Text,
    Json,
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
    let client = match Client::try_default().await {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no usable cluster configuration; set KUBECONFIG or run in a cluster");
            return ExitCode::from(UNREACHABLE);
        }
    };
    let settings = Settings {
        listen: arguments.listen,
        poll_interval: Duration::from_secs(arguments.poll_interval),
        operator_namespace: arguments.operator_namespace.clone(),
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

fn start_logging(format: Option<LogFormat>) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,kube_runtime=off"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let is_text = match format {
        Some(LogFormat::Text) => true,
        Some(LogFormat::Json) => false,
        None => std::io::stderr().is_terminal(),
    };
    if is_text { log.init() } else { log.json().flatten_event(true).init() }
}

async fn told_to_stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => drop(terminated.recv().await),
            // Without a handler the default action of the signal ends the process.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("told to stop");
}
