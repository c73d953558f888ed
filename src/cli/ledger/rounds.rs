//! A round: every chain is verified, and signed where it is intact and has grown.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use agentslo_ledger::anchor::{Anchor, Signer};
use agentslo_ledger::store::{self, Access, Chain, StoreError};
use agentslo_ledger::verify::Verdict;

use super::anchors::{Anchored, Place, last_proven, parsed, proven};
use crate::cli::cluster::Stop;
use crate::cli::files::text_of;

/// How far back a round looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Depth {
    /// To the last anchor of each stream.
    LastAnchor,
    /// To the beginning, beside all anchors.
    Beginning,
}

/// What came of it, for one stream.
pub(super) struct Outcome {
    pub(super) stream: String,
    pub(super) verdict: Verdict,
    /// None where something was done to the chain, or it has not grown since the last one.
    pub(super) anchor: Option<Anchor>,
    /// The last that there is, this one or one from before.
    pub(super) last: Option<Anchor>,
}

/// Who signs, and where that is kept.
pub(super) struct Anchoring<'a> {
    pub(super) access: Access,
    pub(super) signer: Signer,
    pub(super) place: &'a Place,
    /// Those that are meant; none for all.
    pub(super) streams: &'a [String],
}

impl Anchoring<'_> {
    fn means(&self, stream: &String) -> bool {
        self.streams.is_empty() || self.streams.contains(stream)
    }

    /// Verifies and signs, and keeps what was signed.
    ///
    /// # Errors
    /// If the database or the anchors cannot be reached, or an anchor proves nothing.
    pub(super) async fn round(&self, depth: Depth, at: &str) -> Result<Vec<Outcome>, Stop> {
        let lines = self.place.read_if_there().await?.unwrap_or_default();
        let key = self.signer.public_key();
        let mut known = parsed(&lines).map_err(Stop::Usage)?;
        let anchored = match depth {
            Depth::LastAnchor => last_proven(&known, &key),
            Depth::Beginning => proven(&lines, &key),
        };
        let mut anchored = anchored.map_err(Stop::Usage)?;
        anchored.retain(|stream, _| self.means(stream));
        let verdicts = verify(self, anchored.clone(), depth).await;
        let verdicts = verdicts.map_err(|error| Stop::Unreachable(error.to_string()))?;
        let sign = |(stream, verdict): (String, Verdict)| {
            let last = anchored.get(&stream).and_then(|anchored| anchored.last_key_value());
            let has_grown = last.is_none_or(|(sequence, _)| *sequence < verdict.head.sequence);
            let is_to_be = verdict.findings.is_empty() && has_grown && verdict.head.sequence > 0;
            let anchor = is_to_be.then(|| self.signer.sign(&stream, verdict.head, at));
            let before = known.remove(&stream).and_then(|anchors| anchors.into_iter().last());
            let last = anchor.clone().or(before);
            Outcome { stream, verdict, anchor, last }
        };
        let outcomes: Vec<Outcome> = verdicts.into_iter().map(sign).collect();
        let lines: String = outcomes.iter().filter_map(|outcome| outcome.anchor.as_ref()).map(line).collect();
        if !lines.is_empty() {
            self.place.add(&lines).await?;
        }
        Ok(outcomes)
    }
}

/// Verifies those that are meant of the streams that are there and of those that were anchored.
async fn verify(
    anchoring: &Anchoring<'_>,
    mut anchored: BTreeMap<String, Anchored>,
    depth: Depth,
) -> Result<Vec<(String, Verdict)>, StoreError> {
    let access = &anchoring.access;
    let there = store::streams(&access.connect().await?).await?;
    for stream in there.into_iter().filter(|stream| anchoring.means(stream)) {
        anchored.entry(stream).or_default();
    }
    let chain = |(stream, anchored): (String, Anchored)| match depth {
        Depth::LastAnchor => Chain::since_anchor(&stream, anchored),
        Depth::Beginning => Chain::whole(&stream, anchored),
    };
    store::verify(access, anchored.into_iter().map(chain).collect(), 1, Arc::new(|_| {})).await
}

/// An anchor, with the end of its line.
pub(super) fn line(anchor: &Anchor) -> String {
    format!("{}\n", serde_json::to_string(anchor).expect("an anchor should be JSON"))
}

/// The key that signs.
///
/// # Errors
/// If there is none in the file.
pub(super) fn signer(file: &Path) -> Result<Signer, String> {
    Signer::from_pem(text_of(file)?.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))
}
