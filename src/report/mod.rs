//! From what happened to what the status says. Nothing is written when nothing is news.

mod audit;
mod conditions;
mod figures;
mod news;
mod observability;
mod parts;
mod platform;
mod slo_conditions;
mod spend;
mod warnings;

use k8s_openapi::jiff::Timestamp;

use crate::api::v1alpha1::AgentSloStatus;
use crate::domain::reading::Reading;
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::plan::Obstacle;

pub use conditions::find as find_condition;
pub use observability::{ObservabilityOutcome, observability};
pub use platform::{PlatformOutcome, platform};

/// How a reconciliation of an AgentSLO ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// It rests.
    Suspended,
    /// The spec is not valid, so what was in force stays.
    Rejected {
        /// What is wrong.
        violations: &'a Violations,
        /// The last valid spec since the operator started, and its figures.
        in_force: Option<(&'a Slo, &'a Reading)>,
    },
    /// The spec is valid.
    Judged(Judgement<'a>),
}

/// What became of a valid spec.
#[derive(Clone, Copy, Debug)]
pub struct Judgement<'a> {
    /// The valid spec.
    pub slo: &'a Slo,
    /// What became of the rule object.
    pub application: &'a Application,
    /// What prometheus-operator says of it.
    pub acceptance: &'a Acceptance,
    /// What Prometheus says.
    pub reading: &'a Reading,
    /// Name of an older AgentSLO of the namespace that promises the same.
    pub duplicate_of: Option<&'a str>,
}

/// What became of an artifact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Application {
    /// It is as desired.
    AsDesired,
    /// It cannot be written.
    Obstructed(Obstacle),
    /// Somebody else keeps changing it, so that it is put right only after a pause.
    Contested {
        /// Who has fields of it besides us, for people: names of field managers. May be empty.
        by: Vec<String>,
    },
    /// Writing it failed.
    Failed {
        /// Bounded reason from [`crate::vocabulary::reason`].
        reason: &'static str,
        /// What happened.
        message: String,
    },
}

/// What prometheus-operator says of a rule object, if it says anything.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Acceptance {
    /// It says nothing: an old version, or the feature is off.
    #[default]
    NotReported,
    /// Some Prometheus took the rules.
    Bound {
        /// `namespace/name` of the Prometheus.
        by: String,
    },
    /// Every Prometheus that selects the rules refused them.
    Refused {
        /// In its words, cut.
        message: String,
    },
}

/// What the status of an AgentSLO should say, or `None` where what it says is still true.
#[must_use]
pub fn slo(
    outcome: Outcome<'_>,
    old: Option<&AgentSloStatus>,
    generation: i64,
    now: Timestamp,
) -> Option<AgentSloStatus> {
    let empty = AgentSloStatus::default();
    let before = old.unwrap_or(&empty);
    let mut status = figures_of(outcome, before);
    status.observed_generation = Some(generation);
    let claims = slo_conditions::claims(outcome, &status, before);
    status.conditions = conditions::carry_over(claims, &before.conditions, generation, now);
    let is_news = old.is_none_or(|old| news::differs(old, &status));
    is_news.then_some(status)
}

fn figures_of(outcome: Outcome<'_>, before: &AgentSloStatus) -> AgentSloStatus {
    match outcome {
        Outcome::Suspended | Outcome::Rejected { in_force: None, .. } => before.clone(),
        Outcome::Rejected { in_force: Some((slo, reading)), .. } => figures::update(before, slo, reading),
        Outcome::Judged(judgement) => figures::update(before, judgement.slo, judgement.reading),
    }
}
