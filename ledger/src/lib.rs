//! What agents did and what it cost, in PostgreSQL. Each agent has a stream of entries, and each entry carries the
//! hash of the one before it, so that a row that was changed, deleted, inserted or moved shows. What shows a chain
//! that was written anew as a whole, or that lost its end, is an anchor: a head that was signed and is kept outside
//! the database.
//!
//! ```text
//!  telemetry ──► entry ──► chain ──► database
//!                            │
//!                            └─────► anchor, outside the database
//! ```
//!
//! Nothing here knows of Kubernetes.

pub mod anchor;
pub mod chain;
pub mod content;
pub mod deed;
pub mod entry;
pub mod export;
pub mod hash;
pub mod intake;
pub mod money;
pub mod monitor;
pub mod projection;
pub mod ranges;
pub mod sink;
mod status;
pub mod store;
pub mod verify;
