//! The rows of the catalogue of bad input that only show beside an agent and its Prometheus.

use std::collections::BTreeMap;

use agentslo::api::v1alpha1::AgentSlo;
use agentslo::domain::platform::Platform;
use agentslo::domain::reading::{GroupCounts, Observation, Reading, Survey};
use agentslo::domain::traffic::Traffic;
use agentslo::domain::window::Window;
use agentslo::report::{self, Acceptance, Application, Judgement, Outcome, find_condition};
use agentslo::validate::{self, SloFacts};
use k8s_openapi::jiff::Timestamp;

use crate::fixtures::{self, Fixture};

#[test]
fn the_status_says_what_the_catalogue_says() {
    let all = fixtures::files().into_iter().flat_map(|file| fixtures::read(&file));
    let ours: Vec<Fixture> = all.filter(|fixture| !fixture.status.is_empty()).collect();
    assert!(ours.len() >= 5, "the fixtures should be found");
    for fixture in ours {
        let said = conditions(&fixture);
        for expected in &fixture.status {
            assert!(said.contains(expected), "{}: {expected}\nis not among {said:#?}", fixture.place);
        }
    }
}

/// What the status says, as `Type=Status/Reason: message`.
fn conditions(fixture: &Fixture) -> Vec<String> {
    let given = |name: &str| -> Option<&str> {
        fixture.given.iter().find_map(|given| given.strip_prefix(name)?.strip_prefix(' '))
    };
    let resource: AgentSlo = serde_saphyr::from_str(&fixture.document).expect("the fixture should parse");
    let traffic = given("traffic").and_then(Traffic::parse);
    let platform = Platform { allows_raw: true, ..Platform::default() };
    let facts = SloFacts { platform, traffic, ..SloFacts::default() };
    let slo = validate::slo(&resource, &facts).expect("the fixture should be accepted");
    let survey = Survey {
        coverage: 1.0,
        events_per_hour: traffic.map(Traffic::events_per_hour),
        retention: given("retention").and_then(Window::parse),
        gauge: given("gauge").map(str::to_owned),
    };
    let series = given("series").map_or(1, |series| series.parse().expect("a number of series"));
    let observation = Observation {
        asked_at: 100.0,
        evaluated_at: Some(100.0),
        groups: (0..series).map(|pod| counts(pod, series)).collect(),
        survey: Some(survey),
        ..Observation::default()
    };
    let judgement = Judgement {
        slo: &slo,
        application: &Application::AsDesired,
        acceptance: &Acceptance::NotReported,
        reading: &Reading::Answered(observation),
        duplicate_of: given("older"),
    };
    let status = report::slo(Outcome::Judged(judgement), None, 1, Timestamp::UNIX_EPOCH);
    let conditions = status.expect("the first status is always news").conditions;
    assert!(find_condition(&conditions, "Ready").is_some_and(|ready| ready.reason == "Ready"));
    conditions
        .into_iter()
        .map(|one| format!("{}={:?}/{}: {}", one.type_, one.status, one.reason, one.message))
        .collect()
}

/// One series without labels, or several of different pods.
fn counts(pod: usize, series: usize) -> GroupCounts {
    let pod = ("pod".to_owned(), pod.to_string());
    let labels = if series == 1 { BTreeMap::new() } else { BTreeMap::from([pod]) };
    GroupCounts { labels, total: 1000.0, bad: Some(1.0), counted_at: 100.0, ..GroupCounts::default() }
}
