//! What the status of an AgentPlatform says.

use k8s_openapi::jiff::Timestamp;

use super::conditions::{Claim, carry_over, find, settled};
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
    let before = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
    let reachable = match outcome.prometheus {
        // An operator that has just started knows nothing new, so what was said holds.
        None => find(before, condition::PROMETHEUS_REACHABLE).map_or_else(
            || Claim::new(condition::PROMETHEUS_REACHABLE, Unknown, reason::PENDING, "nobody was asked yet"),
            |said| Claim::repeated(condition::PROMETHEUS_REACHABLE, said),
        ),
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
    let [reconciling, stalled] = settled();
    // A spec that is not valid waits for its next edit; whoever waits for the object need not.
    let stalled = match accepted.status {
        True => stalled,
        False | Unknown => {
            Claim::new(condition::STALLED, True, accepted.reason.clone(), accepted.message.clone())
        }
    };
    let claims = vec![ready, accepted, reachable, reconciling, stalled];
    let status = AgentPlatformStatus {
        observed_generation: Some(generation),
        slos: Some(outcome.slos),
        conditions: carry_over(claims, before, generation, now),
    };
    (old != Some(&status)).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(
        prometheus: Option<Result<(), (&'static str, &str)>>,
        old: Option<&AgentPlatformStatus>,
    ) -> Option<AgentPlatformStatus> {
        let outcome = PlatformOutcome { violations: None, prometheus, slos: 1 };
        platform(outcome, old, 1, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_operator_that_just_started_does_not_unsay_what_was_said() {
        let reached = said(Some(Ok(())), None).expect("a first status is news");
        assert_eq!(said(None, Some(&reached)), None);
        let lost =
            said(Some(Err((reason::QUERY_FAILED, "down"))), Some(&reached)).expect("an outage is news");
        assert_eq!(said(None, Some(&lost)), None);
    }

    #[test]
    fn who_waits_for_a_platform_that_is_not_valid_need_wait_no_longer() {
        let spec = serde_json::json!({"prometheus": {"address": "ftp://prometheus"}});
        let spec = serde_json::from_value(spec).expect("the spec should have its shape");
        let violations =
            crate::validate::platform(&crate::api::v1alpha1::AgentPlatform::new("default", spec));
        let violations = violations.expect_err("the address should not be valid");
        let outcome = PlatformOutcome { violations: Some(&violations), prometheus: None, slos: 1 };
        let status = platform(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("a first status is news");
        let stalled = find(&status.conditions, condition::STALLED).expect("it is always there");
        assert_eq!(
            (stalled.status, &stalled.reason),
            (True, &find(&status.conditions, "Ready").expect("it is always there").reason)
        );
    }
}
