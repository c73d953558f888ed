//! `agentslo ledger serve`: the sink.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use agentslo_ledger::intake::{Accounts, Contents, Policy};
use agentslo_ledger::sink::{self, Addresses, Certificate};
use clap::{Args, ValueEnum};
use regex::Regex;

use super::database::Database;
use super::pseudonyms;
use crate::cli::cluster::{Stop, block_on_all_cores};
use crate::cli::daemon::{LogFormat, start_logging, told_to_stop};
use crate::domain::pipeline::Redaction;
use crate::render;

/// Receive what agents did by OTLP, and enter it.
///
/// What was answered is committed. Whoever sends again what was not answered enters nothing twice.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// Address for OTLP over gRPC.
    #[arg(long, default_value = "0.0.0.0:4317")]
    otlp_grpc: SocketAddr,
    /// Address for OTLP over HTTP.
    #[arg(long, default_value = "0.0.0.0:4318")]
    otlp_http: SocketAddr,
    /// Address for `/livez`, `/readyz` and `/metrics`.
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// File with the certificate for OTLP, in PEM. What is renewed in it is shown within seconds. By default OTLP is taken
    /// in plain text.
    #[arg(long, requires = "tls_private_key_file", value_name = "FILE")]
    tls_cert_file: Option<PathBuf>,
    /// File with the certificate's key, in PEM.
    #[arg(long, requires = "tls_cert_file", value_name = "FILE")]
    tls_private_key_file: Option<PathBuf>,
    /// What becomes of prompts, answers, and inputs and outputs of tools.
    #[arg(long, default_value = "drop")]
    contents: WhatOfContents,
    /// What tells of calls of models and of runs; the other is entered without being accounted. The same as the agent's
    /// profile counts.
    #[arg(long, default_value = "events")]
    accounts: WhatTells,
    /// Enter everything in this stream, `namespace/agent`. By default events say themselves whose they are.
    #[arg(long, value_name = "STREAM", value_parser = parse_stream)]
    stream: Option<String>,
    /// File with the key of the pseudonyms under which users are entered. Without it no user is.
    #[arg(long, env = "AGENTSLO_PSEUDONYM_KEY_FILE", value_name = "FILE")]
    pseudonym_key_file: Option<PathBuf>,
    /// Form of the log. By default text on a terminal and JSON elsewhere.
    #[arg(long)]
    log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhatOfContents {
    /// Nothing of them is kept.
    Drop,
    /// Their hash is kept.
    Hash,
    /// They are kept.
    Keep,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhatTells {
    /// Events: log records that have a name.
    Events,
    /// Spans.
    Spans,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    start_logging(arguments.log_format);
    block_on_all_cores(async {
        let access = arguments.database.access().map_err(Stop::Usage)?;
        let policy = policy(arguments).map_err(Stop::Usage)?;
        let files = arguments.tls_cert_file.clone().zip(arguments.tls_private_key_file.clone());
        let addresses = Addresses {
            grpc: arguments.otlp_grpc,
            http: arguments.otlp_http,
            status: arguments.listen,
            certificate: files.map(|(chain, key)| Certificate { chain, key }),
        };
        tracing::info!(grpc = %addresses.grpc, http = %addresses.http, encrypted = addresses.certificate.is_some(), "the ledger takes events");
        let served = sink::serve(addresses, policy, access, told_to_stop()).await;
        served.map_err(|error| Stop::Unreachable(format!("cannot receive: {error}")))?;
        Ok(ExitCode::SUCCESS)
    })
}

fn policy(arguments: &Arguments) -> Result<Policy, String> {
    Ok(Policy {
        contents: match arguments.contents {
            WhatOfContents::Drop => Contents::Drop,
            WhatOfContents::Hash => Contents::Hash,
            WhatOfContents::Keep => Contents::Keep,
        },
        content_keys: content_keys()?,
        accounts: match arguments.accounts {
            WhatTells::Events => Accounts::Events,
            WhatTells::Spans => Accounts::Spans,
        },
        stream: arguments.stream.clone(),
        pseudonyms: arguments.pseudonym_key_file.as_deref().map(pseudonyms::key).transpose()?,
    })
}

fn parse_stream(text: &str) -> Result<String, &'static str> {
    let parts = text.split_once('/').filter(|(namespace, agent)| !namespace.is_empty() && !agent.is_empty());
    parts.ok_or("should be a namespace and an agent, for example team-a/support-agent")?;
    Ok(text.to_owned())
}

/// What a pipeline takes for content is content here, too.
fn content_keys() -> Result<Regex, String> {
    let patterns = render::patterns(&Redaction::default());
    let content = patterns.content.ok_or("nothing says which attributes are contents")?;
    Regex::new(&content.expression).map_err(|error| error.to_string())
}
