//! What models cost.

use std::time::SystemTime;

use tokio_postgres::Client;

use super::StoreError;

/// What a model costs from a day on, in millionths of a US dollar for a million tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Price {
    /// What the names of the models begin with. The longest such beginning decides.
    pub model: String,
    /// From then on.
    pub valid_from: SystemTime,
    /// Tokens that are read anew.
    pub input: i64,
    /// Tokens that are written.
    pub output: i64,
    /// Tokens that are read from a cache.
    pub cache_read: i64,
    /// Tokens that are put into a cache.
    pub cache_write: i64,
}

/// Sets prices, all or none. Calls that are entered already keep the cost that they were entered with.
///
/// # Errors
/// If the database refuses.
pub async fn set_prices(client: &mut Client, prices: &[Price]) -> Result<(), StoreError> {
    let statement = "INSERT INTO ledger.price (model, valid_from, input, output, cache_read, cache_write) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (model, valid_from) DO UPDATE SET \
                     input = excluded.input, output = excluded.output, cache_read = excluded.cache_read, \
                     cache_write = excluded.cache_write";
    let transaction = client.transaction().await?;
    for price in prices {
        let Price { model, valid_from, input, output, cache_read, cache_write } = price;
        transaction.execute(statement, &[model, valid_from, input, output, cache_read, cache_write]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// All prices, by model and day.
///
/// # Errors
/// If the database refuses.
pub async fn prices(client: &Client) -> Result<Vec<Price>, StoreError> {
    let statement = "SELECT model, valid_from, input, output, cache_read, cache_write FROM ledger.price \
                     ORDER BY model, valid_from";
    let rows = client.query(statement, &[]).await?;
    let prices = rows.iter().map(|row| Price {
        model: row.get(0),
        valid_from: row.get(1),
        input: row.get(2),
        output: row.get(3),
        cache_read: row.get(4),
        cache_write: row.get(5),
    });
    Ok(prices.collect())
}
