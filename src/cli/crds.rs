//! `agentslo crds`: prints the CustomResourceDefinitions.

use std::process::ExitCode;

use clap::Args;

use super::print::{Format, write_out};
use crate::api::v1alpha1::custom_resource_definitions;

const EXAMPLES: &str = "\
Examples:
  # Install the kinds
  agentslo crds | kubectl apply -f -";

/// Print the CustomResourceDefinitions of all kinds.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Notation.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let definitions = custom_resource_definitions();
    let printed: String = definitions.iter().map(|definition| arguments.output.print(definition)).collect();
    write_out(&printed);
    ExitCode::SUCCESS
}
