//! The command line: one file per command, each a thin door to the core.

mod render;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Error budgets and burn-rate alerts for AI agents on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "agentslo", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Render(render::Arguments),
    Run(run::Arguments),
    Test(test::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Render(arguments) => render::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
    }
}
