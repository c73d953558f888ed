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
    /// The moment at which an object has earned back all its looks.
    rested: Mutex<BTreeMap<Subject, Instant>>,
}

impl Limits {
    /// Takes a look at an object, or says how long to wait for the next.
    pub(super) fn take(&self, subject: &Subject, now: Instant) -> Result<(), Duration> {
        let mut rested = locked(&self.rested);
        if rested.len() > MANY {
            rested.retain(|_, rested| *rested > now);
        }
        let before = rested.get(subject).copied().unwrap_or(now).max(now);
        let after = before + EARNED_IN;
        let longest = now + EARNED_IN * BURST;
        if after > longest {
            return Err(after - longest);
        }
        rested.insert(subject.clone(), after);
        Ok(())
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
}
