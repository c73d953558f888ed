//! Whether the AgentSLOs and AgentPlatforms are in force, in their own words.

use kube::ResourceExt;

use super::super::text::counted;
use super::Check;
use crate::api::v1alpha1::{AgentPlatform, AgentSlo, Condition, ConditionStatus};
use crate::domain::names::SloKey;
use crate::report::find_condition;
use crate::vocabulary::{condition, reason};

/// Most AgentSLOs of which each has a line.
const MOST_LINES: usize = 5;

/// A check for each that is not in force, or one for all.
#[must_use]
pub fn slos(slos: &[AgentSlo], platforms: &[AgentPlatform]) -> Vec<Check> {
    let mut checks = vec![platform(platforms)];
    checks.extend(platforms.iter().filter_map(invalid));
    let failing: Vec<(&AgentSlo, &Condition)> = slos
        .iter()
        .filter_map(|slo| Some((slo, find_condition(&slo.status.as_ref()?.conditions, condition::READY)?)))
        .filter(|(_, ready)| ready.status == ConditionStatus::False)
        .collect();
    for (slo, ready) in failing.iter().take(MOST_LINES) {
        let SloKey { namespace, name } = SloKey::of(slo);
        let found = format!("AgentSLO {namespace}/{name} is not ready, {}: {}", ready.reason, ready.message);
        checks.push(Check::problem(
            "AgentSLOs",
            found,
            format!("kubectl agentslo explain -n {namespace} {name}"),
        ));
    }
    if failing.len() > MOST_LINES {
        let found = format!("{} more are not ready", failing.len() - MOST_LINES);
        checks.push(Check::problem("AgentSLOs", found, "kubectl agentslo status -A -o wide"));
    }
    checks.extend(others(slos, failing.len()));
    checks
}

/// What is said of those that do not fail: that they are ready, or that nobody knows.
fn others(slos: &[AgentSlo], failing: usize) -> Option<Check> {
    let is_ready = |slo: &&AgentSlo| {
        let status = slo.status.as_ref();
        let ready = status.and_then(|status| find_condition(&status.conditions, condition::READY));
        ready.is_some_and(|ready| ready.status == ConditionStatus::True)
    };
    let ready = slos.iter().filter(is_ready).count();
    let waiting = slos.len() - ready - failing;
    if waiting > 0 {
        let found = format!("of {} it is not known whether they are ready", counted(waiting, "AgentSLO"));
        let fix = "wait for the first evaluation, a minute or two; else kubectl agentslo status -A -o wide";
        return Some(Check::unknown("AgentSLOs", found, fix));
    }
    (ready > 0).then(|| Check::ok("AgentSLOs", format!("{} ready", counted(ready, "AgentSLO"))))
}

fn platform(platforms: &[AgentPlatform]) -> Check {
    let about = "AgentPlatform";
    let naming = platforms.iter().filter(|platform| platform.spec.prometheus.is_some()).count();
    if naming == 0 {
        let found = "no AgentPlatform names a Prometheus, so budgets stay unknown";
        return Check::problem(about, found, "set spec.prometheus.address of an AgentPlatform");
    }
    Check::ok(about, format!("{} names a Prometheus", counted(naming, "AgentPlatform")))
}

fn invalid(platform: &AgentPlatform) -> Option<Check> {
    let ready = find_condition(&platform.status.as_ref()?.conditions, condition::READY)?;
    let is_well = ready.status == ConditionStatus::True || ready.reason == reason::PENDING;
    (!is_well).then(|| {
        let found = format!(
            "AgentPlatform {} is {:?}, {}: {}",
            platform.name_any(),
            ready.status,
            ready.reason,
            ready.message
        );
        Check::problem("AgentPlatform", found, "mend what its condition says")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Verdict::{self, Ok, Problem, Unknown};
    use super::*;

    fn slo(ready: Option<&str>) -> AgentSlo {
        let condition = |status: &str| {
            json!({
                "type": "Ready", "status": status, "reason": "X", "message": "x",
                "lastTransitionTime": "2026-11-01T00:00:00Z",
            })
        };
        let slo = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO", "metadata": {"name": "x", "namespace": "y"},
            "spec": {"agent": "a", "objective": "99", "indicator": {"success": {}}},
            "status": {"conditions": ready.map(condition).into_iter().collect::<Vec<_>>()},
        });
        serde_json::from_value(slo).expect("test data should be an AgentSLO")
    }

    #[test]
    fn an_agent_slo_of_which_nothing_is_known_is_not_called_well() {
        let cases: [(&[Option<&str>], &[Verdict]); 4] = [
            (&[Some("True"), Some("True")], &[Ok]),
            (&[Some("True"), None], &[Unknown]),
            (&[Some("Unknown")], &[Unknown]),
            (&[Some("False"), Some("True")], &[Problem, Ok]),
        ];
        for (ready, expected) in cases {
            let all: Vec<AgentSlo> = ready.iter().map(|ready| slo(*ready)).collect();
            // The first check is about AgentPlatforms, of which there are none.
            let verdicts: Vec<Verdict> = slos(&all, &[]).iter().skip(1).map(|check| check.verdict).collect();
            assert_eq!(verdicts, expected, "{ready:?}");
        }
    }
}
