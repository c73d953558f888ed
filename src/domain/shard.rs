//! Shards: ranges of namespaces, for each of which one replica at a time is responsible. What belongs
//! together in a namespace stays together.

use std::num::NonZeroU16;

use sha2::{Digest, Sha256};

/// How many ranges the namespaces are divided into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shards(NonZeroU16);

impl Shards {
    /// One range with all namespaces in it.
    pub const ONE: Self = Self(NonZeroU16::MIN);

    /// So many ranges.
    #[must_use]
    pub fn new(count: NonZeroU16) -> Self {
        Self(count)
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        usize::from(self.0.get())
    }

    /// The range that a namespace is in: the hash of its name, in ranges of equal length.
    #[must_use]
    pub fn of(self, namespace: &str) -> usize {
        let digest = Sha256::digest(namespace.as_bytes());
        let hash = digest.iter().take(4).fold(0_usize, |hash, byte| hash << 8 | usize::from(*byte));
        (hash * self.count()) >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_namespace_is_in_one_range_and_ranges_are_of_like_size() {
        let shards = Shards::new(NonZeroU16::new(5).unwrap());
        let mut sizes = [0; 5];
        for number in 0..5000 {
            sizes[shards.of(&format!("team-{number}"))] += 1;
        }
        assert!(sizes.iter().all(|size| (900..1100).contains(size)), "{sizes:?}");
        assert_eq!(Shards::ONE.of("anything"), 0);
    }
}
