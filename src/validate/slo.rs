//! From an AgentSLO to a [`Slo`].

use std::time::Duration;

use super::alerting::{self, Target};
use super::findings::Findings;
use super::indicator;
use super::observability::Referred;
use super::telemetry::Telemetry;
use super::text::{budget_window, has_control, is_label_name, literal, parse_duration};
use crate::api::v1alpha1::{AgentSlo, AgentSloSpec, Alerting, messages};
use crate::domain::objective::{Objective, ObjectiveError};
use crate::domain::platform::Platform;
use crate::domain::slo::{Dashboards, Slo, SloParts};
use crate::domain::traffic::Traffic;
use crate::domain::violation::{Rule, Violations};

/// What validation must know besides the AgentSLO.
#[derive(Clone, Debug, Default)]
pub struct SloFacts {
    /// What the platform team decided for the namespace.
    pub platform: Platform,
    /// What the AgentObservability that `observabilityRef` names has to give, if it exists.
    pub observability: Option<Referred>,
    /// AgentSLOs of the same namespace that are older.
    pub older_in_namespace: usize,
    /// Traffic that the windows of alerts are fitted to, as far as it is known.
    pub traffic: Option<Traffic>,
}

/// Labels that have a meaning of their own in what we record.
const RESERVED_GROUPS: [&str; 7] =
    ["namespace", "agent", "alertname", "severity", "urgency", "le", "quantile"];

/// Validates an AgentSLO.
///
/// # Errors
/// Every violation at once, in the order of their paths.
pub fn slo(resource: &AgentSlo, facts: &SloFacts) -> Result<Slo, Violations> {
    let mut findings = Findings::default();
    let parts = parse(resource, facts, &mut findings);
    Violations::unless_any(findings.into_vec(), parts.map(Slo::from_parts))
}

fn parse(resource: &AgentSlo, facts: &SloFacts, findings: &mut Findings) -> Option<SloParts> {
    let spec = &resource.spec;
    let platform = &facts.platform;
    let namespace = resource.metadata.namespace.as_deref().unwrap_or("default");
    let name = resource.metadata.name.as_deref().unwrap_or_default();
    let written_alerting = written_alerting(spec);

    check_count(facts, findings);
    check_texts(spec, findings);
    check_groups(spec, platform, findings);
    alerting::check(&written_alerting, platform, findings);
    let objective = parse_objective(&spec.objective, findings);
    let window = spec
        .window
        .as_deref()
        .map_or(Some(platform.window), |text| budget_window(text, "spec.window", findings));
    let telemetry = parse_telemetry(spec, namespace, facts, findings);
    let query_offset = parse_query_offset(spec, telemetry.as_ref(), findings);
    let telemetry = telemetry?;
    let indicator = indicator::parse(&spec.indicator, &telemetry, platform, findings);
    let (objective, window, indicator) = (objective?, window?, indicator?);
    let target = Target { objective, window, indicator: &indicator, traffic: facts.traffic };
    let mut alerting = alerting::parse(&written_alerting, &target, platform, findings)?;
    alerting.runbook_url = alerting.runbook_url.or_else(|| referred_runbook(spec, facts));
    Some(SloParts {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        agent: spec.agent.clone(),
        description: spec.description.clone(),
        objective,
        window,
        indicator,
        counter_births: telemetry.counter_births,
        group_by: spec.group_by.iter().map(|label| telemetry.label(label)).collect(),
        alerting,
        traffic: facts.traffic,
        query_offset: query_offset?,
        rule_labels: platform.rule_labels.clone(),
        series_per_rule: platform.series_per_rule,
        dashboards: dashboards(spec, facts),
    })
}

/// The runbooks of the AgentObservability that is referred to, under the name that it has there.
fn referred_runbook(spec: &AgentSloSpec, facts: &SloFacts) -> Option<String> {
    let reference = spec.observability_ref.as_ref()?;
    let url = facts.observability.as_ref()?.runbook_url.as_ref()?;
    Some(url.replace("{name}", &reference.name))
}

fn dashboards(spec: &AgentSloSpec, facts: &SloFacts) -> Option<Dashboards> {
    let reference = spec.observability_ref.as_ref()?;
    facts.observability.as_ref().filter(|referred| referred.has_dashboards)?;
    let grafana = facts.platform.grafana.url.clone()?;
    Some(Dashboards { grafana, observability: reference.name.clone() })
}

/// The alerting that was written, or the empty one with the schema's defaults.
fn written_alerting(spec: &AgentSloSpec) -> Alerting {
    let empty = || Alerting { min_failures: 3, ..Alerting::default() };
    spec.alerting.clone().unwrap_or_else(empty)
}

/// Older AgentSLOs keep their place; the ones beyond the limit wait for one to go.
fn check_count(facts: &SloFacts, findings: &mut Findings) {
    let limit = facts.platform.slos_per_namespace;
    let within = usize::try_from(limit).is_ok_and(|limit| facts.older_in_namespace < limit);
    let message = format!(
        "the namespace has more AgentSLOs than the {limit} that {} allows",
        facts.platform.display_name()
    );
    findings.require(within, "metadata.namespace", Rule::LimitExceeded, message);
}

fn check_texts(spec: &AgentSloSpec, findings: &mut Findings) {
    let legal = !has_control(&spec.agent) && !spec.agent.contains("{{") && !spec.agent.is_empty();
    findings.require(legal, "spec.agent", Rule::InvalidText, messages::AGENT_TEXT);
    if let Some(description) = &spec.description {
        literal(description, "spec.description", findings);
    }
}

fn check_groups(spec: &AgentSloSpec, platform: &Platform, findings: &mut Findings) {
    for (index, label) in spec.group_by.iter().enumerate() {
        let path = format!("spec.groupBy[{index}]");
        findings.require(is_label_name(label), path.as_str(), Rule::InvalidName, messages::LABEL_NAME);
        let reserved = RESERVED_GROUPS.contains(&label.as_str()) || label.starts_with("agentslo");
        findings.require(!reserved, path.as_str(), Rule::ReservedName, messages::RESERVED_GROUP);
        let denied = platform.group_by_deny_list.contains(&label.replace('.', "_"));
        let message = format!("label '{label}' is not allowed for grouping by {}", platform.display_name());
        findings.require(!denied, path, Rule::NotPermitted, message);
    }
}

fn parse_objective(text: &str, findings: &mut Findings) -> Option<Objective> {
    let message = match Objective::parse(text) {
        Ok(objective) => return Some(objective),
        Err(ObjectiveError::Format) => messages::OBJECTIVE_FORMAT,
        Err(ObjectiveError::TooHigh) => messages::OBJECTIVE_TOO_HIGH,
        Err(ObjectiveError::TooLow) => messages::OBJECTIVE_TOO_LOW,
    };
    findings.add("spec.objective", Rule::InvalidObjective, message);
    None
}

fn parse_telemetry(
    spec: &AgentSloSpec,
    namespace: &str,
    facts: &SloFacts,
    findings: &mut Findings,
) -> Option<Telemetry> {
    let both = spec.observability_ref.is_some() && spec.telemetry.is_some();
    findings.require(!both, "spec", Rule::Contradiction, messages::ONE_TELEMETRY);
    let inline = spec.telemetry.clone().unwrap_or_default();
    let source = match (&spec.observability_ref, &facts.observability) {
        (None, _) => &inline,
        (Some(_), Some(referred)) => &referred.telemetry,
        (Some(reference), None) => {
            let message = format!(
                "AgentObservability '{}' does not exist in namespace '{namespace}'; create it or set `telemetry`",
                reference.name
            );
            findings.add("spec.observabilityRef.name", Rule::UnknownReference, message);
            &inline
        }
    };
    Telemetry::parse(source, &spec.agent, namespace, &facts.platform, findings)
}

fn parse_query_offset(
    spec: &AgentSloSpec,
    telemetry: Option<&Telemetry>,
    findings: &mut Findings,
) -> Option<Duration> {
    let default = telemetry.map_or("60s", |telemetry| &telemetry.profile.query_offset);
    let text = spec.query_offset.as_deref().unwrap_or(default);
    let offset = match text {
        "0s" | "0m" => Some(Duration::ZERO),
        text => parse_duration(text).filter(|_| !text.ends_with('h') && !text.ends_with("ms")),
    };
    let offset = offset.filter(|offset| *offset <= Duration::from_mins(15));
    findings.expect(offset, "spec.queryOffset", Rule::InvalidWindow, messages::QUERY_OFFSET)
}
