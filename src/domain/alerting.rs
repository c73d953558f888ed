//! How and when to alert, with every default filled in.

use std::collections::BTreeMap;

use super::burn_rate::{Pair, Urgency};
use super::window::Window;
use crate::api::v1alpha1::Estimator;

/// A pair that is not in force.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// The pair as the policy has it.
    pub pair: Pair,
    /// Long window that is looked at instead, if any.
    pub instead: Option<Window>,
}

/// How and when to alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alerting {
    /// How bad events must pile up.
    pub estimator: Estimator,
    /// Fewest bad events in the long window.
    pub min_failures: i32,
    /// Value of label `severity` of pages.
    pub page_severity: String,
    /// Value of label `severity` of tickets.
    pub ticket_severity: String,
    /// Pairs in force, in the order of the catalogue.
    pub pairs: Vec<Pair>,
    /// Pairs left out because even a total outage could not fire them.
    pub left_out: Vec<LeftOut>,
    /// Pairs in force for which even a total outage has too few events, at the traffic of the time.
    pub unfed: Vec<Pair>,
    /// How long series may be absent.
    pub no_data_after: Window,
    /// Value of label `severity` of the alert on absence.
    pub no_data_severity: String,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
    /// Further annotations, to be inserted literally.
    pub annotations: BTreeMap<String, String>,
    /// Where the responder finds help.
    pub runbook_url: Option<String>,
}

impl Alerting {
    /// The pairs of one urgency.
    pub fn pairs_of(&self, urgency: Urgency) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(move |pair| pair.urgency == urgency)
    }

    /// Value of label `severity`.
    #[must_use]
    pub fn severity_of(&self, urgency: Urgency) -> &str {
        match urgency {
            Urgency::Page => &self.page_severity,
            Urgency::Ticket => &self.ticket_severity,
        }
    }
}
