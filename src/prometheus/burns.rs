//! How the share of bad events moved over a window, from the recorded counts.

use std::collections::BTreeMap;

use prometheus_http_query::response::Data;

use super::{Connection, QueryError, SloKey};
use crate::domain::window::Window;
use crate::vocabulary::{label, series};

/// The share of bad events in each part of a window that ends now, oldest first, of every AgentSLO that
/// has counts; none where nothing was counted or nothing happened.
///
/// # Errors
/// See [`QueryError`].
pub async fn burns(
    connection: &Connection,
    window: Window,
    parts: u32,
    now: i64,
) -> Result<BTreeMap<SloKey, Vec<Option<f64>>>, QueryError> {
    let tile = Window::TILE.minutes();
    let part = Window::from_minutes((window.minutes() / parts).div_ceil(tile).max(1) * tile);
    let step = part.minutes() * 60;
    let count = |series| {
        let tiles = format!("sum_over_time({series}{{{}!=\"\"}}[{part}:5m])", label::SLO);
        format!("sum by ({}, {}) ({tiles})", label::NAMESPACE, label::SLO)
    };
    let query = format!("{} / ({} > 0)", count(series::BAD_5M), count(series::TOTAL_5M));
    let start = now - i64::from(step) * i64::from(parts - 1);
    let answer = connection.query_range(&query, (start, now), step).await?;
    let Data::Matrix(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    let shares = |row: &prometheus_http_query::response::RangeVector| {
        let key = SloKey::named_by(|name| row.metric().get(name))?;
        let mut shares = vec![None; parts as usize];
        for sample in row.samples() {
            if let Some(share) = shares.get_mut(index(sample.timestamp(), start, step)) {
                *share = Some(sample.value());
            }
        }
        Some((key, shares))
    };
    Ok(rows.iter().filter_map(shares).collect())
}

/// Which part ends at a time.
// Both ends of the range are ours, so the quotient is small and not negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn index(at: f64, start: i64, step: u32) -> usize {
    ((at - start as f64) / f64::from(step)).round() as usize
}
