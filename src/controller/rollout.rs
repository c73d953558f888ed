//! When a new version of the operator changes what is in force already. Prometheus reads all of its rules
//! anew whenever one of them changes, which takes half a minute where there are many. So they change
//! together, a hundredth of all in a minute, and a mistake of ours does not reach all of them at once.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::pace::Subject;

/// Time between two batches.
const BETWEEN: Duration = Duration::from_mins(1);
/// Most batches.
const BATCHES: usize = 100;
/// Owners in a batch at least.
const SMALLEST: usize = 20;

/// Time after the start at which the batch of an object comes, where there are so many in all.
pub(super) fn due(subject: &Subject, all: usize) -> Duration {
    let batches = all.div_ceil(SMALLEST).clamp(1, BATCHES);
    let digest = Sha256::digest(format!("{}/{}", subject.namespace, subject.name).as_bytes());
    let hash = digest.iter().take(4).fold(0_usize, |hash, byte| hash << 8 | usize::from(*byte));
    BETWEEN * u32::try_from(hash % batches).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Size of each batch.
    fn batches(all: usize) -> Vec<usize> {
        let mut sizes: BTreeMap<Duration, usize> = BTreeMap::new();
        for number in 0..all {
            let name = format!("slo-{number}");
            let subject = Subject { kind: "AgentSLO", namespace: "team".to_owned(), name };
            *sizes.entry(due(&subject, all)).or_default() += 1;
        }
        sizes.into_values().collect()
    }

    #[test]
    fn few_change_at_once_and_many_in_a_hundred_batches() {
        assert_eq!(batches(20), [20]);
        assert_eq!(batches(100).len(), 5);
        let many = batches(10_000);
        assert_eq!(many.len(), 100);
        assert!(many.iter().all(|size| (60..140).contains(size)), "{many:?}");
    }
}
