//! One look at one object, whatever its kind: whether it may be looked at now, whose turn it is, and what
//! is said of it afterwards. What to do with it is the business of its kind.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::context::Context;
use super::error::ReconcileError;
use super::pace::{DELETED, ELSEWHERE, End, Subject, UNREADABLE, rest, retry};
use super::publish::publish_throttled;
use super::turns::{Turns, Urgency};
use crate::metrics::Reconciled;
use crate::plan::ChildName;

/// One look at one object.
pub(super) struct Visit {
    pub(super) subject: Subject,
    pub(super) urgency: Urgency,
}

/// A kind that people write in a namespace and that has children.
pub(super) trait Visited:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// The kind.
    const KIND: &'static str;

    /// All of them, as they arrive.
    fn cache(ctx: &Context) -> &Store<DeserializeGuard<Self>>;

    /// The generation that its status is about.
    fn observed_generation(&self) -> Option<i64>;

    /// Children that somebody may have disturbed.
    fn children(&self, ctx: &Context) -> BTreeSet<ChildName>;

    /// Does what there is to do.
    fn reconcile(
        &self,
        visit: &Visit,
        ctx: &Context,
    ) -> impl Future<Output = Result<End, ReconcileError>> + Send;
}

/// Looks at an object when its turn has come.
pub(super) async fn visit<K: Visited>(
    incoming: Arc<DeserializeGuard<K>>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    ctx.caches_full.wait().await;
    let visit = Visit { subject: subject(&incoming), urgency: urgency(&incoming, &ctx) };
    if !ctx.tenure.holds(&visit.subject.namespace) {
        return Ok(rest(&visit.subject, ELSEWHERE, &ctx));
    }
    if let Err(wait) = ctx.limits.take(&visit.subject, Instant::now()) {
        put_off(&incoming, &visit, &ctx).await;
        return Ok(Action::requeue(wait));
    }
    let _turn = ctx.turns.turn(&visit.subject, visit.urgency).await;
    // Those who wait are many, and so they are kept small.
    Box::pin(visit_in_turn(incoming, visit, &ctx)).await
}

/// Tells a person who changes an object all the time that not every change is acted on.
async fn put_off<K: Visited>(incoming: &DeserializeGuard<K>, visit: &Visit, ctx: &Context) {
    if let Ok(object) = &incoming.0
        && visit.urgency == Urgency::Change
        && ctx.limits.note_told(&visit.subject)
    {
        Box::pin(publish_throttled(object, ctx)).await;
    }
}

async fn visit_in_turn<K: Visited>(
    incoming: Arc<DeserializeGuard<K>>,
    mut visit: Visit,
    ctx: &Context,
) -> Result<Action, ReconcileError> {
    // It may have been edited while it waited.
    let incoming = K::cache(ctx).get(&ObjectRef::from_obj(&*incoming)).unwrap_or(incoming);
    visit.urgency = urgency(&incoming, ctx);
    let started = Instant::now();
    let result = match &incoming.0 {
        Ok(object) if object.meta().deletion_timestamp.is_some() => Ok(DELETED),
        Ok(object) => object.reconcile(&visit, ctx).await,
        Err(invalid) => {
            let Subject { kind, namespace, name } = &visit.subject;
            let error = &invalid.error;
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
    incoming: Arc<DeserializeGuard<K>>,
    error: &ReconcileError,
    ctx: Arc<Context>,
) -> Action {
    retry(&subject(&incoming), error, &ctx)
}

/// Who edits an object that waits for its turn should not wait with it.
pub(super) fn hurry<K: Visited>(incoming: &DeserializeGuard<K>, turns: &Turns) {
    if incoming.0.as_ref().is_ok_and(is_unobserved) {
        turns.hurry(&subject(incoming));
    }
}

/// Whether nothing was said of the present spec yet.
fn is_unobserved(object: &impl Visited) -> bool {
    object.observed_generation() != object.meta().generation
}

fn urgency<K: Visited>(incoming: &DeserializeGuard<K>, ctx: &Context) -> Urgency {
    let Ok(object) = &incoming.0 else { return Urgency::Routine };
    let namespace = object.namespace().unwrap_or_default();
    let disturbed = |name: &ChildName| ctx.children.is_disturbed(&namespace, name);
    if is_unobserved(object) || object.children(ctx).iter().any(disturbed) {
        return Urgency::Change;
    }
    Urgency::Routine
}

fn subject<K: Visited>(incoming: &DeserializeGuard<K>) -> Subject {
    let meta = incoming.meta();
    Subject {
        kind: K::KIND,
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}
