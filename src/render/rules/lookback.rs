//! Sums of the five-minute counts over longer windows.

use super::own;
use crate::domain::slo::Slo;
use crate::domain::window::Window;

/// Up to this window the counts of every minute are summed, so that the newest event is in; five of them
/// overlap, hence the division. Longer windows take one count in five minutes.
const EVERY_MINUTE_UP_TO: Window = Window::from_hours(6);

/// Counts that overlap at any time.
const OVERLAP: u32 = 5;

/// The number of events of a recorded series in a window.
pub(super) fn events_in(slo: &Slo, series: &str, window: Window) -> String {
    let own = own(slo, series);
    if window == Window::TILE {
        own
    } else if window <= EVERY_MINUTE_UP_TO {
        format!("sum_over_time({own}[{window}]) / {OVERLAP}")
    } else {
        format!("sum_over_time({own}[{window}:5m])")
    }
}

/// Samples that one evaluation of [`events_in`] reads.
pub(super) fn samples_in(window: Window) -> u32 {
    if window == Window::TILE {
        1
    } else if window <= EVERY_MINUTE_UP_TO {
        window.minutes()
    } else {
        window.minutes() / 5
    }
}
