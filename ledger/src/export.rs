//! Chains as lines of JSON that somebody without the database can verify: what is disclosed in full, the hashes of what
//! is not, and anchors beside them.
//!
//! ```text
//! {"kind":"stream","version":"agentslo-ledger/1","stream":"team-a/support","after":{"sequence":0,"hash":"…"}}
//! {"kind":"link","sequence":1,"previous":"…","hash":"…","contentHash":"…","salt":"…","canonical":"{…}"}
//! {"kind":"link","sequence":2,"previous":"…","hash":"…","contentHash":"…"}
//! {"kind":"anchor","statement":{…},"key":"…","signature":"…"}
//! ```
//!
//! A `stream` begins the links of a stream, and its anchors follow them. `chain` tells how the hashes are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::anchor::{Anchor, PublicKey};
use crate::chain::{Head, VERSION};
use crate::content::{Content, Salt};
use crate::hash::Sha256;
use crate::verify::{Finding, Link, Verifier};

/// A line of an export.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Line {
    /// A stream begins.
    #[serde(rename_all = "camelCase")]
    Stream {
        /// What is hashed, and how.
        version: String,
        /// Whose chain it is.
        stream: String,
        /// The link before the first that follows.
        after: Head,
    },
    /// A link of it.
    #[serde(rename_all = "camelCase")]
    Link {
        /// Its place.
        sequence: u64,
        /// Hash of the link before.
        previous: Sha256,
        /// Its hash.
        hash: Sha256,
        /// Hash of its content.
        content_hash: Sha256,
        /// Salt of its content, where that is disclosed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        salt: Option<Salt>,
        /// Canonical text of its entry, where that is disclosed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical: Option<String>,
    },
    /// A head of it that was signed.
    Anchor(Anchor),
}

impl Line {
    /// The beginning of a stream.
    #[must_use]
    pub fn stream(stream: &str, after: Head) -> Self {
        Self::Stream { version: VERSION.to_owned(), stream: stream.to_owned(), after }
    }

    /// A link, with its content or without.
    #[must_use]
    pub fn link(link: Link, is_disclosed: bool) -> Self {
        let Link { sequence, previous, hash, content_hash, content } = link;
        let content = content.filter(|_| is_disclosed);
        let (salt, canonical) = content.map(|content| (content.salt, content.canonical)).unzip();
        Self::Link { sequence, previous, hash, content_hash, salt, canonical }
    }

    /// The line, with its end.
    ///
    /// # Panics
    /// Never: it has texts for keys.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a line should be JSON") + "\n"
    }
}

/// What an export shows of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// Whose chain it is.
    pub stream: String,
    /// First and last link, if there are any.
    pub links: Option<(u64, u64)>,
    /// How many of them are disclosed.
    pub disclosed: u64,
    /// The last link that is anchored, and when; what comes later is proven by nothing.
    pub anchored: Option<(u64, String)>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Reads an export, line by line.
#[derive(Debug)]
pub struct Reader<'a> {
    key: Option<&'a PublicKey>,
    number: usize,
    current: Option<Current>,
    shown: Vec<Shown>,
}

/// The stream that is being read.
#[derive(Debug)]
struct Current {
    stream: String,
    after: Head,
    links: Vec<Link>,
    anchors: Vec<(Head, String)>,
}

impl<'a> Reader<'a> {
    /// Takes anchors for proof that were signed with this key; without one they prove nothing.
    #[must_use]
    pub fn new(key: Option<&'a PublicKey>) -> Self {
        Self { key, number: 0, current: None, shown: Vec::new() }
    }

    /// Reads the next line.
    ///
    /// # Errors
    /// What is wrong with it, and which it is.
    pub fn read(&mut self, line: &str) -> Result<(), String> {
        self.number += 1;
        if line.trim().is_empty() {
            return Ok(());
        }
        let line = serde_json::from_str(line).map_err(|error| error.to_string());
        line.and_then(|line| self.take(line)).map_err(|why| format!("line {}: {why}", self.number))
    }

    fn take(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Stream { version, .. } if version != VERSION => {
                Err(format!("this is version '{version}', and only '{VERSION}' is known"))
            }
            Line::Stream { stream, after, .. } => {
                let (links, anchors) = (Vec::new(), Vec::new());
                let before = self.current.replace(Current { stream, after, links, anchors });
                self.shown.extend(before.map(Current::shown));
                Ok(())
            }
            Line::Link { sequence, previous, hash, content_hash, salt, canonical } => {
                let content = salt.zip(canonical).map(|(salt, canonical)| Content { salt, canonical });
                let current = self.current.as_mut().ok_or("a link comes before its stream")?;
                current.links.push(Link { sequence, previous, hash, content_hash, content });
                Ok(())
            }
            Line::Anchor(anchor) => {
                let current = self.current.as_mut().ok_or("an anchor comes before its stream")?;
                if anchor.statement.stream != current.stream {
                    return Err(format!("the anchor is one of '{}'", anchor.statement.stream));
                }
                if let Some(key) = self.key {
                    let head = key.open(&anchor).map_err(|error| error.to_string())?;
                    current.anchors.push((head, anchor.statement.at));
                }
                Ok(())
            }
        }
    }

    /// What was shown, of each stream.
    #[must_use]
    pub fn end(mut self) -> Vec<Shown> {
        self.shown.extend(self.current.map(Current::shown));
        self.shown
    }
}

impl Current {
    fn shown(self) -> Shown {
        let Self { stream, after, links, anchors } = self;
        let anchored: BTreeMap<u64, Sha256> =
            anchors.iter().map(|(head, _)| (head.sequence, head.hash)).collect();
        let mut verifier = Verifier::after(after, &stream, &anchored);
        for link in &links {
            verifier.follow(link);
        }
        let ends = links.first().zip(links.last()).map(|(first, last)| (first.sequence, last.sequence));
        let in_it = |sequence: u64| ends.is_some_and(|(first, last)| (first..=last).contains(&sequence));
        let last = anchors
            .into_iter()
            .filter(|(head, _)| in_it(head.sequence))
            .max_by_key(|(head, _)| head.sequence);
        Shown {
            links: ends,
            disclosed: links.iter().filter(|link| link.content.is_some()).count() as u64,
            anchored: last.map(|(head, at)| (head.sequence, at)),
            findings: verifier.end().into_findings(),
            stream,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::Signer;

    const STREAM: &str = "team-a/support";

    fn signer() -> Signer {
        Signer::from_pem(crate::anchor::KEY_FOR_TESTS.as_bytes()).expect("it should be a key")
    }

    /// An export of three links after another, of which the second is disclosed and the third anchored.
    fn lines() -> Vec<String> {
        let before = Head::of_empty(STREAM).followed_by(STREAM, Sha256::of(&[b"before"]));
        let mut lines = vec![Line::stream(STREAM, before)];
        let mut head = before;
        for text in ["a", "b", "c"] {
            let content = Content { salt: [7; 16].into(), canonical: text.to_owned() };
            let next = head.followed_by(STREAM, content.hash());
            let (sequence, previous, hash, content_hash) =
                (next.sequence, head.hash, next.hash, content.hash());
            let link = Link { sequence, previous, hash, content_hash, content: Some(content) };
            lines.push(Line::link(link, text == "b"));
            head = next;
        }
        lines.push(Line::Anchor(signer().sign(STREAM, head, "2026-01-01T00:00:00Z")));
        lines.iter().map(Line::text).collect()
    }

    fn read(lines: &[String], key: Option<&PublicKey>) -> Result<Shown, String> {
        let mut reader = Reader::new(key);
        lines.iter().try_for_each(|line| reader.read(line))?;
        Ok(reader.end().remove(0))
    }

    #[test]
    fn what_was_exported_is_proven_as_far_as_it_was_anchored() {
        let key = signer().public_key();
        let shown = read(&lines(), Some(&key)).expect("it should read");
        assert_eq!((shown.links, shown.disclosed, shown.findings), (Some((2, 4)), 1, vec![]));
        assert_eq!(shown.anchored, Some((4, "2026-01-01T00:00:00Z".to_owned())));
        let unproven = read(&lines(), None).expect("it should read");
        assert_eq!((unproven.anchored, unproven.findings), (None, vec![]));
        assert!(!lines()[1].contains("canonical"), "what is not disclosed is not there");
    }

    #[test]
    fn whatever_is_done_to_an_export_shows() {
        let key = signer().public_key();
        let found = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = lines();
            change(&mut lines);
            read(&lines, Some(&key)).map(|shown| shown.findings)
        };
        let changed = found(&|lines| lines[2] = lines[2].replace(r#""canonical":"b""#, r#""canonical":"x""#));
        assert_eq!(changed, Ok(vec![Finding::Changed { sequence: 3 }]));
        assert_eq!(found(&|lines| drop(lines.remove(2))), Ok(vec![Finding::Missing { from: 3, to: 3 }]));
        let forged = found(&|lines| lines[4] = lines[4].replace("2026-01-01", "2026-01-02"));
        assert!(forged.as_ref().is_err_and(|why| why.starts_with("line 5: the signature")), "{forged:?}");
        for bad in [vec![lines().remove(1)], vec!["{}".to_owned()]] {
            assert!(read(&bad, None).is_err());
        }
    }
}
