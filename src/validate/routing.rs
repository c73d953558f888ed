//! From routing on the wire to routing whose receivers exist.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::guards::{EVERY_DAY, time_of_day, time_zone};
use crate::api::v1alpha1::{self as api, Weekday, messages};
use crate::domain::platform::Platform;
use crate::domain::routing::{MuteTime, Receiver, Routing, Way};
use crate::domain::violation::Rule;
use crate::domain::yearly_zone::YearlyZone;

/// Validates routing; `None` where violations were found.
pub(super) fn parse(spec: &api::Routing, platform: &Platform, findings: &mut Findings) -> Option<Routing> {
    let told = !spec.page.is_empty() || !spec.ticket.is_empty();
    findings.require(told, "spec.routing", Rule::NotExactlyOne, messages::ROUTE_TO_SOMEBODY);
    check_names(spec, findings);
    check_durations(spec, findings);
    let receivers = spec.receivers.iter().enumerate();
    let receivers: Vec<_> =
        receivers.map(|(index, receiver)| parse_receiver(receiver, index, platform, findings)).collect();
    let mute_times = spec.mute_times.iter().enumerate();
    let mute_times: Vec<_> = mute_times.map(|(index, time)| parse_time(time, index, findings)).collect();
    Some(Routing {
        page: spec.page.clone(),
        ticket: spec.ticket.clone(),
        receivers: receivers.into_iter().collect::<Option<_>>()?,
        group_wait: spec.group_wait.clone(),
        group_interval: spec.group_interval.clone(),
        repeat_interval: spec.repeat_interval.clone(),
        mute_times: mute_times.into_iter().collect::<Option<_>>()?,
    })
}

fn check_names(spec: &api::Routing, findings: &mut Findings) {
    let known: Vec<&str> = spec.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let mut all_known = true;
    for (field, names) in [("page", &spec.page), ("ticket", &spec.ticket)] {
        check_repeated(
            names.iter().map(|name| format!("'{name}'")),
            &format!("spec.routing.{field}"),
            findings,
        );
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
            all_known = false;
            let message = format!("'{name}' is no receiver; receivers are '{}'", known.join("', '"));
            findings.add(format!("spec.routing.{field}[{index}]"), Rule::UnknownReference, message);
        }
    }
    let receivers = known.iter().map(|name| format!("`name` '{name}'"));
    check_repeated(receivers, "spec.routing.receivers", findings);
    let mute_times = spec.mute_times.iter().map(|time| format!("`name` '{}'", time.name));
    check_repeated(mute_times, "spec.routing.muteTimes", findings);
    let mutes_something = spec.mute_times.is_empty() || !spec.ticket.is_empty();
    let message = "mutes tickets only, and `ticket` names no receiver";
    findings.require(mutes_something, "spec.routing.muteTimes", Rule::Contradiction, message);
    // A misspelled name has been said already; its receiver need not be said too.
    if all_known {
        check_meant(spec, findings);
    }
}

/// A receiver that nobody names is not harmless: where its Secret is missing, prometheus-operator leaves
/// out all routes of the agent.
fn check_meant(spec: &api::Routing, findings: &mut Findings) {
    for (index, receiver) in spec.receivers.iter().enumerate() {
        let name = &receiver.name;
        let is_meant = spec.page.contains(name) || spec.ticket.contains(name);
        let message = format!("'{name}' is told of nothing; name it in `page` or `ticket`, or remove it");
        let path = format!("spec.routing.receivers[{index}]");
        findings.require(is_meant, path, Rule::Contradiction, message);
    }
}

/// In the words of the schema, which says the same where there is one.
fn check_repeated(names: impl Iterator<Item = String>, path: &str, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let message = format!("must not repeat {name}");
        findings.require(seen.insert(name), format!("{path}[{index}]"), Rule::InvalidName, message);
    }
}

fn check_durations(spec: &api::Routing, findings: &mut Findings) {
    for (field, text, may_be_zero) in [
        ("groupWait", &spec.group_wait, true),
        ("groupInterval", &spec.group_interval, false),
        ("repeatInterval", &spec.repeat_interval, false),
    ] {
        let legal = is_route_duration(text) && (may_be_zero || !text.starts_with('0'));
        let path = format!("spec.routing.{field}");
        findings.require(legal, path, Rule::InvalidWindow, messages::ROUTE_DURATION);
    }
}

/// At most five digits, and `s`, `m` or `h`.
fn is_route_duration(text: &str) -> bool {
    let Some(number) = text.strip_suffix(['s', 'm', 'h']) else { return false };
    (1..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_receiver(
    written: &api::Receiver,
    index: usize,
    platform: &Platform,
    findings: &mut Findings,
) -> Option<Receiver> {
    let path = format!("spec.routing.receivers[{index}]");
    let ways = [
        written.slack.clone().map(Way::Slack),
        written.pager_duty.clone().map(Way::PagerDuty),
        written.webhook.clone().map(Way::Webhook),
        written.ops_genie.clone().map(Way::OpsGenie),
        written.ms_teams.clone().map(Way::MsTeams),
    ];
    let count = ways.iter().flatten().count() + usize::from(written.email.is_some());
    findings.require(count == 1, path.as_str(), Rule::NotExactlyOne, messages::ONE_RECEIVER);
    let email = written.email.as_ref().map(|email| parse_email(email, &path, platform, findings));
    let way = ways.into_iter().flatten().next();
    Some(Receiver { name: written.name.clone(), way: way.or(email.flatten())? })
}

fn parse_email(
    written: &api::Email,
    path: &str,
    platform: &Platform,
    findings: &mut Findings,
) -> Option<Way> {
    let message = format!("e-mail is not offered: {} names no `mail` server", platform.display_name());
    let server =
        findings.expect(platform.mail.clone(), format!("{path}.email"), Rule::NotPermitted, message)?;
    Some(Way::Email { to: written.to.clone(), server })
}

fn parse_time(written: &api::MuteTime, index: usize, findings: &mut Findings) -> Option<MuteTime> {
    let path = format!("spec.routing.muteTimes[{index}]");
    let from = time_of_day(&written.from).filter(|from| *from < 24 * 60);
    let from = findings.expect(from, format!("{path}.from"), Rule::InvalidWindow, messages::TIME_OF_DAY);
    let to = time_of_day(&written.to).filter(|_| written.to != written.from);
    let to = findings.expect(to, format!("{path}.to"), Rule::InvalidWindow, messages::TIME_OF_DAY);
    let zone = time_zone(&written.time_zone, &format!("{path}.timeZone"), findings);
    let days: BTreeSet<Weekday> = written.days.iter().copied().collect();
    Some(MuteTime {
        name: written.name.clone(),
        days: if days.is_empty() { EVERY_DAY.into() } else { days },
        from: from?,
        to: to?,
        zone: YearlyZone::named(zone?.name)?,
    })
}
