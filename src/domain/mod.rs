//! What we know to be true: values that cannot be wrong once they exist. No IO, no clock.

pub mod agent_series;
pub mod alerting;
pub mod burn_rate;
pub mod decimal;
pub mod estimator;
pub mod governance;
pub mod guard;
pub mod indicator;
pub mod metric_name;
pub mod names;
pub mod objective;
pub mod observability;
pub mod pipeline;
pub mod platform;
pub mod promql;
pub mod reading;
pub mod role;
pub mod routing;
pub mod scrape;
pub mod sighting;
pub mod slo;
pub mod time_zone;
pub mod traffic;
pub mod violation;
pub mod window;
pub mod yearly_zone;
