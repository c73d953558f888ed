//! `agentslo ledger`: what agents did and what it cost, in PostgreSQL.

mod anchor;
mod database;
mod migrate;
mod serve;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Keep what agents did and what it cost, so that nobody changes it unseen.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Migrate(migrate::Arguments),
    Serve(serve::Arguments),
    Verify(verify::Arguments),
    Anchor(anchor::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Anchor(arguments) => anchor::run(arguments),
    }
}
