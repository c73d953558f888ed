//! The command line: one file per command, each a thin door to the core.

mod check;
mod check_metrics;
mod cluster;
mod complete;
mod completion;
mod crds;
mod daemon;
mod diff;
mod discover;
mod doctor;
mod documents;
mod explain;
mod files;
#[cfg(feature = "ledger")]
mod ledger;
mod policy;
mod preview;
mod print;
mod readings;
mod redact;
mod render;
mod report;
mod run;
mod status;
mod terminal;
mod test;
mod top;
mod validate;
mod version;
mod written;

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  findings: something that was read is not valid
  2  usage: the command or one of its files could not be read
  3  the cluster, or another server, could not be reached";

/// Error budgets and burn-rate alerts for AI agents on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "agentslo", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Status(status::Arguments),
    Explain(explain::Arguments),
    Top(top::Arguments),
    Report(report::Arguments),
    Diff(diff::Arguments),
    Doctor(doctor::Arguments),
    Render(render::Arguments),
    Validate(validate::Arguments),
    Test(test::Arguments),
    Preview(preview::Arguments),
    Discover(discover::Arguments),
    CheckMetrics(check_metrics::Arguments),
    Redact(redact::Arguments),
    #[cfg(feature = "ledger")]
    Ledger(ledger::Arguments),
    Crds(crds::Arguments),
    Completion(completion::Arguments),
    Version(version::Arguments),
    #[command(name = "__complete", hide = true)]
    Complete(complete::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let program = std::env::args_os().next().unwrap_or_default();
    let matches = command_called(Path::new(&program)).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Render(arguments) => render::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Preview(arguments) => preview::run(&arguments),
        Command::Discover(arguments) => discover::run(&arguments),
        Command::CheckMetrics(arguments) => check_metrics::run(&arguments),
        Command::Redact(arguments) => redact::run(&arguments),
        #[cfg(feature = "ledger")]
        Command::Ledger(arguments) => ledger::run(&arguments),
        Command::Crds(arguments) => crds::run(&arguments),
        Command::Completion(arguments) => completion::run(&arguments, command()),
        Command::Complete(arguments) => complete::run(&arguments, command()),
    }
}

/// Every command with its arguments, for whoever describes or completes them.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// The command as it was called: kubectl runs its plugin `agentslo` as `kubectl-agentslo`.
fn command_called(program: &Path) -> clap::Command {
    let is_plugin = program.file_stem().is_some_and(|stem| stem == "kubectl-agentslo");
    let command = command();
    if is_plugin { command.bin_name("kubectl agentslo") } else { command }
}
