//! Which dashboards an agent has, and where their sources are.

use serde_json::Value;

use crate::domain::names::stable_id;
use crate::domain::observability::Observability;

/// A dashboard of an agent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Board {
    /// What the agent does, how long it takes and what it costs.
    Agent,
    /// Its error budgets.
    Slo,
    /// Its log events and traces.
    Logs,
    /// What was entered of it into a ledger, and what it cost.
    Ledger,
}

impl Board {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Agent, Self::Slo, Self::Logs, Self::Ledger];

    /// Whether an agent has it.
    pub(super) fn is_of(self, observability: &Observability) -> bool {
        self != Self::Ledger || observability.ledger().is_some()
    }

    /// Its name in names and slots.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Slo => "slo",
            Self::Logs => "logs",
            Self::Ledger => "ledger",
        }
    }

    /// The dashboard with its slots.
    pub(super) fn source(self) -> Value {
        let text = match self {
            Self::Agent => include_str!("../../../dashboards/agent.json"),
            Self::Slo => include_str!("../../../dashboards/slo.json"),
            Self::Logs => include_str!("../../../dashboards/logs.json"),
            Self::Ledger => include_str!("../../../dashboards/ledger.json"),
        };
        serde_json::from_str(text).expect("sources of dashboards should be JSON, as a test shows")
    }

    /// Sixteen hexadecimal digits that no other dashboard of any AgentObservability than this one has. Text of users is
    /// in neither key nor uid: equal ones would replace each other.
    pub(super) fn id(self, namespace: &str, name: &str) -> String {
        stable_id(&format!("AgentObservability/{namespace}/{name}/{}", self.name()))
    }

    /// How Grafana knows it; at most 40 characters.
    pub(super) fn uid(self, namespace: &str, name: &str) -> String {
        format!("agentslo-{}", self.id(namespace, name))
    }
}
