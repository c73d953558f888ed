//! Laws of the simulation, and the promises of the alerts: what each incident must and must not do,
//! whatever the objective, the window and the estimator.

use agentslo::domain::burn_rate::{Pair, Urgency};
use agentslo::domain::slo::Slo;
use agentslo::simulate::{
    Answer, Incident, Outcome, answer, detection, false_pages_per_month, forms, reset, scene, scene_of_script,
};
use serde_json::{Value, json};

use crate::spec;

const OBJECTIVES: [&str; 4] = ["85", "95", "99", "99.9"];
const WINDOWS: [&str; 4] = ["7d", "28d", "30d", "90d"];
const ESTIMATORS: [&str; 5] = ["Smoothed", "MinFailures", "Wilson", "SequentialTest", "Ratio"];
/// Minutes before an incident begins.
const CALM: usize = 60;

fn slo(objective: &str, window: &str, estimator: &str) -> Slo {
    with(&json!({"success": {}}), objective, window, estimator)
}

fn with(indicator: &Value, objective: &str, window: &str, estimator: &str) -> Slo {
    spec::valid(&json!({
        "agent": "a", "objective": objective, "window": window, "indicator": indicator,
        "alerting": {"estimator": estimator},
    }))
}

fn default_slo() -> Slo {
    slo("99", "30d", "Smoothed")
}

/// Every objective with every estimator, and every window.
fn every_slo() -> Vec<Slo> {
    let over_a_month = OBJECTIVES
        .into_iter()
        .flat_map(|objective| ESTIMATORS.map(|estimator| slo(objective, "30d", estimator)));
    over_a_month.chain(WINDOWS.map(|window| slo("99", window, "Smoothed"))).collect()
}

fn play(slo: &Slo, incident: Incident) -> Answer {
    let scene = scene(slo, incident, forms(slo)[0]).expect("the indicator should be playable");
    answer(slo, &scene)
}

fn about(slo: &Slo) -> String {
    format!("{} over {}, {:?}", slo.objective(), slo.window(), slo.alerting().estimator)
}

#[test]
fn a_total_outage_pages_and_the_page_stops() {
    for slo in every_slo() {
        let group = &play(&slo, Incident::TotalOutage).groups[0];
        let first = group.page.first().unwrap_or_else(|| panic!("{}: no page", about(&slo)));
        assert!((CALM..CALM + 60).contains(&first), "{}: page at {first}", about(&slo));
        assert_eq!(group.page.states().last(), Some(&false), "{}: the page never stops", about(&slo));
    }
}

#[test]
fn the_pairs_with_shorter_windows_are_first_after_a_busy_morning() {
    let slo = default_slo();
    let group = &play(&slo, Incident::OutageAfterBusyMorning).groups[0];
    let begins = 360 + 1440;
    let page = group.page.first().expect("a page should come") - begins;
    let ticket = group.ticket.first().expect("a ticket should come") - begins;
    let forecast = |index: usize| detection(&slo, &slo.alerting().pairs[index], 60.0);
    let forecasts = [0, 1, 2, 3].map(|index| forecast(index).expect("every pair should see it"));
    assert!(page.abs_diff(forecasts[0] as usize) <= 1, "{page} {forecasts:?}");
    assert!(ticket.abs_diff(forecasts[2] as usize) <= 5, "{ticket} {forecasts:?}");
    assert!(forecasts[0] + 5 < forecasts[1], "{forecasts:?}");
}

#[test]
fn one_failure_in_five_runs_pages_nobody() {
    for slo in every_slo() {
        let pages = play(&slo, Incident::OneFailureInFiveRuns).groups[0].page.first();
        let is_plain_ratio = slo.alerting().estimator == agentslo::api::v1alpha1::Estimator::Ratio;
        assert!(pages.is_none() || is_plain_ratio, "{}: page at {pages:?}", about(&slo));
    }
    let ratio = slo("99", "30d", "Ratio");
    assert!(play(&ratio, Incident::OneFailureInFiveRuns).groups[0].page.first().is_some());
}

#[test]
fn idle_nights_restarts_and_gaps_alert_nobody() {
    for slo in every_slo() {
        for incident in [Incident::IdleNight, Incident::CounterReset, Incident::ScrapeGap] {
            let answer = play(&slo, incident);
            let group = &answer.groups[0];
            let plain_ratio = slo.alerting().estimator == agentslo::api::v1alpha1::Estimator::Ratio;
            // The restart comes with one failure, which is enough for the plain ratio of a strict objective.
            let tolerated = plain_ratio && incident == Incident::CounterReset;
            for firing in [&group.page, &group.ticket] {
                assert!(firing.first().is_none() || tolerated, "{}: {incident:?}", about(&slo));
            }
            assert_eq!(answer.no_data.first(), None, "{}: {incident:?}", about(&slo));
        }
    }
}

#[test]
fn telemetry_that_is_gone_is_reported_in_time_and_is_no_failure() {
    for after in [30, 360] {
        let slo = spec::valid(&json!({
            "agent": "a", "objective": "99", "indicator": {"success": {}},
            "alerting": {"noData": {"after": format!("{after}m")}},
        }));
        let answer = play(&slo, Incident::TelemetryGone);
        let first = answer.no_data.first().expect("the absence should be reported");
        // The last sample is seen for five minutes at most, and fifteen without one are no absence yet.
        assert!((CALM + after + 15..=CALM + after + 21).contains(&first), "{after}m: {first}");
        assert_eq!(
            answer.no_data.states().last(),
            Some(&false),
            "{after}m: it should stop with the telemetry back"
        );
        assert_eq!(answer.groups[0].page.first(), None);
        assert_eq!(answer.groups[0].exhausted.first(), None);
    }
}

/// What the ladder of births costs: a process that lived for a shorter time than it was away, with so few
/// failures that they pass for new ones.
#[test]
fn a_few_failures_of_a_young_process_are_counted_again_after_a_long_gap() {
    let slo = default_slo();
    let mut script = Incident::TelemetryGone.script(&slo);
    script.sources.retain(|source| source.outcome == Outcome::Bad);
    script.sources.iter_mut().for_each(|source| source.old = 10);
    let scene = scene_of_script(&slo, &script, forms(&slo)[0]).expect("the indicator should be playable");
    assert_eq!(answer(&slo, &scene).groups[0].bad_count.newest(), Some(10.0));
}

#[test]
fn a_spent_budget_is_reported() {
    for slo in every_slo() {
        let group = &play(&slo, Incident::BudgetExhausted).groups[0];
        assert!(group.exhausted.first().is_some(), "{}", about(&slo));
    }
}

#[test]
fn every_event_is_counted_once_whatever_became_of_the_counters() {
    let exact = [
        Incident::TotalOutage,
        Incident::OutageAfterBusyMorning,
        Incident::QuarterFailing,
        Incident::SlowLeak,
        Incident::IdleNight,
        Incident::BirthAtFirstFailure,
        Incident::TwoReplicas,
        Incident::BudgetExhausted,
    ];
    let slo = default_slo();
    for incident in exact {
        let script = incident.script(&slo);
        let group = &play(&slo, incident).groups[0];
        let bad = group.bad_count.newest().expect("bad events should be counted");
        let truth = f64::from(script.events(Outcome::Bad));
        assert!((bad - truth).abs() < 1e-9, "{incident:?}: {bad} instead of {truth}");
    }
}

#[test]
fn a_healthy_group_is_left_alone_while_another_fails() {
    let slo = spec::valid(
        &json!({"agent": "a", "objective": "99", "indicator": {"success": {}}, "groupBy": ["model"]}),
    );
    let answer = play(&slo, Incident::TotalOutage);
    let [failing, healthy] = &answer.groups[..] else { panic!("there should be two groups") };
    assert!(failing.page.first().is_some());
    assert_eq!((healthy.page.first(), healthy.ticket.first(), healthy.exhausted.first()), (None, None, None));
}

/// Median minutes until one of the page pairs sees a total outage, from a simulation of sixty months with
/// random arrivals. Ours is of even arrivals, and knows of scrapes, evaluations and overlapping counts.
#[test]
fn detection_takes_as_long_as_with_random_arrivals() {
    let cases = [
        ("Ratio", "99", 20.0, 9),
        ("MinFailures", "99", 5.0, 31),
        ("MinFailures", "99", 20.0, 9),
        ("MinFailures", "99.9", 20.0, 8),
        ("MinFailures", "95", 5.0, 47),
        ("Wilson", "99", 20.0, 17),
        ("Smoothed", "99", 5.0, 32),
        ("Smoothed", "99", 20.0, 14),
        ("Smoothed", "99.9", 20.0, 8),
        ("Smoothed", "95", 5.0, 55),
        ("SequentialTest", "99", 5.0, 32),
        ("SequentialTest", "99", 20.0, 11),
        ("SequentialTest", "95", 5.0, 44),
    ];
    let forecasts = cases.map(|(estimator, objective, rate, simulated)| {
        let slo = slo(objective, "30d", estimator);
        let forecast =
            slo.alerting().pairs_of(Urgency::Page).filter_map(|pair| detection(&slo, pair, rate)).min();
        (estimator, objective, rate, simulated, forecast)
    });
    for (.., simulated, forecast) in forecasts {
        let forecast = forecast.unwrap_or_else(|| panic!("{forecasts:#?}"));
        assert!(forecast >= simulated * 3 / 4 && forecast <= simulated * 5 / 4 + 6, "{forecasts:#?}");
    }
}

#[test]
fn more_traffic_never_delays_detection_by_more_than_an_interval() {
    for slo in every_slo() {
        for pair in &slo.alerting().pairs {
            let times: Vec<Option<u32>> =
                [2.0, 5.0, 20.0, 100.0, 1000.0].map(|rate| detection(&slo, pair, rate)).into();
            for (slow, fast) in times.iter().zip(&times[1..]) {
                let Some(slow) = slow else { continue };
                let fast =
                    fast.unwrap_or_else(|| panic!("{}: more events, no detection: {times:?}", about(&slo)));
                assert!(fast <= slow + 30, "{}, {pair:?}: {times:?}", about(&slo));
            }
        }
    }
}

#[test]
fn a_reset_takes_at_most_the_short_window_and_what_the_alert_is_kept() {
    let slo = default_slo();
    for pair in &slo.alerting().pairs {
        let reset = reset(&slo, pair, 60.0).expect("the outage should be seen");
        let keep = slo.alerting().pairs_of(pair.urgency).map(|pair| pair.short.minutes()).min().unwrap_or(0);
        assert!((keep..=pair.short.minutes() + keep + 6).contains(&reset), "{pair:?}: {reset}");
    }
}

/// Pages a month at exactly the budget, from a simulation of sixty months with random arrivals: the
/// estimate errs on the high side, because pages that follow each other closely are one. Wilson is not
/// among them: the simulation had it without the fewest failures, which the rules ask for.
#[test]
fn false_pages_are_of_the_size_that_random_arrivals_show() {
    let cases = [
        ("Ratio", "99", 5.0, 24.9),
        ("Ratio", "99", 20.0, 1.9),
        ("Ratio", "99.9", 20.0, 15.2),
        ("Ratio", "95", 5.0, 2.1),
        ("MinFailures", "99", 5.0, 1.3),
        ("MinFailures", "99", 20.0, 1.1),
        ("MinFailures", "99.9", 20.0, 0.1),
        ("MinFailures", "95", 5.0, 0.3),
        ("Smoothed", "99", 5.0, 0.1),
        ("Smoothed", "99", 20.0, 0.0),
        ("Smoothed", "99.9", 20.0, 0.1),
        ("Smoothed", "95", 5.0, 0.0),
        ("SequentialTest", "99", 5.0, 0.0),
        ("SequentialTest", "99", 20.0, 0.2),
    ];
    let estimates = cases.map(|(estimator, objective, rate, simulated)| {
        let slo = slo(objective, "30d", estimator);
        let pages: Vec<&Pair> = slo.alerting().pairs_of(Urgency::Page).collect();
        let estimate: f64 = pages.iter().map(|pair| false_pages_per_month(&slo, pair, rate)).sum();
        (estimator, objective, rate, simulated, estimate)
    });
    for (.., simulated, estimate) in estimates {
        assert!(estimate > simulated * 0.5 - 0.1 && estimate < simulated * 2.5 + 0.3, "{estimates:#?}");
    }
}
