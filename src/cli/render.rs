//! `agentslo render`: prints what the controller would apply, without a cluster.

use std::process::ExitCode;

use clap::Args;

use super::check::{Fitting, Input, check};
use super::print::{Format, refuse, write_note, write_out};
use crate::render;

const EXAMPLES: &str = "\
Examples:
  # The rules of one AgentSLO
  agentslo render -f agentslo.yaml

  # What a change would do
  diff <(agentslo render -f old/) <(agentslo render -f new/)

  # The rules that the controller makes for an agent with 4 runs an hour
  agentslo render -f agentslo.yaml --traffic-per-hour 4

  # Without the controller: rules for a Prometheus that prometheus-operator runs
  agentslo render -f slos/ --platform platform.yaml | kubectl apply -f -

Violations go to standard error as `validate` prints them; what is valid is
still printed.

Exit codes:
  0  all is valid
  1  violations
  2  a file cannot be read, or there is nothing to render";

/// Print what the controller would apply for the resources in files, without a cluster.
///
/// The same input gives the same bytes. Owner references are left out: they need the UID from a cluster.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fitting: Fitting,
    /// Notation.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let checked = match check(&arguments.input, arguments.fitting.traffic) {
        Ok(checked) => checked,
        Err(message) => return refuse(&message),
    };
    if checked.is_empty() {
        return refuse(&checked.summary());
    }
    let of_slos = checked.slos.iter().flat_map(|slo| render::slo(slo).0);
    let of_observabilities = checked
        .observabilities
        .iter()
        .flat_map(|observability| render::observability(observability).into_values().flat_map(|part| part.0));
    let artifacts = of_slos.chain(of_observabilities);
    write_out(&artifacts.map(|artifact| arguments.output.print(&artifact)).collect::<String>());
    for finding in &checked.findings {
        write_note(&finding.print());
    }
    if !checked.findings.is_empty() {
        write_note(&checked.summary());
    }
    checked.exit_code()
}
