//! What the recorded counts of a month say, at its end.

use std::collections::BTreeMap;

use prometheus_http_query::response::{Data, InstantVector};

use super::{Connection, QueryError, SloKey};
use crate::vocabulary::{alert, label, series};

/// Seconds of an hour.
const HOUR: i64 = 3600;
/// From this length on, coverage is looked at by the hour.
const BY_THE_HOUR_FROM: i64 = 2 * 24 * HOUR;

/// Labels of one group, in one AgentSLO.
pub type GroupKey = (SloKey, BTreeMap<String, String>);

/// What Prometheus says of a month.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthData {
    /// Valid events.
    pub total: BTreeMap<GroupKey, f64>,
    /// Bad events.
    pub bad: BTreeMap<GroupKey, f64>,
    /// Share of the month for which there are counts.
    pub coverage: BTreeMap<GroupKey, f64>,
    /// How often the page fired.
    pub pages: BTreeMap<SloKey, f64>,
    /// Agent and objective of each info series, and when it was last there.
    pub infos: Vec<(SloKey, String, String, f64)>,
    /// US dollars by namespace and agent.
    pub dollars: BTreeMap<(String, String), f64>,
}

/// Reads a month of so many seconds, which ends at a time in seconds since the epoch.
///
/// # Errors
/// See [`QueryError`].
pub async fn month(connection: &Connection, end: i64, seconds: i64) -> Result<MonthData, QueryError> {
    let own = format!("{}!=\"\"", label::SLO);
    let tiles = |name: &str| format!("sum_over_time({name}{{{own}}}[{seconds}s:5m])");
    let step = if seconds >= BY_THE_HOUR_FROM { HOUR } else { 300 };
    #[allow(clippy::cast_precision_loss)]
    let parts = (seconds / step).max(1) as f64;
    let counted = format!("count_over_time({}{{{own}}}[{seconds}s:{step}s])", series::TOTAL_5M);
    let counted = groups(&rows(connection, &counted, end).await?);
    Ok(MonthData {
        total: groups(&rows(connection, &tiles(series::TOTAL_5M), end).await?),
        bad: groups(&rows(connection, &tiles(series::BAD_5M), end).await?),
        coverage: counted.into_iter().map(|(key, count)| (key, (count / parts).min(1.0))).collect(),
        pages: slos(&rows(connection, &page_starts(seconds), end).await?),
        infos: infos(&rows(connection, &last_infos(seconds), end).await?),
        dollars: dollars(&rows(connection, &dollars_spent(seconds), end).await?),
    })
}

/// A page starts where it fires and did not a minute before.
fn page_starts(seconds: i64) -> String {
    let by = format!("by ({}, {})", label::NAMESPACE, label::SLO);
    let firing = format!(
        "ALERTS{{{}=\"{}\",{}=\"page\",alertstate=\"firing\"}}",
        label::ALERT,
        alert::BURN,
        label::URGENCY
    );
    format!("sum_over_time((max {by} ({firing}) unless max {by} ({firing} offset 1m))[{seconds}s:1m])")
}

fn last_infos(seconds: i64) -> String {
    let by = [label::NAMESPACE, label::SLO, label::AGENT, label::OBJECTIVE].join(", ");
    format!("max by ({by}) (max_over_time(timestamp({})[{seconds}s:15m]))", series::INFO)
}

fn dollars_spent(seconds: i64) -> String {
    let spent = format!("{}{{{}=\"dollar\"}}", series::GUARD_5M, label::EVENT);
    format!("sum by ({}, {}) (sum_over_time({spent}[{seconds}s:5m]))", label::NAMESPACE, label::AGENT)
}

async fn rows(connection: &Connection, query: &str, at: i64) -> Result<Vec<InstantVector>, QueryError> {
    let answer = connection.query_at(query, at).await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    Ok(rows.clone())
}

fn slos(rows: &[InstantVector]) -> BTreeMap<SloKey, f64> {
    let of =
        |row: &InstantVector| Some((SloKey::named_by(|name| row.metric().get(name))?, row.sample().value()));
    rows.iter().filter_map(of).collect()
}

fn groups(rows: &[InstantVector]) -> BTreeMap<GroupKey, f64> {
    let of = |row: &InstantVector| {
        let key = SloKey::named_by(|name| row.metric().get(name))?;
        let is_own = |name: &str| matches!(name, "__name__" | label::NAMESPACE | label::SLO);
        let labels = row.metric().iter().filter(|(name, _)| !is_own(name));
        let labels = labels.map(|(name, value)| (name.clone(), value.clone())).collect();
        Some(((key, labels), row.sample().value()))
    };
    rows.iter().filter_map(of).collect()
}

fn infos(rows: &[InstantVector]) -> Vec<(SloKey, String, String, f64)> {
    let of = |row: &InstantVector| {
        let key = SloKey::named_by(|name| row.metric().get(name))?;
        let text = |name: &str| row.metric().get(name).cloned().unwrap_or_default();
        Some((key, text(label::AGENT), text(label::OBJECTIVE), row.sample().value()))
    };
    let mut infos: Vec<_> = rows.iter().filter_map(of).collect();
    infos.sort_by(|one, other| one.0.cmp(&other.0).then(one.3.total_cmp(&other.3)));
    infos
}

fn dollars(rows: &[InstantVector]) -> BTreeMap<(String, String), f64> {
    let of = |row: &InstantVector| {
        let text = |name: &str| row.metric().get(name).cloned();
        Some(((text(label::NAMESPACE)?, text(label::AGENT)?), row.sample().value()))
    };
    rows.iter().filter_map(of).collect()
}
