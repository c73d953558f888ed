//! `agentslo ledger session`: what happened in a session.

use std::process::ExitCode;

use agentslo_ledger::store;
use clap::Args;

use super::database::{Database, unreachable};
use super::entries::Output;
use crate::cli::cluster::{Stop, block_on};
use crate::cli::print::write_out;

const EXIT_CODES: &str = "\
Exit codes:
  0  something was entered of the session
  1  nothing was
  2  usage
  3  the database could not be reached";

/// Show what happened in a session, in the order in which it happened.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// The session, or conversation.
    session: String,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let client = arguments.database.connect().await?;
        let entries = store::of_session(&client, &arguments.session).await;
        let entries = entries.map_err(|error| unreachable(&error))?;
        if entries.is_empty() {
            return Err(Stop::Finding(format!("nothing was entered of a session '{}'", arguments.session)));
        }
        for stored in &entries {
            write_out(&arguments.output.print(stored));
        }
        Ok(ExitCode::SUCCESS)
    })
}
