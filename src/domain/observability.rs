//! One validated AgentObservability. Only [`crate::validate`] makes one.

use std::collections::BTreeSet;

use super::agent_series::AgentSeries;
use super::decimal::Decimal;
use super::guard::Guard;
use super::ledger::{self, Ledger};
use super::pipeline::Pipeline;
use super::platform::Platform;
use super::role::Role;
use super::routing::Routing;
use super::scrape::Scrape;
use crate::api::v1alpha1::{DashboardDelivery, EnvironmentDelivery, Workload};

/// What one agent's telemetry becomes, known to make sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Observability(ObservabilityParts);

/// What an [`Observability`] is made of. A tidy test sees to it that only `validate` builds one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ObservabilityParts {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) agent: String,
    pub(crate) series: AgentSeries,
    pub(crate) roles: Option<BTreeSet<Role>>,
    pub(crate) run_buckets: BTreeSet<Decimal>,
    pub(crate) scrape: Option<Scrape>,
    pub(crate) workload: Option<Workload>,
    pub(crate) pipeline: Option<Pipeline>,
    pub(crate) environment: EnvironmentDelivery,
    pub(crate) dashboards: Option<DashboardDelivery>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) routing: Option<Routing>,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) platform: Platform,
}

impl Observability {
    /// The one door.
    pub(crate) fn from_parts(parts: ObservabilityParts) -> Self {
        Self(parts)
    }

    /// Namespace of the AgentObservability.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Name of the AgentObservability.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The agent, as its telemetry names it.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.0.agent
    }

    /// Which series are the agent's.
    #[must_use]
    pub fn series(&self) -> &AgentSeries {
        &self.0.series
    }

    /// Whether series that play a role have ever been seen; an artifact that rests on a role is made only
    /// then. Where nobody could look, the profile is believed.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        match &self.0.roles {
            Some(seen) => seen.contains(&role),
            None => !role.metrics(self.0.series.profile()).is_empty(),
        }
    }

    /// Bounds of the buckets of the durations of runs, in seconds; none where they are not known, or any
    /// bound will do.
    #[must_use]
    pub fn run_buckets(&self) -> &BTreeSet<Decimal> {
        &self.0.run_buckets
    }

    /// Pods whose metrics are scraped.
    #[must_use]
    pub fn scrape(&self) -> Option<&Scrape> {
        self.0.scrape.as_ref()
    }

    /// The workload that runs the agent.
    #[must_use]
    pub fn workload(&self) -> Option<&Workload> {
        self.0.workload.as_ref()
    }

    /// The Collector pipeline.
    #[must_use]
    pub fn pipeline(&self) -> Option<&Pipeline> {
        self.0.pipeline.as_ref()
    }

    /// Whether a ConfigMap of environment variables is made.
    #[must_use]
    pub fn environment(&self) -> EnvironmentDelivery {
        self.0.environment
    }

    /// How dashboards reach Grafana, where there are any.
    #[must_use]
    pub fn dashboards(&self) -> Option<&DashboardDelivery> {
        self.0.dashboards.as_ref()
    }

    /// Plain alerts.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.0.guards
    }

    /// Who is told of alerts.
    #[must_use]
    pub fn routing(&self) -> Option<&Routing> {
        self.0.routing.as_ref()
    }

    /// What is entered into a ledger.
    #[must_use]
    pub fn ledger(&self) -> Option<&Ledger> {
        self.0.ledger.as_ref()
    }

    /// The agent's stream in the ledger.
    #[must_use]
    pub fn stream(&self) -> String {
        ledger::stream(&self.0.namespace, &self.0.agent)
    }

    /// What the platform team decided for the namespace.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.0.platform
    }
}
