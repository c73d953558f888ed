//! What can go wrong when Prometheus is asked.

use crate::vocabulary::reason;

/// What went wrong, in our own words: an answer of a server may hold what a tenant must not see.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// The address or the credentials cannot be used.
    #[error("the Prometheus endpoint cannot be used: {0}")]
    Configuration(String),
    /// No connection, or no answer in time.
    #[error("Prometheus does not answer: {0}")]
    Unreachable(&'static str),
    /// An answer that is not one of success.
    #[error("Prometheus answers with HTTP status {0}")]
    Status(u16),
    /// The query was refused.
    #[error("Prometheus refused the query as '{0}'")]
    Refused(String),
    /// More bytes than are taken.
    #[error("the answer of Prometheus is larger than {0} bytes")]
    TooLarge(usize),
    /// Not the JSON of the API.
    #[error("the answer is not that of Prometheus' API; check the address")]
    NotPrometheus,
    /// Only part of the data was there.
    #[error("Prometheus gave a partial answer; budgets are not read from parts")]
    Partial,
}

impl QueryError {
    /// Bounded reason for conditions and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Status(401) => reason::UNAUTHORIZED,
            Self::Status(403) => reason::FORBIDDEN,
            Self::Status(429) => reason::RATE_LIMITED,
            Self::Status(502..=504) | Self::Partial => reason::UNAVAILABLE,
            Self::Refused(_) => reason::QUERY_REJECTED,
            Self::Configuration(_)
            | Self::Unreachable(_)
            | Self::Status(_)
            | Self::TooLarge(_)
            | Self::NotPrometheus => reason::QUERY_FAILED,
        }
    }
}
