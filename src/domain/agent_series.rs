//! Which series are one agent's: what it emits, under which names, and the conditions that tell its series
//! from those of others.

use super::metric_name::{stored_label, stored_name};
use super::promql::{LabelMatcher, SeriesSelector};
use super::role::Role;
use crate::api::v1alpha1::NameTranslation;
use crate::profiles::{Metric, MetricKind, Profile};

/// Which series are one agent's.
#[derive(Clone, Debug)]
pub struct AgentSeries {
    profile: &'static Profile,
    translation: NameTranslation,
    agent: String,
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
        Self { profile, translation, agent: agent.to_owned(), matchers }
    }

    /// What the agent emits.
    #[must_use]
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// The conditions besides the agent's name: those of the user, and the fence around the tenant.
    #[must_use]
    pub fn matchers(&self) -> &[LabelMatcher] {
        &self.matchers
    }

    /// The agent's series of a metric of its profile; of a histogram, without `_bucket`, `_count`, `_sum`.
    #[must_use]
    pub fn select(&self, metric: &Metric) -> SeriesSelector {
        let own = metric.matchers.iter().map(|matcher| LabelMatcher {
            label: self.label(&matcher.label),
            op: matcher.op,
            value: matcher.value.clone(),
        });
        let name = stored_name(metric, self.translation);
        SeriesSelector::new(name, vec![self.agent(metric)]).with(own).with(self.matchers.iter().cloned())
    }

    /// The agent's series of an amount, such as dollars: a counter, or the sum of a histogram.
    #[must_use]
    pub fn select_amount(&self, metric: &Metric) -> SeriesSelector {
        let selector = self.select(metric);
        match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => selector,
            MetricKind::Histogram => selector.suffixed("_sum"),
        }
    }

    /// PromQL that counts the series that play a role, or nothing where its profile has none.
    #[must_use]
    pub fn count(&self, role: Role) -> Option<String> {
        let selectors = role.metrics(self.profile).into_iter().flat_map(|metric| {
            let selector = self.select(metric);
            match metric.kind {
                MetricKind::Counter | MetricKind::Gauge => vec![selector],
                // Classic and native.
                MetricKind::Histogram => vec![selector.suffixed("_count"), selector],
            }
        });
        let counts: Vec<String> = selectors.map(|selector| selector.to_string()).collect();
        (!counts.is_empty()).then(|| format!("count({})", counts.join(" or ")))
    }

    /// A label of the profile as Prometheus stores it.
    #[must_use]
    pub fn label(&self, label: &str) -> String {
        stored_label(label, self.translation)
    }

    fn agent(&self, metric: &Metric) -> LabelMatcher {
        let label = metric.agent_label.as_ref().unwrap_or(&self.profile.agent_label);
        LabelMatcher::equal(self.label(label), self.agent.clone())
    }
}
