//! One look at one object, whatever its kind: whether it may be looked at now, whose turn it is, and what
//! is said of it afterwards. What to do with it is the business of its kind.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::controller::Action;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::context::Context;
use super::error::ReconcileError;
use super::incoming::{Incoming, Kept};
use super::pace::{DELETED, ELSEWHERE, End, Subject, UNREADABLE, rest, retry};
use super::publish::publish_throttled;
use super::turns::{Turns, Urgency};
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
            urgency: urgency(incoming, ctx),
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
    fn children(meta: &ObjectMeta, ctx: &Context) -> BTreeSet<ChildName>;

    /// Does what there is to do.
    fn reconcile(
        &self,
        visit: &Visit,
        ctx: &Context,
    ) -> impl Future<Output = Result<End, ReconcileError>> + Send;
}

/// Looks at an object when its turn has come.
pub(super) async fn visit<K: Visited>(
    incoming: Arc<Incoming<K>>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    ctx.caches_full.wait().await;
    let visit = Visit::of(&*incoming, &ctx);
    if !ctx.tenure.holds(&visit.subject.namespace) {
        return Ok(rest(&visit.subject, ELSEWHERE, &ctx));
    }
    if let Err(wait) = ctx.limits.take(&visit.subject, Instant::now()) {
        put_off(&incoming, &visit, &ctx).await;
        return Ok(Action::requeue(wait));
    }
    let _turn = ctx.turns.turn(&visit.subject, visit.urgency).await;
    // Those who wait are many, and so they are kept small.
    Box::pin(visit_in_turn(incoming, &ctx)).await
}

/// Tells a person who changes an object all the time that not every change is acted on.
async fn put_off<K: Visited>(incoming: &Incoming<K>, visit: &Visit, ctx: &Context) {
    if visit.urgency == Urgency::Change && ctx.limits.note_told(&visit.subject) {
        Box::pin(publish_throttled(incoming, ctx)).await;
    }
}

async fn visit_in_turn<K: Visited>(
    incoming: Arc<Incoming<K>>,
    ctx: &Context,
) -> Result<Action, ReconcileError> {
    // It may have been edited while it waited.
    let incoming = K::cache(ctx).get(&ObjectRef::from_obj(&*incoming)).unwrap_or(incoming);
    let visit = Visit::of(&*incoming, ctx);
    let started = Instant::now();
    let result = match incoming.object() {
        Ok(object) if object.meta().deletion_timestamp.is_some() => Ok(DELETED),
        Ok(object) => object.reconcile(&visit, ctx).await,
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
    Ok(rest(&visit.subject, result?, ctx))
}

/// What to do after an error; logs it, once.
// The controller runtime passes these by value.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn after_error<K: Visited>(
    incoming: Arc<Incoming<K>>,
    error: &ReconcileError,
    ctx: Arc<Context>,
) -> Action {
    retry(&subject(&incoming), error, &ctx)
}

/// Who edits an object that waits for its turn should not wait with it.
pub(super) fn hurry<K: Visited>(incoming: &Incoming<K>, turns: &Turns) {
    if incoming.is_unobserved() {
        turns.hurry(&subject(incoming));
    }
}

fn urgency<K: Visited>(incoming: &Incoming<K>, ctx: &Context) -> Urgency {
    let namespace = incoming.namespace().unwrap_or_default();
    let disturbed = |name: &ChildName| ctx.children.is_disturbed(&namespace, name);
    if incoming.is_unobserved() || K::children(incoming.meta(), ctx).iter().any(disturbed) {
        return Urgency::Change;
    }
    Urgency::Routine
}

fn subject<K: Visited>(incoming: &Incoming<K>) -> Subject {
    let meta = incoming.meta();
    Subject {
        kind: K::KIND,
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}
