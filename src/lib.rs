//! Agent SLO operator.
#![allow(missing_docs)]

pub mod api;
pub mod cli;
pub mod domain;
pub mod controller;
pub mod foreign;
pub mod metrics;
pub mod plan;
pub mod profiles;
pub mod prometheus;
pub mod render;
pub mod report;
pub mod server;
pub mod validate;
pub mod vocabulary;
