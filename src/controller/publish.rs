//! Says what there is to say: the status, and Events on transitions.

use std::fmt::Debug;

use kube::api::Api;
use kube::core::{ClusterResourceScope, NamespaceResourceScope};
use kube::runtime::events::{Event, EventType};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::context::Context;
use super::error::{ReconcileError, code_of};
use super::pace::Later;
use super::server_side_apply;
use super::visit::Visit;
use crate::api::v1alpha1::{
    AgentObservability, AgentObservabilityStatus, AgentPlatform, AgentSlo, AgentSloStatus, Condition,
    ConditionStatus,
};
use crate::metrics::Written;
use crate::plan::ChildName;
use crate::report::find_condition;
use crate::vocabulary::{condition, event, reason};

/// Writes the status of an AgentSLO, and has the Events written that its change is worth.
pub(super) async fn publish_slo(
    slo: &AgentSlo,
    status: Option<AgentSloStatus>,
    visit: &Visit,
    ctx: &Context,
) -> Result<Later, ReconcileError> {
    let old = slo.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let new = status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    publish_namespaced(slo, status.as_ref(), transitions(old, new), visit, ctx).await
}

/// Writes the status of an AgentObservability, and has the Events written that its change is worth.
pub(super) async fn publish_observability(
    observability: &AgentObservability,
    status: Option<AgentObservabilityStatus>,
    visit: &Visit,
    ctx: &Context,
) -> Result<Later, ReconcileError> {
    let old = observability.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let new = status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    publish_namespaced(observability, status.as_ref(), transitions(old, new), visit, ctx).await
}

async fn publish_namespaced<K>(
    resource: &K,
    status: Option<&impl Serialize>,
    events: Vec<Event>,
    visit: &Visit,
    ctx: &Context,
) -> Result<Later, ReconcileError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let Some(status) = status else {
        ctx.metrics.suppressed.inc();
        return Ok(None);
    };
    let later = ctx.put_off(visit);
    if later.is_some() {
        return Ok(later);
    }
    let api: Api<K> = namespaced(ctx, &resource.namespace().unwrap_or_default());
    write_status(&api, resource, visit.subject.kind, status, ctx).await?;
    for event in events {
        tell(resource, event, ctx);
    }
    Ok(None)
}

/// Says of each child that somebody else had changed that it is as desired again, unless that was said a
/// short while ago.
pub(super) fn publish_drifts<K: Resource<DynamicType = ()>>(
    owner: &K,
    corrected: &[ChildName],
    ctx: &Context,
) {
    let namespace = owner.namespace().unwrap_or_default();
    for child in corrected.iter().filter(|child| ctx.children.note_drift(&namespace, child)) {
        let (kind, name) = child;
        let note = format!(
            "{} '{name}' was changed or deleted by somebody else and is as desired again; edit the {} instead",
            kind.name(),
            K::kind(&())
        );
        tell(owner, make(EventType::Warning, event::DRIFT_CORRECTED, "Apply", &note), ctx);
    }
}

/// Says that an object changes too often for each change to be acted on.
pub(super) fn publish_throttled<K: Resource<DynamicType = ()>>(object: &K, ctx: &Context) {
    let note = "it changes more often than once a second; changes are put off, and of those that came meanwhile \
                only the newest is acted on";
    tell(object, make(EventType::Warning, event::THROTTLED, "Reconcile", note), ctx);
}

fn tell(subject: &impl Resource<DynamicType = ()>, event: Event, ctx: &Context) {
    if !ctx.events.tell(subject, event) {
        ctx.metrics.events_dropped.inc();
    }
}

/// Writes the status of an AgentPlatform.
pub(super) async fn publish_platform(
    platform: &AgentPlatform,
    status: Option<crate::api::v1alpha1::AgentPlatformStatus>,
    ctx: &Context,
) -> Result<(), ReconcileError> {
    let Some(status) = status else {
        ctx.metrics.suppressed.inc();
        return Ok(());
    };
    let api: Api<AgentPlatform> = cluster_wide(ctx);
    write_status(&api, platform, "AgentPlatform", &status, ctx).await
}

fn namespaced<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(
    ctx: &Context,
    namespace: &str,
) -> Api<K> {
    Api::namespaced(ctx.client.clone(), namespace)
}

fn cluster_wide<K: Resource<Scope = ClusterResourceScope, DynamicType = ()>>(ctx: &Context) -> Api<K> {
    Api::all(ctx.client.clone())
}

/// Applies a status for the version of the object that it was made from; a newer one is a conflict, and
/// the next attempt sees it.
async fn write_status<K>(
    api: &Api<K>,
    resource: &K,
    kind: &'static str,
    status: &impl Serialize,
    ctx: &Context,
) -> Result<(), ReconcileError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    ctx.may_write(resource.meta().namespace.as_deref())?;
    let name = resource.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name, "resourceVersion": resource.meta().resource_version},
        "status": status,
    });
    let written = server_side_apply::apply_status(api, &name, &patch).await;
    let code = written.as_ref().err().map_or(200, code_of);
    ctx.metrics.written.get_or_create(&Written { kind, verb: "patch", code }).inc();
    match written {
        Ok(_) => Ok(()),
        // The object is gone, and nobody is left to read its status.
        Err(error) if code_of(&error) == 404 => Ok(()),
        Err(source) => {
            let namespace = resource.meta().namespace.as_deref().map(|namespace| format!("{namespace}/"));
            Err(ReconcileError::Publish {
                object: format!("{kind} {}{name}", namespace.unwrap_or_default()),
                source,
            })
        }
    }
}

/// The Events that a change of conditions is worth.
fn transitions(old: &[Condition], new: &[Condition]) -> Vec<Event> {
    let flipped = |type_: &'static str| {
        let now = find_condition(new, type_)?;
        let before = find_condition(old, type_);
        let same = before.is_some_and(|before| before.status == now.status && before.reason == now.reason);
        (!same).then_some((before, now))
    };
    let mut events = Vec::new();
    if let Some((before, now)) = flipped(condition::ACCEPTED)
        && now.status == ConditionStatus::False
        && before.is_none_or(|before| before.message != now.message)
    {
        events.push(warning(event::SPEC_REJECTED, "Validate", now));
    }
    for (_, now) in condition::APPLICATIONS.into_iter().filter_map(flipped) {
        match (now.status, now.reason.as_str()) {
            // The reason of the Event is the type of the condition: what was applied.
            (ConditionStatus::True, reason::APPLIED) => events.push(normal(&now.type_, "Apply", now)),
            (_, reason::CONFLICT) => events.push(warning(event::CONFLICT, "Apply", now)),
            (_, reason::DEPENDENCY_MISSING) => events.push(warning(event::DEPENDENCY_MISSING, "Apply", now)),
            _ => {}
        }
    }
    if let Some((before, now)) = flipped(condition::BUDGET_HEALTHY) {
        let was_exhausted = before.is_some_and(|before| before.reason == reason::EXHAUSTED);
        if now.reason == reason::EXHAUSTED {
            events.push(warning(event::BUDGET_EXHAUSTED, "Measure", now));
        } else if was_exhausted && now.status == ConditionStatus::True {
            events.push(normal(event::BUDGET_RECOVERED, "Measure", now));
        }
    }
    if let Some((_, now)) = flipped(condition::TRAFFIC_SUFFICIENT)
        && now.reason == reason::TARGET_FINER_THAN_DATA
    {
        events.push(warning(event::TARGET_FINER_THAN_DATA, "Measure", now));
    }
    if let Some((_, now)) = flipped(condition::AUDIT_INTACT)
        && now.reason == reason::NOT_INTACT
    {
        events.push(warning(event::AUDIT_NOT_INTACT, "Measure", now));
    }
    events
}

fn normal(reason: &str, action: &str, condition: &Condition) -> Event {
    make(EventType::Normal, reason, action, &condition.message)
}

fn warning(reason: &str, action: &str, condition: &Condition) -> Event {
    make(EventType::Warning, reason, action, &condition.message)
}

fn make(type_: EventType, reason: &str, action: &str, note: &str) -> Event {
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note.chars().take(1000).collect()),
        action: action.to_owned(),
        secondary: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::condition::{
        ACCEPTED, AUDIT_INTACT, BUDGET_HEALTHY, RULES_APPLIED, TRAFFIC_SUFFICIENT,
    };
    use ConditionStatus::{False, True, Unknown};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    fn condition(type_: &str, status: ConditionStatus, reason: &str) -> Condition {
        Condition {
            type_: type_.to_owned(),
            status,
            observed_generation: None,
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            reason: reason.to_owned(),
            message: format!("because of {reason}"),
        }
    }

    /// Reasons of the Events that a change is worth; the same condition again is worth none.
    fn events(before: Option<Condition>, after: Condition) -> Vec<String> {
        let after = [after];
        assert_eq!(transitions(&after, &after).len(), 0, "{after:?}");
        let before: Vec<Condition> = before.into_iter().collect();
        transitions(&before, &after).into_iter().map(|event| event.reason).collect()
    }

    #[test]
    fn events_are_written_on_transitions_only() {
        let applied = || condition(RULES_APPLIED, True, reason::APPLIED);
        let spent = || condition(BUDGET_HEALTHY, False, reason::EXHAUSTED);
        let left = || condition(BUDGET_HEALTHY, True, reason::WITHIN_BUDGET);
        let cases = [
            (None, applied(), vec![condition::RULES_APPLIED]),
            (None, condition(RULES_APPLIED, True, reason::NOT_ACCEPTED), vec![]),
            (Some(applied()), condition(RULES_APPLIED, False, reason::CONFLICT), vec![event::CONFLICT]),
            (
                None,
                condition(RULES_APPLIED, False, reason::DEPENDENCY_MISSING),
                vec![event::DEPENDENCY_MISSING],
            ),
            (None, condition(ACCEPTED, False, "InvalidRegex"), vec![event::SPEC_REJECTED]),
            (None, condition(ACCEPTED, True, reason::VALID), vec![]),
            (Some(left()), spent(), vec![event::BUDGET_EXHAUSTED]),
            (Some(spent()), left(), vec![event::BUDGET_RECOVERED]),
            (Some(spent()), condition(BUDGET_HEALTHY, Unknown, reason::NO_SERIES), vec![]),
            (None, left(), vec![]),
            (None, condition(TRAFFIC_SUFFICIENT, False, reason::LOW_TRAFFIC), vec![]),
            (
                Some(condition(TRAFFIC_SUFFICIENT, False, reason::LOW_TRAFFIC)),
                condition(TRAFFIC_SUFFICIENT, False, reason::TARGET_FINER_THAN_DATA),
                vec![event::TARGET_FINER_THAN_DATA],
            ),
            (None, condition(AUDIT_INTACT, Unknown, reason::NOT_OBSERVED), vec![]),
            (
                Some(condition(AUDIT_INTACT, True, reason::INTACT)),
                condition(AUDIT_INTACT, False, reason::NOT_INTACT),
                vec![event::AUDIT_NOT_INTACT],
            ),
        ];
        for (before, after, expected) in cases {
            let about = format!("{before:?} to {after:?}");
            assert_eq!(events(before, after), expected, "{about}");
        }
    }
}
