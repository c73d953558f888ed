//! The hermetic rungs of the test ladder, in one binary: no network, no clock, no cluster.

mod bad_input;
mod cli;
#[path = "../bad_input/fixtures.rs"]
mod fixtures;
