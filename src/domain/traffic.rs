//! How many events there are, to the nearest power of two: rules that depend on it should not change
//! with every event.

use std::fmt;

use super::window::Window;

/// Events that a short window should hold: with three expected, one in twenty is empty.
const EVENTS_IN_SHORT: f64 = 3.0;

/// Exponents of one event a week and of a million an hour.
const LEAST: f64 = -7.0;
const MOST: f64 = 20.0;

/// Events an hour, as a power of two.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Traffic {
    exponent: i32,
}

impl Traffic {
    /// The nearest one; none where there are no events.
    #[must_use]
    pub fn nearest(events_per_hour: f64) -> Option<Self> {
        let is_rate = events_per_hour.is_finite() && events_per_hour > 0.0;
        // Clamped, so it fits.
        #[allow(clippy::cast_possible_truncation)]
        is_rate.then(|| Self { exponent: events_per_hour.log2().round().clamp(LEAST, MOST) as i32 })
    }

    /// Reads what was printed; none where it is not a power of two.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let traffic = Self::nearest(text.parse().ok()?)?;
        (traffic.to_string() == text).then_some(traffic)
    }

    /// The traffic to go by, after one that was gone by and a measured rate: it changes only where the
    /// rate differs by a factor of two. An agent that is idle may be busy again, so nothing is learnt from it.
    #[must_use]
    pub fn follow(before: Option<Self>, measured: Option<f64>) -> Option<Self> {
        let Some(nearest) = measured.and_then(Self::nearest) else { return before };
        let rate = measured.unwrap_or_default();
        let is_near =
            |before: &Self| rate > before.events_per_hour() / 2.0 && rate < before.events_per_hour() * 2.0;
        before.filter(is_near).or(Some(nearest))
    }

    /// Events in an hour.
    #[must_use]
    pub fn events_per_hour(self) -> f64 {
        f64::from(self.exponent).exp2()
    }

    /// The short window beside a long one: long enough to hold a few events, never longer than the long
    /// one, and in steps of five minutes, as counts are.
    #[must_use]
    pub fn short_window(self, short: Window, long: Window) -> Window {
        let wanted = EVENTS_IN_SHORT * 60.0 / self.events_per_hour();
        let tile = f64::from(Window::TILE.minutes());
        // Below a long window, so it fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let minutes = ((wanted / tile).ceil() * tile).min(f64::from(long.minutes())) as u32;
        short.max(Window::from_minutes(minutes))
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events_per_hour().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(rate: f64) -> Traffic {
        Traffic::nearest(rate).expect("there should be events")
    }

    #[test]
    fn traffic_reads_back_as_it_is_printed() {
        for (rate, printed) in [(1e9, "1048576"), (11.0, "8"), (12.0, "16"), (1.0, "1"), (0.3, "0.25")] {
            assert_eq!(nearest(rate).to_string(), printed);
            assert_eq!(Traffic::parse(printed), Some(nearest(rate)));
        }
        for text in ["", "12", "0", "-1", "NaN", "1e3", "16.0"] {
            assert_eq!(Traffic::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_stays_until_the_rate_differs_by_a_factor_of_two() {
        let used = Some(nearest(16.0));
        for rate in [8.1, 12.0, 16.0, 23.0, 31.9] {
            assert_eq!(Traffic::follow(used, Some(rate)), used, "{rate}");
        }
        assert_eq!(Traffic::follow(used, Some(32.0)), Some(nearest(32.0)));
        assert_eq!(Traffic::follow(used, Some(8.0)), Some(nearest(8.0)));
        assert_eq!(Traffic::follow(used, Some(1.0)), Some(nearest(1.0)));
        assert_eq!(Traffic::follow(None, Some(12.0)), used);
        // Neither silence nor an outage of Prometheus says anything about the traffic to come.
        assert_eq!(Traffic::follow(used, Some(0.0)), used);
        assert_eq!(Traffic::follow(used, None), used);
        assert_eq!(Traffic::follow(None, Some(0.0)), None);
    }

    #[test]
    fn a_rate_that_sways_around_a_bound_does_not_flap() {
        let mut used = Some(nearest(16.0));
        let mut changes = 0;
        for rate in [33.0, 30.0, 34.0, 29.0, 17.0, 33.0, 20.0, 35.0] {
            let next = Traffic::follow(used, Some(rate));
            changes += u32::from(next != used);
            used = next;
        }
        assert_eq!(changes, 1);
    }

    #[test]
    fn short_windows_hold_three_events() {
        let windows = |rate: f64| {
            let of = |short, long| nearest(rate).short_window(short, long).to_string();
            [
                of(Window::from_minutes(5), Window::from_hours(1)),
                of(Window::from_minutes(30), Window::from_hours(6)),
                of(Window::from_hours(6), Window::from_days(3)),
            ]
        };
        assert_eq!(windows(64.0), ["5m", "30m", "6h"]);
        assert_eq!(windows(16.0), ["15m", "30m", "6h"]);
        assert_eq!(windows(4.0), ["45m", "45m", "6h"]);
        assert_eq!(windows(1.0), ["1h", "3h", "6h"]);
        assert_eq!(windows(0.25), ["1h", "6h", "12h"]);
    }
}
