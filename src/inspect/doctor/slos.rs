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
    if failing.is_empty() && !slos.is_empty() {
        checks
            .push(Check::ok("AgentSLOs", format!("{} of {} not ready", 0, counted(slos.len(), "AgentSLO"))));
    }
    checks
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
