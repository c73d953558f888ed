//! Which series are one agent's: what it emits, under which names, and the conditions that tell its series
//! from those of others.

use super::indicator::{Counter, Measure, Numerator};
use super::metric_name::{stored_label, stored_name};
use super::promql::{LabelMatcher, SeriesSelector};
use super::role::Role;
use crate::api::v1alpha1::{CounterBirths, HistogramType, NameTranslation};
use crate::profiles::{Metric, MetricKind, Outcome, OutcomeLabel, Outcomes, Profile};

/// Which series are one agent's.
#[derive(Clone, Debug)]
pub struct AgentSeries {
    profile: &'static Profile,
    translation: NameTranslation,
    counter_births: CounterBirths,
    agent: String,
    matchers: Vec<LabelMatcher>,
}

impl PartialEq for AgentSeries {
    fn eq(&self, other: &Self) -> bool {
        (&self.profile.name, self.translation) == (&other.profile.name, other.translation)
            && (self.counter_births, &self.agent) == (other.counter_births, &other.agent)
            && self.matchers == other.matchers
    }
}

impl AgentSeries {
    /// The series of an agent, under conditions besides its name.
    pub(crate) fn new(
        profile: &'static Profile,
        translation: NameTranslation,
        counter_births: CounterBirths,
        agent: &str,
        matchers: Vec<LabelMatcher>,
    ) -> Self {
        Self { profile, translation, counter_births, agent: agent.to_owned(), matchers }
    }

    /// What the agent emits.
    #[must_use]
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// What the first value of a counter means.
    #[must_use]
    pub fn counter_births(&self) -> CounterBirths {
        self.counter_births
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

    /// Events, under further conditions.
    #[must_use]
    pub fn events(&self, metric: &Metric, matchers: Vec<LabelMatcher>) -> Counter {
        let selector = self.select(metric).with(matchers);
        match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => Counter::Plain(selector),
            MetricKind::Histogram => Counter::Observations(selector, HistogramType::Auto),
        }
    }

    /// Events with an outcome, of these names or of all; none where nothing tells how they ended.
    #[must_use]
    pub fn outcomes(&self, role: &Outcomes, names: &[String]) -> Option<Measure> {
        let numerator = match &role.outcome {
            Outcome::Label(label) => return Some(self.outcomes_by_label(role, label, names)),
            Outcome::Failed(metric) => Numerator::Bad(self.events(metric, self.named(role, names))),
            Outcome::Succeeded(metric) => Numerator::Good(self.events(metric, self.named(role, names))),
            Outcome::Untold => return None,
        };
        Some(Measure::Events { total: self.events(&role.metric, self.named(role, names)), numerator })
    }

    /// Events with their outcome in a label.
    #[must_use]
    pub fn outcomes_by_label(&self, role: &Outcomes, label: &OutcomeLabel, names: &[String]) -> Measure {
        let outcome = self.label(&label.name);
        let not = |values: &[String]| -> Vec<LabelMatcher> {
            values.iter().map(|value| LabelMatcher::not_equal(outcome.clone(), value.clone())).collect()
        };
        let valid = [self.named(role, names), not(&label.excluded)].concat();
        let of_bad = match &label.bad {
            Some(expression) => vec![LabelMatcher::regex(outcome.clone(), expression.clone())],
            None => not(&label.good),
        };
        Measure::Events {
            total: self.events(&role.metric, valid.clone()),
            numerator: Numerator::Bad(self.events(&role.metric, [valid, of_bad].concat())),
        }
    }

    /// The condition that an event is of one of these names.
    fn named(&self, role: &Outcomes, names: &[String]) -> Vec<LabelMatcher> {
        let label = role.name_label.as_ref().map(|label| self.label(label));
        label.and_then(|label| LabelMatcher::one_of(label, names)).into_iter().collect()
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

    /// The condition on the label with the name of the agent.
    #[must_use]
    pub fn agent(&self, metric: &Metric) -> LabelMatcher {
        let label = metric.agent_label.as_ref().unwrap_or(&self.profile.agent_label);
        LabelMatcher::equal(self.label(label), self.agent.clone())
    }
}
