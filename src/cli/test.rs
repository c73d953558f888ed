//! `agentslo test`: writes a test of the rules for each incident, and has promtool run them.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::Mutex;

use clap::Args;

use super::check::{Fitting, Input, check};
use super::print::{escaped, refuse, write_note, write_out};
use crate::domain::slo::Slo;
use crate::simulate::{Incident, Proof, RULE_FILE, proof};

/// Promtools that run at the same time.
const AT_ONCE: usize = 2;

const EXAMPLES: &str = "\
Examples:
  # Does the page come in an outage, and is it silent after one failed run?
  agentslo test -f agentslo.yaml

  # Keep the tests, to run them with promtool yourself
  agentslo test -f slos/ --platform platform.yaml --output proofs/
  promtool test rules proofs/*/*/*.test.yaml

Exit codes:
  0  every alert does in every incident what it should, to the minute
  1  it does not, or an AgentSLO is not valid or cannot be proven
  2  a file cannot be read, or there is no promtool";

/// Prove with promtool what every alert does in a set of incidents, without a cluster.
///
/// Total outage, slow leak, one failure in five runs, idle night, restarts, births, gaps, absence: for each
/// of them arithmetic says what the rules must record and when each alert must begin and end.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fitting: Fitting,
    /// Directory for rules and tests; without it they are not kept.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The promtool to run. Default: the one in the directory that the environment variable
    /// AGENTSLO_SERVERS names, else the one in PATH.
    #[arg(long, value_name = "PATH")]
    promtool: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let checked = match check(&arguments.input, arguments.fitting.traffic) {
        Ok(checked) => checked,
        Err(message) => return refuse(&message),
    };
    if checked.is_empty() {
        return refuse(&checked.summary());
    }
    for finding in &checked.findings {
        write_note(&finding.print());
    }
    match prove_somewhere(&checked.slos, arguments) {
        Ok(true) => checked.exit_code(),
        Ok(false) => ExitCode::FAILURE,
        Err(message) => refuse(&message),
    }
}

/// In the directory for the output, or in one that is removed in the end.
fn prove_somewhere(slos: &[Slo], arguments: &Arguments) -> Result<bool, String> {
    let promtool = arguments.promtool.clone().or_else(find_promtool);
    if promtool.is_none() && arguments.output.is_none() {
        return Err(
            "there is no promtool; name one with --promtool, or keep the tests with --output".to_owned()
        );
    }
    let passing = std::env::temp_dir().join(format!("agentslo-test-{}", std::process::id()));
    let directory = arguments.output.as_ref().unwrap_or(&passing);
    let proven = prove(slos, directory, promtool.as_deref());
    if arguments.output.is_none() {
        // What stays behind is the system's to clear away.
        let _ = fs::remove_dir_all(directory);
    }
    proven.map_err(|error| format!("cannot test in '{}': {error}", directory.display()))
}

fn find_promtool() -> Option<PathBuf> {
    let servers = std::env::var_os("AGENTSLO_SERVERS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = servers.into_iter().chain(std::env::split_paths(&path));
    directories.map(|directory| directory.join("promtool")).find(|promtool| promtool.is_file())
}

/// Whether every incident of every AgentSLO came out as it should.
fn prove(slos: &[Slo], directory: &Path, promtool: Option<&Path>) -> io::Result<bool> {
    let mut all_proven = true;
    for slo in slos {
        let subject = format!("{}/{}", slo.namespace(), slo.name());
        let proof = match proof(slo, &Incident::ALL) {
            Ok(proof) => proof,
            Err(reason) => {
                all_proven = false;
                say(&escaped(&format!("{subject}: cannot be proven: {}", reason.0)));
                continue;
            }
        };
        let directory = directory.join(slo.namespace()).join(slo.name());
        write(&proof, &directory)?;
        match promtool {
            Some(promtool) => all_proven &= run_cases(&subject, &proof, &directory, promtool)?,
            None => say(&format!("{subject}: {} tests written", proof.cases.len())),
        }
    }
    Ok(all_proven)
}

/// Writes the rules and the tests beside them.
fn write(proof: &Proof, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join(RULE_FILE), yaml(&proof.rules))?;
    for case in &proof.cases {
        fs::write(directory.join(case.file_name()), yaml(&case.test))?;
    }
    Ok(())
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(value).expect("rules and tests should have only string keys")
}

/// Runs every case and prints a line for each, in order.
fn run_cases(subject: &str, proof: &Proof, directory: &Path, promtool: &Path) -> io::Result<bool> {
    let files = proof.cases.iter().map(|case| directory.join(case.file_name())).collect();
    let mut all_proven = true;
    for (output, case) in run_promtool(promtool, files).into_iter().zip(&proof.cases) {
        let output = output?;
        all_proven &= output.status.success();
        say(&line(subject, &case.name(), &output));
    }
    Ok(all_proven)
}

/// What promtool says of each file.
fn run_promtool(promtool: &Path, files: Vec<PathBuf>) -> Vec<io::Result<Output>> {
    let waiting = Mutex::new(files.into_iter().enumerate().collect::<VecDeque<_>>());
    let next = || waiting.lock().expect("no thread should panic").pop_front();
    let work = || {
        let run =
            |(number, file)| (number, Command::new(promtool).args(["test", "rules"]).arg(file).output());
        std::iter::from_fn(next).map(run).collect::<Vec<_>>()
    };
    let mut outputs: Vec<(usize, io::Result<Output>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread should panic")).collect()
    });
    outputs.sort_by_key(|(number, _)| *number);
    outputs.into_iter().map(|(_, output)| output).collect()
}

fn line(subject: &str, case: &str, output: &Output) -> String {
    if output.status.success() {
        return format!("{subject}: {case}: proven");
    }
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let complaints: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    format!("{subject}: {case}: FAILED\n{}", complaints.join("\n"))
}

fn say(text: &str) {
    write_out(&format!("{text}\n"));
}
