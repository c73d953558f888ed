//! The minimal typed slice of other projects' kinds that we write.

mod alertmanager_config;
pub mod dashboard;
mod grafana_dashboard;
pub(crate) mod managed_fields;
mod object;
mod open_telemetry_collector;
mod pod_monitor;
mod prometheus_rule;

pub use alertmanager_config::*;
pub use grafana_dashboard::*;
pub use object::*;
pub use open_telemetry_collector::*;
pub use pod_monitor::*;
pub use prometheus_rule::*;
