//! What to tell people of a cluster: tables and sentences about what was read there. Reads nothing itself.

mod explanation;
mod overview;
mod page;
mod table;
pub mod text;
mod trend;

pub use explanation::{Subject, explanation};
pub use overview::{Detail, overview};
pub use page::{Body, Page, Section};
pub use table::{Cell, Paint, Table, Tone};
pub use trend::{PARTS, sparkline};
