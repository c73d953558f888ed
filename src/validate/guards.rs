//! From guards on the wire to guards with numbers.

use std::collections::BTreeSet;

use super::alerting::check_severity;
use super::findings::Findings;
use super::text::{is_https_url, money, parse_duration, plain_decimal, window_within};
use crate::api::v1alpha1::{self as api, Weekday, messages};
use crate::domain::burn_rate::Urgency;
use crate::domain::decimal::Decimal;
use crate::domain::guard::{ActiveHours, Guard, Watch};
use crate::domain::platform::Platform;
use crate::domain::time_zone::TimeZone;
use crate::domain::violation::Rule;
use crate::domain::window::Window;

const PATH: &str = "spec.guards";

pub(super) const EVERY_DAY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// Validates guards, in the order in which they are written in the reference. What has a violation is left
/// out.
pub(super) fn parse(
    written: Option<&api::Guards>,
    (has_pipeline, has_ledger): (bool, bool),
    platform: &Platform,
    findings: &mut Findings,
) -> Vec<Guard> {
    let nothing = api::Guards::default();
    let written = written.unwrap_or(&nothing);
    if let Some(url) = &written.runbook_url {
        let path = format!("{PATH}.runbookURL");
        findings.require(is_https_url(url), path, Rule::InvalidUrl, messages::HTTPS_URL);
    }
    let mut guards = Vec::new();
    let mut add = |name: &str, watch: Option<Watch>, severity: Option<&String>, findings: &mut Findings| {
        if let Some(severity) = severity {
            check_severity(severity, &format!("{PATH}.{name}.severity"), platform, findings);
        }
        guards.extend(watch.map(|watch| guard(watch, severity, written, platform)));
    };
    if let Some(spec) = &written.spend_rate {
        add("spendRate", spend_rate(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.spend_budget {
        add("spendBudget", spend_budget(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.activity {
        add("activity", activity(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.stuck {
        add("stuck", stuck(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.queue {
        add("queue", queue(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.tool_failure {
        add("toolFailure", tool_failure(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.telemetry_missing {
        add("telemetryMissing", telemetry_missing(spec, findings), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.cardinality_overflow {
        add("cardinalityOverflow", Some(Watch::CardinalityOverflow), spec.severity.as_ref(), findings);
    }
    if let Some(spec) = &written.slow_share {
        add("slowShare", slow_share(spec, findings), spec.severity.as_ref(), findings);
    }
    let pipeline_loss = written.pipeline_loss.as_ref();
    if pipeline_loss.is_some() || has_pipeline {
        let severity = pipeline_loss.and_then(|spec| spec.severity.as_ref());
        add("pipelineLoss", Some(Watch::PipelineLoss), severity, findings);
    }
    if has_ledger {
        guards
            .extend([Watch::LedgerIntegrity, Watch::LedgerLoss].map(|it| guard(it, None, written, platform)));
    }
    guards
}

fn guard(watch: Watch, severity: Option<&String>, written: &api::Guards, platform: &Platform) -> Guard {
    let default = match watch.urgency() {
        Urgency::Page => &platform.page_severity,
        Urgency::Ticket => &platform.ticket_severity,
    };
    let severity = severity.unwrap_or(default).clone();
    Guard { watch, severity, runbook_url: written.runbook_url.clone() }
}

fn spend_rate(spec: &api::SpendRate, findings: &mut Findings) -> Option<Watch> {
    let path = format!("{PATH}.spendRate");
    let any = spec.max_usd_per_hour.is_some() || spec.times_usual.is_some();
    findings.require(any, path.as_str(), Rule::NotExactlyOne, messages::SPEND_RATE);
    let max_per_hour = spec.max_usd_per_hour.as_ref();
    let max_per_hour = max_per_hour.map(|text| money(text, &format!("{path}.maxUSDPerHour"), findings));
    let times_usual = spec.times_usual.as_ref().map(|text| {
        let times = plain_decimal(text, 3, 2).filter(|times| *times > Decimal::ONE);
        findings.expect(times, format!("{path}.timesUsual"), Rule::InvalidThreshold, messages::TIMES_USUAL)
    });
    let is_right = any && max_per_hour != Some(None) && times_usual != Some(None);
    is_right.then(|| Watch::SpendRate {
        max_per_hour: max_per_hour.flatten(),
        times_usual: times_usual.flatten(),
    })
}

fn spend_budget(spec: &api::SpendBudget, findings: &mut Findings) -> Option<Watch> {
    let path = format!("{PATH}.spendBudget");
    let amount = money(&spec.amount_usd, &format!("{path}.amountUSD"), findings);
    let period = window_within(&spec.period, &['h', 'd', 'w'], Window::from_hours(1), Window::from_days(31));
    let period = findings.expect(period, format!("{path}.period"), Rule::InvalidWindow, messages::PERIOD);
    Some(Watch::SpendBudget { amount: amount?, period: period?, forecast: spec.forecast })
}

fn activity(spec: &api::Activity, findings: &mut Findings) -> Option<Watch> {
    let path = format!("{PATH}.activity");
    let every = window_within(
        &spec.expected_every,
        &['m', 'h', 'd'],
        Window::from_minutes(10),
        Window::from_days(14),
    );
    let every_path = format!("{path}.expectedEvery");
    let every = findings.expect(every, every_path, Rule::InvalidWindow, messages::EXPECTED_EVERY);
    let hours = spec.active_hours.as_ref();
    let hours = hours.map(|hours| active_hours(hours, &format!("{path}.activeHours"), findings));
    let active_hours = super::observability::written_or_none(hours)?;
    Some(Watch::Activity { expected_every: every?, active_hours })
}

fn active_hours(spec: &api::ActiveHours, path: &str, findings: &mut Findings) -> Option<ActiveHours> {
    let from = time_of_day(&spec.from).filter(|minute| *minute < 24 * 60);
    let from = findings.expect(from, format!("{path}.from"), Rule::InvalidWindow, messages::TIME_OF_DAY);
    let to = time_of_day(&spec.to).filter(|_| spec.to != spec.from);
    let to = findings.expect(to, format!("{path}.to"), Rule::InvalidWindow, messages::TIME_OF_DAY);
    let time_zone = time_zone(&spec.time_zone, &format!("{path}.timeZone"), findings);
    let days: BTreeSet<Weekday> = spec.days.iter().copied().collect();
    let days = if days.is_empty() { EVERY_DAY.into() } else { days };
    Some(ActiveHours { days, from: from?, to: to?, time_zone: time_zone? })
}

/// Minutes since midnight of `08:00`, up to `24:00`.
pub(super) fn time_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| -> Option<u16> {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().ok() } else { None }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= 24 * 60).then_some(minutes)
}

/// A time zone, spelled as the database spells it.
pub(super) fn time_zone(name: &str, path: &str, findings: &mut Findings) -> Option<TimeZone> {
    let found = TimeZone::find(name);
    let message = match &found {
        Some(zone) => format!("must be written as '{}'", zone.name),
        None => format!("'{name}' is no time zone of the IANA database, for example 'Europe/Madrid'"),
    };
    findings.expect(found.filter(|zone| zone.name == name), path, Rule::UnknownReference, message)
}

fn stuck(spec: &api::Stuck, findings: &mut Findings) -> Option<Watch> {
    let after = window_within(&spec.after, &['m', 'h'], Window::from_minutes(5), Window::from_hours(24));
    let path = format!("{PATH}.stuck.after");
    let after = findings.expect(after, path, Rule::InvalidWindow, messages::STUCK_AFTER)?;
    Some(Watch::Stuck { after })
}

fn queue(spec: &api::Queue, findings: &mut Findings) -> Option<Watch> {
    let max_depth = number_within(spec.max_depth, 1_000_000, "queue.maxDepth", findings)?;
    Some(Watch::Queue { max_depth })
}

fn tool_failure(spec: &api::ToolFailure, findings: &mut Findings) -> Option<Watch> {
    let percent = percent(&spec.percent, "toolFailure.percent", findings);
    let min_failures = number_within(spec.min_failures, 1000, "toolFailure.minFailures", findings);
    Some(Watch::ToolFailure { percent: percent?, min_failures: min_failures? })
}

fn telemetry_missing(spec: &api::TelemetryMissing, findings: &mut Findings) -> Option<Watch> {
    let after = window_within(&spec.after, &['m', 'h', 'd'], Window::from_minutes(5), Window::from_days(14));
    let path = format!("{PATH}.telemetryMissing.after");
    let after = findings.expect(after, path, Rule::InvalidWindow, messages::MISSING_AFTER)?;
    Some(Watch::TelemetryMissing { after })
}

fn slow_share(spec: &api::SlowShare, findings: &mut Findings) -> Option<Watch> {
    let slower_than = slower_than(&spec.slower_than);
    let path = format!("{PATH}.slowShare.slowerThan");
    let slower_than = findings.expect(slower_than, path, Rule::InvalidThreshold, messages::THRESHOLD_RANGE);
    let percent = percent(&spec.percent, "slowShare.percent", findings);
    let min_slow = number_within(spec.min_slow, 1000, "slowShare.minSlow", findings);
    Some(Watch::SlowShare { slower_than: slower_than?, percent: percent?, min_slow: min_slow? })
}

/// Seconds of a duration that is at most a day and has at most seven digits.
fn slower_than(text: &str) -> Option<Decimal> {
    const MILLISECONDS_PER_DAY: u128 = 86_400_000;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let milliseconds = parse_duration(text).filter(|_| digits <= 7)?.as_millis();
    let milliseconds = i64::try_from(milliseconds).ok().filter(|_| milliseconds <= MILLISECONDS_PER_DAY)?;
    Some(Decimal::from_ratio(milliseconds, 1000))
}

fn percent(text: &str, field: &str, findings: &mut Findings) -> Option<Decimal> {
    let percent = plain_decimal(text, 3, 3)
        .filter(|percent| *percent > Decimal::ZERO && *percent < Decimal::from_integer(100));
    let path = format!("{PATH}.{field}");
    findings.expect(percent, path, Rule::InvalidThreshold, messages::PERCENT_OPEN)
}

fn number_within(number: i32, most: i32, field: &str, findings: &mut Findings) -> Option<i32> {
    let path = format!("{PATH}.{field}");
    let within = Some(number).filter(|number| (1..=most).contains(number));
    findings.expect(within, path, Rule::InvalidThreshold, format!("must be between 1 and {most}"))
}
