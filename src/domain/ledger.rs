//! The ledger of one agent, as the platform offers it.

use std::fmt;

use crate::api::v1alpha1::{AuditLevel, LedgerOffer};

/// Longest time between two verifications of a chain, in seconds; they are made every five minutes.
pub const VERIFIED_WITHIN: i64 = 30 * 60;

/// The ledgers of a platform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// What the platform team wrote.
    pub written: LedgerOffer,
    /// URL of the database, without user information.
    pub database: String,
}

/// What is entered of an agent, and how long it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ledger {
    /// Where it is entered, and by whom.
    pub offer: Offer,
    /// What an entry holds of contents.
    pub audit: AuditLevel,
    /// What tells of calls of models and of runs.
    pub accounts: Accounts,
    /// How long entries are kept; none for ever.
    pub audit_kept: Option<Days>,
    /// How long costs are kept; none for ever.
    pub costs_kept: Option<Days>,
}

impl Ledger {
    /// Whether spans are entered: where they are what tells of calls and runs.
    #[must_use]
    pub fn enters_spans(&self) -> bool {
        self.accounts == Accounts::Spans
    }

    /// Whether anything is ever let go.
    #[must_use]
    pub fn lets_go(&self) -> bool {
        self.audit_kept.is_some() || self.costs_kept.is_some()
    }
}

/// What tells of calls of models and of runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accounts {
    /// Log events.
    Events,
    /// Spans.
    Spans,
}

/// A number of days.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Days(pub u16);

impl fmt::Display for Days {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}d", self.0)
    }
}

/// The stream of an agent, as the ledger names it.
#[must_use]
pub fn stream(namespace: &str, agent: &str) -> String {
    format!("{namespace}/{agent}")
}
