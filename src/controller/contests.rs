//! Children that somebody else keeps changing. Each is put right at once a few times and then ever more seldom, so
//! that two who disagree do not write against each other all the time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::poison::locked;
use crate::plan::ChildName;

/// Corrections that nobody waits for.
const FREE: u32 = 3;
/// Pause before the first that is waited for; each further one is three times as long.
const FIRST: Duration = Duration::from_secs(10);
/// Longest pause.
const LONGEST: Duration = Duration::from_mins(5);
/// After so long without a correction everything is forgotten.
const PEACE: Duration = Duration::from_mins(15);

/// All of them, by namespace and name.
#[derive(Default)]
pub(super) struct Contests(Mutex<BTreeMap<(String, ChildName), Contest>>);

struct Contest {
    corrections: u32,
    last: Instant,
}

impl Contests {
    /// Takes a correction, or says how long to wait for it.
    pub(super) fn take(&self, namespace: &str, child: &ChildName, now: Instant) -> Result<(), Duration> {
        let mut all = locked(&self.0);
        all.retain(|_, contest| now.saturating_duration_since(contest.last) < PEACE);
        let key = (namespace.to_owned(), child.clone());
        let contest = all.entry(key).or_insert(Contest { corrections: 0, last: now });
        let due = contest.last + pause(contest.corrections);
        if due > now {
            return Err(due - now);
        }
        *contest = Contest { corrections: contest.corrections + 1, last: now };
        Ok(())
    }
}

fn pause(corrections: u32) -> Duration {
    match corrections.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(further) => (FIRST * 3_u32.pow(further.min(4))).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::ArtifactKind;

    #[test]
    fn who_keeps_changing_a_child_is_answered_ever_more_seldom() {
        let contests = Contests::default();
        let child = |name: &str| (ArtifactKind::PrometheusRule, name.to_owned());
        let start = Instant::now();
        let take = |name: &str, second: u64| {
            contests.take("team", &child(name), start + Duration::from_secs(second))
        };
        for second in 0..3 {
            assert_eq!(take("one", second), Ok(()));
        }
        assert_eq!(take("one", 3), Err(Duration::from_secs(9)));
        assert_eq!(take("other", 3), Ok(()));
        assert_eq!(take("one", 12), Ok(()));
        assert_eq!(take("one", 12), Err(Duration::from_secs(30)));
        assert_eq!(take("one", 42), Ok(()));
        assert_eq!(take("one", 42), Err(Duration::from_secs(90)));
        assert_eq!(take("one", 42 + 900), Ok(()));
        assert_eq!(take("one", 43 + 900), Ok(()), "there was peace");
    }
}
