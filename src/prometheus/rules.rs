//! Which of our rule groups Prometheus has loaded, and how they fare.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Connection, QueryError};

/// Longest part of an error of Prometheus that is shown.
const LONGEST_ERROR: usize = 256;

/// How a loaded rule group fares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GroupHealth {
    /// No rule of it fails.
    Healthy,
    /// A rule of it fails.
    Failing {
        /// Name of the rule.
        rule: String,
        /// Why, cut.
        error: String,
    },
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: String,
    #[serde(default)]
    last_error: String,
}

/// Health of every rule group by its name.
///
/// # Errors
/// See [`QueryError`].
pub async fn rule_groups(connection: &Connection) -> Result<BTreeMap<String, GroupHealth>, QueryError> {
    let groups: Groups = connection.get("api/v1/rules?exclude_alerts=true").await?;
    Ok(groups.groups.into_iter().map(|group| (group.name, health(group.rules))).collect())
}

fn health(rules: Vec<Rule>) -> GroupHealth {
    rules.into_iter().find(|rule| !rule.last_error.is_empty()).map_or(GroupHealth::Healthy, |rule| {
        GroupHealth::Failing { rule: rule.name, error: rule.last_error.chars().take(LONGEST_ERROR).collect() }
    })
}
