//! What a Prometheus has, seen through the telemetry profiles: which emitter writes its series, under which
//! translation of names, for which agents, and what AgentSLOs could be put on them. Pure: facts in, a
//! proposal out. The reads are in `prometheus`.

mod facts;
mod falls;
mod fit;
mod hazards;
mod label_kinds;
mod series;
mod suggest;
mod threshold;
mod wanted;

pub use facts::{Facts, Series};
pub use fit::{AgentFit, Fit};
pub use hazards::{Sighting, is_looked_for};
pub(crate) use label_kinds::kind_of_label;
pub(crate) use wanted::TRANSLATIONS;
pub use wanted::{agent_labels, names_wanted};

use crate::api::v1alpha1::AgentSlo;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only this agent.
    pub agent: Option<String>,
    /// Only series of this namespace, where they have one; also the namespace of what is proposed.
    pub namespace: Option<String>,
}

/// What was found, and what to do with it.
#[derive(Debug)]
pub struct Proposal {
    /// The profiles that fit, each with its agents.
    pub fits: Vec<Fit>,
    /// One AgentSLO for every role that has series.
    pub slos: Vec<AgentSlo>,
    /// What is wrong with the series.
    pub sightings: Vec<Sighting>,
}

/// Proposes AgentSLOs for what is there.
#[must_use]
pub fn propose(facts: &Facts, scope: &Scope) -> Proposal {
    let facts = facts.within(scope);
    let mut fits = fit::fits(&facts);
    if let Some(agent) = &scope.agent {
        for fit in &mut fits {
            fit.agents.retain(|found| found.agent == *agent);
        }
        fits.retain(|fit| !fit.agents.is_empty());
    }
    let slos = suggest::slos(&facts, &fits, scope.namespace.as_deref());
    let sightings = hazards::look(&facts, &fits);
    Proposal { fits, slos, sightings }
}
