//! What is said of an agent's chain in the ledger.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::conditions::{Claim, repeat_or_pending};
use crate::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use crate::api::v1alpha1::{Audit, Condition};
use crate::domain::ledger::VERIFIED_WITHIN;
use crate::domain::observability::Observability;
use crate::domain::sighting::{AuditSeen, Sighting};
use crate::vocabulary::{condition, reason};

/// How much later a chain must have been verified before that is worth a write.
const NEWS: SignedDuration = SignedDuration::from_hours(1);

/// The figures, unchanged as long as they are nearly true; none where nothing is to be entered.
pub(super) fn update(
    observability: &Observability,
    before: Option<&Audit>,
    sighting: &Sighting,
) -> Option<Audit> {
    observability.ledger()?;
    let Some(figures) = seen(sighting).and_then(figures) else { return before.cloned() };
    let is_nearly = |before: &&Audit| {
        before.intact == figures.intact
            && before.head_sequence.is_some() == figures.head_sequence.is_some()
            && figures.last_verified.0.duration_since(before.last_verified.0) < NEWS
    };
    Some(before.filter(is_nearly).cloned().unwrap_or(figures))
}

fn seen(sighting: &Sighting) -> Option<&AuditSeen> {
    match sighting {
        Sighting::Seen(seen) => seen.audit.as_ref(),
        Sighting::NoPrometheus | Sighting::Pending | Sighting::Failed { .. } => None,
    }
}

fn figures(seen: &AuditSeen) -> Option<Audit> {
    let (head_sequence, head_hash) = seen.head.clone().unzip();
    Some(Audit {
        intact: if seen.is_intact { True } else { False },
        last_verified: Time(Timestamp::from_second(seen.verified_at).ok()?),
        head_sequence,
        head_hash,
    })
}

/// Whether nothing was done to the chain; nothing is said where nothing is to be entered.
pub(super) fn intact(
    observability: &Observability,
    sighting: &Sighting,
    old: &[Condition],
    now: Timestamp,
) -> Option<Claim> {
    observability.ledger()?;
    let type_ = condition::AUDIT_INTACT;
    let stream = observability.stream();
    Some(match sighting {
        Sighting::NoPrometheus => {
            let message = "no AgentPlatform names a Prometheus, so nobody hears whoever verifies the chain";
            Claim::new(type_, Unknown, reason::PROMETHEUS_UNKNOWN, message)
        }
        Sighting::Pending => repeat_or_pending(type_, old),
        Sighting::Failed { reason, message } => Claim::new(type_, Unknown, *reason, message.clone()),
        Sighting::Seen(seen) => match &seen.audit {
            None => {
                let message = format!(
                    "nobody says anything about chain '{stream}': nothing was entered yet, or the pods of the \
                     ledger do not run, or Prometheus does not select their PodMonitor"
                );
                Claim::new(type_, Unknown, reason::NOT_OBSERVED, message)
            }
            Some(audit) => verdict(&stream, audit, now),
        },
    })
}

fn verdict(stream: &str, audit: &AuditSeen, now: Timestamp) -> Claim {
    let type_ = condition::AUDIT_INTACT;
    if !audit.is_intact {
        let message = format!(
            "something was done to chain '{stream}': `agentslo ledger verify` with the anchors and their public \
             key names the place"
        );
        return Claim::new(type_, False, reason::NOT_INTACT, message);
    }
    let since = now.as_second().saturating_sub(audit.verified_at);
    if since > VERIFIED_WITHIN {
        let message =
            format!("nobody has verified chain '{stream}' in the last {} minutes", VERIFIED_WITHIN / 60);
        return Claim::new(type_, Unknown, reason::NOT_VERIFIED, message);
    }
    let message = format!("nothing was done to chain '{stream}' up to its last signature");
    Claim::new(type_, True, reason::INTACT, message)
}
