//! Parse arguments, hand over to one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    agentslo::cli::main()
}
