//! Reads the links of a chain.

use futures::{Stream, TryStreamExt};
use tokio_postgres::{Client, Row};

use super::StoreError;
use crate::chain::Head;
use crate::hash::Sha256;
use crate::verify::Link;

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
    let sequence: i64 = row.get(1);
    Ok(Head { sequence: sequence.unsigned_abs(), hash: sha256(row.get(2))? })
}

/// The links of a stream after a place, in order.
///
/// # Errors
/// If the database refuses, or a row cannot be read.
pub async fn links(
    client: &Client,
    stream: &str,
    after: u64,
) -> Result<impl Stream<Item = Result<Link, StoreError>>, StoreError> {
    let statement = "SELECT sequence, previous, hash, canonical FROM ledger.entry \
                     WHERE stream = (SELECT id FROM ledger.stream WHERE name = $1) AND sequence > $2 \
                     ORDER BY sequence";
    let after = after.cast_signed();
    let rows =
        client.query_raw(statement, [&stream as &(dyn tokio_postgres::types::ToSql + Sync), &after]).await?;
    Ok(rows.map_err(StoreError::from).and_then(|row| {
        let sequence: i64 = row.get(0);
        let link = || {
            Ok(Link {
                sequence: sequence.unsigned_abs(),
                previous: sha256(row.get(1))?,
                hash: sha256(row.get(2))?,
                canonical: row.get(3),
            })
        };
        futures::future::ready(link())
    }))
}

/// The table holds no others.
pub(super) fn sha256(bytes: &[u8]) -> Result<Sha256, StoreError> {
    let bytes: Result<[u8; 32], _> = bytes.try_into();
    bytes.map(Sha256::from).map_err(|_| StoreError::Row)
}
