//! One query for the budgets of all AgentSLOs.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_http_query::response::{Data, RangeVector};

use super::{Connection, QueryError};
use crate::domain::names::SloKey;
use crate::domain::reading::{Firing, GroupCounts, Observation};
use crate::vocabulary::{alert, label, series};

/// How far back samples are read besides the query offset: the long group is evaluated every five
/// minutes, and one evaluation may be missed.
const LOOKBACK: Duration = Duration::from_mins(16);
/// Most events that are believed in a window; a thousand agents with a thousand runs a second have fewer.
const LARGEST_COUNT: f64 = 1e13;

/// Reads every series that budgets are reported from, in one query. Freshness is judged by the server's
/// own clock, so that a wrong clock here changes nothing.
///
/// # Errors
/// See [`QueryError`].
pub async fn budgets(
    connection: &Connection,
    largest_offset: Duration,
) -> Result<BTreeMap<SloKey, Observation>, QueryError> {
    let seconds = (LOOKBACK + largest_offset).as_secs();
    let names = format!(
        "{}|{}|{}.+|{}.+|ALERTS",
        series::INFO,
        series::BURN_RATE,
        series::TOTAL_COUNT,
        series::BAD_COUNT
    );
    let query = format!("{{__name__=~\"{names}\",{}!=\"\"}}[{seconds}s]", label::SLO);
    let answer = connection.query_dated(&query).await?;
    let Data::Matrix(rows) = answer.data.data() else { return Err(QueryError::NotPrometheus) };
    let newest = rows
        .iter()
        .filter_map(|row| row.samples().last())
        .map(prometheus_http_query::response::Sample::timestamp);
    let asked_at = answer.at.unwrap_or_else(|| newest.fold(0.0, f64::max));
    Ok(collect(rows, asked_at))
}

fn collect(rows: &[RangeVector], asked_at: f64) -> BTreeMap<SloKey, Observation> {
    let mut observations: BTreeMap<SloKey, Collected> = BTreeMap::new();
    for row in rows {
        let labels = row.metric();
        let key = SloKey::named_by(|name| labels.get(name));
        let (Some(key), Some(sample)) = (key, row.samples().last()) else { continue };
        let own = labels
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "__name__" | label::NAMESPACE | label::SLO))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let metric = labels.get("__name__").map_or("", String::as_str);
        observations.entry(key).or_default().take(metric, own, sample.timestamp(), sample.value());
    }
    observations.into_iter().map(|(key, collected)| (key, collected.into_observation(asked_at))).collect()
}

/// What was read of one AgentSLO so far.
#[derive(Default)]
struct Collected {
    evaluated_at: Option<f64>,
    alerts: BTreeMap<Firing, f64>,
    groups: BTreeMap<BTreeMap<String, String>, Counts>,
}

#[derive(Default)]
struct Counts {
    total: Option<(f64, f64)>,
    bad: Option<(f64, f64)>,
    burn_rates: BTreeMap<String, f64>,
}

impl Collected {
    fn take(&mut self, metric: &str, mut labels: BTreeMap<String, String>, at: f64, value: f64) {
        match metric {
            series::INFO => self.evaluated_at = Some(self.evaluated_at.map_or(at, |before| before.max(at))),
            "ALERTS" => self.take_alert(&labels, at),
            series::BURN_RATE => {
                if let Some(window) = labels.remove(label::WINDOW) {
                    self.groups.entry(labels).or_default().burn_rates.insert(window, value);
                }
            }
            metric if metric.starts_with(series::TOTAL_COUNT) => {
                newer(&mut self.groups.entry(labels).or_default().total, at, value);
            }
            metric if metric.starts_with(series::BAD_COUNT) => {
                newer(&mut self.groups.entry(labels).or_default().bad, at, value);
            }
            _ => {}
        }
    }

    fn take_alert(&mut self, labels: &BTreeMap<String, String>, at: f64) {
        let value = |name: &str| labels.get(name).map_or("", String::as_str);
        if value("alertstate") != "firing" {
            return;
        }
        let firing = match (value("alertname"), value(label::URGENCY)) {
            (alert::BURN, "page") => Firing::Page,
            (alert::BURN, "ticket") => Firing::Ticket,
            (alert::EXHAUSTED, _) => Firing::Exhausted,
            (alert::NO_DATA, _) => Firing::NoData,
            _ => return,
        };
        let newest = self.alerts.entry(firing).or_insert(at);
        *newest = newest.max(at);
    }

    fn into_observation(self, asked_at: f64) -> Observation {
        let groups = self.groups.into_iter().filter_map(|(labels, counts)| {
            let (counted_at, total) = counts.total.filter(|(_, total)| is_count(*total))?;
            let bad = counts.bad.filter(|(at, bad)| counted_at - at < 1.0 && is_count(*bad));
            let bad = bad.map(|(_, bad)| bad);
            Some(GroupCounts { labels, total, bad, counted_at, burn_rates: counts.burn_rates })
        });
        Observation {
            asked_at,
            evaluated_at: self.evaluated_at,
            groups: groups.collect(),
            alerts: self.alerts,
            ..Observation::default()
        }
    }
}

/// Whether it is a number of events. A counter may hold anything, and statistics of what is none need not end.
fn is_count(value: f64) -> bool {
    value.abs() <= LARGEST_COUNT
}

/// After an edit of the window there are two counts for a while; the newer one holds.
fn newer(slot: &mut Option<(f64, f64)>, at: f64, value: f64) {
    if slot.is_none_or(|(before, _)| at >= before) {
        *slot = Some((at, value));
    }
}
