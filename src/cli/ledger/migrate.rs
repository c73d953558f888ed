//! `agentslo ledger migrate`: makes the tables.

use std::process::ExitCode;

use agentslo_ledger::store;
use clap::Args;

use super::database::{Database, unreachable};
use crate::cli::cluster::block_on;
use crate::cli::print::write_out;

/// Make the tables of the ledger, or bring them up to date.
///
/// As somebody who may make roles and schemas. Whoever writes the ledger should be a member of `ledger_writer`, and
/// whoever reads it of `ledger_reader`; nobody needs to be `ledger_owner`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let mut client = arguments.database.connect().await?;
        store::migrate(&mut client).await.map_err(|error| unreachable(&error))?;
        write_out("the tables are up to date\n");
        Ok(ExitCode::SUCCESS)
    })
}
