//! The way from what an owner asks for to what is there: plan, confirm, apply, and say what was put right.

use std::fmt::Debug;

use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::apply::{Applied, apply};
use super::confirm::confirm;
use super::context::Context;
use super::error::ReconcileError;
use super::gather::Found;
use super::publish::publish_drifts;
use super::visit::Visit;
use crate::plan::plan;
use crate::render::Artifacts;

/// Brings about what an owner asks for.
///
/// # Errors
/// If the owner or what is there may have changed meanwhile. What could not be written is told in the answer.
pub(super) async fn bring_about<K>(
    owner: &K,
    artifacts: Artifacts,
    found: &Found,
    visit: &Visit,
    ctx: &Context,
) -> Result<Applied, ReconcileError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let plan = plan(artifacts.owned_by(owner), &found.existing, &found.installed);
    confirm(owner, &plan, &found.existing, ctx).await?;
    let applied = apply(plan, visit, &found.existing, ctx).await;
    if applied.wrote {
        let (kind, namespace) = (K::kind(&()), owner.namespace());
        tracing::info!(%kind, namespace, name = owner.name_any(), "what it asks for was written");
    }
    publish_drifts(owner, &applied.corrected, ctx);
    match applied.error {
        Some(outdated @ ReconcileError::Outdated { .. }) => Err(outdated),
        Some(_) | None => Ok(applied),
    }
}
