//! Laws of objectives, windows, burn rates and names.

use agentslo::api::v1alpha1::Estimator;
use agentslo::domain::burn_rate::{Policy, Urgency, factor, pair};
use agentslo::domain::decimal::Decimal;
use agentslo::domain::estimator::LongTest;
use agentslo::domain::names::child_name;
use agentslo::domain::objective::Objective;
use agentslo::domain::window::Window;
use agentslo::validate::SloFacts;
use proptest::prelude::*;

use crate::spec::{named, objective, with_indicator};

const ESTIMATORS: [Estimator; 5] = [
    Estimator::Smoothed,
    Estimator::MinFailures,
    Estimator::Wilson,
    Estimator::SequentialTest,
    Estimator::Ratio,
];

fn parsed(text: &str) -> Objective {
    Objective::parse(text).expect("objectives of the strategy should parse")
}

/// A policy whose long window is a third of the window or less.
fn policy() -> impl Strategy<Value = (Policy, Window)> {
    (21_u32..=90, 1_i64..=20, 1_u32..=168).prop_map(|(days, percent, hours)| {
        let policy = Policy {
            urgency: Urgency::Page,
            budget_percent: Decimal::from_integer(percent),
            long: Window::from_hours(hours),
            short: Window::TILE,
        };
        (policy, Window::from_days(days))
    })
}

proptest! {
    #[test]
    fn objective_and_budget_are_one(text in objective()) {
        let objective = parsed(&text);
        prop_assert_eq!(objective.share() + objective.budget(), Decimal::ONE);
        prop_assert!(objective.budget() > Decimal::ZERO);
    }

    #[test]
    fn a_stricter_objective_never_raises_the_threshold((policy, window) in policy(), one in objective(), other in objective()) {
        let (laxer, stricter) = (parsed(&one).min(parsed(&other)), parsed(&one).max(parsed(&other)));
        let (wide, narrow) = (pair(policy, laxer, window), pair(policy, stricter, window));
        // Burn rates have three decimals.
        let rounding = Decimal::from_ratio(1, 1000);
        prop_assert!(narrow.threshold(stricter) <= wide.threshold(laxer) + rounding);
        prop_assert!(wide.lowered_from.is_some() || narrow.lowered_from.is_none());
    }

    #[test]
    fn total_failure_reaches_every_pair((policy, window) in policy(), text in objective()) {
        let objective = parsed(&text);
        let pair = pair(policy, objective, window);
        prop_assert!(pair.threshold(objective).rounded(3) <= Decimal::from_ratio(4, 5));
        if pair.lowered_from.is_some() {
            prop_assert_eq!(pair.threshold(objective).rounded(3), Decimal::from_ratio(4, 5));
        }
    }

    #[test]
    fn a_total_outage_crosses_the_long_test_of_every_estimator((policy, window) in policy(), text in objective()) {
        let objective = parsed(&text);
        let pair = pair(policy, objective, window);
        for estimator in ESTIMATORS {
            let test = LongTest::of(&pair, objective, estimator, 3);
            prop_assert!(test.is_exceeded(1000.0, 1000.0), "{:?}: {:?}", estimator, test);
        }
    }

    #[test]
    fn a_longer_window_of_equal_share_never_raises_the_burn_rate((policy, window) in policy(), more in 1_u32..48) {
        let longer = Policy { long: Window::from_minutes(policy.long.minutes() + 60 * more), ..policy };
        prop_assert!(factor(longer, window) <= factor(policy, window));
    }

    #[test]
    fn every_window_reads_back_as_it_is_printed(minutes in 1_u32..200_000) {
        let window = Window::from_minutes(minutes);
        prop_assert_eq!(Window::parse(&window.to_string()), Some(window));
    }

    #[test]
    fn every_decimal_reads_back_as_it_is_printed(numerator in any::<i32>(), denominator in 1_i64..1_000_000) {
        let decimal = Decimal::from_ratio(numerator.into(), denominator);
        prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
    }

    #[test]
    fn distinct_resources_never_share_an_artifact_name(
        one in ("[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "[a-z]([a-z0-9.-]{0,120}[a-z0-9])?"),
        other in ("[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "[a-z]([a-z0-9.-]{0,120}[a-z0-9])?"),
        tail in "[a-z0-9]{1,60}",
    ) {
        let longer = (one.0.clone(), format!("{}{tail}", one.1));
        for (left, right) in [(&one, &other), (&one, &longer)] {
            prop_assume!(left != right);
            let names = [left, right].map(|(namespace, name)| child_name("AgentSLO", namespace, name));
            prop_assert_ne!(&names[0], &names[1]);
            prop_assert!(names.iter().all(|name| name.len() <= 63), "{:?}", names);
        }
    }

    #[test]
    fn every_artifact_name_is_a_label_of_dns(name in "[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?") {
        let spec = with_indicator(&serde_json::json!({"success": {}}));
        let slo = agentslo::validate::slo(&named("team-a", &name, &spec), &SloFacts::default());
        let artifacts = agentslo::render::slo(&slo.expect("the spec should be valid"));
        for artifact in artifacts.0 {
            let fits = artifact.name().len() <= 63;
            let legal = artifact.name().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
            prop_assert!(fits && legal, "{}", artifact.name());
        }
    }
}
