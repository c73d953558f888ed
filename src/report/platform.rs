//! What the status of an AgentPlatform says.

use k8s_openapi::jiff::Timestamp;

use super::conditions::{Claim, carry_over};
use crate::api::v1alpha1::AgentPlatformStatus;
use crate::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use crate::domain::violation::Violations;
use crate::vocabulary::{condition, reason};

/// How a reconciliation of an AgentPlatform ended.
#[derive(Clone, Copy, Debug)]
pub struct PlatformOutcome<'a> {
    /// What is wrong with the spec, if anything.
    pub violations: Option<&'a Violations>,
    /// Why its Prometheus does not answer: reason and message; `None` where it was not asked.
    pub prometheus: Option<Result<(), (&'static str, &'a str)>>,
    /// AgentSLOs that it governs.
    pub slos: i64,
}

/// What the status of an AgentPlatform should say, or `None` where what it says is still true.
#[must_use]
pub fn platform(
    outcome: PlatformOutcome<'_>,
    old: Option<&AgentPlatformStatus>,
    generation: i64,
    now: Timestamp,
) -> Option<AgentPlatformStatus> {
    let accepted = match outcome.violations {
        None => Claim::new(condition::ACCEPTED, True, reason::VALID, "the spec is valid"),
        Some(violations) => {
            let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
            let reason =
                violations.first().map(|violation| violation.rule.name().to_owned()).unwrap_or_default();
            Claim::new(condition::ACCEPTED, False, reason, all.join("; "))
        }
    };
    let reachable = match outcome.prometheus {
        None => Claim::new(condition::PROMETHEUS_REACHABLE, Unknown, reason::PENDING, "nobody was asked yet"),
        Some(Ok(())) => {
            Claim::new(condition::PROMETHEUS_REACHABLE, True, reason::REACHED, "Prometheus answers")
        }
        Some(Err((reason, message))) => Claim::new(condition::PROMETHEUS_REACHABLE, False, reason, message),
    };
    let ready = match accepted.status {
        True => Claim::new(condition::READY, True, reason::READY, "the platform is in force"),
        False | Unknown => {
            let message = format!("the last valid spec stays in force: {}", accepted.message);
            Claim::new(condition::READY, False, accepted.reason.clone(), message)
        }
    };
    let before = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
    let status = AgentPlatformStatus {
        observed_generation: Some(generation),
        slos: Some(outcome.slos),
        conditions: carry_over(vec![ready, accepted, reachable], before, generation, now),
    };
    (old != Some(&status)).then_some(status)
}
