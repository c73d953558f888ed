//! From what we know to what we make. Cannot fail.

mod artifact;
mod collector;
mod dashboards;
mod environment;
mod exact;
pub mod guards;
mod ledger;
mod metadata;
mod monitors;
mod plain;
mod routes;
pub mod rules;
mod template;

use std::collections::BTreeMap;

pub use artifact::{Artifact, ArtifactKind, Artifacts};
pub use collector::samples;
pub use plain::Plain;

use crate::domain::observability::Observability;
use crate::domain::pipeline::Redaction;
use crate::domain::slo::Slo;

/// Everything that one AgentSLO asks for.
#[must_use]
pub fn slo(slo: &Slo) -> Artifacts {
    Artifacts(vec![Artifact::PrometheusRule(rules::prometheus_rule(slo))])
}

/// What a pipeline takes out, as regular expressions of our own crate's dialect.
#[must_use]
pub fn patterns(redaction: &Redaction) -> samples::Patterns {
    samples::patterns(redaction)
}

/// A part of what an AgentObservability asks for. Each has a condition of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// The Collector's configuration and the agent's environment.
    Pipeline,
    /// Pods to be scraped: the agent's and the Collector's.
    Monitors,
    /// Plain alerts.
    Guards,
    /// Who is told.
    Routes,
    /// Dashboards.
    Dashboards,
    /// What enters events into a ledger, and watches over it.
    Ledger,
}

impl Part {
    /// All of them, in the order in which they are applied.
    pub const ALL: [Self; 6] =
        [Self::Ledger, Self::Pipeline, Self::Monitors, Self::Guards, Self::Routes, Self::Dashboards];
}

/// Everything that one AgentObservability asks for; a part that it does not ask for is empty.
#[must_use]
pub fn observability(observability: &Observability) -> BTreeMap<Part, Artifacts> {
    Part::ALL.into_iter().map(|part| (part, Artifacts(render_part(part, observability)))).collect()
}

fn render_part(part: Part, observability: &Observability) -> Vec<Artifact> {
    match part {
        Part::Pipeline => {
            let collector = collector::artifact(observability);
            collector.into_iter().chain(environment::artifact(observability)).collect()
        }
        Part::Monitors => monitors::artifacts(observability),
        Part::Guards => guards::artifact(observability).into_iter().collect(),
        Part::Routes => routes::artifact(observability).into_iter().collect(),
        Part::Dashboards => dashboards::artifacts(observability),
        Part::Ledger => ledger::artifacts(observability),
    }
}
