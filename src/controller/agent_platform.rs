//! Reconciles an AgentPlatform: judges it and says so. It has no children.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};

use super::context::Context;
use super::error::ReconcileError;
use super::platforms::governing;
use super::poison::locked;
use super::publish::publish_platform;
use crate::api::v1alpha1::AgentPlatform;
use crate::metrics::Reconciled;
use crate::report::PlatformOutcome;
use crate::{report, validate};

/// Time between two looks: how many AgentSLOs it governs, and whether its Prometheus answers.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Reconciles one AgentPlatform.
pub(super) async fn reconcile(
    platform: Arc<AgentPlatform>,
    ctx: Arc<Context>,
) -> Result<Action, ReconcileError> {
    ctx.caches_full.wait().await;
    // One from a file is not in the cluster, so there is no status to write.
    let is_from_a_file = platform.meta().uid.is_none();
    if is_from_a_file || !ctx.tenure.holds_the_cluster() {
        return Ok(Action::requeue(LOOK_EVERY));
    }
    let result = judge(&platform, &ctx).await;
    let label = result.as_ref().err().map_or("ok", ReconcileError::reason);
    ctx.metrics.reconciled.get_or_create(&Reconciled { kind: "AgentPlatform", result: label }).inc();
    result?;
    Ok(Action::requeue(LOOK_EVERY))
}

/// What to do after an error; logs it, once.
// The controller runtime passes these by value.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn after_error(platform: Arc<AgentPlatform>, error: &ReconcileError, _: Arc<Context>) -> Action {
    tracing::warn!(name = platform.name_any(), %error, "will try again");
    Action::requeue(LOOK_EVERY)
}

async fn judge(platform: &AgentPlatform, ctx: &Context) -> Result<(), ReconcileError> {
    let verdict = validate::platform(platform);
    let answer = locked(&ctx.answers).get(&platform.name_any()).cloned();
    let outcome = PlatformOutcome {
        violations: verdict.as_ref().err(),
        prometheus: answer
            .as_ref()
            .map(|answer| answer.as_ref().copied().map_err(|(reason, message)| (*reason, message.as_str()))),
        slos: governed(platform, ctx),
    };
    let generation = platform.meta().generation.unwrap_or_default();
    let status = report::platform(outcome, platform.status.as_ref(), generation, ctx.clock.now());
    publish_platform(platform, status, ctx).await
}

fn governed(platform: &AgentPlatform, ctx: &Context) -> i64 {
    let name = platform.name_any();
    let governs =
        |namespace: &str| governing(ctx, namespace).is_some_and(|platform| platform.name_any() == name);
    let slos = ctx.slos.state_filter(|slo| governs(slo.meta().namespace.as_deref().unwrap_or_default()));
    i64::try_from(slos.len()).unwrap_or(i64::MAX)
}
