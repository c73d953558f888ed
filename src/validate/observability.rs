//! From an AgentObservability to an [`Observability`].

use std::collections::BTreeSet;

use super::findings::Findings;
use super::telemetry::Telemetry;
use super::text::{has_control, is_https_url};
use super::{guards, ledger, pipeline, routing, scrape};
use crate::api::v1alpha1::{
    AgentObservability, AgentObservabilitySpec, DashboardDelivery, EnvironmentDelivery, TelemetrySource,
    messages,
};
use crate::domain::decimal::Decimal;
use crate::domain::observability::{Observability, ObservabilityParts};
use crate::domain::platform::Platform;
use crate::domain::role::Role;
use crate::domain::violation::{Rule, Violations};
use crate::profiles;

/// What validation must know besides the AgentObservability.
#[derive(Clone, Debug, Default)]
pub struct ObservabilityFacts {
    /// What the platform team decided for the namespace.
    pub platform: Platform,
    /// Name of an older AgentObservability of the same agent in the namespace.
    pub superseded_by: Option<String>,
    /// Roles of which series have ever been seen; none where nobody could look.
    pub roles: Option<BTreeSet<Role>>,
    /// Bounds of the buckets of the durations of runs, in seconds, as far as they are known.
    pub run_buckets: BTreeSet<Decimal>,
}

/// Profile of the metrics that a pipeline derives.
const DERIVED_PROFILE: &str = "ClaudeCode";

/// Validates an AgentObservability.
///
/// # Errors
/// Every violation at once, in the order of their paths.
pub fn observability(
    resource: &AgentObservability,
    facts: &ObservabilityFacts,
) -> Result<Observability, Violations> {
    let mut findings = Findings::default();
    let parts = parse(resource, facts, &mut findings);
    Violations::unless_any(findings.into_vec(), parts.map(Observability::from_parts))
}

/// What AgentSLOs take from the AgentObservability that they refer to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Referred {
    /// Its telemetry, with the profile filled in.
    pub telemetry: TelemetrySource,
    /// Whether it delivers dashboards.
    pub has_dashboards: bool,
    /// Where responders to its guards find help.
    pub runbook_url: Option<String>,
}

impl Referred {
    /// What those that refer to an AgentObservability take from its spec, whether that is valid or not.
    #[must_use]
    pub fn of(spec: &AgentObservabilitySpec) -> Self {
        let runbook_url = spec.guards.as_ref().and_then(|guards| guards.runbook_url.clone());
        Self {
            telemetry: effective_telemetry(spec),
            has_dashboards: spec.dashboards.is_some(),
            runbook_url: runbook_url.filter(|url| is_https_url(url)),
        }
    }
}

/// The telemetry with its profile filled in.
fn effective_telemetry(spec: &AgentObservabilitySpec) -> TelemetrySource {
    let mut telemetry = spec.telemetry.clone().unwrap_or_default();
    if telemetry.profile.is_none() && pipeline::derives(spec.pipeline.as_ref()) {
        telemetry.profile = Some(DERIVED_PROFILE.to_owned());
    }
    telemetry
}

fn parse(
    resource: &AgentObservability,
    facts: &ObservabilityFacts,
    findings: &mut Findings,
) -> Option<ObservabilityParts> {
    let spec = &resource.spec;
    let platform = &facts.platform;
    let namespace = resource.metadata.namespace.as_deref().unwrap_or("default");
    let name = resource.metadata.name.as_deref().unwrap_or_default();

    check_agent(&spec.agent, facts, findings);
    check_folder(spec.dashboards.as_ref(), platform, findings);
    check_one_counter(spec, findings);
    let telemetry = Telemetry::parse(&effective_telemetry(spec), &spec.agent, namespace, platform, findings);
    let scrape = spec.scrape.as_ref().map(|written| scrape::parse(written, findings));
    let pipeline = spec.pipeline.as_ref().map(|written| pipeline::parse(written, platform, findings));
    let guards = guards::parse(
        spec.guards.as_ref(),
        (spec.pipeline.is_some(), spec.ledger.is_some()),
        platform,
        findings,
    );
    let routing = spec.routing.as_ref().map(|written| routing::parse(written, platform, findings));
    let ledger = spec.ledger.as_ref();
    let ledger = ledger.map(|written| ledger::parse(written, spec.pipeline.as_ref(), platform, findings));
    Some(ObservabilityParts {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        agent: spec.agent.clone(),
        series: telemetry?.into_series(),
        roles: facts.roles.clone(),
        run_buckets: facts.run_buckets.clone(),
        scrape: written_or_none(scrape)?,
        workload: spec.workload.clone(),
        pipeline: written_or_none(pipeline)?,
        environment: environment(spec),
        dashboards: spec.dashboards.clone(),
        guards,
        routing: written_or_none(routing)?,
        ledger: written_or_none(ledger)?,
        platform: platform.clone(),
    })
}

/// What was left out is fine; what was written must be right.
#[allow(
    clippy::option_option,
    reason = "the outer one says whether it is right, the inner one whether it is there"
)]
pub(super) fn written_or_none<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

fn check_agent(agent: &str, facts: &ObservabilityFacts, findings: &mut Findings) {
    let legal = !has_control(agent) && !agent.contains("{{") && !agent.is_empty();
    findings.require(legal, "spec.agent", Rule::InvalidText, messages::AGENT_TEXT);
    if let Some(older) = &facts.superseded_by {
        let message =
            format!("AgentObservability '{older}' is older and describes the same agent; delete one of them");
        findings.add("spec.agent", Rule::Superseded, message);
    }
}

fn check_folder(dashboards: Option<&DashboardDelivery>, platform: &Platform, findings: &mut Findings) {
    let Some(folder) = dashboards.and_then(|dashboards| dashboards.folder.as_ref()) else { return };
    let allowed = &platform.grafana.allowed_folders;
    let offered = if allowed.is_empty() {
        "allows none".to_owned()
    } else {
        format!("allows '{}'", allowed.join("', '"))
    };
    let message = format!("folder '{folder}' is not allowed; {} {offered}", platform.display_name());
    findings.require(allowed.contains(folder), "spec.dashboards.folder", Rule::NotPermitted, message);
}

/// The agent's own counters and the derived ones have names in common, and would be summed.
fn check_one_counter(spec: &AgentObservabilitySpec, findings: &mut Findings) {
    let profile = effective_telemetry(spec).profile;
    let counts_twice =
        pipeline::derives(spec.pipeline.as_ref()) && profile.as_deref() == Some(profiles::DEFAULT);
    findings.require(
        !counts_twice,
        "spec.pipeline.deriveMetrics",
        Rule::Contradiction,
        messages::COUNTED_TWICE,
    );
}

fn environment(spec: &AgentObservabilitySpec) -> EnvironmentDelivery {
    let default =
        if spec.pipeline.is_some() { EnvironmentDelivery::ConfigMap } else { EnvironmentDelivery::Off };
    spec.environment.unwrap_or(default)
}
