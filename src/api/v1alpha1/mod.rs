//! `agentslo.dev/v1alpha1`: shape, documentation, schema and CEL of what people write. No behaviour
//! lives here. The doc comment of each field is the user's manual: `kubectl explain` prints it.
//!
//! Every CEL rule here is repeated by [`crate::validate`], with the words of [`messages`], so that a
//! cluster that bypasses admission is as safe as one that does not.

#![allow(
    unreachable_pub,
    clippy::duplicated_attributes,
    reason = "the derives repeat attributes, and make types of their own that they do not export"
)]

mod agent_observability;
mod agent_platform;
mod agent_slo;
mod definitions;
mod guards;
mod indicator;
mod ledger;
pub mod messages;
mod observability_status;
mod pipeline;
mod routing;
mod shared;
mod shared_schema;
mod status;

pub use agent_observability::*;
pub use agent_platform::*;
pub use agent_slo::*;
pub use definitions::custom_resource_definitions;
pub use guards::*;
pub use indicator::*;
pub use ledger::*;
pub use observability_status::*;
pub use pipeline::*;
pub use routing::*;
pub use shared::*;
pub use status::*;

/// API group of all kinds.
pub const GROUP: &str = "agentslo.dev";

/// Version of this module's kinds.
pub const VERSION: &str = "v1alpha1";
