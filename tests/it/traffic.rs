//! What few events make of the alerts: longer windows, pages that still come, and nothing that flaps.

use agentslo::domain::burn_rate::{Pair, Urgency};
use agentslo::domain::slo::Slo;
use agentslo::domain::traffic::Traffic;
use agentslo::render;
use agentslo::render::rules::{cost, groups};
use agentslo::simulate::{detection, reset};
use agentslo::validate::{self, SloFacts};
use serde_json::{Value, json};

use crate::spec;

const RATES: [f64; 9] = [0.01, 0.1, 0.25, 1.0, 4.0, 16.0, 64.0, 256.0, 4096.0];
const OBJECTIVES: [&str; 4] = ["85", "95", "99", "99.9"];
const WINDOWS: [&str; 4] = ["1d", "7d", "30d", "90d"];
const ESTIMATORS: [&str; 5] = ["Smoothed", "MinFailures", "Wilson", "SequentialTest", "Ratio"];

fn fitted(spec: &Value, rate: f64) -> Slo {
    let facts = SloFacts { traffic: Traffic::nearest(rate), ..SloFacts::default() };
    validate::slo(&spec::written(spec), &facts).expect("the spec should be valid")
}

fn spec_of(objective: &str, window: &str, estimator: &str) -> Value {
    json!({
        "agent": "a", "objective": objective, "window": window, "indicator": {"success": {}},
        "alerting": {"estimator": estimator},
    })
}

fn plain() -> Value {
    spec_of("99", "30d", "Smoothed")
}

fn every_spec() -> impl Iterator<Item = Value> {
    OBJECTIVES.into_iter().flat_map(|objective| {
        WINDOWS
            .into_iter()
            .flat_map(move |window| ESTIMATORS.map(|estimator| spec_of(objective, window, estimator)))
    })
}

/// `Page 1h/5m`.
fn pairs(slo: &Slo) -> Vec<String> {
    let print = |pair: &Pair| format!("{:?} {}/{}", pair.urgency, pair.long, pair.short);
    slo.alerting().pairs.iter().map(print).collect()
}

#[test]
fn few_events_lengthen_the_short_windows_and_move_the_page() {
    let cases = [
        (64.0, ["Page 1h/5m", "Page 6h/30m", "Ticket 1d/2h", "Ticket 3d/6h"].as_slice()),
        (16.0, &["Page 1h/15m", "Page 6h/30m", "Ticket 1d/2h", "Ticket 3d/6h"]),
        (4.0, &["Page 1h/45m", "Page 6h/45m", "Ticket 1d/2h", "Ticket 3d/6h"]),
        (2.0, &["Page 6h/90m", "Ticket 1d/2h", "Ticket 3d/6h"]),
        (0.25, &["Page 1d/12h", "Ticket 1d/12h", "Ticket 3d/12h"]),
        // Not even three days hold three events, so the catalogue's windows stay for better times.
        (0.01, &["Page 1h/5m", "Page 6h/30m", "Ticket 1d/2h", "Ticket 3d/6h"]),
    ];
    for (rate, expected) in cases {
        assert_eq!(pairs(&fitted(&plain(), rate)), expected, "{rate}");
    }
}

#[test]
fn without_traffic_and_with_much_the_windows_are_those_of_the_catalogue() {
    for spec in every_spec() {
        let (unknown, much) = (spec::valid(&spec), fitted(&spec, 4096.0));
        assert_eq!(pairs(&unknown), pairs(&much), "{spec}");
        assert_eq!(groups(&unknown), groups(&much));
    }
}

#[test]
fn windows_that_a_user_wrote_stay_as_they_are() {
    let mut spec = plain();
    spec["alerting"]["burnRates"] = json!([
        {"severity": "Page", "budgetPercent": "2", "longWindow": "1h", "shortWindow": "5m"},
    ]);
    let slo = fitted(&spec, 1.0);
    assert_eq!(pairs(&slo), ["Page 1h/5m"]);
    assert_eq!(slo.alerting().unfed.len(), 1, "but the status says that it cannot fire");
}

#[test]
fn no_traffic_takes_the_page_or_the_ticket_away() {
    for spec in every_spec() {
        let unknown = spec::valid(&spec);
        for slo in RATES.map(|rate| fitted(&spec, rate)) {
            for urgency in [Urgency::Page, Urgency::Ticket] {
                let has = |slo: &Slo| slo.alerting().pairs_of(urgency).next().is_some();
                assert_eq!(has(&slo), has(&unknown), "{spec}: {:?}", pairs(&slo));
            }
        }
    }
}

#[test]
fn every_pair_that_is_fed_sees_an_outage_and_the_others_are_named() {
    for spec in every_spec() {
        for slo in RATES.map(|rate| fitted(&spec, rate)) {
            let rate = slo.traffic().expect("it was given").events_per_hour();
            for pair in &slo.alerting().pairs {
                let sees = detection(&slo, pair, rate).zip(reset(&slo, pair, rate));
                let is_unfed = slo.alerting().unfed.contains(pair);
                assert!(sees.is_some() || is_unfed, "{spec} at {rate}: {pair:?} never fires");
            }
        }
    }
}

#[test]
fn a_longer_short_window_ends_the_alert_later_but_in_time() {
    for slo in [64.0, 16.0, 4.0, 1.0, 0.25].map(|rate| fitted(&plain(), rate)) {
        let rate = slo.traffic().expect("it was given").events_per_hour();
        for pair in &slo.alerting().pairs {
            let reset = reset(&slo, pair, rate).expect("every pair should see it");
            let of_urgency = slo.alerting().pairs_of(pair.urgency);
            let keep = of_urgency.map(|pair| pair.short.minutes()).min().unwrap_or(0);
            assert!((keep..=pair.short.minutes() + keep + 10).contains(&reset), "{rate}: {pair:?}: {reset}");
        }
    }
}

#[test]
fn long_short_windows_stay_within_the_limits_of_rules_and_samples() {
    for spec in every_spec() {
        for slo in RATES.map(|rate| fitted(&spec, rate)) {
            let (cost, plain) = (cost(&slo), cost(&spec::valid(&spec)));
            let groups = groups(&slo);
            assert!(cost.rules <= 12 && groups.len() == 2, "{spec}: {cost:?}");
            // Pages look at every minute's count.
            assert!(cost.samples_per_hour < plain.samples_per_hour + 90_000, "{spec}: {cost:?}, {plain:?}");
            for pair in &slo.alerting().pairs {
                assert!(pair.short <= pair.long && pair.short.minutes() % 5 == 0, "{spec}: {pair:?}");
            }
        }
    }
}

#[test]
fn rules_change_only_where_the_traffic_doubles_or_halves() {
    let mut used = None;
    let mut changes = 0;
    let mut before = Vec::new();
    // A slow swing between 6 and 14 an hour, as of a busy and a calm week.
    for step in 0..200 {
        let rate = 10.0 + 4.0 * (f64::from(step) / 10.0).sin();
        used = Traffic::follow(used, Some(rate));
        let facts = SloFacts { traffic: used, ..SloFacts::default() };
        let slo = validate::slo(&spec::written(&plain()), &facts).expect("the spec should be valid");
        let artifacts = render::slo(&slo).0;
        changes += u32::from(artifacts != before);
        before = artifacts;
    }
    assert_eq!(changes, 1, "the first rules should stay");
}
