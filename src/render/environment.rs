//! The environment variables that an agent mounts.

use super::Artifact;
use crate::domain::observability::Observability;

/// What the AgentObservability asks for.
pub(super) fn artifact(_observability: &Observability) -> Option<Artifact> {
    None
}
