//! The configuration of the Collector that carries an agent's telemetry.

use super::Artifact;
use crate::domain::observability::Observability;

/// What the AgentObservability asks for.
pub(super) fn artifact(_observability: &Observability) -> Option<Artifact> {
    None
}
