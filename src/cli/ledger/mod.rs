//! `agentslo ledger`: what agents did and what it cost, in PostgreSQL.

mod anchor;
mod anchors;
mod cost;
mod database;
mod entries;
mod erase;
mod export;
mod migrate;
mod prices;
mod progress;
mod pseudonyms;
mod retain;
mod rounds;
mod serve;
mod session;
mod tail;
mod time;
mod verify;
mod watch;

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
    Tail(tail::Arguments),
    Session(session::Arguments),
    Cost(cost::Arguments),
    Prices(prices::Arguments),
    Verify(verify::Arguments),
    Anchor(anchor::Arguments),
    Watch(watch::Arguments),
    Export(export::Arguments),
    Erase(erase::Arguments),
    Retain(retain::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Tail(arguments) => tail::run(arguments),
        Command::Session(arguments) => session::run(arguments),
        Command::Cost(arguments) => cost::run(arguments),
        Command::Prices(arguments) => prices::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Anchor(arguments) => anchor::run(arguments),
        Command::Watch(arguments) => watch::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Erase(arguments) => erase::run(arguments),
        Command::Retain(arguments) => retain::run(arguments),
    }
}
