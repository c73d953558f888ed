//! Checks of single texts: names, URLs, durations, text that is inserted literally.

use std::time::Duration;

use super::findings::Findings;
use crate::api::v1alpha1::messages;
use crate::domain::decimal::Decimal;
use crate::domain::violation::Rule;
use crate::domain::window::Window;

/// A label name, perhaps with dots.
pub(super) fn is_label_name(name: &str) -> bool {
    is_name(name, |byte| byte == b'_' || byte == b'.') && !name.starts_with("__")
}

/// A label name without dots, as Alertmanager takes it everywhere.
pub(super) fn is_alert_label_name(name: &str) -> bool {
    is_label_name(name) && !name.contains('.')
}

/// A metric name, perhaps with dots.
pub(super) fn is_metric_name(name: &str) -> bool {
    is_name(name, |byte| matches!(byte, b'_' | b'.' | b':'))
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    let starts_well = name.bytes().next().is_some_and(|first| first != b'.' && !first.is_ascii_digit());
    starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || also(byte))
}

/// A severity: lower-case letters, digits and `-`.
pub(super) fn is_severity(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether a text has control characters, those above ASCII among them: prometheus-operator cannot write them
/// into a rule file.
pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// An https URL without user information.
pub(super) fn is_https_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !name.is_empty()
        && name.bytes().all(legal)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && !rest.contains(['@', ' ', '"', '<', '>', '\\', '^', '`', '|'])
        && !rest.contains("{{")
        && (rest.len() == host.len() || rest.as_bytes()[host.len()] == b'/')
}

/// A decimal number without a sign, with at most so many digits before and after the point: what CEL's
/// `^[0-9]{1,whole}([.][0-9]{1,decimals})?$` matches.
pub(super) fn plain_decimal(text: &str, whole: usize, decimals: usize) -> Option<Decimal> {
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    let fits = !text.starts_with('-') && before.len() <= whole && after.len() <= decimals;
    Decimal::parse(text).filter(|_| fits)
}

/// A duration with a unit of milliseconds to hours, such as `60s`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    if number.starts_with('0') || number.len() > 9 {
        return None;
    }
    number.parse::<u64>().ok().map(|number| Duration::from_millis(number * milliseconds))
}

/// A duration in one of the units and within bounds, both inclusive.
pub(super) fn duration_within(
    text: &str,
    units: &[&str],
    shortest: Duration,
    longest: Duration,
) -> Option<Duration> {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    parse_duration(text).filter(|duration| units.contains(&unit) && (shortest..=longest).contains(duration))
}

/// A length of time in one of the units and within bounds, both inclusive.
pub(super) fn window_within(text: &str, units: &[char], shortest: Window, longest: Window) -> Option<Window> {
    Window::parse(text).filter(|window| text.ends_with(units) && (shortest..=longest).contains(window))
}

/// An amount in US dollars above 0.
pub(super) fn money(text: &str, path: &str, findings: &mut Findings) -> Option<Decimal> {
    let amount = plain_decimal(text, 6, 6).filter(|amount| *amount > Decimal::ZERO);
    findings.expect(amount, path, Rule::InvalidThreshold, messages::MONEY)
}

/// A window of the budget: at least a day, at most ninety.
pub(super) fn budget_window(text: &str, path: &str, findings: &mut Findings) -> Option<Window> {
    let window = Window::parse(text);
    let window = findings.expect(window, path, Rule::InvalidWindow, messages::WINDOW_FORMAT)?;
    let in_range = window >= Window::from_days(1) && window <= Window::from_days(90);
    findings.require(in_range, path, Rule::InvalidWindow, messages::WINDOW_RANGE);
    in_range.then_some(window)
}

/// Text that must be inserted literally.
pub(super) fn literal(text: &str, path: &str, findings: &mut Findings) {
    findings.require(!text.contains("{{"), path, Rule::InvalidText, messages::NO_TEMPLATE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_plain_https() {
        for url in ["https://runbooks.example", "https://a.example:8443/x/{name}?y=1#z"] {
            assert!(is_https_url(url), "{url}");
        }
        for url in [
            "http://a.example",
            "javascript:alert(1)",
            "https://u:p@h",
            "https://",
            "https://a b",
            "https://a.example:/x",
            "https://a.example?x",
            "https://a.example/{{ x }}",
        ] {
            assert!(!is_https_url(url), "{url}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_hours(2)));
        for text in ["10", "0s", "-1s", "1d", "1.5s", "", "s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
