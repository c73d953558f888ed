//! Moments and stretches of time, in UTC.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// Samples across a panel.
const SAMPLES: u32 = 240;
/// Time between two scrapes; four of them are the shortest window of a rate.
const SCRAPE: u32 = 60;
/// Points of a series that Prometheus yields at most, with room to spare.
const MOST_POINTS: u32 = 10_000;
/// Marks on a time axis.
const MARKS: u32 = 7;

/// The time that a dashboard shows, in whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// Its end, in seconds since the epoch.
    pub end: i64,
    /// How long it is.
    pub seconds: u32,
}

impl Span {
    /// Its begin.
    #[must_use]
    pub fn start(self) -> i64 {
        self.end - i64::from(self.seconds)
    }

    /// Time between two samples, for a panel with a shortest one.
    #[must_use]
    pub fn step(self, interval: Option<&str>) -> u32 {
        let shortest = interval.and_then(parse_duration).map_or(MINUTE, whole_seconds);
        let even = (self.seconds / SAMPLES).div_ceil(MINUTE) * MINUTE;
        even.max(shortest)
    }

    /// Time between two looks for moments to be marked, of which none must be missed: as short as Prometheus
    /// answers for.
    #[must_use]
    pub fn step_of_marks(self) -> u32 {
        (self.seconds / MOST_POINTS).max(MINUTE)
    }

    /// The window of a rate between samples so far apart, as Grafana chooses it.
    #[must_use]
    pub fn rate_interval(step: u32) -> u32 {
        (step + SCRAPE).max(4 * SCRAPE)
    }

    /// Full hours or days to be marked.
    pub(super) fn marks(self) -> Vec<f64> {
        let between = [HOUR / 4, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];
        let between = between.into_iter().find(|step| self.seconds / step <= MARKS).unwrap_or(14 * DAY);
        let between = i64::from(between);
        let first = self.start().div_euclid(between) + 1;
        (first..=self.end.div_euclid(between)).map(|mark| seconds(mark * between)).collect()
    }

    /// How far a moment is from the left of so many pixels.
    #[allow(clippy::cast_possible_truncation, reason = "a share of few pixels")]
    pub(super) fn across(self, at: f64, width: i32) -> i32 {
        let share = (at - seconds(self.start())) / f64::from(self.seconds);
        (f64::from(width) * share.clamp(0.0, 1.0)) as i32
    }

    /// The ends of its axis.
    pub(super) fn ends(self) -> [f64; 2] {
        [self.start(), self.end].map(seconds)
    }

    /// A moment as a mark shows it.
    pub(super) fn mark(self, at: f64) -> String {
        let format = if self.seconds <= 2 * DAY { "%H:%M" } else { "%b %-d" };
        moment(at).strftime(format).to_string()
    }

    /// From when to when.
    pub(super) fn text(self) -> String {
        let text = |at: i64| moment(seconds(at)).strftime("%Y-%m-%d %H:%M").to_string();
        format!("{} to {} UTC", text(self.start()), text(self.end))
    }
}

/// Seconds since the epoch of a moment such as `2026-01-06T12:00:00Z`.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// A duration such as `24h`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let end = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = match unit {
        "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    let number: u32 = number.parse().ok().filter(|number| (1..=100_000).contains(number))?;
    Some(Duration::from_secs(u64::from(number) * u64::from(unit)))
}

fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "seconds since the epoch fit into 52 bits for ages")]
pub(super) fn seconds(at: i64) -> f64 {
    at as f64
}

/// Samples of a range, and marks, are at whole seconds.
#[allow(clippy::cast_possible_truncation, reason = "seconds since the epoch fit into 64 bits")]
pub(super) fn whole(at: f64) -> i64 {
    at as i64
}

fn moment(at: f64) -> Timestamp {
    Timestamp::from_second(whole(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_at_full_hours_in_utc() {
        let end = parse_time("2026-01-06T10:20:00Z").expect("it should parse");
        let span = Span { end, seconds: 6 * HOUR };
        let marks: Vec<String> = span.marks().into_iter().map(|at| span.mark(at)).collect();
        assert_eq!(marks, ["05:00", "06:00", "07:00", "08:00", "09:00", "10:00"]);
        assert_eq!(span.text(), "2026-01-06 04:20 to 2026-01-06 10:20 UTC");
        assert_eq!((span.step(None), span.step(Some("5m")), Span::rate_interval(60)), (120, 300, 240));
    }
}
