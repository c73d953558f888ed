//! The world's fault: one variant for each stage that touches the world.

use kube::core::response::Status;

use crate::vocabulary::reason;

/// What went wrong, and with which object.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Reading what exists failed.
    #[error("failed to read {object}")]
    Gather {
        /// Kind, namespace and name.
        object: String,
        /// The cause.
        #[source]
        source: kube::Error,
    },
    /// Writing a child failed.
    #[error("failed to apply {object}")]
    Apply {
        /// Kind, namespace and name.
        object: String,
        /// The cause.
        #[source]
        source: kube::Error,
    },
    /// Deleting a child failed.
    #[error("failed to delete {object}")]
    Prune {
        /// Kind, namespace and name.
        object: String,
        /// The cause.
        #[source]
        source: kube::Error,
    },
    /// Writing the status failed.
    #[error("failed to write the status of {object}")]
    Publish {
        /// Kind, namespace and name.
        object: String,
        /// The cause.
        #[source]
        source: kube::Error,
    },
    /// What was decided about is no longer what is there.
    #[error("{object} has changed or gone since it was looked at")]
    Outdated {
        /// Kind, namespace and name.
        object: String,
    },
    /// Another replica may be responsible by now, so nothing may be written.
    #[error("the Lease for namespace '{namespace}' is not held any more")]
    Deposed {
        /// The namespace, empty for what is in none.
        namespace: String,
    },
}

/// When to try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// At once, with fresh eyes.
    Soon,
    /// After a pause that grows.
    Backoff,
    /// At leisure: only a person can change it.
    Slowly,
}

impl ReconcileError {
    /// Bounded reason for conditions and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Outdated { .. } => "outdated",
            Self::Deposed { .. } => "not_leader",
            Self::Gather { source, .. }
            | Self::Apply { source, .. }
            | Self::Prune { source, .. }
            | Self::Publish { source, .. } => reason_of(source),
        }
    }

    /// When to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        let cause = match self {
            Self::Outdated { .. } => return Retry::Soon,
            Self::Deposed { .. } => return Retry::Slowly,
            Self::Gather { source, .. }
            | Self::Apply { source, .. }
            | Self::Prune { source, .. }
            | Self::Publish { source, .. } => source,
        };
        match status_of(cause).map(|status| status.code) {
            Some(409) => Retry::Soon,
            Some(403) => Retry::Slowly,
            Some(_) | None => Retry::Backoff,
        }
    }
}

/// Reason for a failed call of the API server.
pub(super) fn reason_of(error: &kube::Error) -> &'static str {
    match status_of(error) {
        Some(status) if status.code == 403 && status.message.contains("exceeded quota") => {
            reason::QUOTA_EXCEEDED
        }
        Some(status) if status.code == 403 => reason::FORBIDDEN,
        Some(_) | None => reason::APPLY_FAILED,
    }
}

/// HTTP status of a failed call, 0 where there was no answer.
pub(super) fn code_of(error: &kube::Error) -> u16 {
    status_of(error).map_or(0, |status| status.code)
}

/// The API server's own words, where it answered.
pub(super) fn message_of(error: &kube::Error) -> String {
    let text = status_of(error)
        .map_or_else(|| "the API server does not answer".to_owned(), |status| status.message.clone());
    text.chars().take(512).collect()
}

// Only an answer of the API server has a status; kube adds kinds of failures in minor versions.
#[allow(clippy::wildcard_enum_match_arm)]
fn status_of(error: &kube::Error) -> Option<&Status> {
    match error {
        kube::Error::Api(status) => Some(status),
        _ => None,
    }
}
