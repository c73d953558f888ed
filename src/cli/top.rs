//! `agentslo top`: the AgentSLOs that burn most, have least left, or cost most.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::cluster::{Selection, Target, block_on};
use super::print::{write_note, write_out};
use super::terminal::Look;
use crate::inspect::{Order, ranking, total_cost};

const EXAMPLES: &str = "\
Examples:
  # What burns most, anywhere
  kubectl agentslo top -A

  # Whose rules cost Prometheus most
  kubectl agentslo top -A --sort-by cost

Exit codes:
  0  the AgentSLOs were read, whatever they say
  2  usage
  3  the cluster could not be reached";

/// Show which AgentSLOs burn most, have least left, or cost Prometheus most.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    look: Look,
    /// By what the rows are ordered.
    #[arg(long, value_enum, default_value_t, value_name = "FIGURE")]
    sort_by: Figure,
}

/// By what the rows are ordered.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Figure {
    /// Burn rate in the shortest window.
    #[default]
    Burn,
    /// What is left of the budget.
    Budget,
    /// Recorded samples that the rules read in an hour.
    Cost,
}

impl From<Figure> for Order {
    fn from(figure: Figure) -> Self {
        match figure {
            Figure::Burn => Self::Burn,
            Figure::Budget => Self::Budget,
            Figure::Cost => Self::Cost,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let cluster = arguments.target.open().await?;
        let slos = cluster.slos(&arguments.selection).await?;
        if slos.is_empty() {
            write_note("No AgentSLOs found.");
            return Ok(ExitCode::SUCCESS);
        }
        let table = ranking(&slos, arguments.sort_by.into(), arguments.selection.all_namespaces);
        write_out(&(arguments.look.table(&table).join("\n") + "\n"));
        write_note(&total_cost(&slos));
        Ok(ExitCode::SUCCESS)
    })
}
