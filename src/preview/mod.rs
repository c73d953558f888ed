//! Pictures of Grafana dashboards without Grafana: what Prometheus answers to the queries of the panels,
//! drawn as SVG. Close to what Grafana shows, not equal to it. Pure: asking and writing are the caller's.

mod bars;
mod canvas;
mod curves;
mod data;
mod figure;
mod heatmap;
mod states;
mod style;
mod table;
mod time;
mod units;
mod variables;

pub use canvas::draw;
pub use data::{Answer, Mark, Picture, Series};
pub use time::{Span, parse_duration, parse_time};
pub use variables::{Listing, Variables};
