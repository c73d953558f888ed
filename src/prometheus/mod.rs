//! The client for Prometheus' HTTP API: batched reads, with limits on size, redirects and time. An outage
//! is a value, never a panic and never a lost rule.

mod budgets;
mod connection;
mod diagnosis;
mod error;
mod history;
mod inventory;
mod metadata;
mod rules;
mod sightings;
mod storage;

pub use budgets::{SloKey, budgets};
pub use connection::{Connection, Secrets};
pub use diagnosis::diagnose;
pub use error::QueryError;
pub use history::{History, histories};
pub use inventory::inventory;
pub use metadata::gauges;
pub use rules::{GroupHealth, rule_groups};
pub use sightings::{question, sighting};
pub use storage::retention;
