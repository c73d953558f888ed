//! When to look again: at rest, after an error, and never all at once.

use std::time::Duration;

use super::context::Context;
use super::error::{ReconcileError, Retry};
use super::poison::locked;

/// Time to the next look when nothing happens. What moves wakes its resource by itself; this finds what a
/// lost event hid.
const RESYNC: Duration = Duration::from_mins(10);
/// Time to the next look at a kind that is not installed.
const LOOK_FOR_KIND: Duration = Duration::from_secs(20);
/// Pause after a first conflict; fresh eyes see what was written meanwhile.
const SOON: Duration = Duration::from_millis(200);
/// Longest pause after conflicts in a row.
const LONGEST_SOON: Duration = Duration::from_secs(30);
/// Longest pause after failures in a row.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How a reconciliation without an error ended.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// For the metric.
    pub(super) label: &'static str,
    /// Time to the next look.
    pub(super) next: Duration,
    /// Time to the moment of a write that was put off.
    pub(super) later: Later,
}

/// Time to the moment of a write that was put off, if one was.
pub(super) type Later = Option<Duration>;

impl End {
    const fn then(label: &'static str, next: Duration) -> Self {
        Self { label, next, later: None }
    }

    /// The same, with a write that was put off.
    pub(super) fn and_later(self, later: Later) -> Self {
        Self { later, ..self }
    }
}

/// The earlier of two moments.
pub(super) fn earlier(one: Later, other: Later) -> Later {
    one.into_iter().chain(other).min()
}

pub(super) const DONE: End = End::then("ok", RESYNC);
pub(super) const REJECTED: End = End::then("rejected", RESYNC);
pub(super) const SUSPENDED: End = End::then("suspended", RESYNC);
pub(super) const DELETED: End = End::then("deleted", RESYNC);
pub(super) const UNREADABLE: End = End::then("unreadable", RESYNC);
/// Another replica is responsible.
pub(super) const ELSEWHERE: End = End::then("elsewhere", RESYNC);
pub(super) const NOT_INSTALLED: End = End::then("not_installed", LOOK_FOR_KIND);

/// Whose reconciliation it is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Subject {
    pub(super) kind: &'static str,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Time to the next look after a reconciliation without an error.
pub(super) fn rest(subject: &Subject, end: End, ctx: &Context) -> Duration {
    locked(&ctx.failures).remove(subject);
    let next = spread(end.next, subject);
    // The moment of a write is this object's own, so it need not be spread.
    end.later.map_or(next, |later| later.min(next))
}

/// Time to the next attempt after an error; logs it, once.
pub(super) fn retry(subject: &Subject, error: &ReconcileError, ctx: &Context) -> Duration {
    let failures = {
        let mut failures = locked(&ctx.failures);
        let count = failures.entry(subject.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    };
    let pause = match error.retry() {
        // The cache may stay behind for minutes, where a watch has gone silent.
        Retry::Soon => (SOON * (1 << (failures.saturating_sub(1).min(9)))).min(LONGEST_SOON),
        Retry::Backoff => spread(Duration::from_secs(1 << failures.min(9)).min(LONGEST_PAUSE), subject),
        Retry::Slowly => LONGEST_PAUSE,
    };
    if pause >= Duration::from_secs(1) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let Subject { kind, namespace, name } = subject;
        tracing::warn!(kind, namespace, name, %error, cause, ?pause, "will try again");
    }
    pause
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
