//! `agentslo discover`: proposes AgentSLOs for what a Prometheus has.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;

use super::print::{Format, escaped, refuse, unreachable, write_note, write_out};
use crate::api::v1alpha1::PrometheusEndpoint;
use crate::discover::{AgentFit, Facts, Fit, Proposal, Scope, is_looked_for, propose};
use crate::prometheus::{Connection, QueryError, Secrets, inventory};

const EXAMPLES: &str = "\
Examples:
  # What is there, and what could be promised of it
  agentslo discover --prometheus http://localhost:9090 > agentslos.yaml

  # One agent, for its namespace
  agentslo discover --prometheus http://localhost:9090 --agent support -n team-a

  # With a bearer token, from the environment
  PROMETHEUS_TOKEN=... agentslo discover --prometheus https://prometheus.example

The proposal goes to standard output, one AgentSLO for each role that has
series; what was found, and what is wrong with it, to standard error. Thresholds
are bounds that the histograms have, objectives are what the past would have
met: read them before you promise them.

Exit codes:
  0  a proposal, and nothing is wrong with the series
  1  no profile fits, or something is wrong with the series
  2  the address cannot be used
  3  Prometheus could not be reached";

/// Most bounds of a histogram that are listed.
const MOST_BOUNDS: usize = 24;

/// Propose AgentSLOs for the agents whose series a Prometheus has.
///
/// Finds the telemetry profile and the translation of names that fit, the agents, and which roles have
/// series; names what is wrong with the series, and what mends it. Reads at most a few thousand series of
/// each metric.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Address of Prometheus, without `/api/v1`.
    #[arg(long, value_name = "URL")]
    prometheus: String,
    /// Bearer token for it.
    #[arg(long, env = "PROMETHEUS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Only this agent, as its series name it.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only series of this namespace, where they have one; also the namespace of what is proposed.
    #[arg(short, long)]
    namespace: Option<String>,
    /// Notation.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let address = arguments.prometheus.clone();
    let endpoint = PrometheusEndpoint { address, tls: None, credentials: None, tenant_header: None };
    let secrets = Secrets { token: arguments.token.clone(), ..Secrets::default() };
    let facts = match read(&endpoint, &secrets) {
        Ok(facts) => facts,
        Err(error @ QueryError::Configuration(_)) => return refuse(&error.to_string()),
        Err(error) => return unreachable(&error.to_string()),
    };
    let scope = Scope { agent: arguments.agent.clone(), namespace: arguments.namespace.clone() };
    let proposal = propose(&facts, &scope);
    write_out(&proposal.slos.iter().map(|slo| arguments.output.print(slo)).collect::<String>());
    for line in lines(&facts, &proposal) {
        write_note(&escaped(&line));
    }
    let is_sound = !proposal.fits.is_empty() && proposal.sightings.is_empty();
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(endpoint: &PrometheusEndpoint, secrets: &Secrets) -> Result<Facts, QueryError> {
    // Several crates bring a provider for TLS; one has to be named before the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connection = Connection::open(endpoint, secrets)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| QueryError::Configuration("the system gives no resources to wait with".to_owned()))?;
    runtime.block_on(inventory(&connection))
}

/// What was found, line by line.
fn lines(facts: &Facts, proposal: &Proposal) -> Vec<String> {
    let mut lines: Vec<String> = proposal
        .fits
        .iter()
        .flat_map(|fit| [vec![profile(fit)], agents(fit), metrics(facts, fit), notes(fit)].concat())
        .collect();
    if proposal.fits.is_empty() {
        lines.push(
            "no profile fits: none of the metrics that the profiles know has series of the last hour; see \
             docs/guides/profiles.md for what they are, and use `ratio` or `histogram` for others"
                .to_owned(),
        );
    }
    lines.extend(facts.left_out.iter().map(|what| format!("left out, to keep reads small: {what}")));
    lines.extend(proposal.sightings.iter().map(ToString::to_string));
    lines.push(closing(proposal));
    lines
}

fn profile(fit: &Fit) -> String {
    format!("profile {}, names by {:?}: {}", fit.profile.name, fit.translation, fit.profile.description)
}

fn agents(fit: &Fit) -> Vec<String> {
    let join = |roles: &BTreeSet<&'static str>| roles.iter().copied().collect::<Vec<&str>>().join(", ");
    let line = |agent: &AgentFit| {
        let without = match join(&agent.missing) {
            none if none.is_empty() => String::new(),
            missing => format!("; no series for {missing}"),
        };
        format!("  agent '{}': {}{without}", agent.agent, join(&agent.roles))
    };
    fit.agents.iter().map(line).collect()
}

/// What is there, and which thresholds its histograms have.
fn metrics(facts: &Facts, fit: &Fit) -> Vec<String> {
    let line = |(name, (series, bounds)): (String, (u64, Vec<f64>))| {
        let listed: Vec<String> = bounds.iter().take(MOST_BOUNDS).map(ToString::to_string).collect();
        let rest = if bounds.len() > MOST_BOUNDS { " ..." } else { "" };
        let bounds = match listed.as_slice() {
            [] => String::new(),
            listed => format!(", bounds {}{rest}", listed.join(" ")),
        };
        format!("  metric {name}: {}{bounds}", counted(series, "series", "series"))
    };
    fit.metrics(facts).into_iter().map(line).collect()
}

fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// What the profile warns of and series alone do not show.
fn notes(fit: &Fit) -> Vec<String> {
    let hazards = fit.profile.hazards.iter().filter(|hazard| !is_looked_for(&hazard.name));
    hazards.map(|hazard| format!("  look out for {}: {}; {}", hazard.name, hazard.sign, hazard.fix)).collect()
}

fn closing(proposal: &Proposal) -> String {
    let count = |number: usize, what: &str| counted(number as u64, what, &format!("{what}s"));
    let agents = proposal.fits.iter().map(|fit| fit.agents.len()).sum();
    format!(
        "{} proposed for {}, {}",
        count(proposal.slos.len(), "AgentSLO"),
        count(agents, "agent"),
        count(proposal.sightings.len(), "hazard")
    )
}
