//! `agentslo ledger anchor`: signs where the chains end.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agentslo_ledger::anchor::{Anchor, Signer};
use agentslo_ledger::store;
use clap::Args;
use k8s_openapi::jiff::Timestamp;

use super::database::{Database, unreachable};
use crate::cli::cluster::{Stop, block_on};
use crate::cli::files::text_of;
use crate::cli::print::write_out;

const EXAMPLES: &str = "\
Examples:
  # A key, of which the database never sees anything
  openssl genpkey -algorithm ed25519 -out anchor.key
  openssl pkey -in anchor.key -pubout -out anchor.pub

  # Every few minutes, into a file where nobody who may write the database can write
  agentslo ledger anchor --database-url postgres://localhost/ledger --key anchor.key --append anchors.jsonl

  # What was entered up to an anchor is what it was then
  agentslo ledger verify --database-url postgres://localhost/ledger --anchors anchors.jsonl --public-key anchor.pub";

/// Sign where the chains end, so that nobody can write them anew or cut them off unseen.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// File with the Ed25519 key, in PEM.
    #[arg(long, env = "AGENTSLO_ANCHOR_KEY", value_name = "FILE")]
    key: PathBuf,
    /// File to which the anchors are added, a line for each stream. By default they are printed.
    #[arg(long, value_name = "FILE")]
    append: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let signer = signer(&arguments.key).map_err(Stop::Usage)?;
        let client = arguments.database.connect().await?;
        let heads = store::heads(&client).await.map_err(|error| unreachable(&error))?;
        let at = now();
        let anchors: Vec<Anchor> =
            heads.iter().map(|(stream, head)| signer.sign(stream, *head, &at)).collect();
        let lines: String = anchors.iter().map(line).collect();
        match &arguments.append {
            Some(file) => append(file, &lines).map_err(Stop::Usage)?,
            None => write_out(&lines),
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn signer(file: &Path) -> Result<Signer, String> {
    Signer::from_pem(text_of(file)?.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))
}

#[allow(clippy::disallowed_methods, reason = "the command line is part of the shell")]
fn now() -> String {
    Timestamp::now().to_string()
}

fn line(anchor: &Anchor) -> String {
    format!("{}\n", serde_json::to_string(anchor).expect("an anchor should be JSON"))
}

/// An anchor counts when it is on the disk.
fn append(file: &Path, lines: &str) -> Result<(), String> {
    let write = || {
        let mut opened = OpenOptions::new().create(true).append(true).open(file)?;
        opened.write_all(lines.as_bytes())?;
        opened.sync_all()
    };
    write().map_err(|error| format!("cannot add to {}: {error}", file.display()))
}
