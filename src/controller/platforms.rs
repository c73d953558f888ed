//! Which AgentPlatform governs a namespace.

use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::context::Context;
use super::poison::locked;
use crate::api::v1alpha1::AgentPlatform;
use crate::domain::governance;
use crate::domain::platform::Platform;
use crate::domain::violation::{Rule, Violation, Violations};
use crate::validate;

/// What the platform team decided for a namespace, or safe defaults where it decided nothing.
///
/// # Errors
/// Where the decision is not valid, and no valid one is known from before. Defaults would change the rules
/// that are in force.
pub(super) fn decision(ctx: &Context, namespace: &str) -> Result<Arc<Platform>, Violations> {
    let Some(platform) = governing(ctx, namespace) else { return Ok(Arc::default()) };
    let message = format!(
        "AgentPlatform '{}' governs this namespace and is not valid; the rules stay as they are until it is",
        platform.name_any()
    );
    let violation = Violation { path: "metadata.namespace".to_owned(), rule: Rule::NotPermitted, message };
    match in_force(ctx, &platform) {
        Some(decision) => Ok(decision),
        None => Violations::unless_any(vec![violation], None),
    }
}

/// The oldest platform that selects a namespace, else the oldest that selects none.
pub(super) fn governing(ctx: &Context, namespace: &str) -> Option<Arc<AgentPlatform>> {
    let labels = ctx
        .namespaces
        .get(&ObjectRef::new(namespace))
        .and_then(|namespace| namespace.metadata.labels.clone())
        .unwrap_or_default();
    let platforms = ctx.platforms.state();
    let chosen = governance::governing(platforms.iter().map(AsRef::as_ref), &labels)?.name_any();
    platforms.into_iter().find(|platform| platform.name_any() == chosen)
}

/// The platform, or its last valid form where an edit is not valid.
fn in_force(ctx: &Context, platform: &AgentPlatform) -> Option<Arc<Platform>> {
    let name = platform.name_any();
    let mut valid = locked(&ctx.valid_platforms);
    if let Ok(parsed) = validate::platform(platform) {
        valid.insert(name.clone(), Arc::new(parsed));
    }
    valid.get(&name).cloned()
}
