//! What a month will have cost when it is over, from the days that were seen.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Share of months that should end within the interval.
const CONFIDENCE: f64 = 0.9;

/// A month as it will probably end, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// What it will have cost.
    pub expected: f64,
    /// Nine of ten months like these days end between these two. Fewer than two days tell nothing of that.
    pub interval: Option<(f64, f64)>,
}

/// Projects a month of which so much was spent, from the amounts of whole days, for so many days that are left.
/// Days are taken for independent, which a batch at the end of each month is not.
#[must_use]
pub fn project(spent: f64, days: &[f64], left: f64) -> Option<Projection> {
    let count = u32::try_from(days.len()).ok().filter(|count| *count > 0).map(f64::from)?;
    let mean = days.iter().sum::<f64>() / count;
    let expected = mean.mul_add(left, spent);
    if count < 2.0 {
        return Some(Projection { expected, interval: None });
    }
    let variance = days.iter().map(|day| (day - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // Of the days that are left, and of the mean that they are projected from.
    let deviation = (variance * (left + left * left / count)).sqrt();
    let times = StudentsT::new(0.0, 1.0, count - 1.0).ok()?.inverse_cdf(f64::midpoint(1.0, CONFIDENCE));
    let width = times * deviation;
    Some(Projection { expected, interval: Some(((expected - width).max(spent), expected + width)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_goes_on_like_the_days_that_were_seen() {
        assert_eq!(project(5.0, &[], 3.0), None);
        assert_eq!(project(5.0, &[2.0], 3.0), Some(Projection { expected: 11.0, interval: None }));
        let steady = project(5.0, &[2.0, 2.0, 2.0], 3.0).expect("there are days");
        assert_eq!(steady, Projection { expected: 11.0, interval: Some((11.0, 11.0)) });
        let over = project(60.0, &[2.0; 30], 0.0).expect("there are days");
        assert_eq!((over.expected, over.interval), (60.0, Some((60.0, 60.0))));
    }

    /// Nine of ten months of made-up days end within the interval.
    #[test]
    fn the_interval_holds_as_often_as_it_says() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap_or_default()) / f64::from(u32::MAX >> 1)
        };
        let held = (0..2000).filter(|_| {
            let days: Vec<f64> = (0..10).map(|_| random()).collect();
            let rest: f64 = (0..20).map(|_| random()).sum();
            let spent: f64 = days.iter().sum();
            let (low, high) = project(spent, &days, 20.0).and_then(|month| month.interval).expect("ten days");
            (low..=high).contains(&(spent + rest))
        });
        let held = held.count();
        assert!((1740..=1860).contains(&held), "{held} of 2000");
    }
}
