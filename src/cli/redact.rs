//! `agentslo redact`: runs samples through the patterns of a pipeline, without a Collector.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::check::{Checked, Input, check};
use super::files;
use super::print::{escaped, refuse, write_note, write_out};
use crate::domain::observability::Observability;
use crate::domain::pipeline::Redaction;
use crate::redact::{Hits, Sieve};
use crate::render::{self, samples::Patterns};

const EXAMPLES: &str = "\
Examples:
  # What the patterns that are built in make of a log, and which of them hit
  agentslo redact --test agent.log

  # The patterns of a pipeline, before it runs
  kubectl logs deploy/support-agent | agentslo redact --test -f observability.yaml

  # Of several AgentObservabilities, one
  agentslo redact --test -f agents/ --name support-agent agent.log

A line that is an object or a list in JSON is taken as a record's body: patterns
of keys apply to it. Any other line is text. A secret that goes over several lines
is found only where they are one value.

Exit codes:
  0  the samples were run through, whatever was found in them
  1  the resources in the files are not valid
  2  a file cannot be read, no pipeline is the one meant, or a pattern is too large";

/// Run samples through the redaction of a pipeline, without a Collector.
///
/// Prints what would be left of each line. Without `-f` the built-in sets are in force and content is taken
/// out, as in a pipeline that says nothing of redaction.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// File with samples, or `-` for standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    samples: PathBuf,
    /// Say on standard error which pattern took something out, and how often.
    ///
    /// The patterns of a pipeline's own are named even where they found nothing.
    #[arg(long)]
    test: bool,
    /// File or directory with the AgentObservability whose pipeline holds; repeatable.
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// Name of the AgentObservability, where the files have several.
    #[arg(long, value_name = "NAME", requires = "files")]
    name: Option<String>,
    /// File with the AgentPlatform that holds.
    #[arg(long, value_name = "FILE", requires = "files")]
    platform: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let patterns = match patterns(arguments) {
        Ok(Ok(patterns)) => patterns,
        Ok(Err(checked)) => {
            checked.findings.iter().for_each(|finding| write_note(&finding.print()));
            return ExitCode::FAILURE;
        }
        Err(message) => return refuse(&message),
    };
    match run_through(&patterns, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => refuse(&message),
    }
}

/// The patterns that are in force, or the files that say nothing valid.
fn patterns(arguments: &Arguments) -> Result<Result<Patterns, Checked>, String> {
    if arguments.files.is_empty() {
        return Ok(Ok(render::patterns(&Redaction::default())));
    }
    let input = Input::of(arguments.files.clone()).under(arguments.platform.clone());
    if arguments.files.iter().chain([&arguments.samples]).filter(|path| path.as_os_str() == "-").count() > 1 {
        return Err("standard input is either the samples or a resource; name a file for one".to_owned());
    }
    let checked = check(&input, None)?;
    if !checked.findings.is_empty() {
        return Ok(Err(checked));
    }
    let observability = chosen(&checked.observabilities, arguments.name.as_deref())?;
    let pipeline = observability.pipeline();
    let pipeline =
        pipeline.ok_or_else(|| format!("AgentObservability '{}' has no pipeline", observability.name()))?;
    Ok(Ok(render::patterns(&pipeline.redaction)))
}

/// The one that was named, or the only one.
fn chosen<'a>(all: &'a [Observability], name: Option<&str>) -> Result<&'a Observability, String> {
    let fitting: Vec<&Observability> =
        all.iter().filter(|one| name.is_none_or(|name| one.name() == name)).collect();
    match (fitting.as_slice(), name) {
        ([one], _) => Ok(one),
        ([], Some(name)) => Err(format!("the files have no AgentObservability '{name}'")),
        ([], None) => Err("the files have no AgentObservability".to_owned()),
        (several, None) => {
            let names: Vec<&str> = several.iter().map(|one| one.name()).collect();
            Err(format!("name one of {} with --name", names.join(", ")))
        }
        (_, Some(name)) => Err(format!("the files have several AgentObservabilities '{name}'")),
    }
}

fn run_through(patterns: &Patterns, arguments: &Arguments) -> Result<(), String> {
    let sieve = Sieve::new(patterns)?;
    let mut hits: Hits = own_names(patterns).map(|name| (name, 0)).collect();
    let samples = files::read_all(std::slice::from_ref(&arguments.samples))?;
    let (mut lines, mut changed) = (0, 0);
    for sample in samples {
        let text = sample.text.map_err(|cause| format!("cannot read '{}': {cause}", sample.name))?;
        for line in text.lines() {
            let mut found = Hits::new();
            let left = sieve.line(line, &mut found);
            lines += 1;
            changed += usize::from(!found.is_empty());
            for (name, times) in found {
                *hits.entry(name).or_default() += times;
            }
            write_out(&format!("{left}\n"));
        }
    }
    if arguments.test {
        for (name, times) in &hits {
            write_note(&escaped(&format!("{name}: {times}")));
        }
        write_note(&format!("{lines} lines, {changed} with something taken out"));
    }
    Ok(())
}

/// The names of patterns that a user wrote.
fn own_names(patterns: &Patterns) -> impl Iterator<Item = String> {
    let keys = patterns.keys.iter().map(|keys| keys.own.name.clone());
    let values = patterns.values.iter().map(|pattern| pattern.name.clone());
    keys.chain(values.filter(|name| name.starts_with("patterns[")))
}
