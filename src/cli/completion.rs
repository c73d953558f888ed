//! `agentslo completion`: prints a script that completes commands and flags.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::complete::SCRIPT;
use super::print::write_out;

const EXAMPLES: &str = "\
Examples:
  source <(agentslo completion bash)
  agentslo completion zsh > \"${fpath[1]}/_agentslo\"
  agentslo completion fish > ~/.config/fish/completions/agentslo.fish

  # For `kubectl agentslo`, with names of AgentSLOs; kubectl 1.26 or later
  agentslo completion kubectl > ~/.local/bin/kubectl_complete-agentslo
  chmod +x ~/.local/bin/kubectl_complete-agentslo";

/// Print a script that completes commands and flags.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell, or kubectl, that will read it.
    #[arg(value_enum)]
    shell: Supported,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Supported {
    Bash,
    Zsh,
    Fish,
    /// The script that kubectl looks for.
    Kubectl,
}

pub(super) fn run(arguments: &Arguments, mut command: clap::Command) -> ExitCode {
    let shell = match arguments.shell {
        Supported::Bash => Shell::Bash,
        Supported::Zsh => Shell::Zsh,
        Supported::Fish => Shell::Fish,
        Supported::Kubectl => {
            write_out(SCRIPT);
            return ExitCode::SUCCESS;
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "agentslo", &mut script);
    write_out(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
