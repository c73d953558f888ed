//! The rendered Collector pipeline in the real Collector: what it accepts, what it takes out, what it
//! counts, what it keeps and what it delivers.

mod backends;
mod corpus;
mod counts;
mod covering;
mod delivery;
mod kept;
mod samples;
mod secrets;
pub(crate) mod sink;
pub(crate) mod stand;
mod tenants;
mod traps;
mod validity;
