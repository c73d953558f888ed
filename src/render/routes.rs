//! Who is told of an agent's alerts.

use super::Artifact;
use crate::domain::observability::Observability;

/// What the AgentObservability asks for.
pub(super) fn artifact(_observability: &Observability) -> Option<Artifact> {
    None
}
