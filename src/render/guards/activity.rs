//! Nothing done for too long, in the hours in which the agent should work. The time without a finished run
//! is a recorded series that reads its own last value: it grows in active hours, stands still in others, and
//! starts anew with every run.

use super::alert::{Text, alert, time};
use super::counts::{Event, recorded};
use super::{own, recording};
use crate::domain::guard::{ActiveHours, Guard};
use crate::domain::observability::Observability;
use crate::domain::time_zone::TimeZone;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::vocabulary::{alert as names, series};

/// From the Monday before the epoch, which was a Thursday, to the epoch, in seconds.
const MONDAY_TO_EPOCH: i64 = 3 * 86_400;
/// Seconds in a week.
const WEEK: i64 = 7 * 86_400;

const DESCRIPTION: &str = "No run was finished for as long as the guard activity of the AgentObservability \
                           allows; only its active hours count.";

/// The clock, the time without a finished run, and the alert.
pub(super) fn rules(
    observability: &Observability,
    guard: &Guard,
    expected_every: Window,
    hours: Option<&ActiveHours>,
) -> Vec<Rule> {
    let clock = hours.map(|hours| {
        [
            recording(observability, series::GUARD_CLOCK, clock(&hours.time_zone)),
            recording(observability, series::GUARD_ACTIVE, active(observability, hours)),
        ]
    });
    let is_active = hours.map(|_| format!("sum({})", own(observability, series::GUARD_ACTIVE)));
    let idle = recording(observability, series::GUARD_IDLE, idle(observability, is_active.as_deref()));
    let seconds = u64::from(expected_every.minutes()) * 60;
    let too_long = format!("sum({}) >= {seconds}", own(observability, series::GUARD_IDLE));
    let expr = match &is_active {
        None => too_long,
        Some(active) => format!("{too_long}\nand\n{active} == 1"),
    };
    let of = if hours.is_some() { " of its active hours" } else { "" };
    let happened = format!("no run finished for {}{of}; one is expected every {expected_every}", time());
    let text = Text { happened, description: DESCRIPTION };
    let alert = alert(observability, guard, names::INACTIVE, expr, &text);
    clock.into_iter().flatten().chain([idle, alert]).collect()
}

/// A run sets it back, for the five minutes in which it is counted. Without a value of the last five
/// minutes (Prometheus was away) it goes on from the last one of the day.
fn idle(observability: &Observability, is_active: Option<&str>) -> String {
    let own = own(observability, series::GUARD_IDLE);
    let runs = recorded(observability, Event::Run);
    let active = is_active.map(|active| format!(" * {active}")).unwrap_or_default();
    format!(
        "0 * (sum({runs}) > 0)\n  or\nsum({own}) + (time() - min(timestamp({own}))){active}\n  or\n\
         sum(last_over_time({own}[1d]))\n  or\n0 * sum({runs})"
    )
}

/// Seconds since Monday's midnight in a time zone: Prometheus has UTC alone, so the differences to it and
/// their changes are written out.
fn clock(zone: &TimeZone) -> String {
    let mut before = zone.first_offset;
    let terms = zone.changes.iter().map(|(at, offset)| {
        let by = offset - std::mem::replace(&mut before, *offset);
        let sign = if by < 0 { '-' } else { '+' };
        format!(" {sign} {} * (time() >= bool {at})", by.abs())
    });
    let terms = terms.collect::<Vec<_>>().concat();
    let start = i64::from(zone.first_offset) + MONDAY_TO_EPOCH;
    format!("vector((time() + {start}{terms}) % {WEEK})")
}

fn active(observability: &Observability, hours: &ActiveHours) -> String {
    let clock = own(observability, series::GUARD_CLOCK);
    let within = |(from, to): (u32, u32)| {
        let (from, to) = (u64::from(from) * 60, u64::from(to) * 60);
        format!("(sum({clock}) >= bool {from}) * (sum({clock}) < bool {to})")
    };
    hours.intervals().into_iter().map(within).collect::<Vec<_>>().join("\n+\n")
}
