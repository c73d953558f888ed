//! Local times as times in UTC, since prometheus-operator's kind knows no time zones.

use std::collections::BTreeMap;

use crate::api::v1alpha1::Weekday;
use crate::domain::routing::MuteTime;
use crate::domain::yearly_zone::{DAY, Days};
use crate::foreign::{DayRange, MuteTimeInterval, TimeInterval, TimeRange};

/// Names of the days, from 0.
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Minutes of a day, with an end that does not belong to them.
type Minutes = (i32, i32);
/// Times of the days of the week in UTC.
type Times = BTreeMap<u8, Vec<Minutes>>;

/// The times of a mute time.
pub(super) fn interval(mute: &MuteTime) -> MuteTimeInterval {
    let offsets = mute.zone.offsets();
    let time_intervals = match offsets.as_slice() {
        [offset] => whole(times(mute, *offset), &[]),
        _ => offsets.iter().flat_map(|offset| seasonal(mute, *offset)).collect(),
    };
    MuteTimeInterval { name: mute.name.clone(), time_intervals }
}

/// The times while an offset holds: whole months, and parts of the two in which it changes.
fn seasonal(mute: &MuteTime, offset: i32) -> Vec<TimeInterval> {
    let mut by_months: BTreeMap<Vec<u8>, Times> = BTreeMap::new();
    let mut parts = Vec::new();
    for (weekday, minutes) in times(mute, offset) {
        let (months, days) = months_of(mute, offset, weekday);
        parts.extend(days.into_iter().map(|days| part(weekday, &minutes, days)));
        by_months.entry(months).or_default().insert(weekday, minutes);
    }
    let months = by_months.into_iter().flat_map(|(months, times)| whole(times, &months));
    months.chain(parts).collect()
}

/// Months in which an offset holds on every such day of the week, and parts of others.
fn months_of(mute: &MuteTime, offset: i32, weekday: u8) -> (Vec<u8>, Vec<Days>) {
    let days = mute.zone.days_of(offset, weekday);
    let (months, parts): (Vec<Days>, Vec<Days>) = days.into_iter().partition(|days| days.is_whole());
    (months.into_iter().map(|days| days.month).collect(), parts)
}

fn part(weekday: u8, minutes: &[Minutes], days: Days) -> TimeInterval {
    TimeInterval {
        times: minutes.iter().copied().map(range).collect(),
        weekdays: vec![day_name(weekday)],
        days_of_month: vec![DayRange { start: days.first, end: days.last }],
        months: vec![days.month.to_string()],
    }
}

/// One interval for days with the same times; in all months where none is given.
fn whole(times: Times, months: &[u8]) -> Vec<TimeInterval> {
    let mut by_minutes: BTreeMap<Vec<Minutes>, Vec<String>> = BTreeMap::new();
    for (weekday, minutes) in times {
        by_minutes.entry(minutes).or_default().push(day_name(weekday));
    }
    let interval = |(minutes, weekdays): (Vec<Minutes>, Vec<String>)| TimeInterval {
        times: minutes.iter().copied().map(range).collect(),
        weekdays,
        days_of_month: Vec::new(),
        months: months.iter().map(ToString::to_string).collect(),
    };
    by_minutes.into_iter().map(interval).collect()
}

/// The times in UTC while an offset holds.
fn times(mute: &MuteTime, offset: i32) -> Times {
    let (from, to) = (i32::from(mute.from), i32::from(mute.to));
    let length = if to > from { to - from } else { to + DAY - from };
    let mut times = Times::new();
    for day in &mute.days {
        let begin = i32::from(number_of(*day)) * DAY + from - offset;
        let midnight = (begin.div_euclid(DAY) + 1) * DAY;
        let end = begin + length;
        note(&mut times, begin, end.min(midnight));
        note(&mut times, midnight, end);
    }
    times.into_iter().map(|(weekday, minutes)| (weekday, joined(minutes))).collect()
}

/// Notes a time within one day, counted from the first midnight of a week; nothing if it is empty.
fn note(times: &mut Times, begin: i32, end: i32) {
    if begin < end {
        let day = begin.div_euclid(DAY);
        let weekday = u8::try_from(day.rem_euclid(7)).expect("a day of the week should be below 7");
        times.entry(weekday).or_default().push((begin - day * DAY, end - day * DAY));
    }
}

/// Times that meet become one.
fn joined(mut minutes: Vec<Minutes>) -> Vec<Minutes> {
    minutes.sort_unstable();
    let mut joined: Vec<Minutes> = Vec::new();
    for (begin, end) in minutes {
        match joined.last_mut() {
            Some(last) if last.1 >= begin => last.1 = last.1.max(end),
            _ => joined.push((begin, end)),
        }
    }
    joined
}

fn range((begin, end): Minutes) -> TimeRange {
    TimeRange { start_time: clock(begin), end_time: clock(end) }
}

fn clock(minutes: i32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn day_name(weekday: u8) -> String {
    DAYS[usize::from(weekday)].to_owned()
}

/// As the database of time zones counts.
fn number_of(day: Weekday) -> u8 {
    match day {
        Weekday::Sunday => 0,
        Weekday::Monday => 1,
        Weekday::Tuesday => 2,
        Weekday::Wednesday => 3,
        Weekday::Thursday => 4,
        Weekday::Friday => 5,
        Weekday::Saturday => 6,
    }
}
