//! The ledger in PostgreSQL.

mod append;
mod connect;
mod links;
mod migrate;

pub use self::append::{Appended, Ledger};
pub use self::connect::{Access, NoAccess};
pub use self::links::{heads, links, streams};
pub use self::migrate::migrate;
pub use tokio_postgres::Client;

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
    #[error("a row cannot be read: a hash does not have 32 bytes")]
    Row,
}

/// What the database said; its own words where it has answered.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refusal) => format!("refused: {} ({})", refusal.message(), refusal.code().code()),
        None => format!("did not answer: {error}"),
    }
}
