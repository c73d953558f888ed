//! Parse arguments, hand over to one command.

use std::process::ExitCode;

/// What a static program has by itself is slow, and keeps what was only needed at a start.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    agentslo::cli::main()
}
