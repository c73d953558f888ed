//! From the alerting on the wire to the pairs in force.

use super::findings::Findings;
use super::pairs::{InForce, Judge};
use super::text::{is_alert_label_name, is_https_url, is_severity, literal, plain_decimal};
use crate::api::v1alpha1::{self as api, BurnRatePair, PairSeverity, messages};
use crate::domain::alerting::Alerting;
use crate::domain::burn_rate::{self, Policy, Urgency};
use crate::domain::decimal::Decimal;
use crate::domain::indicator::Indicator;
use crate::domain::objective::Objective;
use crate::domain::platform::Platform;
use crate::domain::traffic::Traffic;
use crate::domain::violation::Rule;
use crate::domain::window::Window;

const RESERVED_LABELS: [&str; 9] =
    ["namespace", "alertname", "severity", "urgency", "agent", "le", "quantile", "job", "instance"];
const RESERVED_ANNOTATIONS: [&str; 3] = ["summary", "description", "runbook_url"];

/// What the pairs depend on.
pub(super) struct Target<'a> {
    pub(super) objective: Objective,
    pub(super) window: Window,
    pub(super) indicator: &'a Indicator,
    pub(super) traffic: Option<Traffic>,
}

/// Validates what does not depend on anything else, so that it is reported even where the objective is
/// wrong.
pub(super) fn check(spec: &api::Alerting, platform: &Platform, findings: &mut Findings) {
    let in_range = (1..=1000).contains(&spec.min_failures);
    findings.require(
        in_range,
        "spec.alerting.minFailures",
        Rule::InvalidThreshold,
        "must be between 1 and 1000",
    );
    check_labels(spec, findings);
    check_annotations(spec, findings);
    // Parsed again once there is a target; what is found twice is reported once.
    let after = spec.no_data.as_ref().and_then(|no_data| no_data.after.as_deref());
    parse_no_data_after(after, findings);
    for (index, pair) in spec.burn_rates.iter().flatten().enumerate() {
        parse_policy(pair, &path_of_pair(index), findings);
    }
    if let Some(url) = &spec.runbook_url {
        findings.require(
            is_https_url(url),
            "spec.alerting.runbookURL",
            Rule::InvalidUrl,
            messages::HTTPS_URL,
        );
    }
    let severities = [
        ("spec.alerting.page.severity", spec.page.as_ref().and_then(|urgency| urgency.severity.as_ref())),
        ("spec.alerting.ticket.severity", spec.ticket.as_ref().and_then(|urgency| urgency.severity.as_ref())),
        (
            "spec.alerting.noData.severity",
            spec.no_data.as_ref().and_then(|no_data| no_data.severity.as_ref()),
        ),
    ];
    for (path, severity) in severities.into_iter().filter_map(|(path, severity)| Some((path, severity?))) {
        check_severity(severity, path, platform, findings);
    }
}

/// The alerting with every default filled in; `None` where violations were found.
pub(super) fn parse(
    spec: &api::Alerting,
    target: &Target<'_>,
    platform: &Platform,
    findings: &mut Findings,
) -> Option<Alerting> {
    let estimator = spec.estimator.unwrap_or(platform.estimator);
    let judge = Judge { target, estimator, min_failures: spec.min_failures };
    let InForce { pairs, left_out, unfed } = match &spec.burn_rates {
        None => judge.fitted(burn_rate::catalogue(target.window)),
        Some(written) => judge.written(parse_policies(written, target, findings)),
    };
    let no_data = spec.no_data.clone().unwrap_or_default();
    let no_data_after = parse_no_data_after(no_data.after.as_deref(), findings)?;
    let severity = |urgency: &Option<api::Urgency>, default: &str| {
        urgency.as_ref().and_then(|urgency| urgency.severity.clone()).unwrap_or_else(|| default.to_owned())
    };
    Some(Alerting {
        estimator,
        min_failures: spec.min_failures,
        page_severity: severity(&spec.page, &platform.page_severity),
        ticket_severity: severity(&spec.ticket, &platform.ticket_severity),
        pairs,
        left_out,
        unfed,
        no_data_after,
        no_data_severity: no_data.severity.unwrap_or_else(|| platform.ticket_severity.clone()),
        labels: spec.labels.clone(),
        annotations: spec.annotations.clone(),
        runbook_url: spec.runbook_url.clone(),
    })
}

fn parse_no_data_after(text: Option<&str>, findings: &mut Findings) -> Option<Window> {
    let Some(text) = text else { return Some(Window::from_hours(6)) };
    let after = Window::parse(text).filter(|after| (Window::TILE..=Window::from_days(30)).contains(after));
    findings.expect(after, "spec.alerting.noData.after", Rule::InvalidWindow, messages::NO_DATA_RANGE)
}

fn parse_policies(written: &[BurnRatePair], target: &Target<'_>, findings: &mut Findings) -> Vec<Policy> {
    written
        .iter()
        .enumerate()
        .filter_map(|(index, pair)| {
            let path = path_of_pair(index);
            let policy = parse_policy(pair, &path, findings)?;
            check_policy(policy, &path, target, findings);
            Some(policy)
        })
        .collect()
}

fn path_of_pair(index: usize) -> String {
    format!("spec.alerting.burnRates[{index}]")
}

fn parse_policy(pair: &BurnRatePair, path: &str, findings: &mut Findings) -> Option<Policy> {
    let percent = plain_decimal(&pair.budget_percent, 3, 3)
        .filter(|percent| *percent > Decimal::ZERO && *percent <= Decimal::from_integer(100));
    let percent = findings.expect(
        percent,
        format!("{path}.budgetPercent"),
        Rule::InvalidThreshold,
        messages::BUDGET_PERCENT,
    );
    let mut window = |text: &str, field: &str| {
        let path = format!("{path}.{field}");
        let window = findings.expect(
            Window::parse(text),
            path.as_str(),
            Rule::InvalidWindow,
            messages::WINDOW_FORMAT,
        )?;
        findings.require(window.minutes() % 5 == 0, path, Rule::InvalidWindow, messages::WINDOW_STEP);
        Some(window)
    };
    let long = window(&pair.long_window, "longWindow");
    let short = window(&pair.short_window, "shortWindow");
    let urgency = match pair.severity {
        PairSeverity::Page => Urgency::Page,
        PairSeverity::Ticket => Urgency::Ticket,
    };
    let policy = Policy { urgency, budget_percent: percent?, long: long?, short: short? };
    let short_path = format!("{path}.shortWindow");
    findings.require(policy.short < policy.long, short_path, Rule::InvalidWindow, messages::SHORT_BELOW_LONG);
    Some(policy)
}

fn check_policy(policy: Policy, path: &str, target: &Target<'_>, findings: &mut Findings) {
    let within = policy.long.minutes() <= target.window.minutes() / 3;
    findings.require(within, format!("{path}.longWindow"), Rule::InvalidWindow, messages::LONG_WITHIN_WINDOW);
    findings.require(is_reachable(policy, target), "spec.alerting", Rule::Unreachable, messages::UNREACHABLE);
}

/// Whether total failure exceeds the pair's threshold; exactly, where a burn rate is rounded.
fn is_reachable(policy: Policy, target: &Target<'_>) -> bool {
    let minutes = |window: Window| Decimal::from_integer(window.minutes().into());
    let needed = policy.budget_percent * target.objective.budget() * minutes(target.window);
    needed < minutes(policy.long) * Decimal::from_integer(100)
}

fn check_labels(spec: &api::Alerting, findings: &mut Findings) {
    for (name, value) in &spec.labels {
        let path = format!("spec.alerting.labels.{name}");
        let reserved = RESERVED_LABELS.contains(&name.as_str()) || name.starts_with("agentslo");
        findings.require(!reserved, path.as_str(), Rule::ReservedName, messages::RESERVED_LABEL);
        let legal = is_alert_label_name(name);
        findings.require(legal, path.as_str(), Rule::InvalidName, messages::ALERT_LABEL_NAME);
        literal(value, &path, findings);
    }
}

fn check_annotations(spec: &api::Alerting, findings: &mut Findings) {
    for (name, value) in &spec.annotations {
        let path = format!("spec.alerting.annotations.{name}");
        let legal = !RESERVED_ANNOTATIONS.contains(&name.as_str()) && is_alert_label_name(name);
        findings.require(legal, path.as_str(), Rule::InvalidName, messages::ANNOTATION_NAME);
        literal(value, &path, findings);
    }
}

/// That a severity fits a label, and that the platform offers it.
pub(super) fn check_severity(severity: &str, path: &str, platform: &Platform, findings: &mut Findings) {
    findings.require(is_severity(severity), path, Rule::InvalidName, messages::SEVERITY);
    let allowed = &platform.allowed_severities;
    let message = format!(
        "severity '{severity}' is not offered by {}; offered: '{}'",
        platform.display_name(),
        allowed.join("', '")
    );
    let permitted = allowed.is_empty() || allowed.iter().any(|offered| offered == severity);
    findings.require(permitted, path, Rule::NotPermitted, message);
}
