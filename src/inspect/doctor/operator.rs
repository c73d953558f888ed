//! Whether the operator runs: its Deployment, its Lease, and whether it keeps up.

use k8s_openapi::jiff::Timestamp;

use super::super::text::{age, counted};
use super::Check;
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::SloKey;

/// Seconds after which a Lease that was not renewed is held by nobody.
const LEASE_SECONDS: i64 = 60;
/// Most names that a line lists.
const MOST_NAMES: usize = 3;

/// What runs the operator.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Workload {
    /// Namespace and name of the Deployment.
    pub name: String,
    /// Pods that should run.
    pub wanted: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Why pods are not, in the words of the cluster.
    pub trouble: Vec<String>,
}

/// Who holds the Lease.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Namespace and name.
    pub name: String,
    /// The pod that holds it.
    pub holder: Option<String>,
    /// When it was last renewed.
    pub renewed: Option<Timestamp>,
}

/// What was found of the operator.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Operator {
    /// Its Deployments; none where they may not be listed.
    pub workloads: Option<Vec<Workload>>,
    /// Its Leases.
    pub leases: Vec<Lease>,
}

/// Whether it runs, who leads, and whether every edit was looked at.
#[must_use]
pub fn operator(found: &Operator, slos: &[AgentSlo], now: Timestamp) -> Vec<Check> {
    let mut checks = vec![runs(found.workloads.as_deref())];
    checks.extend(found.leases.iter().map(|lease| leads(lease, now)));
    checks.extend(keeps_up(slos));
    checks
}

fn runs(workloads: Option<&[Workload]>) -> Check {
    let about = "operator";
    let elsewhere = "if it runs elsewhere, as by `make run`, look at the next line; else install it";
    match workloads {
        None => Check::unknown(about, "Deployments may not be listed", elsewhere),
        Some([]) => {
            Check::unknown(about, "no Deployment has label app.kubernetes.io/name=agentslo", elsewhere)
        }
        Some([only]) if only.ready >= only.wanted.max(1) => {
            Check::ok(about, format!("{} has {} ready", only.name, counted(count(only.ready), "pod")))
        }
        Some([only]) if only.wanted == 0 => Check::problem(
            about,
            format!("{} is scaled to nothing", only.name),
            format!("kubectl scale {} --replicas=1", reference(&only.name)),
        ),
        Some([only]) => {
            let trouble = only.trouble.join("; ");
            let found = format!("{} has {} of {} pods ready", only.name, only.ready, only.wanted);
            let found = if trouble.is_empty() { found } else { format!("{found}: {trouble}") };
            Check::problem(about, found, format!("kubectl logs {} --tail=50", reference(&only.name)))
        }
        Some(several) => {
            let names: Vec<&str> = several.iter().map(|workload| workload.name.as_str()).collect();
            let found = format!("{} Deployments run it: {}", several.len(), names.join(", "));
            Check::problem(about, found, "keep one; two would write over each other")
        }
    }
}

fn reference(name: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    format!("-n {namespace} deployment/{name}")
}

fn count(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn leads(lease: &Lease, now: Timestamp) -> Check {
    let about = "leader";
    let restart = "look at the logs of the operator's pods; a new leader should take over within a minute";
    let Some(holder) = lease.holder.as_deref().filter(|holder| !holder.is_empty()) else {
        return Check::problem(about, format!("nobody holds Lease {}", lease.name), restart);
    };
    let renewed = age(lease.renewed, now);
    let is_fresh =
        lease.renewed.is_some_and(|renewed| now.duration_since(renewed).as_secs() <= LEASE_SECONDS);
    let found = format!("{holder} holds Lease {}, renewed {renewed} ago", lease.name);
    if is_fresh { Check::ok(about, found) } else { Check::problem(about, found, restart) }
}

/// An operator that keeps up has seen the newest generation of everything.
fn keeps_up(slos: &[AgentSlo]) -> Option<Check> {
    let about = "edits";
    let is_behind = |slo: &&AgentSlo| {
        let observed = slo.status.as_ref().and_then(|status| status.observed_generation);
        observed.is_none() || observed < slo.metadata.generation
    };
    let behind: Vec<&AgentSlo> = slos.iter().filter(is_behind).collect();
    match (slos.len(), behind.len()) {
        (0, _) => None,
        (all, 0) => {
            Some(Check::ok(about, format!("the operator has looked at {}", counted(all, "AgentSLO"))))
        }
        (_, number) => {
            let names: Vec<String> =
                behind.iter().take(MOST_NAMES).map(|slo| SloKey::of(slo).to_string()).collect();
            let found = format!(
                "the operator has not looked at the newest edit of {}, such as {}",
                counted(number, "AgentSLO"),
                names.join(", ")
            );
            Some(Check::problem(about, found, "see that the operator runs, and what its log says"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok, Problem, Unknown};
    use super::*;

    fn workload(wanted: i32, ready: i32) -> Workload {
        Workload { name: "agentslo-system/agentslo".to_owned(), wanted, ready, trouble: Vec::new() }
    }

    #[test]
    fn an_operator_that_is_not_seen_is_not_called_well() {
        let cases = [
            (None, Unknown),
            (Some(vec![]), Unknown),
            (Some(vec![workload(1, 1)]), Ok),
            (Some(vec![workload(2, 1)]), Problem),
            (Some(vec![workload(0, 0)]), Problem),
            (Some(vec![workload(1, 1), workload(1, 1)]), Problem),
        ];
        for (workloads, expected) in cases {
            let verdict = runs(workloads.as_deref()).verdict;
            assert_eq!(verdict, expected, "{workloads:?}");
        }
    }

    #[test]
    fn a_lease_that_nobody_renews_has_no_leader() {
        let now = Timestamp::from_second(1000).expect("test data should be a time");
        let lease = |holder: Option<&str>, renewed: i64| Lease {
            name: "agentslo-system/agentslo".to_owned(),
            holder: holder.map(str::to_owned),
            renewed: Timestamp::from_second(renewed).ok(),
        };
        for (lease, expected) in
            [(lease(Some("pod"), 990), Ok), (lease(Some("pod"), 900), Problem), (lease(None, 990), Problem)]
        {
            assert_eq!(leads(&lease, now).verdict, expected, "{lease:?}");
        }
    }
}
