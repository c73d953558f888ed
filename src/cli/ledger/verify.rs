//! `agentslo ledger verify`: reads the chains again and says what was done to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;

use agentslo_ledger::anchor::PublicKey;
use agentslo_ledger::chain::Head;
use agentslo_ledger::export::{Reader, Shown};
use agentslo_ledger::store::{self, Chain, Client};
use agentslo_ledger::verify::{Finding, Verdict};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::anchors::{Anchored, Place, proven, public_key};
use super::database::{Secrets, connect, unreachable};
use super::progress::bar;
use crate::cli::cluster::{Stop, block_on_all_cores};
use crate::cli::files::unreadable;
use crate::cli::print::{escaped, write_out};

const EXAMPLES: &str = "\
Examples:
  # All chains, beside what was anchored
  agentslo ledger verify --database-url postgres://localhost/ledger --anchors anchors.jsonl --public-key anchor.pub

  # Only what was entered since the last anchor of each stream
  agentslo ledger verify --database-url postgres://localhost/ledger --anchors anchors.jsonl --public-key anchor.pub --since-anchor

  # What somebody else has exported, without a database
  agentslo ledger verify --export session.jsonl --public-key anchor.pub

Exit codes:
  0  every chain is intact
  1  something was done to a chain, and it is said what
  2  a file cannot be read, or an anchor in it proves nothing
  3  the database could not be reached";

/// Read the chains of the ledger again, and say what was changed, deleted, inserted or moved.
///
/// With anchors also what was written anew as a whole, or cut off. Nothing is claimed of what was entered after the
/// last anchor.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// URL of the database. Example: `postgres://agentslo@db.example/ledger?sslmode=require`.
    #[arg(
        long,
        env = "AGENTSLO_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        required_unless_present = "export"
    )]
    database_url: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    place: Place,
    /// File with the public half of the key that the anchors were signed with, in PEM.
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Only what was entered since the last anchor of each stream.
    #[arg(long, requires = "public_key")]
    since_anchor: bool,
    /// An export in place of the database; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "config_map", "since_anchor", "streams"])]
    export: Option<PathBuf>,
    /// How many chains, or pieces of them, are read at once. By default as many as there are cores.
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// Streams to verify, as `namespace/agent`. By default all of them, also those that only an anchor knows.
    streams: Vec<String>,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    /// A line for each chain, or for each finding.
    #[default]
    Text,
    /// One JSON object in a line for each chain.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on_all_cores(async {
        let key = arguments.public_key.as_deref().map(public_key).transpose().map_err(Stop::Usage)?;
        if let Some(file) = &arguments.export {
            return export(file, key.as_ref(), arguments.output).map_err(Stop::Usage);
        }
        let anchored = match &key {
            Some(key) => proven(&arguments.place.read().await?, key).map_err(Stop::Usage)?,
            None if arguments.place.is_named() => {
                return Err(Stop::Usage("anchors prove nothing without --public-key".to_owned()));
            }
            None => BTreeMap::new(),
        };
        let url = arguments.database_url.as_deref().unwrap_or_default();
        let access = arguments.secrets.access(url).map_err(Stop::Usage)?;
        let client = connect(&access).await?;
        let chains = chains(arguments, &client, anchored).await?;
        let jobs = arguments.jobs.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let (bar, progress) = bar(links(&client, &chains).await?);
        let verdicts = store::verify(&access, chains, jobs, progress).await;
        bar.finish_and_clear();
        let verdicts = verdicts.map_err(|error| unreachable(&error))?;
        for (stream, verdict) in &verdicts {
            write_out(&told(stream, verdict, arguments.output));
        }
        Ok(code(verdicts.iter().all(|(_, verdict)| verdict.findings.is_empty())))
    })
}

/// The chains that are meant.
async fn chains(
    arguments: &Arguments,
    client: &Client,
    mut anchored: BTreeMap<String, Anchored>,
) -> Result<Vec<Chain>, Stop> {
    let streams: BTreeSet<String> = match arguments.streams.as_slice() {
        [] => {
            let there = store::streams(client).await.map_err(|error| unreachable(&error))?;
            there.into_iter().chain(anchored.keys().cloned()).collect()
        }
        named => named.iter().cloned().collect(),
    };
    let chain = |stream: String| {
        let anchored = anchored.remove(&stream).unwrap_or_default();
        if arguments.since_anchor {
            Chain::since_anchor(&stream, anchored)
        } else {
            Chain::whole(&stream, anchored)
        }
    };
    Ok(streams.into_iter().map(chain).collect())
}

/// How many links there are to read.
async fn links(client: &Client, chains: &[Chain]) -> Result<u64, Stop> {
    let heads = store::heads(client).await.map_err(|error| unreachable(&error))?;
    let heads: BTreeMap<String, Head> = heads.into_iter().collect();
    let ends = |chain: &Chain| heads.get(&chain.stream).map_or(0, |head| head.sequence);
    Ok(chains.iter().map(|chain| ends(chain).saturating_sub(chain.after.sequence)).sum())
}

fn code(is_intact: bool) -> ExitCode {
    if is_intact { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(stream: &str, verdict: &Verdict, output: Output) -> String {
    let Verdict { head, links, erased, findings } = verdict;
    if matches!(output, Output::Json) {
        return json!({"stream": stream, "intact": findings.is_empty(), "verdict": verdict}).to_string()
            + "\n";
    }
    let stream = escaped(stream);
    if !findings.is_empty() {
        return told_of_findings(&stream, findings);
    }
    let begins = head.sequence - links + 1;
    let from = if begins > 1 { format!(" from {begins} on") } else { String::new() };
    let erased = if *erased > 0 { format!(", {erased} of them erased") } else { String::new() };
    format!("{stream}: {links} entries{from}{erased}, intact, head {}\n", head.hash)
}

fn told_of_findings(stream: &str, findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(|finding| format!("{stream}: {finding}")).collect();
    lines.join("\n") + "\n"
}

/// Verifies an export.
fn export(file: &Path, key: Option<&PublicKey>, output: Output) -> Result<ExitCode, String> {
    let read_error = |error: io::Error| unreadable(file, &error);
    let lines: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(read_error)?))
    };
    let mut reader = Reader::new(key);
    for line in lines.lines() {
        let read = reader.read(&line.map_err(read_error)?);
        read.map_err(|why| format!("{}: {why}", file.display()))?;
    }
    let shown = reader.end();
    for shown in &shown {
        write_out(&told_of_export(shown, output));
    }
    Ok(code(shown.iter().all(|shown| shown.findings.is_empty())))
}

fn told_of_export(shown: &Shown, output: Output) -> String {
    let Shown { stream, links, disclosed, anchored, findings } = shown;
    if matches!(output, Output::Json) {
        let anchored = anchored.as_ref().map(|(sequence, at)| json!({"sequence": sequence, "at": at}));
        return json!({
            "stream": stream, "intact": findings.is_empty(), "links": links, "disclosed": disclosed,
            "anchored": anchored, "findings": findings,
        })
        .to_string()
            + "\n";
    }
    let stream = escaped(stream);
    let Some((first, last)) = links else { return format!("{stream}: no entries\n") };
    if !findings.is_empty() {
        return told_of_findings(&stream, findings);
    }
    let proof = match anchored {
        Some((sequence, at)) => {
            format!("those up to {sequence} were there at {}", escaped(at))
        }
        None => "no anchor proves when they were there".to_owned(),
    };
    format!("{stream}: entries {first} to {last}, {disclosed} of them disclosed, fit together; {proof}\n")
}
