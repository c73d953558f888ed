//! How often one object is looked at: several times at once, and then once a second. What comes sooner is
//! put off, and sees whatever was changed by then.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Subject;
use super::poison::locked;

/// Looks at once.
const BURST: u32 = 8;
/// Time in which one more is earned.
const EARNED_IN: Duration = Duration::from_secs(1);
/// Objects that are remembered before those that are at rest again are forgotten.
const MANY: usize = 1024;

/// When each object may be looked at again.
#[derive(Default)]
pub(super) struct Limits {
    busy: Mutex<BTreeMap<Subject, Busy>>,
}

/// An object that has not earned back all its looks.
struct Busy {
    /// The moment at which it will have.
    rested: Instant,
    /// Whether somebody was told that it is put off.
    is_told: bool,
}

impl Limits {
    /// Takes a look at an object, or says how long to wait for the next.
    pub(super) fn take(&self, subject: &Subject, now: Instant) -> Result<(), Duration> {
        let mut all = locked(&self.busy);
        if all.len() > MANY {
            all.retain(|_, busy| busy.rested > now);
        }
        let fresh = || Busy { rested: now, is_told: false };
        let busy = all.entry(subject.clone()).or_insert_with(fresh);
        if busy.rested <= now {
            *busy = fresh();
        }
        let after = busy.rested + EARNED_IN;
        let longest = now + EARNED_IN * BURST;
        if after > longest {
            return Err(after - longest);
        }
        busy.rested = after;
        Ok(())
    }

    /// Notes that somebody is told that an object is put off. False where that was said since it was last
    /// at rest.
    pub(super) fn note_told(&self, subject: &Subject) -> bool {
        let mut all = locked(&self.busy);
        all.get_mut(subject).is_some_and(|busy| !std::mem::replace(&mut busy.is_told, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_looks_are_free_and_then_there_is_one_a_second() {
        let limits = Limits::default();
        let subject =
            |name: &str| Subject { kind: "AgentSLO", namespace: "a".to_owned(), name: name.to_owned() };
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        for _ in 0..BURST {
            assert_eq!(limits.take(&subject("busy"), at(0)), Ok(()));
        }
        assert_eq!(limits.take(&subject("busy"), at(0)), Err(Duration::from_secs(1)));
        assert_eq!(limits.take(&subject("busy"), at(600)), Err(Duration::from_millis(400)));
        assert_eq!(limits.take(&subject("calm"), at(600)), Ok(()));
        assert_eq!(limits.take(&subject("busy"), at(1000)), Ok(()));
        assert_eq!(limits.take(&subject("busy"), at(1000)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn it_is_told_once_until_the_object_has_rested() {
        let limits = Limits::default();
        let subject = Subject { kind: "AgentSLO", namespace: "a".to_owned(), name: "busy".to_owned() };
        let start = Instant::now();
        let tire = |now| while limits.take(&subject, now).is_ok() {};
        tire(start);
        assert!(limits.note_told(&subject));
        tire(start + EARNED_IN);
        assert!(!limits.note_told(&subject), "it was not at rest in between");
        tire(start + EARNED_IN * (BURST + 2));
        assert!(limits.note_told(&subject));
    }
}
