//! The client for Prometheus' HTTP API: batched reads, with limits on size, redirects and time. An outage
//! is a value, never a panic and never a lost rule.

mod budgets;
mod burns;
mod connection;
mod diagnosis;
mod error;
mod history;
mod inventory;
mod metadata;
mod month;
mod proxied;
mod recent;
mod rules;
mod sightings;
mod storage;
mod version;

pub use budgets::budgets;
pub use burns::burns;
pub use connection::{Connection, Secrets};
pub use diagnosis::diagnose;
pub use error::QueryError;
pub use history::{History, histories};
pub use inventory::inventory;
pub use metadata::gauges;
pub use month::{GroupKey, MonthData, month};
pub use recent::recent;
pub use rules::{GroupHealth, rule_groups};
pub use sightings::{question, sighting};
pub use storage::retention;
pub use version::version;

pub use crate::domain::names::SloKey;
