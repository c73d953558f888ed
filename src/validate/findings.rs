//! Where violations gather while validation goes on.

use crate::domain::violation::{Rule, Violation};

/// The violations so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    /// Notes a violation.
    pub(super) fn add(&mut self, path: impl Into<String>, rule: Rule, message: impl Into<String>) {
        self.0.push(Violation { path: path.into(), rule, message: message.into() });
    }

    /// Notes a violation unless the claim holds.
    pub(super) fn require(
        &mut self,
        claim: bool,
        path: impl Into<String>,
        rule: Rule,
        message: impl Into<String>,
    ) {
        if !claim {
            self.add(path, rule, message);
        }
    }

    /// The value, or a violation where there is none.
    pub(super) fn expect<T>(
        &mut self,
        value: Option<T>,
        path: impl Into<String>,
        rule: Rule,
        message: impl Into<String>,
    ) -> Option<T> {
        if value.is_none() {
            self.add(path, rule, message);
        }
        value
    }

    /// All of them.
    pub(super) fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}
