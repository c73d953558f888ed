//! The minimal typed slice of other projects' kinds that we write.

mod prometheus_rule;

pub use prometheus_rule::*;
