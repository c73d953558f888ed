//! Reads what a decision needs. At rest everything comes from caches.

use std::collections::{BTreeMap, BTreeSet};

use kube::core::DynamicObject;
use kube::{Api, Resource, ResourceExt};
use serde_json::Value;

use super::children::{Seen, Settled};
use super::context::Context;
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
use crate::validate::{Referred, SloFacts};

/// What a decision about an AgentSLO needs.
pub(super) struct Facts {
    pub(super) slo: SloFacts,
    pub(super) found: Found,
}

/// Gathers the facts about an AgentSLO, of which the platform's decision is known, and what it refers to.
pub(super) async fn gather(
    slo: &AgentSlo,
    (platform, observability): (&Platform, Option<Referred>),
    ctx: &Context,
) -> Result<Facts, ReconcileError> {
    let slo_facts = SloFacts {
        platform: platform.clone(),
        observability,
        older_in_namespace: older(slo, platform, ctx),
        traffic: traffic(slo, ctx),
    };
    Ok(Facts { slo: slo_facts, found: Found::look(slo, [rules_of(slo)].into(), ctx).await? })
}

/// The rules of an AgentSLO.
pub(super) fn rules_of(slo: &impl Resource) -> ChildName {
    let name = child_name("AgentSLO", &slo.namespace().unwrap_or_default(), &slo.name_any());
    (ArtifactKind::PrometheusRule, name)
}

/// AgentSLOs of the namespace that are older than this one, as far as it matters.
fn older(slo: &AgentSlo, platform: &Platform, ctx: &Context) -> usize {
    let most = usize::try_from(platform.slos_per_namespace).unwrap_or_default();
    ctx.seniority.older(slo, most)
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

/// What is there of the children of one owner.
pub(super) struct Found {
    pub(super) existing: BTreeMap<ChildName, Existing>,
    pub(super) installed: BTreeSet<ArtifactKind>,
    acceptance: BTreeMap<ChildName, Acceptance>,
}

impl Found {
    /// Looks at the children that are wanted, and at those that the owner has already.
    pub(super) async fn look<K: Resource<DynamicType = ()>>(
        owner: &K,
        wanted: BTreeSet<ChildName>,
        ctx: &Context,
    ) -> Result<Self, ReconcileError> {
        let namespace = owner.namespace().unwrap_or_default();
        let mut names = ctx.children.owned_by(&namespace, &owner.uid().unwrap_or_default());
        names.extend(wanted);
        let kinds = names.iter().map(|(kind, _)| *kind).collect();
        let installed = ctx.kinds.installed(&kinds, &ctx.client).await.map_err(|source| {
            ReconcileError::Gather { object: "the kinds that are installed".to_owned(), source }
        })?;
        let mut found = Self { existing: BTreeMap::new(), installed, acceptance: BTreeMap::new() };
        for name in names {
            if found.installed.contains(&name.0) {
                found.look_at(owner, &namespace, name, ctx).await?;
            }
        }
        Ok(found)
    }

    /// What prometheus-operator said of a child when it was looked at.
    pub(super) fn acceptance(&self, name: &ChildName) -> Acceptance {
        self.acceptance.get(name).cloned().unwrap_or_default()
    }

    async fn look_at<K: Resource<DynamicType = ()>>(
        &mut self,
        owner: &K,
        namespace: &str,
        name: ChildName,
        ctx: &Context,
    ) -> Result<(), ReconcileError> {
        let known = ctx.children.settled(namespace, &name);
        if let Some(Settled { resource_version, fingerprint, acceptance, .. }) = &known
            && let Some(version) = ctx.children.seen(namespace, &name).and_then(Seen::version)
            && Some(&version.resource_version) == resource_version.as_ref()
        {
            self.acceptance.insert(name.clone(), acceptance.clone());
            self.existing.insert(name, Existing::Settled { content: *fingerprint, version });
            return Ok(());
        }
        let known = known.map(|known| known.fingerprint);
        let live = read(namespace, &name, ctx).await?;
        let existing = match &live {
            Some(live) => Some(judge(owner, live, known)),
            None => known.map(Existing::Gone),
        };
        if let (Some(live), Some(Existing::Live { .. })) = (&live, &existing) {
            self.acceptance.insert(name.clone(), acceptance(live));
        }
        self.existing.extend(existing.map(|existing| (name, existing)));
        Ok(())
    }
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
fn judge(owner: &impl Resource, live: &DynamicObject, known: Option<Fingerprint>) -> Existing {
    let controller = live.owner_references().iter().find(|owner| owner.controller == Some(true));
    match controller {
        Some(controller) if Some(&controller.uid) == owner.meta().uid.as_ref() => {
            let object = serde_json::to_value(live).expect("an object that was read should serialise");
            Existing::Live { object, known }
        }
        Some(controller) => {
            Existing::Foreign { controller: format!("{} '{}'", controller.kind, controller.name) }
        }
        None => Existing::Foreign { controller: "nobody that it names".to_owned() },
    }
}

/// What prometheus-operator says of the rules, as far as it is known after a write.
pub(super) fn known_acceptance(namespace: &str, name: &ChildName, ctx: &Context) -> Acceptance {
    ctx.children.settled(namespace, name).map(|settled| settled.acceptance).unwrap_or_default()
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
