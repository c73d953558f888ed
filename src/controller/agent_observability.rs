//! Reconciles an AgentObservability: validate, render, gather, plan, apply, report, publish.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};

use super::apply::Applied;
use super::bring_about::bring_about;
use super::context::Context;
use super::error::ReconcileError;
use super::gather::Found;
use super::incoming::{Incoming, Kept};
use super::pace::{DONE, End, Later, REJECTED, SUSPENDED};
use super::platforms::decision;
use super::publish::publish_observability;
use super::sightings::ObservabilityKey;
use super::visit::{Visit, Visited};
use crate::api::v1alpha1::{AgentObservability, Detected};
use crate::domain::decimal::Decimal;
use crate::domain::observability::Observability;
use crate::domain::platform::Platform;
use crate::domain::role::Role;
use crate::domain::sighting::{Seen, Sighting};
use crate::domain::violation::Violations;
use crate::metrics::Queried;
use crate::plan::{ChildName, child_name};
use crate::render::{self, Artifacts, Part};
use crate::report::{Application, ObservabilityOutcome};
use crate::validate::ObservabilityFacts;
use crate::{report, validate};

/// What became of the children of each part.
type Applications = BTreeMap<Part, Vec<(ChildName, Application)>>;

impl Kept for AgentObservability {
    fn observed_generation(&self) -> Option<i64> {
        self.status.as_ref()?.observed_generation
    }

    /// The agent that it describes.
    fn looked_up_by(&self) -> Option<&str> {
        Some(&self.spec.agent)
    }
}

impl Visited for AgentObservability {
    const KIND: &'static str = "AgentObservability";

    fn cache(ctx: &Context) -> &Store<Incoming<Self>> {
        &ctx.observabilities
    }

    /// One that was deleted is not known any more; it is made anew at once all the same.
    fn children(incoming: &Incoming<Self>, ctx: &Context) -> BTreeSet<ChildName> {
        ctx.children.owned_by(&incoming.namespace().unwrap_or_default(), &incoming.uid().unwrap_or_default())
    }

    async fn reconcile(&self, visit: &Visit, ctx: &Context) -> Result<End, ReconcileError> {
        reconcile(self, visit, ctx).await
    }
}

async fn reconcile(
    resource: &AgentObservability,
    visit: &Visit,
    ctx: &Context,
) -> Result<End, ReconcileError> {
    if resource.spec.suspend {
        let later = publish(resource, ObservabilityOutcome::Suspended, visit, ctx).await?;
        return Ok(SUSPENDED.and_later(later));
    }
    let platform = match decision(ctx, &resource.namespace().unwrap_or_default()) {
        Ok(platform) => platform,
        Err(violations) => return reject(resource, &violations, visit, ctx).await,
    };
    match validate::observability(resource, &facts(resource, &platform, ctx)) {
        Ok(valid) => enforce(resource, &valid, visit, ctx).await,
        Err(violations) => reject(resource, &violations, visit, ctx).await,
    }
}

fn facts(resource: &AgentObservability, platform: &Platform, ctx: &Context) -> ObservabilityFacts {
    ObservabilityFacts {
        platform: platform.clone(),
        superseded_by: older(resource, ctx),
        roles: roles(resource, ctx),
        run_buckets: run_buckets(resource, ctx),
    }
}

/// The oldest AgentObservability of the namespace that describes the same agent, unless it is this one.
fn older(resource: &AgentObservability, ctx: &Context) -> Option<String> {
    let age = |meta: &ObjectMeta| (meta.creation_timestamp.clone(), meta.name.clone());
    let own = age(resource.meta());
    let same = ctx.observabilities.state_filter(|other| {
        other.meta().namespace == resource.meta().namespace
            && other.looked_up_by() == Some(&resource.spec.agent)
            && other.meta().deletion_timestamp.is_none()
    });
    same.iter().map(|other| age(other.meta())).filter(|other| *other < own).min().and_then(|(_, name)| name)
}

/// Roles that have ever had series: those that the status remembers, and those that are seen now.
fn roles(resource: &AgentObservability, ctx: &Context) -> Option<BTreeSet<Role>> {
    let remembered: Option<BTreeSet<Role>> = remembered(resource)
        .map(|detected| detected.roles.iter().filter_map(|name| Role::parse(name)).collect());
    let seen = seen(resource, ctx, |seen| seen.roles.clone());
    match (remembered, seen) {
        (None, None) => None,
        (remembered, seen) => Some(remembered.into_iter().chain(seen).flatten().collect()),
    }
}

/// Buckets of the durations of runs: those that are seen now, or else those that the status remembers.
fn run_buckets(resource: &AgentObservability, ctx: &Context) -> BTreeSet<Decimal> {
    let has_durations = |seen: &Seen| seen.roles.contains(&Role::RunDuration);
    let seen = seen(resource, ctx, |seen| has_durations(seen).then(|| seen.run_buckets.clone()));
    seen.flatten().unwrap_or_else(|| {
        let remembered = remembered(resource).into_iter().flat_map(|detected| &detected.run_duration_buckets);
        remembered.filter_map(|bound| Decimal::parse(bound)).collect()
    })
}

fn remembered(resource: &AgentObservability) -> Option<&Detected> {
    resource.status.as_ref()?.detected.as_ref()
}

fn seen<T>(resource: &AgentObservability, ctx: &Context, of: impl Fn(&Seen) -> T) -> Option<T> {
    match &*ctx.sightings.get(&key(resource))? {
        Sighting::Seen(seen) => Some(of(seen)),
        Sighting::NoPrometheus | Sighting::Pending | Sighting::Failed { .. } => None,
    }
}

/// Keeps what is in force and says what is wrong.
async fn reject(
    resource: &AgentObservability,
    violations: &Violations,
    visit: &Visit,
    ctx: &Context,
) -> Result<End, ReconcileError> {
    if let Some(first) = violations.first() {
        let (namespace, name) = (resource.namespace(), resource.name_any());
        tracing::info!(namespace, name, rule = ?first.rule, "the spec is not valid");
        ctx.metrics.rejected.get_or_create(&Queried { code: first.rule.name() }).inc();
    }
    let later = publish(resource, ObservabilityOutcome::Rejected(violations), visit, ctx).await?;
    Ok(REJECTED.and_later(later))
}

/// Brings everything that a valid spec asks for into force.
async fn enforce(
    resource: &AgentObservability,
    valid: &Observability,
    visit: &Visit,
    ctx: &Context,
) -> Result<End, ReconcileError> {
    let parts = render::observability(valid);
    let names: BTreeMap<Part, Vec<ChildName>> =
        parts.iter().map(|(part, artifacts)| (*part, artifacts.0.iter().map(child_name).collect())).collect();
    let wanted = names.values().flatten().cloned().collect();
    let found = Found::look(resource, wanted, ctx).await?;
    let artifacts = Artifacts(parts.into_values().flat_map(|part| part.0).collect());
    let applied = bring_about(resource, artifacts, &found, visit, ctx).await?;
    let applications = applications(names, &applied);
    let sighting = ctx.sightings.register(&key(resource), valid);
    if let Some(later) = ctx.put_off_report(&applied) {
        return Ok(DONE.and_later(Some(later)));
    }
    let outcome = ObservabilityOutcome::Judged {
        observability: valid,
        applications: &applications,
        sighting: &sighting,
    };
    let published = publish(resource, outcome, visit, ctx).await;
    applied.end(published)
}

fn applications(names: BTreeMap<Part, Vec<ChildName>>, applied: &Applied) -> Applications {
    let became = |name: ChildName| {
        let application = applied.of(&name);
        (name, application)
    };
    names.into_iter().map(|(part, names)| (part, names.into_iter().map(became).collect())).collect()
}

async fn publish(
    resource: &AgentObservability,
    outcome: ObservabilityOutcome<'_>,
    visit: &Visit,
    ctx: &Context,
) -> Result<Later, ReconcileError> {
    let generation = resource.meta().generation.unwrap_or_default();
    let status = report::observability(outcome, resource.status.as_ref(), generation, ctx.clock.now());
    publish_observability(resource, status, visit, ctx).await
}

fn key(resource: &AgentObservability) -> ObservabilityKey {
    (resource.namespace().unwrap_or_default(), resource.name_any())
}
