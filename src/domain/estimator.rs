//! The test over the long window: how many bad events among how many are too many. Every estimator
//! comes down to a line, `bad > slope * total + root * sqrt(total) + intercept`, so that the rule needs
//! no division and can never yield NaN.

use super::burn_rate::Pair;
use super::decimal::Decimal;
use super::objective::Objective;
use crate::api::v1alpha1::Estimator;

/// One-sided 95 % quantile of the normal distribution.
const WILSON_Z: f64 = 1.645;
/// Wald's error rates: a page without cause, and a burn that is not seen.
const WALD_ALPHA: f64 = 0.001;
const WALD_BETA: f64 = 0.1;

/// Number of bad events above which the long window is burning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LongTest {
    /// Factor of the number of events.
    pub slope: Decimal,
    /// Factor of the square root of the number of events.
    pub root: Decimal,
    /// Constant.
    pub intercept: Decimal,
    /// Fewest bad events, or zero where one is enough.
    pub at_least: Decimal,
}

impl LongTest {
    /// The test of a pair. Below a burn rate of 1.5 the smoothing is undefined or negative, so there
    /// the plain ratio decides, with the fewest failures asked for.
    #[must_use]
    pub fn of(pair: &Pair, objective: Objective, estimator: Estimator, min_failures: i32) -> Self {
        let threshold = pair.threshold(objective);
        // Counts are fractional where a counter was reset, hence the half.
        let at_least = Decimal::from_integer(min_failures.into()) - Decimal::from_ratio(1, 2);
        let line = Self { slope: threshold, root: Decimal::ZERO, intercept: Decimal::ZERO, at_least };
        let smoothable = pair.factor >= Decimal::from_ratio(3, 2);
        match estimator {
            Estimator::Ratio => Self { at_least: Decimal::ZERO, ..line },
            Estimator::MinFailures => line,
            Estimator::Smoothed | Estimator::SequentialTest if !smoothable => line,
            Estimator::Smoothed => {
                Self { intercept: Decimal::from_integer(2) * (Decimal::ONE - threshold), ..line }
            }
            Estimator::Wilson => {
                let share = threshold.to_f64();
                Self { root: Decimal::from_f64(WILSON_Z * (share * (1.0 - share)).sqrt()), ..line }
            }
            Estimator::SequentialTest => sequential(pair, objective, line),
        }
    }

    /// Whether so many bad events among so many are too many.
    #[must_use]
    pub fn is_exceeded(&self, bad: f64, total: f64) -> bool {
        bad > self.line(total) && bad >= self.at_least.to_f64()
    }

    /// Bad events among so many above which the long window is burning, if they are the fewest that count.
    #[must_use]
    pub fn line(&self, total: f64) -> f64 {
        self.slope.to_f64() * total + self.root.to_f64() * total.sqrt() + self.intercept.to_f64()
    }
}

/// Wald's test of "burning at the factor" against "exactly on budget", solved for the bad events.
fn sequential(pair: &Pair, objective: Objective, line: LongTest) -> LongTest {
    let threshold = pair.threshold(objective).to_f64();
    let good_evidence = ((1.0 - threshold) / objective.share().to_f64()).ln();
    let evidence = pair.factor.to_f64().ln() - good_evidence;
    let bound = ((1.0 - WALD_BETA) / WALD_ALPHA).ln();
    LongTest {
        slope: Decimal::from_f64(-good_evidence / evidence),
        intercept: Decimal::from_f64(bound / evidence),
        ..line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::burn_rate::{Urgency, catalogue, pair};
    use crate::domain::window::Window;

    fn test_of(objective: &str, estimator: Estimator, urgency: Urgency) -> LongTest {
        let objective = Objective::parse(objective).expect("test data should parse");
        let window = Window::from_days(30);
        let policy = catalogue(window).into_iter().find(|policy| policy.urgency == urgency);
        let policy = policy.expect("30d should have both urgencies");
        LongTest::of(&pair(policy, objective, window), objective, estimator, 3)
    }

    #[test]
    fn two_failures_alone_never_fire_and_an_outage_does() {
        for estimator in [Estimator::Smoothed, Estimator::MinFailures, Estimator::SequentialTest] {
            let test = test_of("99", estimator, Urgency::Page);
            assert!(!test.is_exceeded(1.0, 1.0), "{estimator:?}");
            assert!(!test.is_exceeded(2.0, 2.0), "{estimator:?}");
            assert!(!test.is_exceeded(3.0, 50.0), "{estimator:?}");
            assert!(test.is_exceeded(7.0, 9.0), "{estimator:?}");
        }
        assert!(test_of("99", Estimator::Ratio, Urgency::Page).is_exceeded(1.0, 1.0));
        assert!(!test_of("99", Estimator::Wilson, Urgency::Page).is_exceeded(1.0, 1.0));
        assert!(test_of("99", Estimator::Wilson, Urgency::Page).is_exceeded(7.0, 9.0));
    }

    #[test]
    fn the_numbers_are_exact_decimals() {
        let test = test_of("99", Estimator::Smoothed, Urgency::Page);
        assert_eq!(test.slope.to_string(), "0.144");
        assert_eq!(test.intercept.to_string(), "1.712");
        assert_eq!(test.at_least.to_string(), "2.5");
    }
}
