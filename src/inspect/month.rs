//! A calendar month in UTC: from its first second to its last, or to now.

use k8s_openapi::jiff::civil::Date;
use k8s_openapi::jiff::tz::TimeZone;
use k8s_openapi::jiff::{Timestamp, ToSpan};

/// Seconds of one recorded count.
const TILE: i64 = 300;

/// A month, or what has passed of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Month {
    /// As it was written, `2026-11`.
    pub name: String,
    /// Its beginning, in seconds since the epoch.
    pub start: i64,
    /// Its end, or the last mark of five minutes before now.
    pub end: i64,
    /// Whether it goes on.
    pub is_running: bool,
}

impl Month {
    /// Reads `2026-11`.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, String> {
        let wrong = || format!("'{text}' must be a month such as 2026-11");
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        if (year.len(), month.len()) != (4, 2) {
            return Err(wrong());
        }
        let (year, month) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        let first = Date::new(year, month, 1).map_err(|_| wrong())?;
        let second = |date: Date| date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp().as_second());
        let start = second(first).map_err(|_| wrong())?;
        let next = first.checked_add(1.month()).and_then(second).map_err(|_| wrong())?;
        let end = next.min(now.as_second() / TILE * TILE);
        if end - start < TILE {
            return Err(format!("{text} has not begun"));
        }
        Ok(Self { name: text.to_owned(), start, end, is_running: end < next })
    }

    /// The month that is now.
    #[must_use]
    pub fn name_of(now: Timestamp) -> String {
        now.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
    }

    /// Its length so far, in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("test data should be a time")
    }

    #[test]
    fn a_month_ends_where_the_next_begins_or_now() {
        let now = at("2026-11-24T19:03:00Z");
        let november = Month::parse("2026-11", now).expect("it has begun");
        assert_eq!((november.seconds(), november.is_running), (23 * 86_400 + 19 * 3600, true));
        let february = Month::parse("2024-02", now).expect("it has begun");
        assert_eq!((february.seconds(), february.is_running), (29 * 86_400, false));
        assert_eq!(Month::name_of(now), "2026-11");
    }

    #[test]
    fn what_is_no_month_is_refused() {
        let now = at("2026-11-01T00:04:59Z");
        for text in ["2026-13", "2026", "26-11", "2026-1", "11-2026", "2026-12", "2026-11", "x"] {
            assert!(Month::parse(text, now).is_err(), "{text}");
        }
    }
}
