//! What an agent exposes for scraping, and whether it keeps to the contract or to another profile. Pure:
//! text in, findings out. Reads both formats of text, Prometheus' own and OpenMetrics; a linter has to see
//! what a lenient parser drops, with the line where it stands, so the reader is our own.

mod contract;
mod label_names;
mod read;
mod structure;

pub use contract::{Expectation, NotExposed, not_exposed};
pub use read::{Exposition, Family, Sample, read};

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Finding {
    /// Line in the text, from 1; 0 where it is about what is not there.
    pub line: usize,
    /// The metric; empty where a line is no sample.
    pub metric: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Finding {
    fn new(line: usize, metric: &str, message: impl Into<String>) -> Self {
        Self { line, metric: metric.to_owned(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place: Vec<String> = [
            (self.line > 0).then(|| self.line.to_string()),
            (!self.metric.is_empty()).then(|| self.metric.clone()),
        ]
        .into_iter()
        .flatten()
        .collect();
        write!(formatter, "{}: {}", place.join(": "), self.message)
    }
}

/// Everything that is wrong with what is exposed.
#[must_use]
pub fn lint(exposition: &Exposition, expectation: &Expectation<'_>) -> Vec<Finding> {
    let mut findings = structure::check(exposition, expectation);
    findings.extend(contract::check(exposition, expectation));
    findings
}
