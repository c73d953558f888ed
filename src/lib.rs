//! Agent SLO operator.
#![allow(missing_docs)]

pub mod api;
pub mod cli;
pub mod domain;
pub mod foreign;
pub mod profiles;
pub mod render;
pub mod simulate;
pub mod validate;
pub mod vocabulary;
