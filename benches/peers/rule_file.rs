//! Rule files of Prometheus, as far as the cost of evaluation depends on them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A rule file.
#[derive(Deserialize)]
pub(crate) struct RuleFile {
    /// Its groups.
    pub groups: Vec<Group>,
}

/// Rules that are evaluated together.
#[derive(Clone, Deserialize)]
pub(crate) struct Group {
    /// How often, where the file says so.
    pub interval: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Clone, Deserialize)]
pub(crate) struct Rule {
    /// Name of the recorded series.
    pub record: Option<String>,
    /// Name of the alert.
    pub alert: Option<String>,
    /// PromQL.
    pub expr: String,
    /// Labels of what it records or fires.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Seconds of a duration such as `2m30s` or `1d1h43m`.
pub(crate) fn seconds(duration: &str) -> Option<i64> {
    let mut sum = 0;
    let mut rest = duration;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        sum += number * unit;
        rest = &rest[digits + 1..];
    }
    Some(sum)
}
