//! `agentslo ledger retain`: lets go what is old.

use std::process::ExitCode;

use agentslo_ledger::store::{self, Occasion};
use clap::{ArgGroup, Args};

use super::database::{Database, unreachable};
use super::time::{before, nanoseconds, now, parse_window};
use crate::cli::cluster::block_on;
use crate::cli::print::{escaped, write_out};
use crate::domain::window::Window;

const EXAMPLES: &str = "\
Examples:
  # Once a day, after an anchor
  agentslo ledger retain --database-url postgres://localhost/ledger --audit 400d --cost 800d

Exit codes:
  0  nothing older is left
  2  usage
  3  the database could not be reached, or refused";

/// Let go what is older than it needs to be.
///
/// As a member of `ledger_keeper`. The last entry of each stream stays, so that its chain goes on, and that others were
/// let go is entered itself. Costs go by whole months.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("what").required(true).multiple(true))]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// For how long entries are kept.
    #[arg(long, group = "what", value_name = "DURATION", value_parser = parse_window)]
    audit: Option<Window>,
    /// For how long costs are kept.
    #[arg(long, group = "what", value_name = "DURATION", value_parser = parse_window)]
    cost: Option<Window>,
    /// Streams to let go of, as `namespace/agent`. By default all of them.
    streams: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let mut client = arguments.database.connect().await?;
        let now = now();
        if let Some(window) = arguments.audit {
            let reason = format!("kept for {window}");
            let occasion = Occasion { at: nanoseconds(now), reason: &reason };
            let gone = store::let_go(&mut client, &arguments.streams, before(now, window), occasion).await;
            for (stream, through) in gone.map_err(|error| unreachable(&error))? {
                write_out(&format!("{}: entries up to {through} were let go\n", escaped(&stream)));
            }
        }
        if let Some(window) = arguments.cost {
            let months = store::let_costs_go(&client, &arguments.streams, before(now, window)).await;
            for month in months.map_err(|error| unreachable(&error))? {
                write_out(&format!("costs of {month} were let go\n"));
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
