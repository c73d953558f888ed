//! Reads a chain again and says what was done to it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::chain::Head;
use crate::hash::Sha256;

/// A link as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Its place, from 1.
    pub sequence: u64,
    /// Hash of the link before, as it says itself.
    pub previous: Sha256,
    /// Its hash, as it says itself.
    pub hash: Sha256,
    /// Canonical text of its entry.
    pub canonical: String,
}

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase", tag = "finding")]
pub enum Finding {
    /// The entry is not what was hashed.
    Changed {
        /// Where.
        sequence: u64,
    },
    /// There are no links where there were some.
    Missing {
        /// The first that is missing.
        from: u64,
        /// The last that is missing.
        to: u64,
    },
    /// The link does not follow from the one before it: one of the two was put there, moved, or made anew.
    Unlinked {
        /// Where.
        sequence: u64,
    },
    /// There are two links in one place.
    Forked {
        /// Where.
        sequence: u64,
    },
    /// The chain ends before a head that was anchored.
    CutOff {
        /// The last link that is there.
        ends: u64,
        /// The last that is known to have been there.
        anchored: u64,
    },
    /// The link is another than the one that was anchored.
    Rewritten {
        /// Where.
        sequence: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { sequence } => write!(out, "entry {sequence} was changed"),
            Self::Missing { from, to } if from == to => write!(out, "entry {from} is missing"),
            Self::Missing { from, to } => write!(out, "entries {from} to {to} are missing"),
            Self::Unlinked { sequence } => {
                write!(out, "entry {sequence} does not follow from the one before it")
            }
            Self::Forked { sequence } => write!(out, "there are two entries {sequence}"),
            Self::CutOff { ends, anchored } => {
                write!(out, "the chain ends with entry {ends}, and entry {anchored} was anchored")
            }
            Self::Rewritten { sequence } => write!(out, "entry {sequence} is not the one that was anchored"),
        }
    }
}

/// Follows a chain, or a part of it, link by link.
#[derive(Debug)]
pub struct Verifier<'a> {
    stream: &'a str,
    head: Head,
    /// Hashes that were anchored, by place.
    anchored: BTreeMap<u64, Sha256>,
    findings: Vec<Finding>,
}

impl<'a> Verifier<'a> {
    /// Begins after a head that is known to be good, with the anchors of the stream.
    #[must_use]
    pub fn after(head: Head, stream: &'a str, anchors: impl IntoIterator<Item = Head>) -> Self {
        let later = anchors.into_iter().filter(|anchor| anchor.sequence > head.sequence);
        let anchored = later.map(|anchor| (anchor.sequence, anchor.hash)).collect();
        Self { stream, head, anchored, findings: Vec::new() }
    }

    /// Looks at the next link. Goes on with what it says of itself, so that what was done in one place is told once.
    pub fn follow(&mut self, link: &Link) {
        let sequence = link.sequence;
        if sequence <= self.head.sequence {
            self.findings.push(Finding::Forked { sequence });
            return;
        }
        let expected = self.head.sequence + 1;
        if sequence > expected {
            self.findings.push(Finding::Missing { from: expected, to: sequence - 1 });
        } else if link.previous != self.head.hash {
            self.findings.push(Finding::Unlinked { sequence });
        }
        let before = Head { sequence: sequence - 1, hash: link.previous };
        if before.followed_by(self.stream, &link.canonical).hash != link.hash {
            self.findings.push(Finding::Changed { sequence });
        }
        if self.anchored.get(&sequence).is_some_and(|anchored| *anchored != link.hash) {
            self.findings.push(Finding::Rewritten { sequence });
        }
        self.head = Head { sequence, hash: link.hash };
    }

    /// The end of the chain: where it is, and what is wrong.
    #[must_use]
    pub fn end(mut self) -> (Head, Vec<Finding>) {
        let ends = self.head.sequence;
        if let Some((anchored, _)) = self.anchored.last_key_value().filter(|(anchored, _)| **anchored > ends)
        {
            self.findings.push(Finding::CutOff { ends, anchored: *anchored });
        }
        (self.head, self.findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "team-a/support";

    /// A chain of so many links.
    fn chain(texts: &[&str]) -> Vec<Link> {
        let mut head = Head::of_empty(STREAM);
        let mut links = Vec::new();
        for text in texts {
            let next = head.followed_by(STREAM, text);
            let canonical = (*text).to_owned();
            links.push(Link { sequence: next.sequence, previous: head.hash, hash: next.hash, canonical });
            head = next;
        }
        links
    }

    fn head(link: &Link) -> Head {
        Head { sequence: link.sequence, hash: link.hash }
    }

    /// What is found of five links, of which the fourth was anchored, after somebody has done something.
    fn found(attack: impl FnOnce(&mut Vec<Link>)) -> Vec<Finding> {
        let mut links = chain(&["a", "b", "c", "d", "e"]);
        let anchor = head(&links[3]);
        attack(&mut links);
        let mut verifier = Verifier::after(Head::of_empty(STREAM), STREAM, [anchor]);
        for link in &links {
            verifier.follow(link);
        }
        verifier.end().1
    }

    /// The same links with their hashes made anew from a place on, as somebody would who knows how.
    fn made_anew(links: &mut [Link], from: usize) {
        for place in from..links.len() {
            let before = match place.checked_sub(1) {
                Some(before) => head(&links[before]),
                None => Head::of_empty(STREAM),
            };
            let next = before.followed_by(STREAM, &links[place].canonical);
            let link = &mut links[place];
            (link.sequence, link.previous, link.hash) = (next.sequence, before.hash, next.hash);
        }
    }

    #[test]
    fn what_nobody_touched_is_intact() {
        assert_eq!(found(|_| {}), []);
    }

    #[test]
    fn whatever_is_done_to_a_chain_shows() {
        let text = |link: &mut Link| link.canonical = "x".to_owned();
        assert_eq!(found(|links| text(&mut links[1])), [Finding::Changed { sequence: 2 }]);
        assert_eq!(found(|links| drop(links.remove(1))), [Finding::Missing { from: 2, to: 2 }]);
        assert_eq!(found(|links| drop(links.drain(..2))), [Finding::Missing { from: 1, to: 2 }]);
        let twice =
            |links: &mut Vec<Link>| links.insert(2, Link { canonical: "x".to_owned(), ..links[1].clone() });
        assert_eq!(found(twice), [Finding::Forked { sequence: 2 }]);
        assert_eq!(found(|links| links.truncate(3)), [Finding::CutOff { ends: 3, anchored: 4 }]);
        let swapped = found(|links| {
            links.swap(1, 2);
            (links[1].sequence, links[2].sequence) = (2, 3);
        });
        assert!(swapped.contains(&Finding::Unlinked { sequence: 2 }), "{swapped:?}");
    }

    #[test]
    fn a_change_whose_hash_was_made_anew_shows_in_the_next_link() {
        let attack = |links: &mut Vec<Link>| {
            links[1].canonical = "x".to_owned();
            let hash = head(&links[0]).followed_by(STREAM, "x").hash;
            links[1].hash = hash;
        };
        assert_eq!(found(attack), [Finding::Unlinked { sequence: 3 }]);
    }

    #[test]
    fn a_chain_that_was_written_anew_differs_from_its_anchor() {
        let attack = |links: &mut Vec<Link>| {
            links[1].canonical = "x".to_owned();
            made_anew(links, 1);
        };
        assert_eq!(found(attack), [Finding::Rewritten { sequence: 4 }]);
        let inserted = |links: &mut Vec<Link>| {
            links.insert(2, links[0].clone());
            made_anew(links, 2);
        };
        assert_eq!(found(inserted), [Finding::Rewritten { sequence: 4 }]);
    }

    #[test]
    fn what_came_after_the_last_anchor_can_be_written_anew() {
        let attack = |links: &mut Vec<Link>| {
            links[4].canonical = "x".to_owned();
            made_anew(links, 4);
        };
        assert_eq!(found(attack), [], "nothing more is claimed");
    }

    #[test]
    fn a_part_is_verified_by_itself() {
        let links = chain(&["a", "b", "c", "d"]);
        let mut verifier = Verifier::after(head(&links[1]), STREAM, []);
        for link in &links[2..] {
            verifier.follow(link);
        }
        assert_eq!(verifier.end(), (head(&links[3]), vec![]));
    }
}
