//! From what was written to what we know to be true, or every violation at once. Repeats every CEL rule,
//! so that a cluster that bypasses admission is as safe as one that does not.

mod alerting;
mod findings;
mod indicator;
mod pairs;
mod platform;
mod query;
pub mod schema;
mod slo;
mod telemetry;
mod text;

pub use platform::platform;
pub use slo::{SloFacts, slo};
