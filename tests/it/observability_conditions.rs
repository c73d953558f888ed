//! What the status of an AgentObservability says: every condition from the first visit on, what is missing
//! and who could help.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use agentslo::api::v1alpha1::{
    AgentObservability, AgentObservabilitySpec, AgentObservabilityStatus, Condition, ConditionStatus,
};
use agentslo::domain::observability::Observability;
use agentslo::domain::role::Role;
use agentslo::domain::sighting::{Seen, Sighting};
use agentslo::domain::violation::Violations;
use agentslo::plan::{ChildName, Obstacle};
use agentslo::render::{ArtifactKind, Part};
use agentslo::report::{self, Application, ObservabilityOutcome, find_condition};
use agentslo::validate::{self, ObservabilityFacts};
use agentslo::vocabulary::{condition, reason};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

fn validated(spec: Value, facts: &ObservabilityFacts) -> Result<Observability, Violations> {
    let spec: AgentObservabilitySpec = serde_json::from_value(spec).expect("the spec should have its shape");
    let mut resource = AgentObservability::new("support", spec);
    resource.metadata.namespace = Some("team-a".to_owned());
    validate::observability(&resource, facts)
}

/// An agent whose queue is guarded.
fn agent(roles: Option<&[Role]>) -> Observability {
    let spec = json!({"agent": "support-agent", "guards": {"queue": {"maxDepth": 10}}});
    let roles = roles.map(|roles| roles.iter().copied().collect());
    validated(spec, &ObservabilityFacts { roles, ..Default::default() }).expect("it is valid")
}

fn seen(roles: &[Role]) -> Sighting {
    Sighting::Seen(Seen { roles: roles.iter().copied().collect(), spend: None })
}

/// The status after a reconciliation in which the route ended like this.
fn judged(
    route: Option<Application>,
    sighting: &Sighting,
    old: Option<&AgentObservabilityStatus>,
) -> Option<AgentObservabilityStatus> {
    let name: ChildName = (ArtifactKind::AlertmanagerConfig, "agentslo-support".to_owned());
    let routes = route.into_iter().map(|application| (name.clone(), application)).collect();
    let applications = BTreeMap::from([(Part::Routes, routes)]);
    let observability = agent(None);
    let outcome =
        ObservabilityOutcome::Judged { observability: &observability, applications: &applications, sighting };
    report::observability(outcome, old, 1, Timestamp::UNIX_EPOCH)
}

fn rejected() -> Vec<Condition> {
    let facts = ObservabilityFacts { superseded_by: Some("older".to_owned()), ..Default::default() };
    let violations = validated(json!({"agent": "support-agent"}), &facts).expect_err("an older one is there");
    let outcome = ObservabilityOutcome::Rejected(&violations);
    report::observability(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

fn suspended() -> Vec<Condition> {
    let outcome = ObservabilityOutcome::Suspended;
    report::observability(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

/// Conditions of every way in which a reconciliation can end.
pub(crate) fn all() -> Vec<Condition> {
    let judged = judged(None, &Sighting::Pending, None).expect("it is new").conditions;
    [judged, rejected(), suspended(), without_queue()].concat()
}

fn without_queue() -> Vec<Condition> {
    let observability = agent(Some(&[Role::Runs]));
    let outcome = ObservabilityOutcome::Judged {
        observability: &observability,
        applications: &BTreeMap::new(),
        sighting: &seen(&[Role::Runs]),
    };
    report::observability(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

fn says(conditions: &[Condition], type_: &str) -> (ConditionStatus, String, String) {
    let condition = find_condition(conditions, type_).unwrap_or_else(|| panic!("{type_} should be there"));
    (condition.status, condition.reason.clone(), condition.message.clone())
}

#[test]
fn every_condition_is_there_from_the_first_visit_on() {
    let types = |conditions: &[Condition]| -> BTreeSet<String> {
        conditions.iter().map(|condition| condition.type_.clone()).collect()
    };
    let fresh = judged(None, &Sighting::Pending, None).expect("it is new").conditions;
    assert_eq!(types(&fresh), types(&rejected()));
    assert_eq!(types(&fresh), types(&suspended()));
}

#[test]
fn what_cannot_be_written_says_what_would_help() {
    let cases = [
        (Application::AsDesired, True, reason::APPLIED, "as desired: AlertmanagerConfig 'agentslo-support'"),
        (
            Application::Obstructed(Obstacle::NotInstalled),
            False,
            reason::DEPENDENCY_MISSING,
            "install the CRDs of prometheus-operator",
        ),
        (
            Application::Obstructed(Obstacle::Foreign { controller: "Helm".to_owned() }),
            False,
            reason::CONFLICT,
            "controlled by this AgentObservability but by Helm",
        ),
        (
            Application::Obstructed(Obstacle::TooLarge { bytes: 999_999 }),
            False,
            reason::TOO_LARGE,
            "999999 bytes",
        ),
        (
            Application::Failed { reason: reason::FORBIDDEN, message: "may not".to_owned() },
            False,
            reason::FORBIDDEN,
            "may not",
        ),
    ];
    for (application, status, reason, words) in cases {
        let conditions = judged(Some(application), &seen(&[Role::Runs]), None).expect("it is new").conditions;
        let (said, because, message) = says(&conditions, condition::ROUTES_APPLIED);
        assert_eq!((said, because.as_str()), (status, reason));
        assert!(message.contains(words), "{message}");
        assert_eq!(says(&conditions, condition::READY).0, status, "a part that fails makes the whole fail");
        assert_eq!(says(&conditions, condition::PIPELINE_APPLIED).1, reason::NOT_REQUESTED);
    }
}

#[test]
fn data_is_judged_by_what_prometheus_has() {
    let failed = Sighting::Failed { reason: reason::QUERY_FAILED, message: "no answer".to_owned() };
    let cases = [
        (Sighting::NoPrometheus, Unknown, reason::PROMETHEUS_UNKNOWN),
        (Sighting::Pending, Unknown, reason::PENDING),
        (failed, Unknown, reason::QUERY_FAILED),
        (seen(&[]), False, reason::NO_SERIES),
        (seen(&[Role::Runs]), True, reason::DATA),
    ];
    for (sighting, status, reason) in cases {
        let conditions = judged(None, &sighting, None).expect("it is new").conditions;
        let (said, because, _) = says(&conditions, condition::DATA_AVAILABLE);
        assert_eq!((said, because.as_str()), (status, reason));
        assert_eq!(says(&conditions, condition::READY).0, True, "data is not part of Ready");
    }
}

#[test]
fn a_role_that_was_seen_keeps_its_place_when_telemetry_is_gone() {
    let before = judged(None, &seen(&[Role::Runs, Role::Cost]), None).expect("it is new");
    let detected = before.detected.clone().expect("Prometheus answered");
    assert_eq!(detected.roles, ["runs", "cost"]);
    assert!(detected.roles_without_series.contains(&"queueDepth".to_owned()));
    let after = judged(None, &seen(&[]), Some(&before)).expect("that data is gone is news");
    assert_eq!(after.detected, Some(detected));
}

#[test]
fn a_guard_without_series_is_named() {
    let (status, reason, message) = says(&without_queue(), condition::GUARDS_APPLIED);
    assert_eq!((status, reason.as_str()), (True, reason::SERIES_MISSING));
    assert!(message.ends_with("left out: AgentQueueDeep has no series for queueDepth"), "{message}");
}

#[test]
fn nothing_is_said_twice() {
    let before = judged(Some(Application::AsDesired), &seen(&[Role::Runs]), None).expect("it is new");
    assert_eq!(judged(Some(Application::AsDesired), &seen(&[Role::Runs]), Some(&before)), None);
}

#[test]
fn the_newer_of_two_for_one_agent_says_which_is_in_force() {
    let (_, reason, message) = says(&rejected(), condition::READY);
    assert_eq!(reason, "Superseded");
    assert!(message.contains("AgentObservability 'older' is older"), "{message}");
}
