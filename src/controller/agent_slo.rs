//! Reconciles an AgentSLO: gather, validate, render, plan, apply, report, publish.

use std::sync::Arc;
use std::time::Instant;

use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};

use super::apply::{apply, known_acceptance, owned};
use super::context::{Context, Incoming};
use super::error::ReconcileError;
use super::gather::{Facts, gather};
use super::pace::{
    DELETED, DONE, End, Later, NOT_INSTALLED, REJECTED, SUSPENDED, Subject, UNREADABLE, Visit, earlier,
    enter, rest, retry,
};
use super::platforms::decision;
use super::publish::{publish_drifts, publish_slo};
use super::turns::Urgency;
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::child_name;
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::metrics::{Queried, Reconciled};
use crate::plan::{ChildName, Obstacle, plan};
use crate::prometheus::SloKey;
use crate::render::{self, ArtifactKind};
use crate::report::{Application, Judgement, Outcome};
use crate::{report, validate};

/// Reconciles one AgentSLO.
pub(super) async fn reconcile(incoming: Arc<Incoming>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    ctx.caches_full.wait().await;
    let visit = Visit { subject: subject(&incoming), urgency: urgency(&incoming, &ctx) };
    let _turn = match enter(&visit, &ctx).await {
        Ok(turn) => turn,
        Err(instead) => return Ok(instead),
    };
    // Those who wait are many, and so they are kept small.
    Box::pin(reconcile_in_turn(incoming, visit, &ctx)).await
}

async fn reconcile_in_turn(
    incoming: Arc<Incoming>,
    mut visit: Visit,
    ctx: &Context,
) -> Result<Action, ReconcileError> {
    // It may have been edited while it waited.
    let incoming = ctx.slos.get(&ObjectRef::from_obj(&*incoming)).unwrap_or(incoming);
    visit.urgency = urgency(&incoming, ctx);
    let started = Instant::now();
    let result = match &incoming.0 {
        Ok(slo) if slo.meta().deletion_timestamp.is_some() => Ok(DELETED),
        Ok(slo) => reconcile_slo(slo, &visit, ctx).await,
        Err(invalid) => {
            let (namespace, name) = (&invalid.metadata.namespace, &invalid.metadata.name);
            tracing::error!(
                ?namespace,
                ?name,
                error = invalid.error,
                "an AgentSLO does not fit its schema; its rules stay"
            );
            Ok(UNREADABLE)
        }
    };
    ctx.metrics.reconcile_duration.observe(started.elapsed().as_secs_f64());
    let label = result.as_ref().map_or_else(ReconcileError::reason, |end| end.label);
    ctx.metrics.reconciled.get_or_create(&Reconciled { kind: "AgentSLO", result: label }).inc();
    Ok(rest(&visit.subject, result?, ctx))
}

/// What to do after an error; logs it, once.
// The controller runtime passes these by value.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn after_error(incoming: Arc<Incoming>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    retry(&subject(&incoming), error, &ctx)
}

/// Whether nothing was said of the present spec yet.
pub(super) fn is_unobserved(slo: &AgentSlo) -> bool {
    slo.status.as_ref().and_then(|status| status.observed_generation) != slo.meta().generation
}

fn urgency(incoming: &Incoming, ctx: &Context) -> Urgency {
    let Ok(slo) = &incoming.0 else { return Urgency::Routine };
    let namespace = slo.namespace().unwrap_or_default();
    if is_unobserved(slo) || ctx.children.is_disturbed(&namespace, &rules_of(slo)) {
        return Urgency::Change;
    }
    Urgency::Routine
}

fn rules_of(slo: &AgentSlo) -> ChildName {
    let name = child_name("AgentSLO", &slo.namespace().unwrap_or_default(), &slo.name_any());
    (ArtifactKind::PrometheusRule, name)
}

async fn reconcile_slo(slo: &AgentSlo, visit: &Visit, ctx: &Context) -> Result<End, ReconcileError> {
    if slo.spec.suspend {
        let later = publish(slo, Outcome::Suspended, visit, ctx).await?;
        return Ok(SUSPENDED.and_later(later));
    }
    let platform = match decision(ctx, &slo.namespace().unwrap_or_default()) {
        Ok(platform) => platform,
        Err(violations) => return reject(slo, &violations, visit, ctx).await,
    };
    let facts = gather(slo, &platform, ctx).await?;
    match validate::slo(slo, &facts.slo) {
        Ok(valid) => enforce(slo, (valid, facts), visit, ctx).await,
        Err(violations) => reject(slo, &violations, visit, ctx).await,
    }
}

/// Keeps what is in force and says what is wrong.
async fn reject(
    slo: &AgentSlo,
    violations: &Violations,
    visit: &Visit,
    ctx: &Context,
) -> Result<End, ReconcileError> {
    if let Some(first) = violations.first() {
        tracing::info!(namespace = slo.namespace(), name = slo.name_any(), rule = ?first.rule, "the spec is not valid");
        ctx.metrics.rejected.get_or_create(&Queried { code: first.rule.name() }).inc();
    }
    let entry = ctx.registry.get(&key_of(slo));
    let in_force = entry.as_ref().map(|entry| (&*entry.slo, &*entry.reading));
    let later = publish(slo, Outcome::Rejected { violations, in_force }, visit, ctx).await?;
    Ok(REJECTED.and_later(later))
}

/// Brings the rules of a valid spec into force.
async fn enforce(
    slo: &AgentSlo,
    (valid, facts): (Slo, Facts),
    visit: &Visit,
    ctx: &Context,
) -> Result<End, ReconcileError> {
    let namespace = slo.namespace().unwrap_or_default();
    let artifacts = owned(render::slo(&valid), slo);
    let rules = rules_of(slo);
    let endpoint = facts.slo.platform.prometheus.clone();
    let plan = plan(artifacts, &facts.found.existing, &facts.found.installed);
    let applied = apply(plan, visit, &facts.found.existing, ctx).await;
    if applied.wrote {
        tracing::info!(%namespace, name = slo.name_any(), "the rules were written");
    }
    publish_drifts(slo, &applied.corrected, ctx).await;
    let acceptance = if applied.wrote {
        known_acceptance(&namespace, &rules, ctx)
    } else {
        facts.found.acceptance(&rules)
    };
    let application = applied.of(&rules);
    let entry = ctx.registry.register(&key_of(slo), valid, endpoint);
    let judgement = Judgement {
        slo: &entry.slo,
        application: &application,
        acceptance: &acceptance,
        reading: &entry.reading,
        duplicate_of: entry.duplicate_of.as_deref(),
    };
    let published = publish(slo, Outcome::Judged(judgement), visit, ctx).await;
    // A failed write is the first error; a failure to say so must not hide it.
    let later = applied.error.map_or(published, Err)?;
    let is_missing = application == Application::Obstructed(Obstacle::NotInstalled);
    let end = if is_missing { NOT_INSTALLED } else { DONE };
    Ok(end.and_later(earlier(applied.later, later)))
}

async fn publish(
    slo: &AgentSlo,
    outcome: Outcome<'_>,
    visit: &Visit,
    ctx: &Context,
) -> Result<Later, ReconcileError> {
    let generation = slo.meta().generation.unwrap_or_default();
    let status = report::slo(outcome, slo.status.as_ref(), generation, Timestamp::now());
    publish_slo(slo, status, visit, ctx).await
}

pub(super) fn subject(incoming: &Incoming) -> Subject {
    let meta = incoming.meta();
    Subject {
        kind: "AgentSLO",
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

fn key_of(slo: &AgentSlo) -> SloKey {
    SloKey { namespace: slo.namespace().unwrap_or_default(), name: slo.name_any() }
}
