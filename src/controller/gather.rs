//! Reads what a decision needs. At rest everything comes from caches.

use std::collections::{BTreeMap, BTreeSet};

use kube::core::DynamicObject;
use kube::{Api, Resource, ResourceExt};
use serde_json::Value;

use super::children::Settled;
use super::context::{Context, Incoming};
use super::error::ReconcileError;
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::child_name;
use crate::domain::platform::Platform;
use crate::domain::reading::Reading;
use crate::domain::traffic::Traffic;
use crate::plan::{ChildName, Existing, Fingerprint};
use crate::prometheus::SloKey;
use crate::render::ArtifactKind;
use crate::report::Acceptance;
use crate::validate::SloFacts;

/// What a decision about an AgentSLO needs.
pub(super) struct Facts {
    pub(super) slo: SloFacts,
    pub(super) existing: BTreeMap<ChildName, Existing>,
    pub(super) installed: BTreeSet<ArtifactKind>,
    pub(super) acceptance: Acceptance,
}

/// Gathers the facts about an AgentSLO, of which the platform's decision is known.
pub(super) async fn gather(
    slo: &AgentSlo,
    platform: &Platform,
    ctx: &Context,
) -> Result<Facts, ReconcileError> {
    let namespace = slo.namespace().unwrap_or_default();
    let names = names_to_look_at(slo, &namespace, ctx);
    let kinds = names.iter().map(|(kind, _)| *kind).collect();
    let installed = ctx.children.installed(&kinds, &ctx.client).await.map_err(|source| {
        ReconcileError::Gather { object: "the kinds that are installed".to_owned(), source }
    })?;
    let mut facts = Facts {
        slo: SloFacts {
            platform: platform.clone(),
            observability: None,
            older_in_namespace: older(slo, ctx),
            traffic: traffic(slo, ctx),
        },
        existing: BTreeMap::new(),
        installed,
        acceptance: Acceptance::NotReported,
    };
    for name in names {
        if facts.installed.contains(&name.0) {
            look(slo, &namespace, name, ctx, &mut facts).await?;
        }
    }
    Ok(facts)
}

/// AgentSLOs of the namespace that are older than this one.
fn older(slo: &AgentSlo, ctx: &Context) -> usize {
    let own = (slo.creation_timestamp(), slo.name_any());
    let is_older = |other: &Incoming| {
        other.meta().namespace == slo.meta().namespace
            && (other.meta().creation_timestamp.clone(), other.name_any()) < own
    };
    ctx.slos.state_filter(is_older).len()
}

/// The traffic to go by: what the status says, so that it survives a restart, unless what was measured
/// since is far from it.
fn traffic(slo: &AgentSlo, ctx: &Context) -> Option<Traffic> {
    let recorded = slo.status.as_ref().and_then(|status| Traffic::parse(&status.traffic.as_ref()?.used));
    let entry =
        ctx.registry.get(&SloKey { namespace: slo.namespace().unwrap_or_default(), name: slo.name_any() });
    let measured = entry.and_then(|entry| match &*entry.reading {
        Reading::Answered(observation) => observation.survey.as_ref()?.events_per_hour,
        Reading::NoPrometheus | Reading::Pending | Reading::Failed { .. } => None,
    });
    Traffic::follow(recorded, measured)
}

fn names_to_look_at(slo: &AgentSlo, namespace: &str, ctx: &Context) -> BTreeSet<ChildName> {
    let uid = slo.uid().unwrap_or_default();
    let mut names = ctx.children.owned_by(namespace, &uid);
    names.insert((ArtifactKind::PrometheusRule, child_name("AgentSLO", namespace, &slo.name_any())));
    names
}

async fn look(
    slo: &AgentSlo,
    namespace: &str,
    name: ChildName,
    ctx: &Context,
    facts: &mut Facts,
) -> Result<(), ReconcileError> {
    let seen = ctx.children.meta(namespace, &name).and_then(|meta| meta.metadata.resource_version.clone());
    let known = ctx.children.settled(namespace, &name);
    if let Some(Settled { resource_version, fingerprint, acceptance }) = &known
        && seen.as_ref() == Some(resource_version)
    {
        facts.acceptance = acceptance.clone();
        facts.existing.insert(name, Existing::Settled(*fingerprint));
        return Ok(());
    }
    let known = known.map(|known| known.fingerprint);
    let live = read(namespace, &name, ctx).await?;
    let existing = match &live {
        Some(live) => Some(judge(slo, live, known)),
        None => known.map(Existing::Gone),
    };
    if let (Some(live), Some(Existing::Live { .. })) = (&live, &existing) {
        facts.acceptance = acceptance(live);
    }
    facts.existing.extend(existing.map(|existing| (name, existing)));
    Ok(())
}

async fn read(
    namespace: &str,
    (kind, name): &ChildName,
    ctx: &Context,
) -> Result<Option<DynamicObject>, ReconcileError> {
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), namespace, &kind.api_resource());
    match api.get_opt(name).await {
        Ok(live) => Ok(live),
        Err(source) => Err(ReconcileError::Gather { object: format!("{kind:?} {namespace}/{name}"), source }),
    }
}

/// Whose an object is.
fn judge(slo: &AgentSlo, live: &DynamicObject, known: Option<Fingerprint>) -> Existing {
    let controller = live.owner_references().iter().find(|owner| owner.controller == Some(true));
    match controller {
        Some(owner) if Some(&owner.uid) == slo.meta().uid.as_ref() => {
            let object = serde_json::to_value(live).expect("an object that was read should serialise");
            Existing::Live { object, known }
        }
        Some(owner) => Existing::Foreign { controller: format!("{} '{}'", owner.kind, owner.name) },
        None => Existing::Foreign { controller: "nobody that it names".to_owned() },
    }
}

/// What prometheus-operator reports in `status.bindings`.
pub(super) fn acceptance(live: &DynamicObject) -> Acceptance {
    let bindings = live.data.pointer("/status/bindings").and_then(Value::as_array);
    let conditions: Vec<(String, &Value)> = bindings
        .into_iter()
        .flatten()
        .filter_map(|binding| {
            let text = |key: &str| binding.get(key).and_then(Value::as_str).unwrap_or_default();
            let conditions = binding.get("conditions")?.as_array()?;
            let accepted = conditions
                .iter()
                .find(|condition| condition.get("type").and_then(Value::as_str) == Some("Accepted"))?;
            let of_this =
                accepted.get("observedGeneration").and_then(Value::as_i64) == live.metadata.generation;
            of_this.then(|| (format!("{}/{}", text("namespace"), text("name")), accepted))
        })
        .collect();
    let is_true = |condition: &Value| condition.get("status").and_then(Value::as_str) == Some("True");
    if let Some((by, _)) = conditions.iter().find(|(_, condition)| is_true(condition)) {
        return Acceptance::Bound { by: by.clone() };
    }
    conditions.first().map_or(Acceptance::NotReported, |(_, condition)| {
        let message = condition.get("message").and_then(Value::as_str).unwrap_or("no message");
        Acceptance::Refused { message: message.chars().take(512).collect() }
    })
}
