//! Stand-ins for the servers that the operator talks to, all in this process.

mod apiserver;
mod cluster;
mod prometheus;

pub(crate) use apiserver::{ApiServer, Ending, Moment, OPERATORS};
pub(crate) use cluster::FakeCluster;
