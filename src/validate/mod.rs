//! From what was written to what we know to be true, or every violation at once. Repeats every CEL rule,
//! so that a cluster that bypasses admission is as safe as one that does not.

mod alerting;
mod findings;
mod go_regex;
mod guards;
mod indicator;
mod labels;
mod ledger;
mod observability;
mod pairs;
mod pipeline;
mod platform;
mod query;
mod routing;
pub mod schema;
mod scrape;
mod slo;
mod telemetry;
mod text;

pub use observability::{ObservabilityFacts, Referred, observability};
pub use platform::platform;
pub use slo::{SloFacts, slo};
