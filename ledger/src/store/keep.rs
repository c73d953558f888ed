//! What a keeper does: takes contents out, and lets go what is old. Each is entered in the stream that it is done to,
//! in the same transaction.

use std::collections::BTreeMap;
use std::time::SystemTime;

use tokio_postgres::{Client, Transaction};

use super::StoreError;
use super::append::{append_within, lock};
use crate::deed::{Deed, MOST_RANGES};
use crate::intake::Received;
use crate::ranges::Ranges;

/// Whose contents are taken out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whose<'a> {
    /// Everything of a session.
    Session(&'a str),
    /// Everything that was done for a user, under the pseudonym.
    User(&'a str),
}

/// When something is done, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Occasion<'a> {
    /// When, in nanoseconds since the epoch.
    pub at: u64,
    /// Why, for whoever reads the chain later.
    pub reason: &'a str,
}

/// Takes contents out; says of how many entries of each stream.
///
/// # Errors
/// If the database refuses. What was done in the streams before stays done.
pub async fn take_out(
    client: &mut Client,
    whose: Whose<'_>,
    occasion: Occasion<'_>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let (is_theirs, name) = match whose {
        Whose::Session(session) => ("session = $1", session),
        Whose::User(pseudonym) => ("canonical::jsonb ->> 'user' = $1", pseudonym),
    };
    let statement = format!(
        "SELECT DISTINCT stream.id, stream.name FROM ledger.entry JOIN ledger.stream ON stream.id = entry.stream \
         WHERE {is_theirs} ORDER BY stream.id"
    );
    let mut taken = BTreeMap::new();
    for row in client.query(&statement, &[&name]).await? {
        let (stream, stream_name): (i64, String) = (row.get(0), row.get(1));
        let transaction = client.transaction().await?;
        lock(&transaction, &[stream]).await?;
        let statement =
            format!("SELECT sequence FROM ledger.entry WHERE stream = $2 AND {is_theirs} ORDER BY sequence");
        let rows = transaction.query(&statement, &[&name, &stream]).await?;
        let places: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        let ranges: Vec<u64> = places.iter().map(|place| place.unsigned_abs()).collect();
        for ranges in Ranges::of_places(&ranges).as_slice().chunks(MOST_RANGES) {
            enter(&transaction, stream, &stream_name, &Deed::Erased(ranges.to_vec()), occasion).await?;
        }
        let row = transaction.query_one("SELECT ledger.take_out($1, $2)", &[&stream, &places]).await?;
        let count: i64 = row.get(0);
        transaction.commit().await?;
        taken.insert(stream_name, count.unsigned_abs());
    }
    Ok(taken)
}

/// Lets go the entries of some streams, of all where none is named, that were entered before a time, but for the last
/// of each; says up to which, by stream.
///
/// # Errors
/// If the database refuses. What was done in the streams before stays done.
pub async fn let_go(
    client: &mut Client,
    streams: &[String],
    before: SystemTime,
    occasion: Occasion<'_>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut gone = BTreeMap::new();
    let statement =
        "SELECT id, name FROM ledger.stream WHERE cardinality($1::text[]) = 0 OR name = ANY ($1) ORDER BY id";
    for row in client.query(statement, &[&streams]).await? {
        let (stream, name): (i64, String) = (row.get(0), row.get(1));
        let transaction = client.transaction().await?;
        lock(&transaction, &[stream]).await?;
        let statement = "SELECT coalesce(min(sequence) FILTER (WHERE entered_at >= $2), max(sequence)) - 1, \
                         min(sequence) FROM ledger.entry WHERE stream = $1";
        let row = transaction.query_one(statement, &[&stream, &before]).await?;
        let (through, first): (Option<i64>, Option<i64>) = (row.get(0), row.get(1));
        let Some(through) = through.filter(|through| first.is_some_and(|first| first <= *through)) else {
            continue;
        };
        let deed = Deed::LetGo(through.unsigned_abs());
        enter(&transaction, stream, &name, &deed, occasion).await?;
        transaction.execute("SELECT ledger.let_go($1, $2)", &[&stream, &through]).await?;
        transaction.commit().await?;
        gone.insert(name, through.unsigned_abs());
    }
    Ok(gone)
}

/// Lets go the costs of some streams, of all where none is named, of months that were over by then; says of which, as
/// `2026-01`.
///
/// # Errors
/// If the database refuses.
pub async fn let_costs_go(
    client: &Client,
    streams: &[String],
    until: SystemTime,
) -> Result<Vec<String>, StoreError> {
    let rows = if streams.is_empty() {
        client.query("SELECT * FROM ledger.let_costs_go($1)", &[&until]).await?
    } else {
        client.query("SELECT * FROM ledger.let_costs_of_streams_go($1, $2)", &[&streams, &until]).await?
    };
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn enter(
    transaction: &Transaction<'_>,
    stream: i64,
    name: &str,
    deed: &Deed,
    Occasion { at, reason }: Occasion<'_>,
) -> Result<(), StoreError> {
    let received = Received::new(name.to_owned(), deed.entry(at, reason), None, None);
    let streams = BTreeMap::from([(name.to_owned(), stream)]);
    append_within(transaction, &[received], &streams).await?;
    Ok(())
}
