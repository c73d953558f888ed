//! `agentslo ledger anchor`: signs where the chains end.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::anchors::Place;
use super::database::Database;
use super::rounds::{Anchoring, Depth, line, signer};
use super::time::now;
use crate::cli::cluster::{Stop, block_on_all_cores};
use crate::cli::print::{escaped, write_note, write_out};

const EXAMPLES: &str = "\
Examples:
  # A key, of which the database never sees anything
  openssl genpkey -algorithm ed25519 -out anchor.key
  openssl pkey -in anchor.key -pubout -out anchor.pub

  # Every few minutes, into a file where nobody who may write the database can write
  agentslo ledger anchor --database-url postgres://localhost/ledger --key anchor.key --anchors anchors.jsonl

  # What was entered up to an anchor is what it was then
  agentslo ledger verify --database-url postgres://localhost/ledger --anchors anchors.jsonl --public-key anchor.pub

Exit codes:
  0  every chain that has grown was signed
  1  a chain is not intact and was not signed; the others were
  2  a file cannot be used
  3  the database or the cluster could not be reached";

/// Sign where the chains end, so that nobody can write them anew or cut them off unseen.
///
/// Each chain is verified from its last anchor on before it is signed, and is not signed if something was done to it,
/// or if it has not grown since.
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
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on_all_cores(async {
        let signer = signer(&arguments.key).map_err(Stop::Usage)?;
        let access = arguments.database.access().map_err(Stop::Usage)?;
        let anchoring = Anchoring { access, signer, place: &arguments.place, streams: &[] };
        let outcomes = anchoring.round(Depth::LastAnchor, &now().to_string()).await?;
        let mut code = ExitCode::SUCCESS;
        for outcome in &outcomes {
            if !arguments.place.is_named() {
                outcome.anchor.iter().map(line).for_each(|line| write_out(&line));
            }
            for finding in &outcome.verdict.findings {
                code = ExitCode::FAILURE;
                write_note(&format!("not signed: {}: {finding}", escaped(&outcome.stream)));
            }
        }
        Ok(code)
    })
}
