//! `agentslo check-metrics`: holds what an agent exposes for scraping against the contract.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;

use super::check::{self, Input};
use super::print::{escaped, refuse, write_note, write_out};
use crate::exposition::{self, Expectation, Finding, lint, not_exposed};
use crate::profiles::{self, Profile};

const EXAMPLES: &str = "\
Examples:
  # A running agent, against the contract
  agentslo check-metrics http://localhost:9464/metrics

  # In a pipeline, with the thresholds that are promised
  curl -s http://localhost:9464/metrics | agentslo check-metrics - --slo slos/

  # A gateway, against its own profile
  agentslo check-metrics http://litellm:4000/metrics --profile LiteLLM

Each finding is one line, `source:line: metric: what is wrong; what would be right`.

Exit codes:
  0  nothing is wrong
  1  findings
  2  the source, or a file, cannot be read";

/// Longest time that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest exposition that is read, in bytes.
const LARGEST: usize = 32 * 1024 * 1024;
/// The formats that are read, as Prometheus asks for them.
const FORMATS: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// Check what an agent exposes for scraping against the contract, or another profile.
///
/// Reads the text formats of Prometheus and OpenMetrics. Says which metrics are missing or of the wrong
/// type, which labels are missing or too many, which outcomes are not there from the start, which buckets
/// lack a threshold, and what has too many series.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// URL, file, or `-` for standard input.
    #[arg(value_name = "URL|FILE")]
    source: String,
    /// Telemetry profile.
    #[arg(long, default_value = profiles::DEFAULT, value_name = "NAME", value_parser = profiles::names())]
    profile: String,
    /// File or directory with AgentSLOs whose metrics and thresholds must be there; repeatable.
    ///
    /// Without it the thresholds of the contract must be there.
    #[arg(long = "slo", value_name = "FILE")]
    slos: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let profile = profiles::find(&arguments.profile).expect("the command line takes only known profiles");
    match judge(arguments, profile) {
        Ok(lines) if lines.is_empty() => ExitCode::SUCCESS,
        Ok(lines) => {
            write_out(&lines.into_iter().map(|line| escaped(&line) + "\n").collect::<String>());
            ExitCode::FAILURE
        }
        Err(message) => refuse(&message),
    }
}

/// Every finding as a line; notes go to standard error.
fn judge(arguments: &Arguments, profile: &Profile) -> Result<Vec<String>, String> {
    let promised = match arguments.slos.as_slice() {
        [] => None,
        files => Some(check::check(&Input::of(files.to_vec()), None)?),
    };
    let text = read(&arguments.source)?;
    let (exposition, mut findings) = exposition::read(&text);
    if exposition.families.is_empty() && findings.is_empty() {
        return Err(format!("'{}' exposes nothing", arguments.source));
    }
    let slos = promised.as_ref().map_or(&[][..], |promised| &promised.slos);
    let expectation = Expectation::new(profile, slos, &exposition);
    findings.extend(lint(&exposition, &expectation));
    findings.sort();
    findings.dedup();
    let violations = promised.iter().flat_map(|promised| &promised.findings).map(check::Finding::print);
    let lines: Vec<String> =
        violations.chain(findings.iter().map(|finding| line(arguments, finding))).collect();
    let absent = not_exposed(&exposition, &expectation);
    let absent: Vec<String> =
        absent.iter().map(|absent| format!("{} ({})", absent.metric, absent.role)).collect();
    if !absent.is_empty() {
        write_note(&format!("not exposed, which is no fault: {}", absent.join(", ")));
    }
    let metrics = counted(exposition.families.len(), "metric");
    let findings = counted(lines.len(), "finding");
    write_note(&format!("{metrics} checked against {}, {findings}", profile.name));
    Ok(lines)
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(arguments: &Arguments, finding: &Finding) -> String {
    let source = if arguments.source == "-" { "stdin" } else { &arguments.source };
    let separator = if finding.line > 0 { ":" } else { ": " };
    format!("{source}{separator}{finding}")
}

fn read(source: &str) -> Result<String, String> {
    let bytes = if source.starts_with("http://") || source.starts_with("https://") {
        fetch(source)
    } else if source == "-" {
        capped(io::stdin().lock())
    } else {
        File::open(source).map_err(|error| error.to_string()).and_then(capped)
    };
    let text =
        bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned()));
    text.map_err(|cause| format!("cannot read '{source}': {cause}"))
}

fn capped(from: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = LARGEST as u64 + 1;
    from.take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > LARGEST { Err("it is larger than 32 MiB".to_owned()) } else { Ok(bytes) }
}

fn fetch(url: &str) -> Result<Vec<u8>, String> {
    // Several crates bring a provider for TLS; one has to be named before the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(get(url))
}

async fn get(url: &str) -> Result<Vec<u8>, String> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy().build();
    let client = client.map_err(|error| error.to_string())?;
    let mut answer = client.get(url).header(ACCEPT, FORMATS).send().await.map_err(|error| cause(&error))?;
    if !answer.status().is_success() {
        return Err(format!("it answers with HTTP status {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error))? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err("it is larger than 32 MiB".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn cause(error: &reqwest::Error) -> String {
    match (error.is_timeout(), error.is_builder()) {
        (true, _) => "no answer within 10 s",
        (_, true) => "the address is not a URL",
        _ => "the connection failed",
    }
    .to_owned()
}
