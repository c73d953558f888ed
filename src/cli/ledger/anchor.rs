//! `agentslo ledger anchor`: signs where the chains end.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use agentslo_ledger::anchor::{Anchor, Signer};
use agentslo_ledger::store::{self, Chain};
use clap::Args;

use super::anchors::{Anchored, proven};
use super::database::{Database, unreachable};
use super::time::now;
use crate::cli::cluster::{Stop, block_on_all_cores};
use crate::cli::files::text_of;
use crate::cli::print::{escaped, write_note, write_out};

const EXAMPLES: &str = "\
Examples:
  # A key, of which the database never sees anything
  openssl genpkey -algorithm ed25519 -out anchor.key
  openssl pkey -in anchor.key -pubout -out anchor.pub

  # Every few minutes, into a file where nobody who may write the database can write
  agentslo ledger anchor --database-url postgres://localhost/ledger --key anchor.key --append anchors.jsonl

  # What was entered up to an anchor is what it was then
  agentslo ledger verify --database-url postgres://localhost/ledger --anchors anchors.jsonl --public-key anchor.pub

Exit codes:
  0  every chain was signed
  1  a chain is not intact and was not signed; the others were
  2  a file cannot be used
  3  the database could not be reached";

/// Sign where the chains end, so that nobody can write them anew or cut them off unseen.
///
/// Each chain is verified from its last anchor on before it is signed, and is not signed if something was done to it.
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
    block_on_all_cores(async {
        let signer = signer(&arguments.key).map_err(Stop::Usage)?;
        let before = anchored_before(arguments, &signer).map_err(Stop::Usage)?;
        let access = arguments.database.access().map_err(Stop::Usage)?;
        let at = now().to_string();
        let chains = chains(&arguments.database, before).await?;
        let (mut lines, mut code) = (String::new(), ExitCode::SUCCESS);
        let verdicts = store::verify(&access, chains, 1, Arc::new(|_| {})).await;
        for (stream, verdict) in verdicts.map_err(|error| unreachable(&error))? {
            if verdict.findings.is_empty() {
                lines.push_str(&line(&signer.sign(&stream, verdict.head, &at)));
                continue;
            }
            code = ExitCode::FAILURE;
            for finding in &verdict.findings {
                write_note(&format!("not signed: {}: {finding}", escaped(&stream)));
            }
        }
        match &arguments.append {
            Some(file) => append(file, &lines).map_err(Stop::Usage)?,
            None => write_out(&lines),
        }
        Ok(code)
    })
}

fn signer(file: &Path) -> Result<Signer, String> {
    Signer::from_pem(text_of(file)?.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))
}

/// What was anchored before, where the anchors are added to a file.
fn anchored_before(arguments: &Arguments, signer: &Signer) -> Result<BTreeMap<String, Anchored>, String> {
    match arguments.append.as_deref().filter(|file| file.exists()) {
        Some(file) => proven(file, &signer.public_key()),
        None => Ok(BTreeMap::new()),
    }
}

/// The streams that are there and those that were anchored, each from its last anchor on.
async fn chains(database: &Database, mut before: BTreeMap<String, Anchored>) -> Result<Vec<Chain>, Stop> {
    let client = database.connect().await?;
    let there = store::streams(&client).await.map_err(|error| unreachable(&error))?;
    for stream in there {
        before.entry(stream).or_default();
    }
    Ok(before.into_iter().map(|(stream, anchored)| Chain::since_anchor(&stream, anchored)).collect())
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
