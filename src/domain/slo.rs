//! One validated AgentSLO. Only [`crate::validate`] makes one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::alerting::Alerting;
use super::indicator::Indicator;
use super::objective::Objective;
use super::traffic::Traffic;
use super::window::Window;
use crate::api::v1alpha1::CounterBirths;

/// One objective for one agent, known to make sense.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slo(SloParts);

/// What an [`Slo`] is made of. A tidy test sees to it that only `validate` builds one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SloParts {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) agent: String,
    pub(crate) description: Option<String>,
    pub(crate) objective: Objective,
    pub(crate) window: Window,
    pub(crate) indicator: Indicator,
    pub(crate) counter_births: CounterBirths,
    pub(crate) group_by: Vec<String>,
    pub(crate) alerting: Alerting,
    pub(crate) traffic: Option<Traffic>,
    pub(crate) query_offset: Duration,
    pub(crate) rule_labels: BTreeMap<String, String>,
    pub(crate) series_per_rule: i32,
    pub(crate) dashboards: Option<Dashboards>,
}

/// Where the dashboards are that an AgentObservability delivers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dashboards {
    /// Base URL of Grafana.
    pub grafana: String,
    /// Name of the AgentObservability, in the namespace of the AgentSLO.
    pub observability: String,
}

impl Slo {
    /// The one door.
    pub(crate) fn from_parts(parts: SloParts) -> Self {
        Self(parts)
    }

    /// Namespace of the AgentSLO.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Name of the AgentSLO.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The agent, as its telemetry names it.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.0.agent
    }

    /// What the objective promises.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Share of events that must be good.
    #[must_use]
    pub fn objective(&self) -> Objective {
        self.0.objective
    }

    /// Window of the budget.
    #[must_use]
    pub fn window(&self) -> Window {
        self.0.window
    }

    /// What is counted.
    #[must_use]
    pub fn indicator(&self) -> &Indicator {
        &self.0.indicator
    }

    /// What the first value of a counter means.
    #[must_use]
    pub fn counter_births(&self) -> CounterBirths {
        self.0.counter_births
    }

    /// Labels that split the objective, as Prometheus stores them.
    #[must_use]
    pub fn group_by(&self) -> &[String] {
        &self.0.group_by
    }

    /// How and when to alert.
    #[must_use]
    pub fn alerting(&self) -> &Alerting {
        &self.0.alerting
    }

    /// Traffic that the windows of alerts are fitted to; none where it is not known.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        self.0.traffic
    }

    /// How far behind the present rules are evaluated.
    #[must_use]
    pub fn query_offset(&self) -> Duration {
        self.0.query_offset
    }

    /// Labels of the PrometheusRule.
    #[must_use]
    pub fn rule_labels(&self) -> &BTreeMap<String, String> {
        &self.0.rule_labels
    }

    /// Most series that one rule may produce.
    #[must_use]
    pub fn series_per_rule(&self) -> i32 {
        self.0.series_per_rule
    }

    /// Where its dashboard is, if it is anywhere.
    #[must_use]
    pub fn dashboards(&self) -> Option<&Dashboards> {
        self.0.dashboards.as_ref()
    }

    /// Whether both promise something about the same events in the same window.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        let (Self(own), Self(other)) = (self, other);
        (&own.namespace, &own.agent, own.window) == (&other.namespace, &other.agent, other.window)
            && (&own.indicator, &own.group_by) == (&other.indicator, &other.group_by)
    }

    /// Fewest events that allow a verdict: with fewer, a single failure would spend the whole budget.
    #[must_use]
    pub fn fewest_events(&self) -> super::decimal::Decimal {
        super::burn_rate::highest(self.0.objective)
    }
}
