//! What the status of an AgentObservability says.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use super::Application;
use super::conditions::{Claim, carry_over, find, progress, repeat_or_pending, settled};
use super::{audit, parts, spend};
use crate::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use crate::api::v1alpha1::{AgentObservabilityStatus, Condition, Detected};
use crate::domain::observability::Observability;
use crate::domain::role::Role;
use crate::domain::sighting::Sighting;
use crate::domain::violation::Violations;
use crate::plan::ChildName;
use crate::render::Part;
use crate::vocabulary::{condition, reason};

/// How a reconciliation of an AgentObservability ended.
#[derive(Clone, Copy, Debug)]
pub enum ObservabilityOutcome<'a> {
    /// It rests.
    Suspended,
    /// The spec is not valid, so what was in force stays.
    Rejected(&'a Violations),
    /// The spec is valid.
    Judged {
        /// The valid spec.
        observability: &'a Observability,
        /// What became of the children of each part; a part without any was not asked for.
        applications: &'a BTreeMap<Part, Vec<(ChildName, Application)>>,
        /// What Prometheus says.
        sighting: &'a Sighting,
    },
}

/// What the status of an AgentObservability should say, or `None` where what it says is still true.
#[must_use]
pub fn observability(
    outcome: ObservabilityOutcome<'_>,
    old: Option<&AgentObservabilityStatus>,
    generation: i64,
    now: Timestamp,
) -> Option<AgentObservabilityStatus> {
    let empty = AgentObservabilityStatus::default();
    let before = old.unwrap_or(&empty);
    let mut status = match outcome {
        ObservabilityOutcome::Suspended | ObservabilityOutcome::Rejected(_) => before.clone(),
        ObservabilityOutcome::Judged { observability, sighting, .. } => {
            described(observability, sighting, before, now)
        }
    };
    status.observed_generation = Some(generation);
    status.conditions = carry_over(claims(outcome, before, now), &before.conditions, generation, now);
    (old != Some(&status)).then_some(status)
}

fn described(
    observability: &Observability,
    sighting: &Sighting,
    before: &AgentObservabilityStatus,
    now: Timestamp,
) -> AgentObservabilityStatus {
    let pipeline = observability.pipeline();
    let signals = pipeline.map_or_else(String::new, |pipeline| {
        [('L', &pipeline.logs), ('M', &pipeline.metrics), ('T', &pipeline.traces)]
            .into_iter()
            .filter_map(|(letter, backends)| (!backends.is_empty()).then_some(letter))
            .collect()
    });
    AgentObservabilityStatus {
        observed_generation: None,
        profile: Some(observability.series().profile().name.clone()),
        pipeline: Some(pipeline.map_or("Off", |pipeline| pipeline.version).to_owned()),
        signals: Some(if signals.is_empty() { "-".to_owned() } else { signals }),
        detected: detected(observability, sighting, before),
        spend: spend::update(before.spend.as_ref(), sighting, now),
        audit: audit::update(observability, before.audit.as_ref(), sighting),
        conditions: Vec::new(),
    }
}

/// A role that has had series keeps its place: an outage of telemetry must not take away the alert on it.
fn detected(
    observability: &Observability,
    sighting: &Sighting,
    before: &AgentObservabilityStatus,
) -> Option<Detected> {
    let profile = observability.series().profile();
    let Sighting::Seen(seen) = sighting else { return before.detected.clone() };
    let known = before.detected.as_ref().map(|detected| detected.roles.as_slice()).unwrap_or_default();
    let played = Role::ALL.into_iter().filter(|role| !role.metrics(profile).is_empty());
    let (with, without): (Vec<Role>, Vec<Role>) =
        played.partition(|role| seen.roles.contains(role) || known.iter().any(|name| name == role.name()));
    let names = |roles: Vec<Role>| roles.into_iter().map(|role| role.name().to_owned()).collect();
    let run_duration_buckets = if seen.roles.contains(&Role::RunDuration) {
        seen.run_buckets.iter().map(ToString::to_string).collect()
    } else {
        before.detected.as_ref().map(|detected| detected.run_duration_buckets.clone()).unwrap_or_default()
    };
    Some(Detected { roles: names(with), roles_without_series: names(without), run_duration_buckets })
}

/// The condition of each part.
const PARTS: [(Part, &str); 6] = [
    (Part::Pipeline, condition::PIPELINE_APPLIED),
    (Part::Monitors, condition::MONITORS_APPLIED),
    (Part::Guards, condition::GUARDS_APPLIED),
    (Part::Routes, condition::ROUTES_APPLIED),
    (Part::Dashboards, condition::DASHBOARDS_APPLIED),
    (Part::Ledger, condition::LEDGER_APPLIED),
];

fn claims(
    outcome: ObservabilityOutcome<'_>,
    before: &AgentObservabilityStatus,
    now: Timestamp,
) -> Vec<Claim> {
    let old = &before.conditions;
    match outcome {
        ObservabilityOutcome::Suspended => suspended(old),
        ObservabilityOutcome::Rejected(violations) => rejected(violations, old),
        ObservabilityOutcome::Judged { observability, applications, sighting } => {
            let accepted =
                Claim::new(condition::ACCEPTED, True, reason::VALID, "the spec is valid and permitted");
            let parts = PARTS.map(|(part, type_)| {
                let children = applications.get(&part).map(Vec::as_slice).unwrap_or_default();
                let claim = parts::applied(type_, children);
                parts::in_use(part, claim, observability, sighting, old)
            });
            let seen = [
                audit::intact(observability, sighting, old, now),
                Some(data_available(observability, sighting, old)),
            ];
            judged(accepted, parts.into(), seen.into_iter().flatten().collect())
        }
    }
}

fn judged(accepted: Claim, parts: Vec<Claim>, seen: Vec<Claim>) -> Vec<Claim> {
    let amiss = parts.iter().find(|claim| claim.status == False);
    let ready = match amiss {
        None => {
            Claim::new(condition::READY, True, reason::READY, "everything that was asked for is in force")
        }
        Some(amiss) => Claim::new(condition::READY, False, amiss.reason.clone(), amiss.message.clone()),
    };
    let progress = progress(amiss).to_vec();
    [vec![ready, accepted], parts, seen, progress].concat()
}

fn data_available(observability: &Observability, sighting: &Sighting, old: &[Condition]) -> Claim {
    let type_ = condition::DATA_AVAILABLE;
    match sighting {
        Sighting::NoPrometheus => Claim::new(
            type_,
            Unknown,
            reason::PROMETHEUS_UNKNOWN,
            "no AgentPlatform names a Prometheus, so nobody looks for the agent's series",
        ),
        Sighting::Pending => repeat_or_pending(type_, old),
        Sighting::Failed { reason, message } => Claim::new(type_, Unknown, *reason, message.clone()),
        Sighting::Seen(seen) if seen.roles.is_empty() => {
            let message = format!(
                "no series of agent '{}' match profile {}; check `agent`, `telemetry` and that Prometheus scrapes it",
                observability.agent(),
                observability.series().profile().name
            );
            Claim::new(type_, False, reason::NO_SERIES, message)
        }
        Sighting::Seen(seen) => {
            let names: Vec<&str> = seen.roles.iter().map(|role| role.name()).collect();
            Claim::new(type_, True, reason::DATA, format!("series are there for {}", names.join(", ")))
        }
    }
}

/// What was said of the chain before, if anything was.
fn audit_as_before(old: &[Condition]) -> Option<Claim> {
    find(old, condition::AUDIT_INTACT).map(|before| Claim::repeated(condition::AUDIT_INTACT, before))
}

fn suspended(old: &[Condition]) -> Vec<Claim> {
    let message = "the AgentObservability is suspended: what it made stays as it is and is not updated";
    let mut claims = vec![Claim::new(condition::READY, True, reason::SUSPENDED, message)];
    claims.push(repeat_or_pending(condition::ACCEPTED, old));
    claims.extend(PARTS.map(|(_, type_)| repeat_or_pending(type_, old)));
    claims.extend(audit_as_before(old));
    claims.push(repeat_or_pending(condition::DATA_AVAILABLE, old));
    claims.extend(settled());
    claims
}

fn rejected(violations: &Violations, old: &[Condition]) -> Vec<Claim> {
    let reason = violations.first().map(|violation| violation.rule.name().to_owned()).unwrap_or_default();
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let message = all.join("; ");
    let mut claims = vec![
        Claim::new(condition::READY, False, reason.clone(), message.clone()),
        Claim::new(condition::ACCEPTED, False, reason.clone(), message.clone()),
    ];
    claims.extend(PARTS.map(|(_, type_)| match find(old, type_) {
        Some(before) if before.status == True => {
            let message = "what the last valid spec asked for stays in force";
            Claim::new(type_, True, reason::NOT_ACCEPTED, message)
        }
        Some(_) | None => {
            Claim::new(type_, False, reason::NOT_ACCEPTED, "the spec is not valid, so nothing was written")
        }
    }));
    claims.extend(audit_as_before(old));
    claims.push(repeat_or_pending(condition::DATA_AVAILABLE, old));
    claims.push(Claim::new(condition::RECONCILING, False, reason::OBSERVED, "this generation was looked at"));
    claims.push(Claim::new(condition::STALLED, True, reason, message));
    claims
}
