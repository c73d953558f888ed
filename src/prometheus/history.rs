//! What the recorded counts of the past say: how many events there were, and how much of the window was
//! counted. Reads many samples, so it is asked rarely.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use prometheus_http_query::response::Data;

use super::{Connection, QueryError, SloKey};
use crate::domain::window::Window;
use crate::vocabulary::{label, series};

/// Over which time traffic is measured.
const WEEK: Window = Window::from_days(7);
/// Hours that must have been counted before traffic is known: all hours of a day.
const FEWEST_HOURS: f64 = 24.0;
/// Into how many parts a window is divided to see which of them were counted.
const PARTS: u32 = 720;

/// What the recorded counts of one AgentSLO say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct History {
    /// Valid events an hour over the last week, or since it is counted; none where that is less than a
    /// day. Of several groups it is that of the busiest.
    pub events_per_hour: Option<f64>,
    /// Share of the window for which there are counts.
    pub coverage: f64,
}

/// Reads the history of every AgentSLO, given the windows that they have.
///
/// # Errors
/// See [`QueryError`].
pub async fn histories(
    connection: &Connection,
    windows: &BTreeMap<SloKey, Window>,
    largest_offset: Duration,
) -> Result<BTreeMap<SloKey, History>, QueryError> {
    let traffic = traffic(connection).await?;
    let mut histories = BTreeMap::new();
    for window in windows.values().copied().collect::<BTreeSet<Window>>() {
        let coverage = coverage(connection, window, largest_offset).await?;
        for (key, _) in windows.iter().filter(|(_, own)| **own == window) {
            let history = History {
                events_per_hour: traffic.get(key).copied(),
                coverage: coverage.get(key).copied().unwrap_or_default(),
            };
            histories.insert(key.clone(), history);
        }
    }
    Ok(histories)
}

async fn traffic(connection: &Connection) -> Result<BTreeMap<SloKey, f64>, QueryError> {
    let by = by_slo();
    let total = format!("{}{{{}!=\"\"}}", series::TOTAL_5M, label::SLO);
    let events = format!("max {by} (sum_over_time({total}[{WEEK}:5m]))");
    let events = values(connection, &events).await?;
    // The rules may have been evaluated while there were no series to count.
    let hours = format!("count_over_time((group {by} ({} or {total}))[{WEEK}:1h])", series::INFO);
    let hours = values(connection, &hours).await?;
    let rate = |(key, events): (SloKey, f64)| {
        let hours = hours.get(&key).filter(|hours| **hours >= FEWEST_HOURS)?;
        Some((key, events / hours))
    };
    Ok(events.into_iter().filter_map(rate).collect())
}

async fn coverage(
    connection: &Connection,
    window: Window,
    largest_offset: Duration,
) -> Result<BTreeMap<SloKey, f64>, QueryError> {
    let step = part(window);
    let parts = f64::from(window.minutes() / step.minutes());
    let counted = format!("group {} ({}{{{}!=\"\"}})", by_slo(), series::TOTAL_5M, label::SLO);
    let offset = largest_offset.as_secs();
    let offset = if offset == 0 { String::new() } else { format!(" offset {offset}s") };
    let query = format!("count_over_time(({counted})[{window}:{step}]{offset})");
    let counted = values(connection, &query).await?;
    Ok(counted.into_iter().map(|(key, counted)| (key, (counted / parts).min(1.0))).collect())
}

/// A part of a window, in steps of five minutes, as counts are.
fn part(window: Window) -> Window {
    let tile = Window::TILE.minutes();
    Window::from_minutes((window.minutes() / PARTS).div_ceil(tile).max(1) * tile)
}

fn by_slo() -> String {
    format!("by ({}, {})", label::NAMESPACE, label::SLO)
}

/// One number for each AgentSLO.
async fn values(connection: &Connection, query: &str) -> Result<BTreeMap<SloKey, f64>, QueryError> {
    let answer = connection.query(query).await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    let value = |row: &prometheus_http_query::response::InstantVector| {
        Some((SloKey::named_by(|name| row.metric().get(name))?, row.sample().value()))
    };
    Ok(rows.iter().filter_map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_at_most_as_many_parts_as_are_cheap_to_read() {
        for (window, expected) in [(1, "5m"), (7, "15m"), (28, "1h"), (30, "1h"), (90, "3h")] {
            let window = Window::from_days(window);
            let part = part(window);
            assert_eq!(part.to_string(), expected);
            assert!(window.minutes() / part.minutes() <= PARTS);
        }
    }
}
