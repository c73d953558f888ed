//! `agentslo test`: writes a test of the rules for each incident, and has promtool run them.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::Mutex;

use clap::Args;
use serde::de::DeserializeOwned;

use crate::api::v1alpha1::{AgentPlatform, AgentSlo};
use crate::domain::slo::Slo;
use crate::simulate::{Incident, Proof, RULE_FILE, proof};
use crate::validate;

/// Promtools that run at the same time.
const AT_ONCE: usize = 2;

/// Prove with promtool what every alert does in a set of incidents.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// File or directory with AgentSLOs.
    #[arg(short = 'f', long = "filename", required = true)]
    files: Vec<PathBuf>,
    /// File with the AgentPlatform that applies.
    #[arg(long)]
    platform: Option<PathBuf>,
    /// Directory for rules and tests; without it they are not kept.
    #[arg(long)]
    output: Option<PathBuf>,
    /// The promtool to run. Default: the one in the directory that the environment variable
    /// AGENTSLO_SERVERS names, else the one in PATH.
    #[arg(long)]
    promtool: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let slos = match read(arguments) {
        Ok(slos) => slos,
        Err(message) => return misuse(&message),
    };
    let promtool = arguments.promtool.clone().or_else(find_promtool);
    if promtool.is_none() && arguments.output.is_none() {
        return misuse(
            "promtool is not to be found; name it with --promtool, or keep the tests with --output",
        );
    }
    let (directory, is_kept) = match &arguments.output {
        Some(directory) => (directory.clone(), true),
        None => (std::env::temp_dir().join(format!("agentslo-test-{}", std::process::id())), false),
    };
    let proven = prove(&slos, &directory, promtool.as_deref());
    if !is_kept {
        let _ = fs::remove_dir_all(&directory);
    }
    match proven {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => misuse(&format!("{}: {error}", directory.display())),
    }
}

fn misuse(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::from(2)
}

/// Whether every incident of every AgentSLO came out as it should.
fn prove(slos: &[Slo], directory: &Path, promtool: Option<&Path>) -> io::Result<bool> {
    let mut all_proven = true;
    for slo in slos {
        let subject = format!("{}/{}", slo.namespace(), slo.name());
        match proof(slo, &Incident::ALL) {
            Err(reason) => {
                all_proven = false;
                say(&format!("{subject}: cannot be proven: {}", reason.0));
            }
            Ok(proof) => {
                let directory = directory.join(slo.namespace()).join(slo.name());
                write(&proof, &directory)?;
                match promtool {
                    Some(promtool) => all_proven &= run_cases(&subject, &proof, &directory, promtool)?,
                    None => say(&format!("{subject}: {} tests written", proof.cases.len())),
                }
            }
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
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..proof.cases.len()).collect());
    let done: Mutex<Vec<(usize, io::Result<Output>)>> = Mutex::new(Vec::new());
    let next = || waiting.lock().ok()?.pop_front();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(index) = next() {
                    let file = directory.join(proof.cases[index].file_name());
                    let output = Command::new(promtool).args(["test", "rules"]).arg(file).output();
                    if let Ok(mut done) = done.lock() {
                        done.push((index, output));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    let mut all_proven = true;
    for (index, output) in done {
        let output = output?;
        all_proven &= output.status.success();
        say(&line(subject, &proof.cases[index].name(), &output));
    }
    Ok(all_proven)
}

fn line(subject: &str, case: &str, output: &Output) -> String {
    if output.status.success() {
        return format!("{subject}: {case}: proven");
    }
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    format!("{subject}: {case}: FAILED\n{}", text.trim_end())
}

fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn find_promtool() -> Option<PathBuf> {
    let servers = std::env::var_os("AGENTSLO_SERVERS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = servers.into_iter().chain(std::env::split_paths(&path));
    directories.map(|directory| directory.join("promtool")).find(|promtool| promtool.is_file())
}

/// Every AgentSLO in the files, validated.
fn read(arguments: &Arguments) -> Result<Vec<Slo>, String> {
    let mut facts = validate::SloFacts::default();
    if let Some(file) = &arguments.platform {
        let platform: AgentPlatform =
            documents(file, "AgentPlatform")?.pop().ok_or("no AgentPlatform in the file")?;
        facts.platform = validate::platform(&platform).map_err(|violations| sentences(file, &violations))?;
    }
    let mut slos = Vec::new();
    for file in arguments.files.iter().flat_map(|path| files_in(path)) {
        for resource in documents::<AgentSlo>(&file, "AgentSLO")? {
            slos.push(validate::slo(&resource, &facts).map_err(|violations| sentences(&file, &violations))?);
        }
    }
    Ok(slos)
}

fn sentences(file: &Path, violations: &crate::domain::violation::Violations) -> String {
    let lines: Vec<String> =
        violations.iter().map(|violation| format!("{}: {violation}", file.display())).collect();
    lines.join("\n")
}

fn files_in(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    files
}

/// The documents of one kind in a file.
fn documents<T: DeserializeOwned>(file: &Path, kind: &str) -> Result<Vec<T>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
    let documents: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| failed(&error))?;
    let wanted = documents.into_iter().filter(|document| document["kind"] == kind);
    wanted.map(|document| serde_json::from_value(document).map_err(|error| failed(&error))).collect()
}
