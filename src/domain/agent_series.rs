//! Which series are one agent's: what it emits, under which names, and the conditions that tell its series
//! from those of others.

use super::metric_name::{stored_label, stored_name};
use super::promql::{LabelMatcher, SeriesSelector};
use crate::api::v1alpha1::NameTranslation;
use crate::profiles::{Metric, Profile};

/// Which series are one agent's.
#[derive(Clone, Debug)]
pub struct AgentSeries {
    profile: &'static Profile,
    translation: NameTranslation,
    agent: LabelMatcher,
    matchers: Vec<LabelMatcher>,
}

impl PartialEq for AgentSeries {
    fn eq(&self, other: &Self) -> bool {
        (&self.profile.name, self.translation) == (&other.profile.name, other.translation)
            && (&self.agent, &self.matchers) == (&other.agent, &other.matchers)
    }
}

impl AgentSeries {
    /// The series of an agent, under conditions besides its name.
    pub(crate) fn new(
        profile: &'static Profile,
        translation: NameTranslation,
        agent: &str,
        matchers: Vec<LabelMatcher>,
    ) -> Self {
        let agent = LabelMatcher::equal(stored_label(&profile.agent_label, translation), agent);
        Self { profile, translation, agent, matchers }
    }

    /// What the agent emits.
    #[must_use]
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// The label with the agent's name, and the name.
    #[must_use]
    pub fn agent(&self) -> &LabelMatcher {
        &self.agent
    }

    /// The conditions besides the agent's name: those of the user, and the fence around the tenant.
    #[must_use]
    pub fn matchers(&self) -> &[LabelMatcher] {
        &self.matchers
    }

    /// The agent's series of a metric of its profile.
    #[must_use]
    pub fn select(&self, metric: &Metric) -> SeriesSelector {
        let name = stored_name(metric, self.translation);
        SeriesSelector::new(name, vec![self.agent.clone()]).with(self.matchers.iter().cloned())
    }

    /// A label of the profile as Prometheus stores it.
    #[must_use]
    pub fn label(&self, label: &str) -> String {
        stored_label(label, self.translation)
    }
}
