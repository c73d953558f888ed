//! Reconciles an AgentSLO: gather, validate, render, plan, apply, report, publish.

use std::collections::BTreeSet;

use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};

use super::apply::{apply, known_acceptance};
use super::confirm::confirm;
use super::context::{Context, Incoming};
use super::error::ReconcileError;
use super::gather::{Facts, gather};
use super::pace::{DONE, End, Later, NOT_INSTALLED, REJECTED, SUSPENDED, earlier};
use super::platforms::decision;
use super::publish::{publish_drifts, publish_slo};
use super::references::referred;
use super::visit::{Visit, Visited};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::names::child_name;
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::metrics::Queried;
use crate::plan::{ChildName, Obstacle, plan};
use crate::prometheus::SloKey;
use crate::render::{self, ArtifactKind};
use crate::report::{Application, Judgement, Outcome};
use crate::{report, validate};

impl Visited for AgentSlo {
    const KIND: &'static str = "AgentSLO";

    fn cache(ctx: &Context) -> &Store<Incoming> {
        &ctx.slos
    }

    fn observed_generation(&self) -> Option<i64> {
        self.status.as_ref()?.observed_generation
    }

    fn children(&self, _: &Context) -> BTreeSet<ChildName> {
        [rules_of(self)].into()
    }

    async fn reconcile(&self, visit: &Visit, ctx: &Context) -> Result<End, ReconcileError> {
        reconcile(self, visit, ctx).await
    }
}

fn rules_of(slo: &AgentSlo) -> ChildName {
    let name = child_name("AgentSLO", &slo.namespace().unwrap_or_default(), &slo.name_any());
    (ArtifactKind::PrometheusRule, name)
}

async fn reconcile(slo: &AgentSlo, visit: &Visit, ctx: &Context) -> Result<End, ReconcileError> {
    if slo.spec.suspend {
        let later = publish(slo, Outcome::Suspended, visit, ctx).await?;
        return Ok(SUSPENDED.and_later(later));
    }
    let platform = match decision(ctx, &slo.namespace().unwrap_or_default()) {
        Ok(platform) => platform,
        Err(violations) => return reject(slo, &violations, visit, ctx).await,
    };
    let observability = match referred(slo, &platform, ctx) {
        Ok(observability) => observability,
        Err(violations) => return reject(slo, &violations, visit, ctx).await,
    };
    let facts = gather(slo, (&platform, observability), ctx).await?;
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
    let artifacts = render::slo(&valid).owned_by(slo);
    let rules = rules_of(slo);
    let endpoint = facts.slo.platform.prometheus.clone();
    let plan = plan(artifacts, &facts.found.existing, &facts.found.installed);
    confirm(slo, &plan, &facts.found.existing, ctx).await?;
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
    if let Some(later) = ctx.put_off_report(&applied) {
        return Ok(DONE.and_later(Some(later)));
    }
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
    let status = report::slo(outcome, slo.status.as_ref(), generation, ctx.clock.now());
    publish_slo(slo, status, visit, ctx).await
}

fn key_of(slo: &AgentSlo) -> SloKey {
    SloKey { namespace: slo.namespace().unwrap_or_default(), name: slo.name_any() }
}
