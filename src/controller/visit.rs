//! One look at one object, whatever its kind: whether it may be looked at now, and what is said of it
//! afterwards. What to do with it is the business of its kind.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::context::Context;
use super::error::ReconcileError;
use super::incoming::{Incoming, Kept};
use super::pace::{DELETED, ELSEWHERE, End, Subject, UNREADABLE, rest, retry};
use super::publish::publish_throttled;
use super::workqueue::Urgency;
use crate::api::v1alpha1::{AgentObservability, AgentSlo};
use crate::metrics::Reconciled;
use crate::plan::ChildName;

/// One look at one object.
pub(super) struct Visit {
    pub(super) subject: Subject,
    pub(super) urgency: Urgency,
    /// Of the object.
    pub(super) generation: Option<i64>,
}

impl Visit {
    fn of<K: Visited>(incoming: &Incoming<K>, ctx: &Context) -> Self {
        Self {
            subject: subject(incoming),
            urgency: urgency_of(incoming, ctx),
            generation: incoming.meta().generation,
        }
    }
}

/// A kind that people write in a namespace and that has children.
pub(super) trait Visited: Kept + Clone + Debug + Send + Sync + 'static {
    /// The kind.
    const KIND: &'static str;

    /// All of them, as they arrive.
    fn cache(ctx: &Context) -> &Store<Incoming<Self>>;

    /// Children of one of them that somebody may have disturbed.
    fn children(incoming: &Incoming<Self>, ctx: &Context) -> BTreeSet<ChildName>;

    /// Does what there is to do.
    fn reconcile(
        &self,
        visit: &Visit,
        ctx: &Context,
    ) -> impl Future<Output = Result<End, ReconcileError>> + Send;
}

/// Looks at an object whose turn has come; returns the time to the next look, if it is still there.
pub(super) async fn visit(subject: Arc<Subject>, ctx: Arc<Context>) -> Option<Duration> {
    match subject.kind {
        AgentSlo::KIND => look_at::<AgentSlo>(&subject, &ctx).await,
        _ => look_at::<AgentObservability>(&subject, &ctx).await,
    }
}

async fn look_at<K: Visited>(subject: &Subject, ctx: &Context) -> Option<Duration> {
    let incoming = cached::<K>(subject, ctx)?;
    let visit = Visit::of(&*incoming, ctx);
    if !ctx.tenure.holds(&subject.namespace) {
        return Some(rest(subject, ELSEWHERE, ctx));
    }
    if let Err(wait) = ctx.limits.take(subject, Instant::now()) {
        put_off(&incoming, &visit, ctx);
        return Some(wait);
    }
    Some(match reconcile(&incoming, &visit, ctx).await {
        Ok(end) => rest(subject, end, ctx),
        Err(error) => retry(subject, &error, ctx),
    })
}

fn cached<K: Visited>(subject: &Subject, ctx: &Context) -> Option<Arc<Incoming<K>>> {
    K::cache(ctx).get(&ObjectRef::new(&subject.name).within(&subject.namespace))
}

/// Tells a person who changes an object all the time that not every change is acted on.
fn put_off<K: Visited>(incoming: &Incoming<K>, visit: &Visit, ctx: &Context) {
    if visit.urgency == Urgency::Change && ctx.limits.note_told(&visit.subject) {
        publish_throttled(incoming, ctx);
    }
}

async fn reconcile<K: Visited>(
    incoming: &Incoming<K>,
    visit: &Visit,
    ctx: &Context,
) -> Result<End, ReconcileError> {
    let started = Instant::now();
    let result = match incoming.object() {
        Ok(object) if object.meta().deletion_timestamp.is_some() => Ok(DELETED),
        Ok(object) => object.reconcile(visit, ctx).await,
        Err(error) => {
            let Subject { kind, namespace, name } = &visit.subject;
            tracing::error!(
                kind,
                namespace,
                name,
                error,
                "it does not fit its schema; what is in force stays"
            );
            Ok(UNREADABLE)
        }
    };
    ctx.metrics.reconcile_duration.observe(started.elapsed().as_secs_f64());
    let label = result.as_ref().map_or_else(ReconcileError::reason, |end| end.label);
    ctx.metrics.reconciled.get_or_create(&Reconciled { kind: K::KIND, result: label }).inc();
    result
}

/// Whether somebody waits for a look at it.
pub(super) fn urgency(subject: &Subject, ctx: &Context) -> Urgency {
    let urgency = match subject.kind {
        AgentSlo::KIND => cached::<AgentSlo>(subject, ctx).map(|incoming| urgency_of(&*incoming, ctx)),
        _ => cached::<AgentObservability>(subject, ctx).map(|incoming| urgency_of(&*incoming, ctx)),
    };
    urgency.unwrap_or(Urgency::Routine)
}

fn urgency_of<K: Visited>(incoming: &Incoming<K>, ctx: &Context) -> Urgency {
    let namespace = incoming.namespace().unwrap_or_default();
    let disturbed = |name: &ChildName| ctx.children.is_disturbed(&namespace, name);
    if incoming.is_unobserved() || K::children(incoming, ctx).iter().any(disturbed) {
        return Urgency::Change;
    }
    Urgency::Routine
}

/// Which object it is.
pub(super) fn subject<K: Visited>(incoming: &Incoming<K>) -> Subject {
    Subject { kind: K::KIND, namespace: incoming.namespace().unwrap_or_default(), name: incoming.name_any() }
}
