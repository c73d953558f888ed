//! What the conditions of an AgentSLO say: every reason can come about, and goes again with its cause.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use agentslo::api::v1alpha1::{AgentSloStatus, BudgetState, Condition, ConditionStatus};
use agentslo::domain::platform::Platform;
use agentslo::domain::reading::{Diagnosis, Firing, GroupCounts, Observation, Reading, RulesSeen, Survey};
use agentslo::domain::slo::Slo;
use agentslo::domain::traffic::Traffic;
use agentslo::domain::window::Window;
use agentslo::plan::Obstacle;
use agentslo::prometheus::QueryError;
use agentslo::report::{self, Acceptance, Application, Judgement, Outcome, find_condition};
use agentslo::validate::{self, SloFacts};
use agentslo::vocabulary::{condition, reason};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::observability_conditions;
use crate::spec;
use crate::tidy::documents::vocabulary;

const NOW: f64 = 1_800_000_000.0;

/// What is known of an AgentSLO; a healthy one by default.
#[derive(Clone)]
struct Given {
    spec: Value,
    traffic: Option<Traffic>,
    application: Application,
    acceptance: Acceptance,
    reading: Reading,
    duplicate_of: Option<&'static str>,
}

fn success() -> Value {
    spec::with_indicator(&json!({"success": {}}))
}

fn given() -> Given {
    Given {
        spec: success(),
        traffic: Traffic::nearest(64.0),
        application: Application::AsDesired,
        acceptance: Acceptance::NotReported,
        reading: Reading::Answered(observation()),
        duplicate_of: None,
    }
}

/// An agent with 10,000 runs, 20 of them failed.
fn observation() -> Observation {
    Observation {
        asked_at: NOW,
        evaluated_at: Some(NOW - 60.0),
        groups: vec![counts(10_000.0, 20.0)],
        survey: Some(survey()),
        ..Observation::default()
    }
}

fn counts(total: f64, bad: f64) -> GroupCounts {
    GroupCounts { total, bad: Some(bad), counted_at: NOW - 60.0, ..GroupCounts::default() }
}

fn survey() -> Survey {
    Survey { coverage: 1.0, ..Survey::default() }
}

fn seen(change: impl FnOnce(&mut Observation)) -> Given {
    let mut observation = observation();
    change(&mut observation);
    Given { reading: Reading::Answered(observation), ..given() }
}

fn surveyed(change: impl FnOnce(&mut Survey)) -> Given {
    seen(|observation| change(observation.survey.as_mut().expect("it was surveyed")))
}

fn with_traffic(objective: &str, window: &str, rate: f64) -> Given {
    let mut spec = success();
    spec["objective"] = objective.into();
    spec["window"] = window.into();
    Given { spec, traffic: Traffic::nearest(rate), ..given() }
}

impl Given {
    fn slo(&self) -> Slo {
        let platform = Platform { allows_raw: true, ..Platform::default() };
        let facts = SloFacts { platform, traffic: self.traffic, ..SloFacts::default() };
        validate::slo(&spec::written(&self.spec), &facts).expect("the spec should be valid")
    }

    fn status_after(&self, old: Option<&AgentSloStatus>) -> Option<AgentSloStatus> {
        let slo = self.slo();
        let judgement = Judgement {
            slo: &slo,
            application: &self.application,
            acceptance: &self.acceptance,
            reading: &self.reading,
            duplicate_of: self.duplicate_of,
        };
        report::slo(Outcome::Judged(judgement), old, 1, Timestamp::UNIX_EPOCH)
    }

    fn status(&self) -> AgentSloStatus {
        self.status_after(None).expect("the first status is always news")
    }

    fn says(&self, type_: &str, status: ConditionStatus, reason: &str) -> String {
        says(&self.status(), type_, status, reason)
    }
}

fn find<'a>(status: &'a AgentSloStatus, type_: &str) -> &'a Condition {
    find_condition(&status.conditions, type_).unwrap_or_else(|| panic!("there should be a condition {type_}"))
}

fn says(status: &AgentSloStatus, type_: &str, wanted: ConditionStatus, reason: &str) -> String {
    let condition = find(status, type_);
    assert_eq!((condition.status, condition.reason.as_str()), (wanted, reason), "{condition:?}");
    condition.message.clone()
}

/// A cause, and the condition, status and reason that it comes to.
type Case = (Given, &'static str, ConditionStatus, &'static str);

fn cases() -> Vec<Case> {
    [healthy(), about_rules(), about_answers(), about_data(), about_budgets(), warnings()].concat()
}

fn healthy() -> Vec<Case> {
    let all = [
        (condition::READY, True, reason::READY),
        (condition::ACCEPTED, True, reason::VALID),
        (condition::RULES_APPLIED, True, reason::APPLIED),
        (condition::RULES_ACCEPTED, True, reason::EVALUATED),
        (condition::DATA_AVAILABLE, True, reason::DATA),
        (condition::BUDGET_HEALTHY, True, reason::WITHIN_BUDGET),
        (condition::ALERTS_REACHABLE, True, reason::REACHABLE),
        (condition::TRAFFIC_SUFFICIENT, True, reason::SUFFICIENT),
        (condition::PLAUSIBLE, True, reason::PLAUSIBLE),
        (condition::RECONCILING, False, reason::OBSERVED),
        (condition::STALLED, False, reason::OBSERVED),
    ];
    all.map(|(type_, status, reason)| (given(), type_, status, reason)).to_vec()
}

fn about_rules() -> Vec<Case> {
    let applied = |application| Given { application, ..given() };
    let foreign = Obstacle::Foreign { controller: "nobody that it names".to_owned() };
    let contested = Application::Contested { by: vec!["kubectl-edit".to_owned()] };
    let obstructed = |obstacle| applied(Application::Obstructed(obstacle));
    let accepted = |acceptance| Given { acceptance, ..given() };
    let failing = RulesSeen::Failing { rule: "r".to_owned(), error: "e".to_owned() };
    let (rules, loaded) = (condition::RULES_APPLIED, condition::RULES_ACCEPTED);
    vec![
        (obstructed(Obstacle::NotInstalled), rules, False, reason::DEPENDENCY_MISSING),
        (obstructed(foreign), rules, False, reason::CONFLICT),
        (obstructed(Obstacle::TooLarge { bytes: 500_000 }), rules, False, reason::TOO_LARGE),
        (applied(contested.clone()), rules, False, reason::CONTESTED),
        (applied(contested), condition::RECONCILING, True, reason::RETRYING),
        (applied(refused(403, "rules are forbidden")), rules, False, reason::FORBIDDEN),
        (applied(refused(403, "exceeded quota: rules")), rules, False, reason::QUOTA_EXCEEDED),
        (applied(refused(500, "timeout")), rules, False, reason::APPLY_FAILED),
        (applied(refused(500, "timeout")), condition::RECONCILING, True, reason::RETRYING),
        (accepted(Acceptance::Bound { by: "monitoring/main".to_owned() }), loaded, True, reason::BOUND),
        (accepted(Acceptance::Refused { message: "no".to_owned() }), loaded, False, reason::REJECTED),
        (unevaluated(RulesSeen::Missing), loaded, False, reason::NO_PROMETHEUS_SELECTS),
        (unevaluated(RulesSeen::Healthy), loaded, Unknown, reason::NOT_EVALUATED),
        (unevaluated(failing), loaded, False, reason::RULE_FAILED),
    ]
}

/// Answers that tell nothing about the data.
fn about_answers() -> Vec<Case> {
    let unread = |reading| Given { reading, ..given() };
    let mut cases = vec![
        (unread(Reading::NoPrometheus), condition::DATA_AVAILABLE, Unknown, reason::PROMETHEUS_UNKNOWN),
        (unread(Reading::Pending), condition::DATA_AVAILABLE, Unknown, reason::PENDING),
    ];
    let errors = [
        (QueryError::Configuration("no".to_owned()), reason::QUERY_FAILED),
        (QueryError::Unreachable("the connection failed"), reason::QUERY_FAILED),
        (QueryError::NotPrometheus, reason::QUERY_FAILED),
        (QueryError::TooLarge(1), reason::QUERY_FAILED),
        (QueryError::Status(401), reason::UNAUTHORIZED),
        (QueryError::Status(403), reason::FORBIDDEN),
        (QueryError::Status(429), reason::RATE_LIMITED),
        (QueryError::Status(503), reason::UNAVAILABLE),
        (QueryError::Partial, reason::UNAVAILABLE),
        (QueryError::Refused("bad_data".to_owned()), reason::QUERY_REJECTED),
    ];
    for (error, reason) in errors {
        let reading = Reading::Failed { reason: error.reason(), message: error.to_string() };
        cases.push((unread(reading), condition::DATA_AVAILABLE, Unknown, reason));
    }
    cases
}

fn about_data() -> Vec<Case> {
    let missing = |diagnosis| {
        seen(|seen| {
            seen.groups.clear();
            seen.diagnosis = Some(diagnosis);
        })
    };
    let nearest = ["5", "10"].map(str::to_owned).to_vec();
    let bucket = Diagnosis::NoSuchBucket { bound: "7".to_owned(), nearest };
    let old = || seen(|seen| seen.groups[0].counted_at -= 1200.0);
    let short = surveyed(|survey| survey.retention = Some(Window::from_days(15)));
    let data = condition::DATA_AVAILABLE;
    vec![
        (missing(Diagnosis::NoSeries { selector: "x".to_owned() }), data, False, reason::NO_SERIES),
        (missing(bucket), data, False, reason::NO_SUCH_BUCKET),
        (seen(|seen| seen.groups.clear()), data, False, reason::NO_SERIES),
        (seen(|seen| seen.groups[0].bad = None), data, Unknown, reason::NOT_EVALUATED),
        (old(), data, False, reason::SAMPLES_TOO_OLD),
        (old(), condition::BUDGET_HEALTHY, Unknown, reason::SAMPLES_TOO_OLD),
        (firing(Firing::NoData), data, False, reason::SAMPLES_TOO_OLD),
        (counted(10.0, 20.0), data, False, reason::RATIO_ABOVE_ONE),
        (counted(0.0, 0.0), data, True, reason::IDLE),
        (short, data, False, reason::RETENTION_TOO_SHORT),
        (raw(), data, False, reason::INVALID_QUERY),
    ]
}

fn about_budgets() -> Vec<Case> {
    let budget = condition::BUDGET_HEALTHY;
    vec![
        (seen(|seen| seen.groups.clear()), budget, Unknown, reason::NO_SERIES),
        (counted(0.0, 0.0), budget, Unknown, reason::IDLE),
        (counted(20.0, 0.0), budget, Unknown, reason::INSUFFICIENT),
        (counted(1000.0, 10.0), budget, False, reason::EXHAUSTED),
        (firing(Firing::Page), budget, False, reason::BURNING_FAST),
    ]
}

fn warnings() -> Vec<Case> {
    let (traffic, plausible) = (condition::TRAFFIC_SUFFICIENT, condition::PLAUSIBLE);
    let duplicate = Given { duplicate_of: Some("first"), ..given() };
    vec![
        (with_traffic("85", "30d", 64.0), condition::ALERTS_REACHABLE, False, reason::ALERT_UNREACHABLE),
        (with_traffic("99", "30d", 1.0), traffic, False, reason::LOW_TRAFFIC),
        (with_traffic("99.999", "1d", 64.0), traffic, False, reason::TARGET_FINER_THAN_DATA),
        (duplicate, plausible, False, reason::DUPLICATE_OBJECTIVE),
        (gauge(), plausible, False, reason::METRIC_LOOKS_LIKE_GAUGE),
    ]
}

fn counted(total: f64, bad: f64) -> Given {
    seen(|seen| seen.groups[0] = counts(total, bad))
}

fn firing(alert: Firing) -> Given {
    seen(|seen| seen.alerts = BTreeMap::from([(alert, NOW)]))
}

fn unevaluated(rules: RulesSeen) -> Given {
    let observation = Observation { asked_at: NOW, rules, ..Observation::default() };
    Given { reading: Reading::Answered(observation), ..given() }
}

/// A write that the API server refused, as the controller reports it.
fn refused(code: u16, message: &str) -> Application {
    let status = kube::core::Status { code, message: message.to_owned(), ..kube::core::Status::default() };
    let source = kube::Error::Api(Box::new(status));
    let error = agentslo::controller::ReconcileError::Apply { object: "a rule".to_owned(), source };
    Application::Failed { reason: error.reason(), message: message.to_owned() }
}

/// A raw query that forgot to aggregate.
fn raw() -> Given {
    let raw =
        json!({"raw": {"bad": "increase(bad_total[$window])", "total": "increase(all_total[$window])"}});
    let labelled = |pod: &str| {
        let labels = BTreeMap::from([("pod".to_owned(), pod.to_owned())]);
        GroupCounts { labels, ..counts(100.0, 1.0) }
    };
    let mut given = seen(|seen| seen.groups = vec![labelled("a"), labelled("b")]);
    given.spec = spec::with_indicator(&raw);
    given
}

fn gauge() -> Given {
    surveyed(|survey| survey.gauge = Some("queue_length".to_owned()))
}

#[test]
fn every_cause_has_its_reason() {
    for (given, type_, status, reason) in cases() {
        let message = given.says(type_, status, reason);
        assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
        assert!(message.split("; ").all(|sentence| sentence.len() < 200), "{message}");
    }
}

#[test]
fn every_reason_in_the_vocabulary_comes_about() {
    let judged = cases().into_iter().map(|(given, ..)| given.status().conditions);
    let others = observability_conditions::all();
    let all = judged.chain([suspended(), rejected(), platform()]).flatten().chain(others);
    let reasons: BTreeSet<String> = all.map(|condition| condition.reason).collect();
    let vocabulary = vocabulary("reason");
    let unheard: Vec<&String> = vocabulary.iter().filter(|reason| !reasons.contains(*reason)).collect();
    assert!(unheard.is_empty(), "nothing ever says {unheard:?}");
}

#[test]
fn every_condition_is_there_from_the_first_visit_on() {
    let types = |conditions: Vec<Condition>| -> BTreeSet<String> {
        conditions.into_iter().map(|condition| condition.type_).collect()
    };
    let of_slo = types(given().status().conditions);
    for (given, ..) in cases() {
        assert_eq!(types(given.status().conditions), of_slo);
    }
    assert_eq!(types(suspended()), of_slo);
    assert_eq!(types(rejected()), of_slo);
    let others = types(observability_conditions::all());
    let all: BTreeSet<String> = of_slo.union(&types(platform())).cloned().chain(others).collect();
    assert_eq!(all, vocabulary("condition").into_iter().collect());
}

fn suspended() -> Vec<Condition> {
    report::slo(Outcome::Suspended, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

fn rejected() -> Vec<Condition> {
    let spec = json!({"agent": "a", "objective": "100", "indicator": {"success": {}}});
    let violations = spec::validated(&spec).expect_err("100 is no objective");
    let rejected = Outcome::Rejected { violations: &violations, in_force: None };
    report::slo(rejected, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

fn platform() -> Vec<Condition> {
    let outcome = report::PlatformOutcome { violations: None, prometheus: Some(Ok(())), slos: 0 };
    report::platform(outcome, None, 1, Timestamp::UNIX_EPOCH).expect("it is new").conditions
}

#[test]
fn every_reason_goes_with_its_cause_and_the_second_status_is_no_news() {
    for (given_case, type_, status, reason) in cases() {
        let bad = given_case.status();
        let again = given_case.status_after(Some(&bad));
        assert_eq!(again, None, "{type_} {reason} is written twice");
        let healthy = Given { spec: given_case.spec.clone(), ..given() };
        // What the spec itself brings about stays with it.
        if status == True || healthy.status().conditions == bad.conditions {
            continue;
        }
        let after = healthy.status_after(Some(&bad)).unwrap_or_else(|| bad.clone());
        let condition = find(&after, type_);
        let expected = find_condition(&healthy.status().conditions, type_).cloned();
        let expected = expected.expect("it is always there");
        assert_eq!((&condition.reason, &condition.message), (&expected.reason, &expected.message));
    }
}

#[test]
fn low_traffic_names_the_weight_of_a_failure_and_what_would_help() {
    let type_ = condition::TRAFFIC_SUFFICIENT;
    let cases = [
        (
            ("99", "30d", 1.0),
            reason::LOW_TRAFFIC,
            "at about 1 an hour one failure is 14% of the budget; an objective of 98.6% or a window of 42d would make it 10% or less",
        ),
        (
            ("95", "7d", 0.25),
            reason::LOW_TRAFFIC,
            "at about 0.25 an hour one failure is 48% of the budget; an objective of 76.1% or a window of 34d would make it 10% or less",
        ),
        (
            ("99", "90d", 0.125),
            reason::LOW_TRAFFIC,
            "at about 0.125 an hour one failure is 37% of the budget; an objective of 96.2% would make it 10% or less",
        ),
        (
            ("99.999", "1d", 64.0),
            reason::TARGET_FINER_THAN_DATA,
            "at about 64 an hour one failure exhausts the budget below 100000 events in 1d; an objective of 99.3% would make it 10% or less",
        ),
        (
            ("90", "1d", 0.5),
            reason::LOW_TRAFFIC,
            "at about 0.5 an hour one failure is 83% of the budget; a window of 9d would make it 10% or less",
        ),
        (
            ("99", "1d", 0.125),
            reason::TARGET_FINER_THAN_DATA,
            "at about 0.125 an hour one failure exhausts the budget below 100 events in 1d; only more events would make it 10% or less",
        ),
    ];
    for ((objective, window, rate), reason, message) in cases {
        assert_eq!(with_traffic(objective, window, rate).says(type_, False, reason), message);
    }
    with_traffic("99", "30d", 2.0).says(type_, True, reason::SUFFICIENT);
    Given { traffic: None, ..given() }.says(type_, Unknown, reason::PENDING);
}

#[test]
fn every_state_of_a_budget_comes_about() {
    let cases = [
        (counted(10_000.0, 20.0), BudgetState::Met),
        (counted(10_000.0, 80.0), BudgetState::AtRisk),
        (counted(10_000.0, 100.0), BudgetState::Exhausted),
        (counted(20.0, 0.0), BudgetState::Insufficient),
        (counted(0.0, 0.0), BudgetState::Idle),
        (seen(|seen| seen.groups.clear()), BudgetState::NoData),
        (seen(|seen| seen.groups[0].bad = None), BudgetState::NoData),
        (firing(Firing::NoData), BudgetState::Stale),
        (seen(|seen| seen.groups[0].counted_at -= 1200.0), BudgetState::Stale),
    ];
    for (given, state) in cases {
        let budget = given.status().budget.expect("the rules are evaluated");
        assert_eq!(budget.state, state);
        // None of them passes for a budget that is whole.
        assert!(budget.remaining != Some("100%".to_owned()), "{state:?}: {budget:?}");
    }
}

#[test]
fn with_groups_the_traffic_is_that_of_the_busiest() {
    let mut given = with_traffic("99", "30d", 1.0);
    given.spec["groupBy"] = json!(["model"]);
    let message = given.says(condition::TRAFFIC_SUFFICIENT, False, reason::LOW_TRAFFIC);
    assert!(message.starts_with("at about 1 an hour in the busiest group one failure is 14%"), "{message}");
}

#[test]
fn warnings_say_what_to_do() {
    let data = condition::DATA_AVAILABLE;
    let retention = surveyed(|survey| survey.retention = Some(Window::from_days(15)));
    assert_eq!(
        retention.says(data, False, reason::RETENTION_TOO_SHORT),
        "the window is 30d, but Prometheus keeps samples for 15d only, so older events are forgotten; lengthen its retention or shorten `window`"
    );
    surveyed(|survey| survey.retention = Some(Window::from_days(30))).says(data, True, reason::DATA);
    assert_eq!(
        raw().says(data, False, reason::INVALID_QUERY),
        "expected one series, got 2; aggregate with sum()"
    );
    let mut both = gauge();
    both.duplicate_of = Some("first");
    assert_eq!(
        both.says(condition::PLAUSIBLE, False, reason::DUPLICATE_OBJECTIVE),
        "AgentSLO 'first' has the same indicator for agent 'a' over the same window; delete one of them; metric 'queue_length' is a gauge, but its increase is counted; use a counter, or `availability` for a gauge of 0 and 1"
    );
    let moved =
        with_traffic("99", "30d", 2.0).says(condition::ALERTS_REACHABLE, False, reason::ALERT_UNREACHABLE);
    assert_eq!(
        moved,
        "the pair 1h/5m is left out: even a total outage has too few events in 1h at about 2 an hour; the page looks at 6h instead"
    );
}

/// Of many the operator looks into a few at a time; what it said of the others before a restart holds.
#[test]
fn findings_outlive_a_restart_of_the_operator() {
    let selector = "runs_total".to_owned();
    let without_series = |diagnosis: Option<Diagnosis>| {
        seen(|seen| {
            seen.groups.clear();
            seen.diagnosis = diagnosis;
        })
    };
    let old = without_series(Some(Diagnosis::NoSeries { selector })).status();
    assert_eq!(without_series(None).status_after(Some(&old)), None, "nothing is news");
    let looked = without_series(Some(Diagnosis::Unexplained)).status_after(Some(&old));
    let message = says(&looked.expect("it is news"), condition::DATA_AVAILABLE, False, reason::NO_SERIES);
    assert!(message.starts_with("no series match the indicator"), "{message}");

    let old = unevaluated(RulesSeen::Missing).status();
    assert_eq!(unevaluated(RulesSeen::NotAsked).status_after(Some(&old)), None, "nothing is news");
    let looked = unevaluated(RulesSeen::Healthy).status_after(Some(&old)).expect("it is news");
    says(&looked, condition::RULES_ACCEPTED, Unknown, reason::NOT_EVALUATED);
}

/// Between two looks, and while Prometheus is away, what was seen last holds.
#[test]
fn warnings_outlive_a_restart_of_the_operator() {
    let gone = |reading: Reading, old: &AgentSloStatus| {
        let given = Given { reading, ..given() };
        given.status_after(Some(old)).unwrap_or_else(|| old.clone())
    };
    let old = gauge().status();
    for reading in
        [Reading::Pending, Reading::Failed { reason: reason::QUERY_FAILED, message: "down".to_owned() }]
    {
        says(&gone(reading, &old), condition::PLAUSIBLE, False, reason::METRIC_LOOKS_LIKE_GAUGE);
    }
    let old = surveyed(|survey| survey.retention = Some(Window::from_days(15))).status();
    let unsurveyed = Observation { survey: None, ..observation() };
    for reading in [Reading::Pending, Reading::Answered(unsurveyed)] {
        let status = gone(reading, &old);
        says(&status, condition::DATA_AVAILABLE, False, reason::RETENTION_TOO_SHORT);
    }
}

#[test]
fn figures_of_rules_that_are_evaluated_no_more_are_marked_and_kept() {
    let old = given().status();
    let silent = Observation { asked_at: NOW + 7200.0, ..Observation::default() };
    let status = Given { reading: Reading::Answered(silent), ..given() }.status_after(Some(&old));
    let status = status.expect("that is news");
    says(&status, condition::DATA_AVAILABLE, False, reason::SAMPLES_TOO_OLD);
    assert_eq!(status.budget.map(|budget| format!("{:?}", budget.state)).as_deref(), Some("Stale"));
    assert_eq!((status.sli, status.events), (old.sli, old.events));
}

#[test]
fn traffic_and_coverage_are_recorded_and_read_back() {
    let mut measured = surveyed(|survey| {
        survey.events_per_hour = Some(12.4);
        survey.coverage = 0.1;
    });
    measured.traffic = Traffic::follow(None, Some(12.4));
    let status = measured.status();
    let traffic = status.traffic.clone().expect("it was measured");
    assert_eq!((traffic.per_hour.as_deref(), traffic.used.as_str()), (Some("12"), "16"));
    assert_eq!(status.events.as_ref().and_then(|events| events.coverage.as_deref()), Some("10%"));
    assert!(status.alerts.iter().all(|alert| alert.detection.is_some() && alert.reset.is_some()));
    // A restart: nothing was read yet, and the rules are those of before.
    let recorded = Traffic::parse(&traffic.used);
    let restarted = Given { traffic: Traffic::follow(recorded, None), reading: Reading::Pending, ..given() };
    assert_eq!(restarted.slo(), measured.slo());
    assert_eq!(restarted.status_after(Some(&status)), None, "and nothing is news");
    // A little more traffic is none either.
    let mut more = surveyed(|survey| {
        survey.events_per_hour = Some(14.0);
        survey.coverage = 0.1;
    });
    more.traffic = Traffic::follow(recorded, Some(14.0));
    assert_eq!(more.status_after(Some(&status)), None);
}
