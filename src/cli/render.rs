//! `agentslo render`: prints all artifacts as one stream.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::api::v1alpha1::AgentSlo;
use crate::{render, validate};

/// Print what the controller would apply.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// File with resources.
    #[arg(short = 'f', long = "filename")]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    for file in &arguments.files {
        let text = std::fs::read_to_string(file).expect("file");
        let slo: AgentSlo = serde_saphyr::from_str(&text).expect("parse");
        match validate::slo(&slo, &validate::SloFacts::default()) {
            Ok(slo) => {
                for artifact in render::slo(&slo).0 {
                    let _ = writeln!(
                        std::io::stdout(),
                        "---\n{}",
                        serde_saphyr::to_string(&artifact).expect("yaml")
                    );
                }
            }
            Err(violations) => {
                for violation in violations.iter() {
                    eprintln!("{violation}");
                }
            }
        }
    }
    ExitCode::SUCCESS
}
