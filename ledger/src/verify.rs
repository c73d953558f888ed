//! Reads a chain again and says what was done to it. A long one may be read in parts, by several at once.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::chain::Head;
use crate::content::Content;
use crate::deed::{self, Deed};
use crate::hash::Sha256;
use crate::ranges::Ranges;

/// A link as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Its place, from 1.
    pub sequence: u64,
    /// Hash of the link before, as it says itself.
    pub previous: Sha256,
    /// Its hash, as it says itself.
    pub hash: Sha256,
    /// Hash of its content, as it says itself.
    pub content_hash: Sha256,
    /// Its content, if it was not taken out.
    pub content: Option<Content>,
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
    /// Contents were taken out, and no entry tells of it.
    Emptied {
        /// The first without a content.
        from: u64,
        /// The last without a content.
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
            Self::Emptied { from, to } if from == to => {
                write!(out, "the content of entry {from} was taken out, and no entry tells of it")
            }
            Self::Emptied { from, to } => {
                write!(out, "the contents of entries {from} to {to} were taken out, and no entry tells of it")
            }
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
    /// Hashes that were anchored, by place.
    anchored: &'a BTreeMap<u64, Sha256>,
    seen: Seen,
}

/// What was seen of a chain, or of a part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Where it began.
    after: Head,
    /// Where it ended.
    head: Head,
    links: u64,
    findings: Vec<Finding>,
    /// The last link that is not there any more, where the chain does not begin with its first.
    let_go: Option<u64>,
    /// Places without a content.
    emptied: Vec<u64>,
    deeds: Vec<Deed>,
}

/// What is to be said of a chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Where it ends.
    pub head: Head,
    /// Links that were read.
    pub links: u64,
    /// Those of them whose content was taken out, as an entry tells.
    pub erased: u64,
    /// What is wrong, in the order of the chain.
    pub findings: Vec<Finding>,
}

impl<'a> Verifier<'a> {
    /// Begins after a head that is known to be good, with the anchors of the stream by place.
    #[must_use]
    pub fn after(head: Head, stream: &'a str, anchored: &'a BTreeMap<u64, Sha256>) -> Self {
        let (findings, emptied, deeds) = (Vec::new(), Vec::new(), Vec::new());
        let seen = Seen { after: head, head, links: 0, findings, let_go: None, emptied, deeds };
        Self { stream, anchored, seen }
    }

    /// Looks at the next link. Goes on with what it says of itself, so that what was done in one place is told once.
    pub fn follow(&mut self, link: &Link) {
        let (sequence, seen) = (link.sequence, &mut self.seen);
        seen.links += 1;
        if sequence <= seen.head.sequence {
            seen.findings.push(Finding::Forked { sequence });
            return;
        }
        let before = Head { sequence: sequence - 1, hash: link.previous };
        if sequence == seen.head.sequence + 1 {
            if before.hash != seen.head.hash {
                seen.findings.push(Finding::Unlinked { sequence });
            }
        } else if seen.head.sequence == 0 {
            seen.let_go = Some(before.sequence);
            if is_another(self.anchored, before) {
                seen.findings.push(Finding::Rewritten { sequence: before.sequence });
            }
        } else {
            let from = seen.head.sequence + 1;
            seen.findings.push(Finding::Missing { from, to: before.sequence });
        }
        seen.head = Head { sequence, hash: link.hash };
        if !is_whole(link, before, self.stream) {
            seen.findings.push(Finding::Changed { sequence });
        }
        if is_another(self.anchored, seen.head) {
            seen.findings.push(Finding::Rewritten { sequence });
        }
        match &link.content {
            Some(content) => seen.deeds.extend(Deed::told_by(&content.canonical)),
            None => seen.emptied.push(sequence),
        }
    }

    /// What was seen.
    #[must_use]
    pub fn end(self) -> Seen {
        self.seen
    }
}

/// Whether a link has the hash that its content and its place should give it.
fn is_whole(link: &Link, before: Head, stream: &str) -> bool {
    before.followed_by(stream, link.content_hash).hash == link.hash
        && link.content.as_ref().is_none_or(|content| content.hash() == link.content_hash)
}

fn is_another(anchored: &BTreeMap<u64, Sha256>, head: Head) -> bool {
    anchored.get(&head.sequence).is_some_and(|anchored| *anchored != head.hash)
}

impl Seen {
    /// This part and the one that was read from its end on.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        if next.after != self.head {
            let sequence = next.after.sequence + 1;
            self.findings.push(Finding::Unlinked { sequence });
        }
        self.head = next.head;
        self.links += next.links;
        self.findings.extend(next.findings);
        self.emptied.extend(next.emptied);
        self.deeds.extend(next.deeds);
        self
    }

    /// What is wrong with the links that were seen, where nobody says that they are all.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// What is to be said of the whole, beside the anchors of the stream by place.
    #[must_use]
    pub fn verdict(self, anchored: &BTreeMap<u64, Sha256>) -> Verdict {
        let Self { head, links, mut findings, emptied, deeds, let_go, .. } = self;
        let told = deed::erased(&deeds);
        let (erased, untold): (Vec<u64>, Vec<u64>) =
            emptied.into_iter().partition(|place| told.contains(*place));
        let untold = Ranges::of_places(&untold);
        findings.extend(untold.as_slice().iter().map(|(from, to)| Finding::Emptied { from: *from, to: *to }));
        if let Some(to) = let_go.filter(|gone| !deeds.contains(&Deed::LetGo(*gone))) {
            findings.push(Finding::Missing { from: 1, to });
        }
        let ends = head.sequence;
        if let Some((anchored, _)) = anchored.last_key_value().filter(|(anchored, _)| **anchored > ends) {
            findings.push(Finding::CutOff { ends, anchored: *anchored });
        }
        findings.sort_by_key(Finding::place);
        Verdict { head, links, erased: erased.len() as u64, findings }
    }
}

impl Finding {
    /// Where it is.
    fn place(&self) -> u64 {
        match self {
            Self::Changed { sequence }
            | Self::Unlinked { sequence }
            | Self::Forked { sequence }
            | Self::Rewritten { sequence } => *sequence,
            Self::Missing { from, .. } | Self::Emptied { from, .. } => *from,
            Self::CutOff { ends, .. } => *ends,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "team-a/support";

    /// A chain of so many links.
    fn chain(texts: &[&str]) -> Vec<Link> {
        let mut links: Vec<Link> = texts.iter().map(|text| link(text)).collect();
        made_anew(&mut links, 0);
        links
    }

    /// A link without a place.
    fn link(text: &str) -> Link {
        let content = Content { salt: [7; 16].into(), canonical: text.to_owned() };
        let nothing = Sha256::of(&[]);
        Link {
            sequence: 0,
            previous: nothing,
            hash: nothing,
            content_hash: content.hash(),
            content: Some(content),
        }
    }

    fn head(link: &Link) -> Head {
        Head { sequence: link.sequence, hash: link.hash }
    }

    /// What is found of five links, of which the fourth was anchored, after somebody has done something.
    fn found(attack: impl FnOnce(&mut Vec<Link>)) -> Vec<Finding> {
        let mut links = chain(&["a", "b", "c", "d", "e"]);
        let anchored = BTreeMap::from([(4, links[3].hash)]);
        attack(&mut links);
        let whole = verdict(&links, &anchored);
        // Read in two parts it is the same.
        for middle in 1..links.len() {
            let (first, rest) = links.split_at(middle);
            let seen = |after, part: &[Link]| {
                let mut verifier = Verifier::after(after, STREAM, &anchored);
                for link in part {
                    verifier.follow(link);
                }
                verifier.end()
            };
            let first_seen = seen(Head::of_empty(STREAM), first);
            let both = first_seen.clone().and(seen(first_seen.head, rest));
            assert_eq!(both.verdict(&anchored), whole, "in two parts, the first of {middle}");
        }
        whole.findings
    }

    fn verdict(links: &[Link], anchored: &BTreeMap<u64, Sha256>) -> Verdict {
        let mut verifier = Verifier::after(Head::of_empty(STREAM), STREAM, anchored);
        for link in links {
            verifier.follow(link);
        }
        verifier.end().verdict(anchored)
    }

    /// The same links with their hashes made anew from a place on, as somebody would who knows how.
    fn made_anew(links: &mut [Link], from: usize) {
        for place in from..links.len() {
            let before = match place.checked_sub(1) {
                Some(before) => head(&links[before]),
                None => Head::of_empty(STREAM),
            };
            let next = before.followed_by(STREAM, links[place].content_hash);
            let link = &mut links[place];
            (link.sequence, link.previous, link.hash) = (next.sequence, before.hash, next.hash);
        }
    }

    #[test]
    fn what_nobody_touched_is_intact() {
        assert_eq!(found(|_| {}), []);
    }

    /// Puts another text into a link, and its hash beside it.
    fn put(link: &mut Link, text: &str) {
        let other = self::link(text);
        (link.content, link.content_hash) = (other.content, other.content_hash);
    }

    #[test]
    fn whatever_is_done_to_a_chain_shows() {
        let text = |link: &mut Link| link.content = self::link("x").content;
        assert_eq!(found(|links| text(&mut links[1])), [Finding::Changed { sequence: 2 }]);
        assert_eq!(found(|links| put(&mut links[1], "x")), [Finding::Changed { sequence: 2 }]);
        assert_eq!(found(|links| drop(links.remove(1))), [Finding::Missing { from: 2, to: 2 }]);
        assert_eq!(found(|links| drop(links.drain(..2))), [Finding::Missing { from: 1, to: 2 }]);
        assert_eq!(found(|links| links[1].content = None), [Finding::Emptied { from: 2, to: 2 }]);
        let twice = |links: &mut Vec<Link>| links.insert(2, Link { sequence: 2, ..self::link("x") });
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
            put(&mut links[1], "x");
            links[1].hash = head(&links[0]).followed_by(STREAM, links[1].content_hash).hash;
        };
        assert_eq!(found(attack), [Finding::Unlinked { sequence: 3 }]);
    }

    #[test]
    fn a_chain_that_was_written_anew_differs_from_its_anchor() {
        let attack = |links: &mut Vec<Link>| {
            put(&mut links[1], "x");
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
            put(&mut links[4], "x");
            made_anew(links, 4);
        };
        assert_eq!(found(attack), [], "nothing more is claimed");
    }

    /// Links of which the last tells what a keeper did.
    fn after_a(deed: &Deed) -> Vec<Link> {
        chain(&["a", "b", "c", &deed.entry(1, "").canonical()])
    }

    #[test]
    fn what_a_keeper_takes_out_is_told_by_the_chain_itself() {
        let mut links = after_a(&Deed::Erased(vec![(1, 2)]));
        (links[0].content, links[1].content) = (None, None);
        let erased = verdict(&links, &BTreeMap::new());
        assert_eq!((erased.erased, erased.findings), (2, vec![]));
        links[2].content = None;
        let more = verdict(&links, &BTreeMap::new());
        assert_eq!((more.erased, more.findings), (2, vec![Finding::Emptied { from: 3, to: 3 }]));
    }

    #[test]
    fn a_chain_may_begin_where_a_keeper_let_go() {
        let links = after_a(&Deed::LetGo(2));
        let anchored = BTreeMap::from([(2, links[1].hash)]);
        assert_eq!(verdict(&links[2..], &anchored).findings, []);
        assert_eq!(verdict(&links[2..], &BTreeMap::new()).findings, []);
        assert_eq!(verdict(&links[3..], &anchored).findings, [Finding::Missing { from: 1, to: 3 }]);
        let other = BTreeMap::from([(2, links[0].hash)]);
        assert_eq!(verdict(&links[2..], &other).findings, [Finding::Rewritten { sequence: 2 }]);
    }
}
