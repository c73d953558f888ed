//! Verifies chains, in pieces, as many at once as there are connections.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use futures::future::try_join_all;
use tokio_postgres::Client;

use super::links::{hash_at, links, milestones};
use super::{Access, StoreError};
use crate::chain::Head;
use crate::hash::Sha256;
use crate::verify::{Finding, Seen, Verdict, Verifier};

/// Links are read in the order of the index. Sorted instead, tens of thousands of contents would go through the
/// database's temporary files first.
const BY_THE_INDEX: &str = "SET enable_sort = off";

/// Links of a piece.
const PIECE: u64 = 50_000;
/// Links after which it is told how many were read.
const TOLD_EVERY: u64 = 1_000;

/// A chain that is to be verified.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Whose it is.
    pub stream: String,
    /// The head that it is read from.
    pub after: Head,
    /// Hashes that were anchored, by place.
    pub anchored: BTreeMap<u64, Sha256>,
}

impl Chain {
    /// All of a stream.
    #[must_use]
    pub fn whole(stream: &str, anchored: BTreeMap<u64, Sha256>) -> Self {
        Self { stream: stream.to_owned(), after: Head::of_empty(stream), anchored }
    }

    /// What came after the last anchor of a stream; all of it where there is none.
    #[must_use]
    pub fn since_anchor(stream: &str, anchored: BTreeMap<u64, Sha256>) -> Self {
        let last =
            anchored.last_key_value().map(|(sequence, hash)| Head { sequence: *sequence, hash: *hash });
        let after = last.unwrap_or_else(|| Head::of_empty(stream));
        Self { stream: stream.to_owned(), after, anchored }
    }
}

/// Told how many links were read since it was told last.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

struct Piece {
    chain: usize,
    after: Head,
    through: Option<u64>,
}

struct Work {
    access: Access,
    chains: Vec<Chain>,
    pieces: Mutex<VecDeque<Piece>>,
    progress: Progress,
}

/// Reads chains by so many connections at once, and says what is to be said of each, in their order.
///
/// # Errors
/// If the database refuses.
///
/// # Panics
/// Never: whoever reads a piece does not, and each chain has one.
pub async fn verify(
    access: &Access,
    chains: Vec<Chain>,
    jobs: usize,
    progress: Progress,
) -> Result<Vec<(String, Verdict)>, StoreError> {
    let client = access.connect().await?;
    let mut pieces = VecDeque::new();
    for (number, chain) in chains.iter().enumerate() {
        let milestones = milestones(&client, &chain.stream, chain.after.sequence, PIECE).await?;
        pieces.extend(parted(number, chain.after, &milestones));
    }
    let work = Arc::new(Work { access: access.clone(), chains, pieces: Mutex::new(pieces), progress });
    let readers = (0..jobs.max(1)).map(|_| tokio::spawn(read_pieces(Arc::clone(&work))));
    let mut seen: BTreeMap<(usize, u64), Seen> = BTreeMap::new();
    for of_one in try_join_all(readers).await.expect("whoever reads a piece should not panic") {
        seen.extend(of_one?);
    }
    let mut verdicts = Vec::new();
    for (number, chain) in work.chains.iter().enumerate() {
        let parts = seen.range((number, 0)..(number + 1, 0)).map(|(_, seen)| seen.clone());
        let whole = parts.reduce(Seen::and).expect("each chain should have a piece");
        let mut verdict = whole.verdict(&chain.anchored);
        verdict.findings.extend(beginning(&client, chain).await?);
        verdicts.push((chain.stream.clone(), verdict));
    }
    Ok(verdicts)
}

/// A long chain is parted at its milestones.
fn parted(chain: usize, after: Head, milestones: &[Head]) -> Vec<Piece> {
    let begins = std::iter::once(after).chain(milestones.iter().copied());
    let ends = milestones.iter().map(|head| Some(head.sequence)).chain([None]);
    begins.zip(ends).map(|(after, through)| Piece { chain, after, through }).collect()
}

async fn read_pieces(work: Arc<Work>) -> Result<Vec<((usize, u64), Seen)>, StoreError> {
    let client = work.access.connect().await?;
    client.batch_execute(BY_THE_INDEX).await?;
    let mut all = Vec::new();
    loop {
        let next = work.pieces.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(piece) = next else { return Ok(all) };
        let seen = read(&client, &work.chains[piece.chain], &piece, &work.progress).await?;
        all.push(((piece.chain, piece.after.sequence), seen));
    }
}

async fn read(
    client: &Client,
    chain: &Chain,
    piece: &Piece,
    progress: &Progress,
) -> Result<Seen, StoreError> {
    let mut links = pin!(links(client, &chain.stream, piece.after.sequence, piece.through).await?);
    let mut verifier = Verifier::after(piece.after, &chain.stream, &chain.anchored);
    let mut untold = 0;
    while let Some(link) = links.try_next().await? {
        verifier.follow(&link);
        untold += 1;
        if untold == TOLD_EVERY {
            progress(std::mem::take(&mut untold));
        }
    }
    progress(untold);
    Ok(verifier.end())
}

/// What is wrong with the link that a chain is read from: it is the one that was anchored, or is not.
async fn beginning(client: &Client, chain: &Chain) -> Result<Option<Finding>, StoreError> {
    let Head { sequence, hash } = chain.after;
    if sequence == 0 {
        return Ok(None);
    }
    Ok(match hash_at(client, &chain.stream, sequence).await? {
        Some(found) if found == hash => None,
        Some(_) => Some(Finding::Rewritten { sequence }),
        None => Some(Finding::Missing { from: sequence, to: sequence }),
    })
}
