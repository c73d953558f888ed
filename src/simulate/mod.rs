//! What every alert does in an incident, and when: arithmetic on scripted events, from which the tests
//! of the rules are written. Nothing here reads what Prometheus answered; a proof compares the two.

mod answer;
mod counter;
mod forecast;
mod incident;
mod labels;
mod proof;
mod recorded;
mod rule_test;
mod scene;
mod series;

pub use answer::{Answer, Firing, GroupAnswer, answer};
pub use counter::{Births, Counter, Sample};
pub use forecast::{detection, false_pages_per_month, reset};
pub use incident::{Incident, Outcome, Script, Source, Step};
pub use proof::{Case, Proof, RULE_FILE, proof};
pub use recorded::{Recorded, Timetable};
pub use rule_test::{RuleTest, rule_test};
pub use scene::{Form, Scene, Unprovable, forms, scene};
pub use series::{RawSeries, Values};
