//! What was spent.

use std::collections::BTreeMap;
use std::time::SystemTime;

use tokio_postgres::{Client, Row};

use super::StoreError;
use crate::monitor::Spending;

/// By what spending is told apart.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum By {
    /// Agent, with its namespace.
    Agent,
    /// Model.
    Model,
    /// Whoever it was done for, under a pseudonym.
    User,
    /// Session.
    Session,
    /// How the call ended.
    Outcome,
    /// What the call was for.
    Purpose,
    /// Day, in UTC.
    Day,
}

impl By {
    fn column(self) -> &'static str {
        match self {
            Self::Agent => "namespace || '/' || agent",
            Self::Model => "model",
            Self::User => "coalesce(user_pseudonym, '')",
            Self::Session => "coalesce(session, '')",
            Self::Outcome => "outcome",
            Self::Purpose => "coalesce(purpose, '')",
            Self::Day => "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        }
    }
}

/// Which calls are meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Period {
    /// From then on.
    pub since: SystemTime,
    /// Until then, and not then.
    pub until: SystemTime,
    /// Of these streams; of all where none is named.
    pub streams: Vec<String>,
}

/// What was spent by some.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Spent {
    /// By whom, in the order that was asked for. Empty where nobody says.
    pub by: Vec<String>,
    /// Calls of models.
    pub calls: i64,
    /// Those that failed.
    pub failed: i64,
    /// Those of which nobody knows what they cost.
    pub without_cost: i64,
    /// Those whose cost is estimated from prices.
    pub estimated: i64,
    /// Tokens that were read anew.
    pub input_tokens: i64,
    /// Tokens that were written.
    pub output_tokens: i64,
    /// Tokens that were read from a cache.
    pub cache_read_tokens: i64,
    /// Tokens that were put into a cache.
    pub cache_write_tokens: i64,
    /// Millionths of a US dollar.
    pub micro_usd: i64,
}

/// What was spent in a period, most first.
///
/// # Errors
/// If the database refuses.
pub async fn spent(client: &Client, by: &[By], period: &Period) -> Result<Vec<Spent>, StoreError> {
    let keys: Vec<&str> = by.iter().map(|by| by.column()).collect();
    let statement = format!(
        "SELECT ARRAY[{}]::text[] AS keys, count(*) FILTER (WHERE kind = 'call'), \
         count(*) FILTER (WHERE kind = 'call' AND outcome = 'failed'), \
         count(*) FILTER (WHERE micro_usd IS NULL), count(*) FILTER (WHERE cost_source = 'prices'), \
         sum(input_tokens)::bigint, sum(output_tokens)::bigint, sum(cache_read_tokens)::bigint, \
         sum(cache_write_tokens)::bigint, coalesce(sum(micro_usd), 0)::bigint FROM ledger.spend \
         WHERE at >= $1 AND at < $2 AND (cardinality($3::text[]) = 0 OR namespace || '/' || agent = ANY ($3)) \
         GROUP BY keys ORDER BY 10 DESC, keys",
        keys.join(", ")
    );
    let Period { since, until, streams } = period;
    let rows = client.query(&statement, &[since, until, streams]).await?;
    let spent = rows.iter().map(|row| Spent {
        by: row.get(0),
        calls: row.get(1),
        failed: row.get(2),
        without_cost: row.get(3),
        estimated: row.get(4),
        input_tokens: row.get(5),
        output_tokens: row.get(6),
        cache_read_tokens: row.get(7),
        cache_write_tokens: row.get(8),
        micro_usd: row.get(9),
    });
    Ok(spent.collect())
}

/// What the agents of some streams, of all where none is named, spent up to now, by stream. Those that never spent
/// anything are left out.
///
/// # Errors
/// If the database refuses.
pub async fn spending(client: &Client, streams: &[String]) -> Result<BTreeMap<String, Spending>, StoreError> {
    let statement = "SELECT name, coalesce(sum(micro_usd) FILTER (WHERE at >= now() - interval '1 day'), 0)::bigint, \
         coalesce(sum(micro_usd), 0)::bigint, \
         least(extract(epoch FROM now() - created_at) / 86400, 7)::float8 \
         FROM ledger.stream LEFT JOIN ledger.spend ON namespace || '/' || agent = name \
         AND at >= now() - interval '7 days' AND at <= now() \
         WHERE (cardinality($1::text[]) = 0 OR name = ANY ($1)) \
         AND (EXISTS (SELECT FROM ledger.charge WHERE charge.stream = id) \
         OR EXISTS (SELECT FROM ledger.run WHERE run.stream = id)) GROUP BY name, created_at";
    let rows = client.query(statement, &[&streams]).await?;
    let spending = |row: &Row| Spending { day: row.get(1), week: row.get(2), days: row.get(3) };
    Ok(rows.iter().map(|row| (row.get(0), spending(row))).collect())
}
