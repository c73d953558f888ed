//! Reconciles an AgentSLO: gather, validate, render, plan, apply, report, publish.

use std::sync::Arc;
use std::time::Instant;

use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};

use super::apply::{apply, known_acceptance, owned};
use super::context::{Context, Incoming};
use super::error::ReconcileError;
use super::gather::{Facts, gather};
use super::pace::{
    DELETED, DONE, ELSEWHERE, End, NOT_INSTALLED, REJECTED, SUSPENDED, Subject, UNREADABLE, rest, retry,
};
use super::platforms::decision;
use super::publish::{publish_drifts, publish_slo};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::child_name;
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::metrics::{Queried, Reconciled};
use crate::plan::{Obstacle, plan};
use crate::prometheus::SloKey;
use crate::render::{self, ArtifactKind};
use crate::report::{Application, Judgement, Outcome};
use crate::{report, validate};

/// Reconciles one AgentSLO.
pub(super) async fn reconcile(incoming: Arc<Incoming>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    ctx.caches_full.wait().await;
    let subject = subject(&incoming);
    if !ctx.tenure.holds(&subject.namespace) {
        return Ok(rest(&subject, ELSEWHERE, &ctx));
    }
    let started = Instant::now();
    let result = match &incoming.0 {
        Ok(slo) if slo.meta().deletion_timestamp.is_some() => Ok(DELETED),
        Ok(slo) => reconcile_slo(slo, &ctx).await,
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
    Ok(rest(&subject, result?, &ctx))
}

/// What to do after an error; logs it, once.
// The controller runtime passes these by value.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn after_error(incoming: Arc<Incoming>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    retry(&subject(&incoming), error, &ctx)
}

async fn reconcile_slo(slo: &AgentSlo, ctx: &Context) -> Result<End, ReconcileError> {
    if slo.spec.suspend {
        publish(slo, Outcome::Suspended, ctx).await?;
        return Ok(SUSPENDED);
    }
    let platform = match decision(ctx, &slo.namespace().unwrap_or_default()) {
        Ok(platform) => platform,
        Err(violations) => return reject(slo, &violations, ctx).await,
    };
    let facts = gather(slo, &platform, ctx).await?;
    match validate::slo(slo, &facts.slo) {
        Ok(valid) => enforce(slo, valid, facts, ctx).await,
        Err(violations) => reject(slo, &violations, ctx).await,
    }
}

/// Keeps what is in force and says what is wrong.
async fn reject(slo: &AgentSlo, violations: &Violations, ctx: &Context) -> Result<End, ReconcileError> {
    if let Some(first) = violations.first() {
        tracing::info!(namespace = slo.namespace(), name = slo.name_any(), rule = ?first.rule, "the spec is not valid");
        ctx.metrics.rejected.get_or_create(&Queried { code: first.rule.name() }).inc();
    }
    let entry = ctx.registry.get(&key_of(slo));
    let in_force = entry.as_ref().map(|entry| (&*entry.slo, &*entry.reading));
    publish(slo, Outcome::Rejected { violations, in_force }, ctx).await?;
    Ok(REJECTED)
}

/// Brings the rules of a valid spec into force.
async fn enforce(slo: &AgentSlo, valid: Slo, facts: Facts, ctx: &Context) -> Result<End, ReconcileError> {
    let namespace = slo.namespace().unwrap_or_default();
    let artifacts = owned(render::slo(&valid), slo);
    let rules = (ArtifactKind::PrometheusRule, child_name("AgentSLO", &namespace, &slo.name_any()));
    let endpoint = facts.slo.platform.prometheus.clone();
    let plan = plan(artifacts, &facts.found.existing, &facts.found.installed);
    let applied = apply(plan, &namespace, &facts.found.existing, ctx).await;
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
    let published = publish(slo, Outcome::Judged(judgement), ctx).await;
    // A failed write is the first error; a failure to say so must not hide it.
    applied.error.map_or(published, Err)?;
    let is_missing = application == Application::Obstructed(Obstacle::NotInstalled);
    Ok(if is_missing { NOT_INSTALLED } else { DONE })
}

async fn publish(slo: &AgentSlo, outcome: Outcome<'_>, ctx: &Context) -> Result<(), ReconcileError> {
    let generation = slo.meta().generation.unwrap_or_default();
    let status = report::slo(outcome, slo.status.as_ref(), generation, Timestamp::now());
    publish_slo(slo, status, ctx).await
}

fn subject(incoming: &Incoming) -> Subject {
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
