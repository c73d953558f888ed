//! What the status says of what was read: nothing that the API server would refuse, or nobody would be told
//! anything any more.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use agentslo::domain::observability::Observability;
use agentslo::domain::reading::{Observation, Reading};
use agentslo::domain::sighting::{Seen, Sighting};
use agentslo::domain::slo::Slo;
use agentslo::report::{self, Acceptance, Application, Judgement, ObservabilityOutcome, Outcome};
use jsonschema::Validator;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

use crate::crd;

static OF_SLO: LazyLock<Validator> = LazyLock::new(|| validator("AgentSLO"));
static OF_OBSERVABILITY: LazyLock<Validator> = LazyLock::new(|| validator("AgentObservability"));

fn validator(kind: &str) -> Validator {
    let schema = &crd::schema_of(kind)["properties"]["status"];
    jsonschema::validator_for(schema).expect("the schema of a status should be one")
}

/// The status of an AgentSLO after such a reading.
pub(super) fn check_slo(slo: &Slo, observation: &Observation) -> Result<(), String> {
    let judgement = Judgement {
        slo,
        application: &Application::AsDesired,
        acceptance: &Acceptance::NotReported,
        reading: &Reading::Answered(observation.clone()),
        duplicate_of: None,
    };
    let status = report::slo(Outcome::Judged(judgement), None, 1, Timestamp::UNIX_EPOCH);
    check(&OF_SLO, status)
}

/// The status of an AgentObservability after such a sighting.
pub(super) fn check_observability(observability: &Observability, seen: &Seen) -> Result<(), String> {
    let outcome = ObservabilityOutcome::Judged {
        observability,
        applications: &BTreeMap::new(),
        sighting: &Sighting::Seen(seen.clone()),
    };
    check(&OF_OBSERVABILITY, report::observability(outcome, None, 1, Timestamp::UNIX_EPOCH))
}

fn check(schema: &Validator, status: Option<impl Serialize>) -> Result<(), String> {
    let status = serde_json::to_value(status).expect("a status should have only string keys");
    let figures = status.to_string();
    let mut wrong: Vec<String> =
        schema.iter_errors(&status).map(|error| format!("{}: {error}", error.instance_path())).collect();
    // What differs from itself is news for ever, and each time it is written.
    if ["NaN", "inf"].iter().any(|word| figures.contains(&format!("\"{word}\""))) {
        wrong.push(figures);
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("the API server would refuse the status: {wrong:?}")) }
}
