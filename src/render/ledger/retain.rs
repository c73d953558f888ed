//! Who lets go what is old, once a day, where the AgentObservability says how long it is kept.

use serde_json::{Value, json};

use super::pods::{Work, template};
use super::{Plan, network, sink};
use crate::domain::names::short_hash;
use crate::render::{Artifact, ArtifactKind};

/// What its pods do.
const COMPONENT: &str = "retain";
/// What is in its names.
const SUFFIX: &str = "ledger-retain";
/// Memory that it may have.
const MEMORY: &str = "64Mi";
/// Minutes of a day's first six hours, over which the work of many agents is spread.
const MINUTES: u32 = 360;

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    let Some(keeper) = plan.ledger.offer.written.keeper_secret.as_deref() else { return Vec::new() };
    if !plan.ledger.lets_go() {
        return Vec::new();
    }
    vec![
        plan.object(ArtifactKind::NetworkPolicy, SUFFIX, network::of_retain(plan, COMPONENT)),
        plan.object(ArtifactKind::CronJob, SUFFIX, cron_job(plan, keeper)),
    ]
}

fn cron_job(plan: &Plan<'_>, keeper: &str) -> Value {
    let kept = [("audit", plan.ledger.audit_kept), ("cost", plan.ledger.costs_kept)];
    let kept = kept.into_iter().filter_map(|(what, days)| Some(format!("--{what}={}", days?)));
    let work = Work {
        component: COMPONENT,
        account: plan.name(sink::SUFFIX),
        has_token: false,
        arguments: ["retain".to_owned()]
            .into_iter()
            .chain(kept)
            .chain([plan.observability.stream()])
            .collect(),
        credentials: keeper,
        files: Vec::new(),
        ports: None,
        memory: MEMORY,
    };
    let mut template = template(plan, &work);
    template["spec"]["restartPolicy"] = "OnFailure".into();
    json!({"spec": {
        "schedule": schedule(&plan.observability.stream()),
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": {"backoffLimit": 6, "template": template}},
    }})
}

/// Once a day at night, for each agent at a minute of its own.
fn schedule(stream: &str) -> String {
    let minute = u32::from_str_radix(&short_hash(stream), 16).unwrap_or_default() % MINUTES;
    format!("{} {} * * *", minute % 60, minute / 60)
}
