//! What to tell people of a cluster: tables and sentences about what was read there. Reads nothing itself.

mod difference;
pub mod doctor;
mod explanation;
mod month;
mod month_report;
mod overview;
mod page;
mod ranking;
mod table;
pub mod text;
mod trend;

pub use difference::{Difference, Fate, consequences, difference};
pub use explanation::{Subject, explanation};
pub use month::Month;
pub use month_report::{MonthCounts, MonthFigures, MonthReport, Outcome, Row, Spent, month_report};
pub use overview::{Detail, overview};
pub use page::{Body, Page, Section};
pub use ranking::{Order, ranking, total_cost};
pub use table::{Cell, Paint, Table, Tone};
pub use trend::{PARTS, sparkline};
