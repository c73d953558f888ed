//! House rules on our own source, where neither the compiler nor clippy can hold them.

mod delivery;
pub(crate) mod documents;
mod security;
mod source;
mod threats;
