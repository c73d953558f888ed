//! Appends events to the chains of their streams, in one transaction for all of a batch. Whoever appends to a stream
//! holds its lock until the end of the transaction, so nobody else sees the same head. An event that is there already
//! is not entered again.

use std::collections::{BTreeMap, BTreeSet};

use ring::rand::SystemRandom;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Transaction};

use super::links::{head, sha256};
use super::{StoreError, accounts};
use crate::chain::Head;
use crate::content::{Salt, hash_of};
use crate::hash::Sha256;
use crate::intake::Received;

/// Added to the number of a stream for the number of its lock, so that no other program takes it by chance.
const LOCKS: i64 = 7_310_001 << 40;

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Appended {
    /// Events that were entered.
    pub entered: usize,
    /// Events that were there already.
    pub known: usize,
}

/// A connection of somebody who may insert and read.
pub struct Ledger {
    client: Client,
    /// Numbers of the streams that are known.
    streams: BTreeMap<String, i64>,
}

/// An entry that is to be inserted.
pub(super) struct New<'a> {
    pub(super) stream: i64,
    before: Head,
    pub(super) after: Head,
    salt: Salt,
    content_hash: Sha256,
    pub(super) received: &'a Received,
}

impl Ledger {
    /// Uses a connection.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, streams: BTreeMap::new() }
    }

    /// Appends events, in the order of the batch. All of them are in the database when this returns, or none.
    ///
    /// # Errors
    /// If the database did not commit. It may have committed all the same, where only its answer was lost: then the
    /// same batch again enters nothing twice.
    pub async fn append(&mut self, batch: &[Received]) -> Result<Appended, StoreError> {
        self.learn_streams(batch).await?;
        let transaction = self.client.transaction().await?;
        let appended = append_within(&transaction, batch, &self.streams).await?;
        transaction.commit().await?;
        Ok(appended)
    }

    async fn learn_streams(&mut self, batch: &[Received]) -> Result<(), StoreError> {
        let names: BTreeSet<&str> = batch.iter().map(|event| event.stream.as_str()).collect();
        let unknown: Vec<&str> = names.into_iter().filter(|name| !self.streams.contains_key(*name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let statement = "INSERT INTO ledger.stream (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
        self.client.execute(statement, &[&unknown]).await?;
        let statement = "SELECT name, id FROM ledger.stream WHERE name = ANY ($1::text[])";
        let rows = self.client.query(statement, &[&unknown]).await?;
        self.streams.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
        Ok(())
    }
}

/// Appends events in a transaction of somebody else. Their streams must be known.
pub(super) async fn append_within(
    transaction: &Transaction<'_>,
    batch: &[Received],
    streams: &BTreeMap<String, i64>,
) -> Result<Appended, StoreError> {
    let numbers: BTreeSet<i64> = batch.iter().map(|event| streams[&event.stream]).collect();
    let numbers: Vec<i64> = numbers.into_iter().collect();
    lock(transaction, &numbers).await?;
    let heads = heads(transaction, &numbers).await?;
    let known = known(transaction, batch, streams).await?;
    let new = chained(batch, streams, heads, known)?;
    insert(transaction, &new).await?;
    accounts::enter(transaction, &new).await?;
    Ok(Appended { entered: new.len(), known: batch.len() - new.len() })
}

/// Takes the locks of the streams in the order of their numbers, so that two batches never wait for each other.
pub(super) async fn lock(transaction: &Transaction<'_>, streams: &[i64]) -> Result<(), StoreError> {
    let statement = transaction.prepare("SELECT pg_advisory_xact_lock($1)").await?;
    for stream in streams {
        transaction.execute(&statement, &[&(LOCKS + stream)]).await?;
    }
    Ok(())
}

async fn heads(transaction: &Transaction<'_>, streams: &[i64]) -> Result<BTreeMap<i64, Head>, StoreError> {
    let statement = "SELECT stream, last.sequence, last.hash FROM unnest($1::bigint[]) AS stream \
                     CROSS JOIN LATERAL (SELECT sequence, hash FROM ledger.entry WHERE entry.stream = stream.stream \
                     ORDER BY sequence DESC LIMIT 1) AS last";
    let rows = transaction.query(statement, &[&streams]).await?;
    rows.iter().map(|row| Ok((row.get(0), head(row)?))).collect()
}

/// Events of a batch that are entered already.
async fn known(
    transaction: &Transaction<'_>,
    batch: &[Received],
    streams: &BTreeMap<String, i64>,
) -> Result<BTreeSet<(i64, Sha256)>, StoreError> {
    let numbers: Vec<i64> = batch.iter().map(|event| streams[&event.stream]).collect();
    let ids: Vec<&[u8]> = batch.iter().map(|event| event.id.bytes().as_slice()).collect();
    let statement = "SELECT stream, event_id FROM unnest($1::bigint[], $2::bytea[]) AS new (stream, event_id) \
                     JOIN ledger.entry USING (stream, event_id)";
    let rows = transaction.query(statement, &[&numbers, &ids]).await?;
    rows.iter().map(|row| Ok((row.get(0), sha256(row.get(1))?))).collect()
}

/// The events that are new, each after the one before it.
fn chained<'a>(
    batch: &'a [Received],
    streams: &BTreeMap<String, i64>,
    mut heads: BTreeMap<i64, Head>,
    mut known: BTreeSet<(i64, Sha256)>,
) -> Result<Vec<New<'a>>, StoreError> {
    let random = SystemRandom::new();
    let mut new = Vec::new();
    for received in batch {
        let stream = streams[&received.stream];
        if !known.insert((stream, received.id)) {
            continue;
        }
        let head = heads.entry(stream).or_insert_with(|| Head::of_empty(&received.stream));
        let before = *head;
        let salt = Salt::random(&random)?;
        let content_hash = hash_of(salt, &received.canonical);
        *head = before.followed_by(&received.stream, content_hash);
        new.push(New { stream, before, after: *head, salt, content_hash, received });
    }
    Ok(new)
}

async fn insert(transaction: &Transaction<'_>, new: &[New<'_>]) -> Result<(), StoreError> {
    let streams: Vec<i64> = new.iter().map(|new| new.stream).collect();
    let sequences: Vec<i64> = new.iter().map(|new| new.after.sequence.cast_signed()).collect();
    let previous: Vec<&[u8]> = new.iter().map(|new| new.before.hash.bytes().as_slice()).collect();
    let hashes: Vec<&[u8]> = new.iter().map(|new| new.after.hash.bytes().as_slice()).collect();
    let contents: Vec<&[u8]> = new.iter().map(|new| new.content_hash.bytes().as_slice()).collect();
    let salts: Vec<&[u8]> = new.iter().map(|new| new.salt.bytes().as_slice()).collect();
    let ids: Vec<&[u8]> = new.iter().map(|new| new.received.id.bytes().as_slice()).collect();
    let texts: Vec<&str> = new.iter().map(|new| new.received.canonical.as_str()).collect();
    let statement = "INSERT INTO ledger.entry (stream, sequence, previous, hash, content_hash, salt, event_id, \
                     canonical) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], \
                     $5::bytea[], $6::bytea[], $7::bytea[], $8::text[])";
    let columns: [&(dyn ToSql + Sync); 8] =
        [&streams, &sequences, &previous, &hashes, &contents, &salts, &ids, &texts];
    transaction.execute(statement, &columns).await?;
    Ok(())
}
