//! What the alerts of one AgentSLO see now: bad and valid events in each of their windows.

use std::collections::{BTreeMap, BTreeSet};

use prometheus_http_query::response::Data;

use super::{Connection, QueryError};
use crate::domain::reading::{Recent, RecentCounts};
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::render::rules::counts_in;
use crate::vocabulary::label;

/// Label by which an answer tells its two parts.
const PART: &str = "part";
const BAD: &str = "bad";

/// Counts the events in each window of the alerts, for each group.
///
/// # Errors
/// See [`QueryError`].
pub async fn recent(connection: &Connection, slo: &Slo) -> Result<Recent, QueryError> {
    let pairs = slo.alerting().pairs.iter();
    let windows: BTreeSet<Window> = pairs.flat_map(|pair| [pair.long, pair.short]).collect();
    let mut recent = Recent::new();
    for window in windows {
        recent.insert(window, counts(connection, slo, window).await?);
    }
    Ok(recent)
}

async fn counts(connection: &Connection, slo: &Slo, window: Window) -> Result<RecentCounts, QueryError> {
    let [bad, total] = counts_in(slo, window);
    let part =
        |query: &str, part: &str| format!("label_replace({query}, \"{PART}\", \"{part}\", \"\", \"\")");
    let query = format!("{} or {}", part(&bad, BAD), part(&total, "total"));
    let answer = connection.query(&query).await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    let mut counts = RecentCounts::new();
    for row in rows {
        let is_own = |name: &str| matches!(name, "__name__" | PART | label::NAMESPACE | label::SLO);
        let labels: BTreeMap<String, String> = row
            .metric()
            .iter()
            .filter(|(name, _)| !is_own(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let (bad, total) = counts.entry(labels).or_default();
        let side = if row.metric().get(PART).is_some_and(|part| part == BAD) { bad } else { total };
        *side = row.sample().value();
    }
    Ok(counts)
}
