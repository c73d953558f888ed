//! `agentslo ledger verify`: reads the chains again and says what was done to them.

use std::process::ExitCode;

use agentslo_ledger::chain::Head;
use agentslo_ledger::store::{self, StoreError};
use agentslo_ledger::verify::{Finding, Verifier};
use clap::Args;
use futures::TryStreamExt;

use super::database::Database;
use crate::cli::cluster::{Stop, block_on};
use crate::cli::print::{escaped, write_out};

/// Read the chains of the ledger again, and say what was changed, deleted, inserted or moved.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// Streams to verify, as `namespace/agent`. By default all of them.
    streams: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let client = arguments.database.connect().await?;
        let streams = match arguments.streams.as_slice() {
            [] => store::streams(&client).await.map_err(|error| unreachable(&error))?,
            named => named.to_vec(),
        };
        let mut is_intact = true;
        for stream in streams {
            let (head, findings) = verify(&client, &stream).await.map_err(|error| unreachable(&error))?;
            is_intact &= findings.is_empty();
            print(&stream, head, &findings);
        }
        Ok(if is_intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

async fn verify(client: &store::Client, stream: &str) -> Result<(Head, Vec<Finding>), StoreError> {
    let links = store::links(client, stream, 0).await?;
    let verifier = Verifier::after(Head::of_empty(stream), stream, []);
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

fn unreachable(error: &StoreError) -> Stop {
    Stop::Unreachable(error.to_string())
}
