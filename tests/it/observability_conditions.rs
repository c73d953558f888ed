//! What the status of an AgentObservability says: every condition from the first visit on, what is missing
//! and who could help.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use agentslo::api::v1alpha1::{
    AgentObservability, AgentObservabilitySpec, AgentObservabilityStatus, Condition, ConditionStatus,
};
use agentslo::domain::decimal::Decimal;
use agentslo::domain::observability::Observability;
use agentslo::domain::role::Role;
use agentslo::domain::sighting::{AuditSeen, Seen, Sighting};
use agentslo::domain::violation::Violations;
use agentslo::plan::{ChildName, Obstacle};
use agentslo::render::{ArtifactKind, Part};
use agentslo::report::{self, Application, ObservabilityOutcome, find_condition};
use agentslo::validate::{self, ObservabilityFacts};
use agentslo::vocabulary::{condition, reason};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::scenarios::unpermitted;

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
    Sighting::Seen(Seen { roles: roles.iter().copied().collect(), ..Seen::default() })
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
    let no_bucket = guarded("AgentMetrics", &json!({"slowShare": {"slowerThan": "45s"}}), &[30, 60]);
    let no_role = guarded("LiteLLM", &json!({"queue": {"maxDepth": 9}}), &[]);
    let not_run = piped("ConfigMap", &seen(&[Role::Runs]), None).expect("it is new").conditions;
    let audits = audits().into_iter().flat_map(|(sighting, ..)| entered(&sighting));
    let not_allowed = obstructed_deployment();
    let all = [judged, rejected(), suspended(), without_queue(), no_bucket, no_role, not_run, not_allowed];
    all.concat().into_iter().chain(audits).collect()
}

/// An agent with a ledger.
fn with_ledger() -> Observability {
    let platform = unpermitted::judged(&unpermitted::everything()).expect("the platform should be valid");
    let spec = json!({"agent": "support-agent", "pipeline": {}, "ledger": {}});
    validated(spec, &ObservabilityFacts { platform, ..Default::default() }).expect("it is valid")
}

fn entered(sighting: &Sighting) -> Vec<Condition> {
    with_audit(sighting, None).conditions
}

fn with_audit(sighting: &Sighting, old: Option<&AgentObservabilityStatus>) -> AgentObservabilityStatus {
    let outcome = ObservabilityOutcome::Judged {
        observability: &with_ledger(),
        applications: &BTreeMap::new(),
        sighting,
    };
    let now = Timestamp::from_second(AUDITED_AT + 60).expect("it is a time");
    report::observability(outcome, old, 1, now).or_else(|| old.cloned()).expect("it is new, or as before")
}

/// When the chain was verified, in seconds since the epoch.
const AUDITED_AT: i64 = 1_800_000_000;

fn audited(is_intact: bool, verified_at: i64) -> Sighting {
    let head = Some((640, "5f".repeat(32)));
    let audit = Some(AuditSeen { is_intact, verified_at, head });
    Sighting::Seen(Seen { audit, ..Seen::default() })
}

fn audits() -> [(Sighting, ConditionStatus, &'static str); 6] {
    [
        (Sighting::NoPrometheus, Unknown, reason::PROMETHEUS_UNKNOWN),
        (Sighting::Pending, Unknown, reason::PENDING),
        (seen(&[]), Unknown, reason::NOT_OBSERVED),
        (audited(true, AUDITED_AT), True, reason::INTACT),
        (audited(false, AUDITED_AT), False, reason::NOT_INTACT),
        (audited(true, AUDITED_AT - 3600), Unknown, reason::NOT_VERIFIED),
    ]
}

/// An operator that may make no pods of ledgers.
fn obstructed_deployment() -> Vec<Condition> {
    let deployment = (ArtifactKind::Deployment, "support-ledger".to_owned());
    let obstructed = Application::Obstructed(Obstacle::NotInstalled);
    let outcome = ObservabilityOutcome::Judged {
        observability: &with_ledger(),
        applications: &BTreeMap::from([(Part::Ledger, vec![(deployment, obstructed)])]),
        sighting: &seen(&[]),
    };
    report::observability(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

#[test]
fn whoever_verifies_the_chain_is_heard() {
    for (sighting, status, reason) in audits() {
        let (said, because, message) = says(&entered(&sighting), condition::AUDIT_INTACT);
        assert_eq!((said, because.as_str()), (status, reason), "{message}");
    }
    let (said, because, message) = says(&obstructed_deployment(), condition::LEDGER_APPLIED);
    assert_eq!((said, because.as_str()), (False, reason::NOT_ALLOWED));
    assert!(message.contains("`--ledger`"), "{message}");
    assert_eq!(find_condition(&all_of_one_without_a_ledger(), condition::AUDIT_INTACT), None);
}

fn all_of_one_without_a_ledger() -> Vec<Condition> {
    judged(None, &Sighting::Pending, None).expect("it is new").conditions
}

#[test]
fn what_was_found_of_a_chain_is_written_down_once_an_hour_and_when_it_changes() {
    let first = with_audit(&audited(true, AUDITED_AT), None);
    let audit = |status: &AgentObservabilityStatus| status.audit.clone().expect("it was seen");
    let written = audit(&first);
    assert_eq!((written.intact, written.head_sequence), (True, Some(640)));
    assert_eq!(written.head_hash, Some("5f".repeat(32)));
    let later =
        |is_intact, seconds| audit(&with_audit(&audited(is_intact, AUDITED_AT + seconds), Some(&first)));
    assert_eq!(later(true, 3_599), written, "five minutes later is no news");
    assert_ne!(later(true, 3_600), written);
    assert_eq!(later(false, 300).intact, False, "that something was done is news at once");
    assert_eq!(audit(&with_audit(&Sighting::Pending, Some(&first))), written, "what was known stays");
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

/// An agent of a profile with these guards, of which all series are there, and these buckets.
fn guarded(profile: &str, guards: &Value, buckets: &[i64]) -> Vec<Condition> {
    let spec = json!({"agent": "support-agent", "telemetry": {"profile": profile}, "guards": guards});
    let run_buckets = buckets.iter().copied().map(Decimal::from_integer).collect();
    let facts = ObservabilityFacts { run_buckets, ..Default::default() };
    let observability = validated(spec, &facts).expect("it is valid");
    let rules = (ArtifactKind::PrometheusRule, "agentslo-support".to_owned());
    let applications = BTreeMap::from([(Part::Guards, vec![(rules, Application::AsDesired)])]);
    let sighting = seen(&[Role::Runs]);
    let outcome = ObservabilityOutcome::Judged {
        observability: &observability,
        applications: &applications,
        sighting: &sighting,
    };
    report::observability(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

/// The status of an agent with a pipeline whose configuration is written.
fn piped(
    delivery: &str,
    sighting: &Sighting,
    old: Option<&AgentObservabilityStatus>,
) -> Option<AgentObservabilityStatus> {
    let spec = json!({"agent": "support-agent", "pipeline": {"delivery": delivery}});
    let observability = validated(spec, &ObservabilityFacts::default()).expect("it is valid");
    let map = (ArtifactKind::ConfigMap, "support-collector".to_owned());
    let applications = BTreeMap::from([(Part::Pipeline, vec![(map, Application::AsDesired)])]);
    let outcome =
        ObservabilityOutcome::Judged { observability: &observability, applications: &applications, sighting };
    report::observability(outcome, old, 1, Timestamp::UNIX_EPOCH)
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
        (
            Application::AsDesired,
            True,
            reason::APPLIED,
            "as desired: AlertmanagerConfig 'agentslo-support'; nobody tells whether an Alertmanager selects it",
        ),
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
            Application::Contested { by: vec!["kubectl-edit".to_owned(), "argocd".to_owned()] },
            False,
            reason::CONTESTED,
            "somebody else (kubectl-edit, argocd) keeps changing it",
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
fn a_guard_that_can_never_fire_says_what_would_help() {
    let slow = json!({"slowShare": {"slowerThan": "45s"}});
    let queue = json!({"queue": {"maxDepth": 9}});
    let both = json!({"queue": {"maxDepth": 9}, "slowShare": {"slowerThan": "45s"}});
    let cases = [
        ("AgentMetrics", &slow, reason::NO_SUCH_BUCKET, "AgentRunsSlow can never fire"),
        ("AgentMetrics", &slow, reason::NO_SUCH_BUCKET, "no bucket of 45s"),
        ("AgentMetrics", &slow, reason::NO_SUCH_BUCKET, "in seconds 30, 60"),
        ("LiteLLM", &queue, reason::UNSUPPORTED_GUARD, "profile LiteLLM has no queueDepth"),
        ("LiteLLM", &queue, reason::UNSUPPORTED_GUARD, "what AgentMetrics"),
        ("AgentMetrics", &both, reason::NO_SUCH_BUCKET, "AgentRunsSlow"),
    ];
    for (profile, guards, reason, words) in cases {
        let (status, because, message) =
            says(&guarded(profile, guards, &[30, 60]), condition::GUARDS_APPLIED);
        assert_eq!((status, because.as_str()), (True, reason), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let (_, because, _) = says(&guarded("AgentMetrics", &slow, &[45, 60]), condition::GUARDS_APPLIED);
    assert_eq!(because, reason::APPLIED);
}

#[test]
fn a_pipeline_tells_whether_a_collector_runs_it() {
    let applied = |sighting: &Sighting, old| {
        let status = piped("ConfigMap", sighting, old).expect("there is news");
        assert_eq!(says(&status.conditions, condition::READY).0, True, "others have to run it");
        says(&status.conditions, condition::PIPELINE_APPLIED)
    };
    let scraped = |has_collector| {
        let roles = [Role::Runs].into();
        Sighting::Seen(Seen { roles, has_collector, ..Seen::default() })
    };
    let cases = [
        (Sighting::NoPrometheus, reason::APPLIED, "so nobody looks whether a Collector runs it"),
        (Sighting::Pending, reason::APPLIED, "as desired: ConfigMap 'support-collector'"),
        (scraped(true), reason::APPLIED, "Prometheus scrapes a Collector of it"),
        (scraped(false), reason::NOT_OBSERVED, "whose pods are labelled `agentslo.dev/pipeline: support`"),
    ];
    for (sighting, reason, words) in cases {
        let (status, because, message) = applied(&sighting, None);
        assert_eq!((status, because.as_str()), (True, reason), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let operated = piped("OpenTelemetryCollector", &scraped(false), None).expect("it is new");
    let (_, _, message) = says(&operated.conditions, condition::PIPELINE_APPLIED);
    assert!(message.contains("let the OpenTelemetry operator run it"), "{message}");

    // A start of the operator, and an outage of Prometheus, are no news of the Collector.
    let before = piped("ConfigMap", &scraped(false), None).expect("it is new");
    assert_eq!(piped("ConfigMap", &Sighting::Pending, Some(&before)), None);
    let failed = Sighting::Failed { reason: reason::QUERY_FAILED, message: "no answer".to_owned() };
    assert_eq!(applied(&failed, Some(&before)).1, reason::NOT_OBSERVED);
}

#[test]
fn buckets_that_were_seen_are_remembered_while_durations_are_gone() {
    let with = |roles: &[Role], buckets: &[i64]| {
        let run_buckets = buckets.iter().copied().map(Decimal::from_integer).collect();
        Sighting::Seen(Seen { roles: roles.iter().copied().collect(), run_buckets, ..Seen::default() })
    };
    let buckets = |sighting: &Sighting, old| -> Vec<String> {
        let status = judged(None, sighting, old).expect("there is news");
        status.detected.expect("Prometheus answered").run_duration_buckets
    };
    let before = judged(None, &with(&[Role::RunDuration], &[1, 30]), None).expect("it is new");
    assert_eq!(buckets(&with(&[Role::RunDuration], &[1, 30]), None), ["1", "30"]);
    assert_eq!(buckets(&with(&[], &[]), Some(&before)), ["1", "30"], "an outage takes nothing");
    assert_eq!(buckets(&with(&[Role::RunDuration], &[]), Some(&before)), Vec::<String>::new(), "now native");
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
