//! Pods that Prometheus scrapes.

use super::Artifact;
use crate::domain::observability::Observability;

/// What the AgentObservability asks for.
pub(super) fn artifacts(_observability: &Observability) -> Vec<Artifact> {
    Vec::new()
}
