//! `agentslo ledger verify`: reads the chains again and says what was done to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use agentslo_ledger::anchor::{PublicKey, proven};
use agentslo_ledger::chain::Head;
use agentslo_ledger::store::{self, StoreError};
use agentslo_ledger::verify::{Finding, Verifier};
use clap::Args;
use futures::TryStreamExt;

use super::database::{Database, unreachable};
use crate::cli::cluster::{Stop, block_on};
use crate::cli::files::text_of;
use crate::cli::print::{escaped, write_out};

const EXIT_CODES: &str = "\
Exit codes:
  0  every chain is intact
  1  something was done to a chain, and it is said what
  2  a file cannot be read, or an anchor in it proves nothing
  3  the database could not be reached";

/// Read the chains of the ledger again, and say what was changed, deleted, inserted or moved.
///
/// With anchors also what was written anew as a whole, or cut off. Nothing is claimed of what was entered after the
/// last anchor.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// File with anchors, as `agentslo ledger anchor` writes it.
    #[arg(long, value_name = "FILE", requires = "public_key")]
    anchors: Option<PathBuf>,
    /// File with the public half of the key that the anchors were signed with, in PEM.
    #[arg(long, value_name = "FILE", requires = "anchors")]
    public_key: Option<PathBuf>,
    /// Streams to verify, as `namespace/agent`. By default all of them, also those that only an anchor knows.
    streams: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let anchored = anchored(arguments).map_err(Stop::Usage)?;
        let client = arguments.database.connect().await?;
        let streams = match arguments.streams.as_slice() {
            [] => {
                let there = store::streams(&client).await.map_err(|error| unreachable(&error))?;
                there.into_iter().chain(anchored.keys().cloned()).collect()
            }
            named => named.iter().cloned().collect::<BTreeSet<_>>(),
        };
        let mut is_intact = true;
        for stream in streams {
            let anchors = anchored.get(&stream).cloned().unwrap_or_default();
            let (head, findings) =
                verify(&client, &stream, anchors).await.map_err(|error| unreachable(&error))?;
            is_intact &= findings.is_empty();
            print(&stream, head, &findings);
        }
        Ok(if is_intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// The heads that anchors prove, by stream.
fn anchored(arguments: &Arguments) -> Result<BTreeMap<String, Vec<Head>>, String> {
    let (Some(anchors), Some(key)) = (&arguments.anchors, &arguments.public_key) else {
        return Ok(BTreeMap::new());
    };
    let public_key = PublicKey::from_pem(text_of(key)?.as_bytes());
    let public_key = public_key.map_err(|error| format!("{}: {error}", key.display()))?;
    proven(&text_of(anchors)?, &public_key).map_err(|why| format!("{}: {why}", anchors.display()))
}

async fn verify(
    client: &store::Client,
    stream: &str,
    anchors: Vec<Head>,
) -> Result<(Head, Vec<Finding>), StoreError> {
    let links = store::links(client, stream, 0).await?;
    let verifier = Verifier::after(Head::of_empty(stream), stream, anchors);
    let followed = links.try_fold(verifier, |mut verifier, link| async move {
        verifier.follow(&link);
        Ok(verifier)
    });
    Ok(followed.await?.end())
}

fn print(stream: &str, head: Head, findings: &[Finding]) {
    let stream = escaped(stream);
    for finding in findings {
        write_out(&format!("{stream}: {finding}\n"));
    }
    if findings.is_empty() {
        write_out(&format!("{stream}: {} entries, intact, head {}\n", head.sequence, head.hash));
    }
}
