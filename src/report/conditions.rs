//! Conditions: a transition time moves only when its status flips.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::api::v1alpha1::{Condition, ConditionStatus};
use crate::vocabulary::{condition, reason};

/// Longest message of a condition, in characters; several lines of `kubectl describe`.
const LONGEST_MESSAGE: usize = 1024;

/// What a condition should say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) type_: &'static str,
    pub(super) status: ConditionStatus,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Claim {
    pub(super) fn new(
        type_: &'static str,
        status: ConditionStatus,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { type_, status, reason: reason.into(), message: message.into() }
    }

    /// Says again what an older condition said.
    pub(super) fn repeated(type_: &'static str, condition: &Condition) -> Self {
        Self::new(type_, condition.status, condition.reason.clone(), condition.message.clone())
    }
}

/// The condition of a type.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// The claims as conditions, with the times of those that did not flip.
pub(super) fn carry_over(
    claims: Vec<Claim>,
    old: &[Condition],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    claims
        .into_iter()
        .map(|claim| {
            let before = find(old, claim.type_).filter(|before| before.status == claim.status);
            Condition {
                type_: claim.type_.to_owned(),
                status: claim.status,
                observed_generation: Some(generation),
                last_transition_time: before.map_or(Time(now), |before| before.last_transition_time.clone()),
                reason: claim.reason,
                message: claim.message.chars().take(LONGEST_MESSAGE).collect(),
            }
        })
        .collect()
}

/// What was said before, or that nobody has looked yet.
pub(super) fn repeat_or_pending(type_: &'static str, old: &[Condition]) -> Claim {
    find(old, type_).map_or_else(
        || Claim::new(type_, ConditionStatus::Unknown, reason::PENDING, "not looked at yet"),
        |before| Claim::repeated(type_, before),
    )
}

/// Nothing is under way, and nothing is waited for.
pub(super) fn settled() -> [Claim; 2] {
    [
        Claim::new(
            condition::RECONCILING,
            ConditionStatus::False,
            reason::OBSERVED,
            "this generation was looked at",
        ),
        Claim::new(condition::STALLED, ConditionStatus::False, reason::OBSERVED, "nothing is waited for"),
    ]
}

/// What is said of a child that somebody else keeps changing.
pub(super) fn contested(child: &str, by: &[String]) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
    format!(
        "{child} is not as desired: somebody else{by} keeps changing it, and it is put right at longer and \
         longer intervals, up to five minutes; let them leave it alone"
    )
}

/// Reasons of what does not go on before somebody does something.
const BLOCKING: [&str; 4] =
    [reason::CONFLICT, reason::DEPENDENCY_MISSING, reason::TOO_LARGE, reason::FORBIDDEN];

/// The two abnormal-true conditions of kstatus, by what is amiss: somebody is waited for, or it is tried
/// again.
pub(super) fn progress(amiss: Option<&Claim>) -> [Claim; 2] {
    let [reconciling, stalled] = settled();
    let Some(amiss) = amiss else { return [reconciling, stalled] };
    let abnormal = |type_, reason: &str| {
        Claim::new(type_, ConditionStatus::True, reason.to_owned(), amiss.message.clone())
    };
    if BLOCKING.contains(&amiss.reason.as_str()) {
        return [reconciling, abnormal(condition::STALLED, &amiss.reason)];
    }
    let is_failure = amiss.status == ConditionStatus::False;
    let reason = if is_failure { reason::RETRYING } else { &amiss.reason };
    [abnormal(condition::RECONCILING, reason), stalled]
}
