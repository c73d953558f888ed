//! The ledger in PostgreSQL.

mod accounts;
mod append;
mod chains;
mod connect;
mod keep;
mod links;
mod migrate;
mod prices;
mod spend;

pub use self::append::{Appended, Ledger};
pub use self::chains::{Chain, Progress, verify};
pub use self::connect::{Access, Credentials, NoAccess};
pub use self::keep::{Occasion, Whose, let_costs_go, let_go, take_out};
pub use self::links::{Stored, after_heads, hash_at, heads, last, links, milestones, of_session, streams};
pub use self::migrate::migrate;
pub use self::prices::{Price, prices, set_prices};
pub use self::spend::{By, Period, Spent, spending, spent};
pub use tokio_postgres::Client;

use crate::content::NoRandom;

/// The database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It did not answer, or refused.
    #[error("the database {}", said(.0))]
    Database(#[from] tokio_postgres::Error),
    /// It cannot be reached as it was asked for.
    #[error(transparent)]
    Access(#[from] NoAccess),
    /// Its tables could not be made.
    #[error("the tables could not be made: {0}")]
    Migration(#[from] Box<refinery::Error>),
    /// What is in it cannot be read.
    #[error("a row cannot be read: a hash does not have 32 bytes, or a salt not 16")]
    Row,
    /// Nothing can be entered without salts.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// What the database said; its own words where it has answered.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refusal) => format!("refused: {} ({})", refusal.message(), refusal.code().code()),
        None => format!("did not answer: {error}"),
    }
}
