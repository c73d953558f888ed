//! Reconciles an AgentSLO: gather, validate, render, plan, apply, report, publish.

use std::collections::BTreeSet;

use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};

use super::bring_about::bring_about;
use super::context::Context;
use super::error::ReconcileError;
use super::gather::{Facts, gather, known_acceptance, rules_of};
use super::incoming::{Incoming, Kept};
use super::pace::{DONE, End, Later, REJECTED, SUSPENDED};
use super::platforms::decision;
use super::publish::publish_slo;
use super::references::referred;
use super::visit::{Visit, Visited};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::metrics::Queried;
use crate::plan::ChildName;
use crate::prometheus::SloKey;
use crate::render;
use crate::report::{Judgement, Outcome};
use crate::{report, validate};

impl Kept for AgentSlo {
    fn observed_generation(&self) -> Option<i64> {
        self.status.as_ref()?.observed_generation
    }

    /// The AgentObservability that it refers to.
    fn looked_up_by(&self) -> Option<&str> {
        self.spec.observability_ref.as_ref().map(|reference| reference.name.as_str())
    }
}

impl Visited for AgentSlo {
    const KIND: &'static str = "AgentSLO";

    fn cache(ctx: &Context) -> &Store<Incoming<Self>> {
        &ctx.slos
    }

    fn children(incoming: &Incoming<Self>, _: &Context) -> BTreeSet<ChildName> {
        [rules_of(incoming)].into()
    }

    async fn reconcile(&self, visit: &Visit, ctx: &Context) -> Result<End, ReconcileError> {
        reconcile(self, visit, ctx).await
    }
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
    let rules = rules_of(slo);
    let endpoint = facts.slo.platform.prometheus.clone();
    let applied = bring_about(slo, render::slo(&valid), &facts.found, visit, ctx).await?;
    let acceptance = if applied.wrote {
        known_acceptance(&visit.subject.namespace, &rules, ctx)
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
    applied.end(published)
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
