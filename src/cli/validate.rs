//! `agentslo validate`: prints every violation in files, without a cluster.

use std::process::ExitCode;

use clap::Args;

use super::check::{Checked, Input, check};
use super::print::{refuse, write_note, write_out};

const EXAMPLES: &str = "\
Examples:
  # One file, with the default policy
  agentslo validate -f agentslo.yaml

  # A repository, with the policy of the platform team
  agentslo validate -f slos/ --platform platform.yaml

  # What a chart or an overlay makes
  kustomize build overlays/eu | agentslo validate -f -

Each violation is one line, `file:line: path: message`.

Exit codes:
  0  all is valid
  1  violations
  2  a file cannot be read, or there is nothing to check";

/// Check resources in files as the API server and the controller would, without a cluster.
///
/// Documents of other kinds are left alone and counted in the closing line.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let checked = match check(&arguments.input, None) {
        Ok(checked) => checked,
        Err(message) => return refuse(&message),
    };
    write_out(&checked.findings.iter().map(|finding| finding.print() + "\n").collect::<String>());
    if checked.is_empty() {
        return refuse(&checked.summary());
    }
    write_note(&checked.summary());
    checked.exit_code()
}

impl Checked {
    /// Whether there was nothing to check; that is not the same as valid.
    pub(super) fn is_empty(&self) -> bool {
        self.resources == 0 && self.findings.is_empty()
    }

    /// 0 without violations, 1 with.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// How many resources there were and what was found, in a line.
    pub(super) fn summary(&self) -> String {
        let checked = match self.resources {
            0 => "no AgentSLO, AgentObservability or AgentPlatform".to_owned(),
            count => format!("{} checked", counted(count, "resource")),
        };
        let found = match self.findings.len() {
            0 if self.resources == 0 => String::new(),
            0 => ", all valid".to_owned(),
            count => format!(", {}", counted(count, "violation")),
        };
        let others = match self.others {
            0 => String::new(),
            count => format!("; {} of other kinds left alone", counted(count, "document")),
        };
        format!("{checked}{found}{others}")
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
