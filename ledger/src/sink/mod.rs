//! Receives events and answers when they are committed, not before. Whoever sends keeps what was not answered and
//! sends it again; what was committed all the same is then known already.
//!
//! ```text
//!  gRPC ──┐
//!         ├──► queue, bounded ──► one transaction for all that wait ──► answers
//!  HTTP ──┘
//! ```

mod certificate;
mod grpc;
mod http;
mod metrics;
mod queue;
mod serve;
mod take;

pub use self::certificate::Certificate;
pub use self::serve::{Addresses, serve};
