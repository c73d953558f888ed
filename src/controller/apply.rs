//! Carries out a plan. Goes on past an object that fails, so that one forbidden kind does not block the
//! others.

use std::collections::BTreeMap;

use kube::api::{Api, DeleteParams, Preconditions};
use kube::core::DynamicObject;
use serde_json::Value;
use tokio::time::Instant;

use super::children::{Children, Settled};
use super::context::Context;
use super::error::{ReconcileError, code_of, message_of, reason_of};
use super::gather::acceptance;
use super::pace::{DONE, End, Later, NOT_INSTALLED, earlier};
use super::server_side_apply;
use super::visit::Visit;
use crate::foreign::managed_fields;
use crate::metrics::Written;
use crate::plan::{ChildName, Existing, Fingerprint, Obstacle, Plan, Version, child_name, is_as_desired};
use crate::render::{Artifact, ArtifactKind};
use crate::report::Application;
use crate::vocabulary::{FIELD_MANAGER, reason};

/// What became of a plan.
#[derive(Default)]
pub(super) struct Applied {
    /// What became of each child that is not as desired.
    pub(super) amiss: BTreeMap<ChildName, Application>,
    /// Children that somebody else had changed, and that are as desired again.
    pub(super) corrected: Vec<ChildName>,
    /// Whether something was written.
    pub(super) wrote: bool,
    /// When to come back for what was put off.
    pub(super) later: Later,
    /// The first error, for the retry policy.
    pub(super) error: Option<ReconcileError>,
}

impl Applied {
    /// What became of a child.
    pub(super) fn of(&self, name: &ChildName) -> Application {
        self.amiss.get(name).cloned().unwrap_or(Application::AsDesired)
    }

    /// How a reconciliation ends that has said so, or has tried to.
    pub(super) fn end(self, published: Result<Later, ReconcileError>) -> Result<End, ReconcileError> {
        let missing = Application::Obstructed(Obstacle::NotInstalled);
        let end = if self.amiss.values().any(|became| *became == missing) { NOT_INSTALLED } else { DONE };
        // A failed write is the first error; a failure to say so must not hide it.
        let later = self.error.map_or(published, Err)?;
        Ok(end.and_later(earlier(self.later, later)))
    }
}

/// Carries out a plan in the namespace of the object that is visited.
pub(super) async fn apply(
    plan: Plan,
    visit: &Visit,
    existing: &BTreeMap<ChildName, Existing>,
    ctx: &Context,
) -> Applied {
    let namespace = &visit.subject.namespace;
    let mut applied = Applied::default();
    for artifact in &plan.settled {
        settle(artifact, visit, existing, ctx);
    }
    for (name, obstacle) in plan.cannot {
        applied.amiss.insert(name, Application::Obstructed(obstacle));
    }
    for artifact in plan.apply {
        if let Err(error) = ctx.may_write(Some(namespace)) {
            applied.error.get_or_insert(error);
            return applied;
        }
        let name = child_name(&artifact);
        let (present, is_correction) = (existing.get(&name), plan.corrects.contains(&name));
        if let Some(later) = ctx.put_off_replacing(visit, present) {
            // What is in force stays so until then.
            applied.later = earlier(applied.later, Some(later));
            continue;
        }
        if is_correction && let Err(later) = ctx.contests.take(namespace, &name, Instant::now()) {
            applied.later = earlier(applied.later, Some(later));
            applied.amiss.insert(name, Application::Contested { by: others(present) });
            continue;
        }
        match write(&artifact, present, visit, ctx).await {
            Ok(written) => {
                applied.wrote = true;
                // What others added beside our fields stays theirs, and then nothing was put right.
                let is_corrected = is_correction && is_as_desired(&written, &artifact);
                applied.corrected.extend(is_corrected.then_some(name));
            }
            // It is not what it was when this was decided.
            Err(source) if code_of(&source) == 409 => {
                ctx.children.doubt(namespace, &name);
                let object = display(&name, namespace);
                applied.error.get_or_insert(ReconcileError::Outdated { object });
                return applied;
            }
            Err(source) => {
                // It may have been written all the same, so only what was asked for before is known of it.
                let lose = if is_correction { Children::doubt } else { Children::forget };
                lose(&ctx.children, namespace, &name);
                note_failure(&artifact, namespace, source, ctx, &mut applied);
            }
        }
    }
    for name in plan.prune {
        if let Err(error) = prune(&name, existing.get(&name), namespace, ctx).await {
            applied.error.get_or_insert(error);
        }
    }
    applied
}

/// Who has fields of a child besides us.
fn others(present: Option<&Existing>) -> Vec<String> {
    match present {
        Some(Existing::Live { object, .. }) => managed_fields::others(FIELD_MANAGER, object),
        Some(Existing::Settled { .. } | Existing::Gone(_) | Existing::Foreign { .. }) | None => Vec::new(),
    }
}

/// Remembers a child that was read and found as desired.
fn settle(artifact: &Artifact, visit: &Visit, existing: &BTreeMap<ChildName, Existing>, ctx: &Context) {
    let name = child_name(artifact);
    let Some(Existing::Live { object, .. }) = existing.get(&name) else { return };
    let live: Result<DynamicObject, _> = serde_json::from_value(object.clone());
    if let Ok(live) = live {
        remember(artifact, visit, &live, ctx);
    }
}

fn remember(artifact: &Artifact, visit: &Visit, live: &DynamicObject, ctx: &Context) {
    let settled = Settled {
        resource_version: live.metadata.resource_version.clone(),
        fingerprint: Fingerprint::of(artifact),
        generation: visit.generation,
        acceptance: acceptance(live),
    };
    ctx.children.settle(&visit.subject.namespace, &child_name(artifact), settled);
}

async fn write(
    artifact: &Artifact,
    present: Option<&Existing>,
    visit: &Visit,
    ctx: &Context,
) -> Result<Value, kube::Error> {
    let namespace = &visit.subject.namespace;
    let mut object = artifact.to_value();
    // What is replaced is what was looked at: if it has changed by now, is gone, or another has taken its name, the
    // API server refuses. So nothing is lost when this comes late.
    if let Some(version) = present.and_then(Existing::version) {
        object["metadata"]["uid"] = version.uid.into();
        object["metadata"]["resourceVersion"] = version.resource_version.into();
    }
    let api = api(artifact.kind(), namespace, ctx);
    let written = server_side_apply::apply(&api, artifact.name(), &object).await;
    count(artifact.kind(), "patch", written.as_ref().err(), ctx);
    let written = written?;
    remember(artifact, visit, &written, ctx);
    Ok(serde_json::to_value(written).expect("an object that was read should serialise"))
}

fn note_failure(
    artifact: &Artifact,
    namespace: &str,
    source: kube::Error,
    ctx: &Context,
    applied: &mut Applied,
) {
    let object = display(&child_name(artifact), namespace);
    let application = if code_of(&source) == 404 {
        ctx.kinds.note_installed(artifact.kind(), false);
        Application::Obstructed(Obstacle::NotInstalled)
    } else {
        let reason = reason_of(&source);
        let message = match reason {
            reason::FORBIDDEN => format!(
                "the operator may not patch {} in '{namespace}'; grant it with the Role that the chart installs",
                artifact.kind().api_resource().plural
            ),
            _ => format!("failed to apply {object}: {}", message_of(&source)),
        };
        Application::Failed { reason, message }
    };
    applied.amiss.insert(child_name(artifact), application);
    applied.error.get_or_insert(ReconcileError::Apply { object, source });
}

/// Deletes a child of ours that is no longer asked for, and only the one that was looked at.
async fn prune(
    child: &ChildName,
    found: Option<&Existing>,
    namespace: &str,
    ctx: &Context,
) -> Result<(), ReconcileError> {
    ctx.may_write(Some(namespace))?;
    let Some(Version { uid, resource_version }) = found.and_then(Existing::version) else { return Ok(()) };
    let preconditions = Preconditions { uid: Some(uid), resource_version: Some(resource_version) };
    let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    let (kind, name) = child;
    let deleted = api(*kind, namespace, ctx).delete(name, &parameters).await;
    count(*kind, "delete", deleted.as_ref().err(), ctx);
    ctx.children.forget(namespace, child);
    match deleted {
        Ok(_) => Ok(()),
        Err(error) if code_of(&error) == 404 => Ok(()),
        Err(source) => Err(ReconcileError::Prune { object: display(child, namespace), source }),
    }
}

fn display((kind, name): &ChildName, namespace: &str) -> String {
    format!("{kind:?} {namespace}/{name}")
}

fn api(kind: ArtifactKind, namespace: &str, ctx: &Context) -> Api<DynamicObject> {
    Api::namespaced_with(ctx.client.clone(), namespace, &kind.api_resource())
}

fn count(kind: ArtifactKind, verb: &'static str, error: Option<&kube::Error>, ctx: &Context) {
    ctx.metrics
        .written
        .get_or_create(&Written { kind: kind.name(), verb, code: error.map_or(200, code_of) })
        .inc();
}
