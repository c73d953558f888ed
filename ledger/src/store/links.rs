//! Reads the links of chains.

use std::time::SystemTime;

use futures::{Stream, TryStreamExt};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::StoreError;
use crate::chain::Head;
use crate::content::{Content, Salt};
use crate::hash::Sha256;
use crate::verify::Link;

/// A link, and what the database knows besides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// Whose it is.
    pub stream: String,
    /// When it was entered, by the clock of the database.
    pub entered_at: SystemTime,
    /// The link.
    pub link: Link,
}

/// Columns of a link, in the order in which they are read.
const LINK: &str = "sequence, previous, hash, content_hash, salt, canonical";
/// The same, and what is known besides.
const STORED: &str = "SELECT sequence, previous, hash, content_hash, salt, canonical, stream.name, entered_at \
                      FROM ledger.entry JOIN ledger.stream ON stream.id = entry.stream";

/// Names of all streams, in order.
///
/// # Errors
/// If the database refuses.
pub async fn streams(client: &Client) -> Result<Vec<String>, StoreError> {
    let rows = client.query("SELECT name FROM ledger.stream ORDER BY name", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Where the chains of all streams end, in the order of their names.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn heads(client: &Client) -> Result<Vec<(String, Head)>, StoreError> {
    let statement = "SELECT stream.name, last.sequence, last.hash FROM ledger.stream CROSS JOIN LATERAL \
                     (SELECT sequence, hash FROM ledger.entry WHERE entry.stream = stream.id \
                     ORDER BY sequence DESC LIMIT 1) AS last ORDER BY stream.name";
    let rows = client.query(statement, &[]).await?;
    rows.iter().map(|row| Ok((row.get(0), head(row)?))).collect()
}

/// The head in the second and the third column.
pub(super) fn head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head { sequence: place(row.get(1)), hash: sha256(row.get(2))? })
}

/// Every so many-th link of a stream after a place, as it says itself: where a long chain may be parted.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn milestones(
    client: &Client,
    stream: &str,
    after: u64,
    every: u64,
) -> Result<Vec<Head>, StoreError> {
    let statement = "SELECT NULL, sequence, hash FROM ledger.entry WHERE stream = \
                     (SELECT id FROM ledger.stream WHERE name = $1) AND sequence IN (SELECT generate_series($2, \
                     (SELECT max(sequence) FROM ledger.entry JOIN ledger.stream ON id = stream WHERE name = $1), $3)) \
                     ORDER BY sequence";
    let (first, every) = ((after + every).cast_signed(), every.cast_signed());
    let rows = client.query(statement, &[&stream, &first, &every]).await?;
    rows.iter().map(head).collect()
}

/// The hash of a link as it says itself, if it is there.
///
/// # Errors
/// If the database refuses, or the row cannot be read.
pub async fn hash_at(client: &Client, stream: &str, sequence: u64) -> Result<Option<Sha256>, StoreError> {
    let statement = "SELECT hash FROM ledger.entry WHERE stream = (SELECT id FROM ledger.stream WHERE name = $1) \
                     AND sequence = $2";
    let row = client.query_opt(statement, &[&stream, &sequence.cast_signed()]).await?;
    row.map(|row| sha256(row.get(0))).transpose()
}

/// The links of a stream after a place and, where one is given, up to another, in order.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn links(
    client: &Client,
    stream: &str,
    after: u64,
    through: Option<u64>,
) -> Result<impl Stream<Item = Result<Link, StoreError>>, StoreError> {
    let statement = format!(
        "SELECT {LINK} FROM ledger.entry WHERE stream = (SELECT id FROM ledger.stream WHERE name = $1) \
         AND sequence > $2 AND sequence <= $3 ORDER BY sequence"
    );
    let (after, through) = (after.cast_signed(), through.map_or(i64::MAX, u64::cast_signed));
    let parameters: [&(dyn ToSql + Sync); 3] = [&stream, &after, &through];
    let rows = client.query_raw(&statement, parameters).await?;
    Ok(rows.map_err(StoreError::from).and_then(|row| futures::future::ready(link(&row))))
}

/// The last links of streams, of all of them where none is named, in the order in which they were entered.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn last(client: &Client, streams: &[String], count: u32) -> Result<Vec<Stored>, StoreError> {
    let statement = format!(
        "{STORED} WHERE cardinality($1::text[]) = 0 OR stream.name = ANY ($1) \
         ORDER BY entered_at DESC, stream.name DESC, sequence DESC LIMIT $2"
    );
    let rows = client.query(&statement, &[&streams, &i64::from(count)]).await?;
    rows.iter().rev().map(stored).collect()
}

/// The links of streams, of all of them where none is named, after the heads that are known, in the order in which
/// they were entered.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn after_heads(
    client: &Client,
    streams: &[String],
    known: &[(String, u64)],
) -> Result<Vec<Stored>, StoreError> {
    let statement = format!(
        "{STORED} LEFT JOIN unnest($2::text[], $3::bigint[]) AS known (name, head) ON known.name = stream.name \
         WHERE (cardinality($1::text[]) = 0 OR stream.name = ANY ($1)) AND sequence > coalesce(known.head, 0) \
         ORDER BY entered_at, stream.name, sequence"
    );
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    let heads: Vec<i64> = known.iter().map(|(_, head)| head.cast_signed()).collect();
    let rows = client.query(&statement, &[&streams, &names, &heads]).await?;
    rows.iter().map(stored).collect()
}

/// The links of a session, in the order in which it happened.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn of_session(client: &Client, session: &str) -> Result<Vec<Stored>, StoreError> {
    let statement = format!("{STORED} WHERE session = $1 ORDER BY at, stream.name, sequence");
    let rows = client.query(&statement, &[&session]).await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored { link: link(row)?, stream: row.get(6), entered_at: row.get(7) })
}

fn link(row: &Row) -> Result<Link, StoreError> {
    let (salt, canonical): (Option<&[u8]>, Option<String>) = (row.get(4), row.get(5));
    let content = match (salt, canonical) {
        (Some(salt), Some(canonical)) => Some(Content { salt: self::salt(salt)?, canonical }),
        _ => None,
    };
    Ok(Link {
        sequence: place(row.get(0)),
        previous: sha256(row.get(1))?,
        hash: sha256(row.get(2))?,
        content_hash: sha256(row.get(3))?,
        content,
    })
}

/// The table holds no negative places.
fn place(sequence: i64) -> u64 {
    sequence.unsigned_abs()
}

/// The table holds no others.
pub(super) fn sha256(bytes: &[u8]) -> Result<Sha256, StoreError> {
    let bytes: Result<[u8; 32], _> = bytes.try_into();
    bytes.map(Sha256::from).map_err(|_| StoreError::Row)
}

fn salt(bytes: &[u8]) -> Result<Salt, StoreError> {
    let bytes: Result<[u8; 16], _> = bytes.try_into();
    bytes.map(Salt::from).map_err(|_| StoreError::Row)
}
