//! A recorded series as Prometheus reads it back: one value a minute, and sums over windows.

use crate::domain::window::Window;

/// How far an instant read looks back for the newest sample, in seconds.
pub(super) const LOOKBACK: i64 = 300;
const MINUTE: i64 = 60;

/// When rules are evaluated: every minute, with data up to so many seconds before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Timetable {
    query_offset: i64,
}

impl Timetable {
    /// Evaluations so many seconds behind the clock.
    #[must_use]
    pub fn behind_by(query_offset: std::time::Duration) -> Self {
        Self { query_offset: i64::try_from(query_offset.as_secs()).unwrap_or(i64::MAX) }
    }

    /// The time, in seconds, of the data that an evaluation sees and of the samples that it records.
    #[must_use]
    pub fn stamp(self, minute: usize) -> i64 {
        i64::try_from(minute).unwrap_or(i64::MAX) * MINUTE - self.query_offset
    }

    /// The newest evaluation whose samples are not younger than that.
    fn newest_until(self, seconds: i64) -> Option<usize> {
        usize::try_from((seconds + self.query_offset).div_euclid(MINUTE)).ok()
    }
}

/// What one rule recorded, evaluation by evaluation; nothing where it yielded nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    timetable: Timetable,
    values: Vec<Option<f64>>,
}

impl Recorded {
    /// Nothing yet.
    #[must_use]
    pub fn new(timetable: Timetable) -> Self {
        Self { timetable, values: Vec::new() }
    }

    /// Notes what the next evaluation yields.
    pub fn push(&mut self, value: Option<f64>) {
        self.values.push(value);
    }

    /// Everything recorded so far.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// What the newest evaluation yielded.
    #[must_use]
    pub fn newest(&self) -> Option<f64> {
        self.values.last().copied().flatten()
    }

    /// Number of events in a window that ends at the newest evaluation, for a series of five-minute
    /// counts. Up to six hours every minute's count is summed, and each event is in five of them;
    /// longer windows are tiled.
    #[must_use]
    pub fn events_in(&self, window: Window) -> Option<f64> {
        let now = self.timetable.stamp(self.values.len().checked_sub(1)?);
        match window.minutes() {
            5 => self.newest(),
            minutes if minutes <= 360 => self.sum_between(now, minutes).map(|sum| sum / 5.0),
            minutes => self.sum_of_tiles(now, minutes),
        }
    }

    /// Number of events in a window, tiled whatever its length.
    #[must_use]
    pub fn events_in_tiles(&self, window: Window) -> Option<f64> {
        let now = self.timetable.stamp(self.values.len().checked_sub(1)?);
        self.sum_of_tiles(now, window.minutes())
    }

    /// The newest value in `(from, until]`, in seconds, whatever was or was not recorded after it.
    #[must_use]
    pub fn last_between(&self, from: i64, until: i64) -> Option<f64> {
        self.between(from, until).last()
    }

    /// Sum over a window that ends at a time; none without a value in it.
    fn sum_between(&self, until: i64, minutes: u32) -> Option<f64> {
        sum(self.between(until - i64::from(minutes) * MINUTE, until))
    }

    /// Sum of the values that an instant read yields at every full five minutes of the window.
    fn sum_of_tiles(&self, until: i64, minutes: u32) -> Option<f64> {
        let tile = i64::from(Window::TILE.minutes()) * MINUTE;
        let first = (until - i64::from(minutes) * MINUTE).div_euclid(tile) + 1;
        // Nothing was recorded long before the start.
        let first = first.max(-4);
        sum((first..=until.div_euclid(tile)).filter_map(|step| self.at(step * tile)))
    }

    /// An instant read.
    fn at(&self, seconds: i64) -> Option<f64> {
        let newest = self.timetable.newest_until(seconds)?.min(self.values.len().checked_sub(1)?);
        let is_fresh = self.timetable.stamp(newest) > seconds - LOOKBACK;
        self.values[newest].filter(|_| is_fresh)
    }

    fn between(&self, from: i64, until: i64) -> impl Iterator<Item = f64> + '_ {
        let first = self.timetable.newest_until(from).map_or(0, |newest| newest + 1);
        let end = self.timetable.newest_until(until).map_or(0, |newest| newest + 1).min(self.values.len());
        self.values.get(first..end).unwrap_or_default().iter().copied().flatten()
    }
}

/// Adds as Prometheus does, with the rounding errors in a sum of their own (Neumaier, 1974): where a count
/// meets a threshold exactly, the last bit decides, and it has to be the same bit.
fn sum(values: impl Iterator<Item = f64>) -> Option<f64> {
    let add = |(sum, lost): (f64, f64), value: f64| {
        let next = sum + value;
        let rounded = if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        (next, lost + rounded)
    };
    let mut values = values.peekable();
    values.peek()?;
    let (sum, lost) = values.fold((0.0, 0.0), add);
    Some(sum + lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sums_do_not_drift() {
        assert_eq!(sum(std::iter::repeat_n(0.1, 10)), Some(1.0));
        assert_eq!(sum(std::iter::empty()), None);
    }

    #[test]
    fn a_count_is_in_five_sums_and_in_one_tile() {
        for offset in [0, 30, 60, 90] {
            let mut recorded = Recorded::new(Timetable::behind_by(Duration::from_secs(offset)));
            for minute in 0..2000 {
                recorded.push(Some(if (500..505).contains(&minute) { 1.0 } else { 0.0 }));
            }
            for window in [Window::from_days(2), Window::from_days(3)] {
                assert_eq!(recorded.events_in(window), Some(1.0), "{offset}");
            }
            assert_eq!(recorded.events_in(Window::from_hours(6)), Some(0.0));
        }
    }
}
