//! `agentslo ledger watch`: verifies and signs all the time, and says what it finds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use agentslo_ledger::monitor::Monitor;
use agentslo_ledger::store;
use clap::Args;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::anchors::Place;
use super::database::Database;
use super::rounds::{Anchoring, Depth, Outcome, signer};
use super::time::{now, parse_window};
use crate::cli::cluster::{Stop, block_on_all_cores};
use crate::cli::daemon::{LogFormat, start_logging, told_to_stop};
use crate::domain::window::Window;

const EXAMPLES: &str = "\
Examples:
  # In a pod whose ServiceAccount may get, create and update that ConfigMap
  agentslo ledger watch --database-url postgres://localhost/ledger --key anchor.key --anchors-configmap ledger/anchors

What it finds is in /metrics: agentslo_ledger_chain_intact, agentslo_ledger_chain_head_sequence and
agentslo_ledger_chain_verified_timestamp_seconds of each stream, and the last anchor of each.";

/// Verify the chains and sign where they end, every few minutes, and say what was found as metrics.
///
/// Every round verifies what came since the last anchor, and now and then one reads all chains from their beginning.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// File with the Ed25519 key, in PEM.
    #[arg(long, env = "AGENTSLO_ANCHOR_KEY", value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Time between two rounds.
    #[arg(long, default_value = "5m", value_parser = parse_window, value_name = "DURATION")]
    every: Window,
    /// Time between two rounds that read all chains from their beginning.
    #[arg(long, default_value = "24h", value_parser = parse_window, value_name = "DURATION")]
    whole_every: Window,
    /// Address for `/livez`, `/readyz` and `/metrics`.
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Form of the log. By default text on a terminal and JSON elsewhere.
    #[arg(long)]
    log_format: Option<LogFormat>,
    /// Streams to watch, as `namespace/agent`. By default all of them, also those that only an anchor knows.
    streams: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    start_logging(arguments.log_format);
    block_on_all_cores(async {
        if !arguments.place.is_named() {
            return Err(Stop::Usage(
                "anchors that nobody keeps prove nothing; say where with --anchors or --anchors-configmap"
                    .to_owned(),
            ));
        }
        let signer = signer(&arguments.key).map_err(Stop::Usage)?;
        let access = arguments.database.access().map_err(Stop::Usage)?;
        let anchoring = Anchoring { access, signer, place: &arguments.place, streams: &arguments.streams };
        let monitor = Monitor::default();
        let listener = TcpListener::bind(arguments.listen).await;
        let listener = listener.map_err(|error| Stop::Unreachable(format!("cannot listen: {error}")))?;
        let serve = pin!(async { axum::serve(listener, monitor.routes()).await });
        tokio::select! {
            () = rounds(&anchoring, arguments, &monitor) => {}
            _ = serve => {}
            () = told_to_stop() => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn rounds(anchoring: &Anchoring<'_>, arguments: &Arguments, monitor: &Monitor) {
    let mut whole_due = Instant::now();
    loop {
        let depth = if Instant::now() >= whole_due { Depth::Beginning } else { Depth::LastAnchor };
        let at = now();
        match anchoring.round(depth, &at.to_string()).await {
            Ok(outcomes) => {
                for outcome in &outcomes {
                    tell(outcome);
                    monitor.verified(
                        &outcome.stream,
                        &outcome.verdict,
                        depth == Depth::Beginning,
                        now().as_second(),
                    );
                    outcome.last.iter().for_each(|anchor| monitor.anchored(anchor));
                }
                tell_spending(anchoring, monitor).await;
                monitor.done();
                if depth == Depth::Beginning {
                    whole_due = Instant::now() + length(arguments.whole_every);
                }
            }
            Err(stop) => {
                tracing::error!(error = %stop, "the chains could not be verified; will try again");
                monitor.failed();
            }
        }
        tokio::time::sleep(length(arguments.every)).await;
    }
}

/// What was spent is told besides; that it could not be read takes nothing from what was verified.
async fn tell_spending(Anchoring { access, streams, .. }: &Anchoring<'_>, monitor: &Monitor) {
    let spending = async { store::spending(&access.connect().await?, streams).await };
    match spending.await {
        Ok(all) => all.into_iter().for_each(|(stream, spending)| monitor.spent(&stream, spending)),
        Err(error) => tracing::warn!(%error, "what was spent could not be read"),
    }
}

fn tell(Outcome { stream, verdict, .. }: &Outcome) {
    for finding in &verdict.findings {
        tracing::error!(stream, %finding, "a chain is not intact");
    }
    tracing::debug!(stream, sequence = verdict.head.sequence, links = verdict.links, "a chain was verified");
}

fn length(window: Window) -> Duration {
    Duration::from_mins(u64::from(window.minutes()))
}
