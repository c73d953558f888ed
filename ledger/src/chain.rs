//! A chain: each link carries the hash of the one before it. The first follows a hash of the stream's own name, so
//! that no stream can pass for another.
//!
//! The hash of a link is the SHA-256 of five lines without a last line feed:
//!
//! ```text
//! agentslo-ledger/1
//! <stream>
//! <sequence, from 1>
//! <hash of the link before, in hexadecimal digits>
//! <hash of its content, in hexadecimal digits>
//! ```
//!
//! and the hash of a content that of two:
//!
//! ```text
//! <salt, in hexadecimal digits>
//! <canonical text of the entry>
//! ```

use serde::{Deserialize, Serialize};

use crate::hash::Sha256;

/// What is hashed, and how. A change of either is another version.
pub const VERSION: &str = "agentslo-ledger/1";

/// Where a chain ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many links there are.
    pub sequence: u64,
    /// Hash of the last.
    pub hash: Sha256,
}

impl Head {
    /// That of a stream without entries.
    #[must_use]
    pub fn of_empty(stream: &str) -> Self {
        Self { sequence: 0, hash: Sha256::of(&[VERSION.as_bytes(), b"\n", stream.as_bytes()]) }
    }

    /// Where the chain ends when a content with this hash follows.
    #[must_use]
    pub fn followed_by(&self, stream: &str, content: Sha256) -> Self {
        let sequence = self.sequence + 1;
        let (place, before, content) = (sequence.to_string(), self.hash.digits(), content.digits());
        let [version, stream, place, before, content] =
            [VERSION, stream, &place, before.as_str(), content.as_str()].map(str::as_bytes);
        let lines = [version, b"\n", stream, b"\n", place, b"\n", before, b"\n", content];
        Self { sequence, hash: Sha256::of(&lines) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_all_that_it_should() {
        let (content, other) = (Sha256::of(&[b"one"]), Sha256::of(&[b"other"]));
        let head = Head::of_empty("team-a/support");
        let next = head.followed_by("team-a/support", content);
        assert_eq!(next.sequence, 1);
        // printf 'agentslo-ledger/1\nteam-a/support' | sha256sum, and the five lines in the same way.
        let empty = Sha256::of(&[b"agentslo-ledger/1\nteam-a/support"]);
        assert_eq!(head.hash, empty);
        let lines = format!("agentslo-ledger/1\nteam-a/support\n1\n{empty}\n{content}");
        assert_eq!(next.hash, Sha256::of(&[lines.as_bytes()]));
        let others = [
            head.followed_by("team-a/billing", content),
            head.followed_by("team-a/support", other),
            next.followed_by("team-a/support", content),
            Head::of_empty("team-b/support").followed_by("team-a/support", content),
        ];
        assert!(others.iter().all(|other| other.hash != next.hash));
    }
}
