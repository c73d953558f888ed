//! When to look again: at rest, after an error, and never all at once.

use std::time::Duration;

use kube::runtime::controller::Action;

use super::context::Context;
use super::error::{ReconcileError, Retry};
use super::poison::locked;

/// Time to the next look when nothing happens. What moves wakes its resource by itself; this finds what a
/// lost event hid.
const RESYNC: Duration = Duration::from_mins(10);
/// Time to the next look at a kind that is not installed.
const LOOK_FOR_KIND: Duration = Duration::from_secs(20);
/// Longest pause after failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How a reconciliation without an error ended.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// For the metric.
    pub(super) label: &'static str,
    /// Time to the next look.
    pub(super) next: Duration,
}

pub(super) const DONE: End = End { label: "ok", next: RESYNC };
pub(super) const REJECTED: End = End { label: "rejected", next: RESYNC };
pub(super) const SUSPENDED: End = End { label: "suspended", next: RESYNC };
pub(super) const DELETED: End = End { label: "deleted", next: RESYNC };
pub(super) const UNREADABLE: End = End { label: "unreadable", next: RESYNC };
/// Another replica is responsible.
pub(super) const ELSEWHERE: End = End { label: "elsewhere", next: RESYNC };
pub(super) const NOT_INSTALLED: End = End { label: "not_installed", next: LOOK_FOR_KIND };

/// Whose reconciliation it is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Subject {
    pub(super) kind: &'static str,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// What to do after a reconciliation without an error.
pub(super) fn rest(subject: &Subject, end: End, ctx: &Context) -> Action {
    locked(&ctx.failures).remove(subject);
    Action::requeue(spread(end.next, subject))
}

/// What to do after an error; logs it, once.
pub(super) fn retry(subject: &Subject, error: &ReconcileError, ctx: &Context) -> Action {
    let failures = {
        let mut failures = locked(&ctx.failures);
        let count = failures.entry(subject.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    };
    let pause = match error.retry() {
        Retry::Soon => Duration::from_millis(200),
        Retry::Backoff => spread(Duration::from_secs(1 << failures.min(9)).min(LONGEST_PAUSE), subject),
        Retry::Slowly => LONGEST_PAUSE,
    };
    if error.retry() != Retry::Soon {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let Subject { kind, namespace, name } = subject;
        tracing::warn!(kind, namespace, name, %error, cause, ?pause, "will try again");
    }
    Action::requeue(pause)
}

/// A pause that differs by up to a quarter between objects, so that they do not all come at once.
fn spread(pause: Duration, subject: &Subject) -> Duration {
    let hash = subject
        .namespace
        .bytes()
        .chain(subject.name.bytes())
        .fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    pause.mul_f64(0.75 + f64::from(hash % 256) / 1024.0)
}
