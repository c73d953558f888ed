//! `agentslo ledger tail`: what was entered last.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use agentslo_ledger::store::{self, Stored};
use clap::Args;

use super::database::{Database, unreachable};
use super::entries::Output;
use crate::cli::cluster::block_on;
use crate::cli::print::try_write_out;

const EXAMPLES: &str = "\
Examples:
  # What an agent did last, and what it does from now on
  agentslo ledger tail --database-url postgres://localhost/ledger --follow team-a/support

  # For a program
  agentslo ledger tail --database-url postgres://localhost/ledger --lines 1000 -o json";

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Show what was entered last.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// How many entries.
    #[arg(long, short = 'c', default_value_t = 20, value_name = "NUMBER")]
    lines: u32,
    /// Go on with what is entered from now on.
    #[arg(long, short)]
    follow: bool,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// Streams, as `namespace/agent`. By default all of them.
    streams: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let client = arguments.database.connect().await?;
        let heads = store::heads(&client).await.map_err(|error| unreachable(&error))?;
        let mut known: BTreeMap<String, u64> =
            heads.into_iter().map(|(stream, head)| (stream, head.sequence)).collect();
        let last = store::last(&client, &arguments.streams, arguments.lines).await;
        let mut entries = last.map_err(|error| unreachable(&error))?;
        loop {
            if !show(&entries, &mut known, arguments.output) || !arguments.follow {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(PAUSE).await;
            let heads: Vec<(String, u64)> = known.clone().into_iter().collect();
            let new = store::after_heads(&client, &arguments.streams, &heads).await;
            entries = new.map_err(|error| unreachable(&error))?;
        }
    })
}

/// Prints entries and notes that they were; says whether anybody still reads.
fn show(entries: &[Stored], known: &mut BTreeMap<String, u64>, output: Output) -> bool {
    for stored in entries {
        let head = known.entry(stored.stream.clone()).or_default();
        *head = stored.link.sequence.max(*head);
    }
    entries.iter().all(|stored| try_write_out(&output.print(stored)))
}
