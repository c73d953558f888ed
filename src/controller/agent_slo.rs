//! Reconciles an AgentSLO: gather, validate, render, plan, apply, report, publish.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};

use super::apply::{apply, known_acceptance};
use super::context::{Context, Incoming};
use super::error::{ReconcileError, Retry};
use super::gather::{Facts, gather};
use super::platforms::decision;
use super::poison::locked;
use super::publish::{publish_drift, publish_slo};
use crate::api::v1alpha1::AgentSlo;
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::metrics::{Queried, Reconciled};
use crate::plan::{Obstacle, child_name, plan};
use crate::prometheus::SloKey;
use crate::render::{self, Artifacts};
use crate::report::{Acceptance, Application, Judgement, Outcome};
use crate::{report, validate};

/// Time to the next look when nothing happens. Budgets wake an AgentSLO by themselves; this finds what
/// a lost event hid.
const RESYNC: Duration = Duration::from_mins(10);
/// Time to the next look at a kind that is not installed.
const LOOK_FOR_KIND: Duration = Duration::from_secs(20);
/// Longest pause after failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How a reconciliation without an error ended.
#[derive(Clone, Copy)]
struct End {
    /// For the metric.
    label: &'static str,
    /// Time to the next look.
    next: Duration,
}

const DONE: End = End { label: "ok", next: RESYNC };
const REJECTED: End = End { label: "rejected", next: RESYNC };
const SUSPENDED: End = End { label: "suspended", next: RESYNC };
const DELETED: End = End { label: "deleted", next: RESYNC };
const UNREADABLE: End = End { label: "unreadable", next: RESYNC };
const NOT_INSTALLED: End = End { label: "not_installed", next: LOOK_FOR_KIND };

/// Reconciles one AgentSLO.
pub(super) async fn reconcile(incoming: Arc<Incoming>, ctx: Arc<Context>) -> Result<Action, ReconcileError> {
    ctx.caches_full.wait().await;
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
    let end = result?;
    let key = key(&incoming);
    locked(&ctx.failures).remove(&key);
    Ok(Action::requeue(spread(end.next, &key)))
}

/// What to do after an error; logs it, once.
// The controller runtime passes these by value.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn after_error(incoming: Arc<Incoming>, error: &ReconcileError, ctx: Arc<Context>) -> Action {
    let key = key(&incoming);
    let failures = {
        let mut failures = locked(&ctx.failures);
        let count = failures.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    };
    let pause = match error.retry() {
        Retry::Soon => Duration::from_millis(200),
        Retry::Backoff => spread(Duration::from_secs(1 << failures.min(9)).min(LONGEST_PAUSE), &key),
        Retry::Slowly => LONGEST_PAUSE,
    };
    if error.retry() != Retry::Soon {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::warn!(namespace = key.namespace, name = key.name, %error, cause, ?pause, "will try again");
    }
    Action::requeue(pause)
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
    let rules = artifacts.0.first().map(child_name);
    let endpoint = facts.slo.platform.prometheus.clone();
    let applied =
        apply(plan(artifacts, &facts.existing, &facts.installed), &namespace, &facts.existing, ctx).await;
    if applied.wrote {
        tracing::info!(%namespace, name = slo.name_any(), "the rules were written");
    }
    let drifted = applied.corrected.iter().filter(|child| ctx.children.note_drift(&namespace, child));
    for (kind, child) in drifted {
        publish_drift(slo, *kind, child, ctx).await;
    }
    let acceptance = match (applied.wrote, rules) {
        (true, Some(rules)) => known_acceptance(&namespace, &rules, ctx),
        (true, None) => Acceptance::NotReported,
        (false, _) => facts.acceptance,
    };
    let entry = ctx.registry.register(&key_of(slo), valid, endpoint);
    let judgement = Judgement {
        slo: &entry.slo,
        application: &applied.rules,
        acceptance: &acceptance,
        reading: &entry.reading,
        duplicate_of: entry.duplicate_of.as_deref(),
    };
    let published = publish(slo, Outcome::Judged(judgement), ctx).await;
    // A failed write is the first error; a failure to say so must not hide it.
    applied.error.map_or(published, Err)?;
    let is_missing = applied.rules == Application::Obstructed(Obstacle::NotInstalled);
    Ok(if is_missing { NOT_INSTALLED } else { DONE })
}

fn owned(artifacts: Artifacts, slo: &AgentSlo) -> Artifacts {
    let Some(owner) = slo.controller_owner_ref(&()) else { return artifacts };
    Artifacts(artifacts.0.into_iter().map(|artifact| artifact.owned_by(owner.clone())).collect())
}

async fn publish(slo: &AgentSlo, outcome: Outcome<'_>, ctx: &Context) -> Result<(), ReconcileError> {
    let generation = slo.meta().generation.unwrap_or_default();
    let status = report::slo(outcome, slo.status.as_ref(), generation, Timestamp::now());
    publish_slo(slo, status, ctx).await
}

fn key(incoming: &Incoming) -> SloKey {
    let meta = incoming.meta();
    SloKey {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

fn key_of(slo: &AgentSlo) -> SloKey {
    SloKey { namespace: slo.namespace().unwrap_or_default(), name: slo.name_any() }
}

/// A pause that differs by up to a quarter between objects, so that they do not all come at once.
fn spread(pause: Duration, key: &SloKey) -> Duration {
    let hash = key
        .namespace
        .bytes()
        .chain(key.name.bytes())
        .fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    pause.mul_f64(0.75 + f64::from(hash % 256) / 1024.0)
}
