//! From what we know to what we make. Cannot fail.

mod artifact;
pub mod rules;

pub use artifact::{Artifact, ArtifactKind, Artifacts};

use crate::domain::slo::Slo;

/// Everything that one AgentSLO asks for.
#[must_use]
pub fn slo(slo: &Slo) -> Artifacts {
    Artifacts(vec![Artifact::PrometheusRule(rules::prometheus_rule(slo))])
}
