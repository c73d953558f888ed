//! Before something is replaced or deleted that may follow from a newer spec, or made again, the API server is asked whether
//! what was decided about is still what is there. A cache may be behind, after a restart by a list that a lagging
//! replica answered, and then what follows from an old spec would undo what follows from a newer one.

use std::collections::BTreeMap;
use std::fmt::Debug;

use kube::api::{Api, ListParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::context::Context;
use super::error::ReconcileError;
use crate::plan::{ChildName, Existing, Plan, child_name};

/// Makes sure that the owner is as it was when a plan was made, where the plan puts an end to anything that
/// may be newer.
///
/// # Errors
/// If it has changed or gone meanwhile, or nobody can tell.
pub(super) async fn confirm<K>(
    owner: &K,
    plan: &Plan,
    existing: &BTreeMap<ChildName, Existing>,
    ctx: &Context,
) -> Result<(), ReconcileError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let namespace = owner.namespace().unwrap_or_default();
    let may_be_newer = |name: &ChildName| match existing.get(name) {
        Some(Existing::Settled { .. }) => {
            let settled = ctx.children.settled(&namespace, name);
            settled.is_none_or(|settled| settled.generation > owner.meta().generation)
        }
        // What is gone may have gone with its owner.
        Some(Existing::Live { .. } | Existing::Gone(_)) => true,
        Some(Existing::Foreign { .. }) | None => false,
    };
    if !ends(plan).any(|name| may_be_newer(&name)) {
        return Ok(());
    }
    let name = owner.name_any();
    let object = format!("{} {namespace}/{name}", K::kind(&()));
    let api: Api<K> = Api::namespaced(ctx.client.clone(), &namespace);
    // What people write is listed and never got, so that is what is permitted.
    let only = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = api.list_metadata(&only).await;
    let found = found.map_err(|source| ReconcileError::Gather { object: object.clone(), source })?;
    let is_there = found
        .items
        .iter()
        .any(|live| live.uid() == owner.uid() && live.metadata.generation == owner.meta().generation);
    if is_there { Ok(()) } else { Err(ReconcileError::Outdated { object }) }
}

/// What a plan puts an end to, where it is there.
fn ends(plan: &Plan) -> impl Iterator<Item = ChildName> {
    plan.prune.iter().cloned().chain(plan.apply.iter().map(child_name))
}
