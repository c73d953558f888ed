//! One query for what one agent's telemetry has.

use std::collections::{BTreeMap, BTreeSet};

use prometheus_http_query::response::{Data, InstantVector};

use super::{Connection, QueryError};
use crate::domain::decimal::Decimal;
use crate::domain::guard::Watch;
use crate::domain::observability::Observability;
use crate::domain::role::Role;
use crate::domain::sighting::{Seen, SpendSeen};
use crate::profiles::MetricKind;
use crate::render::guards::{collector_up, dollars};

/// Label by which the answer tells its parts.
const PART: &str = "part";
/// Counts of five minutes in a day.
const TILES_PER_DAY: f64 = 288.0;
/// The part that says which buckets there are.
const BUCKET: &str = "bucket";
/// The part that says how many targets of the Collector there are.
const COLLECTOR: &str = "collector";
/// How far back a target of the Collector may have been up last.
const UP_WITHIN: &str = "5m";
/// Largest bound of a bucket that a guard could name, with room to spare.
const LARGEST_BOUND: f64 = 1e9;
/// Most buckets that are looked at; a histogram with more is taken to have any.
const MOST_BUCKETS: usize = 128;
/// Largest amount in US dollars that is believed.
const LARGEST_AMOUNT: f64 = 1e12;

/// Looks at the telemetry of one agent, of which this is the [`question`].
///
/// # Errors
/// See [`QueryError`].
pub async fn sighting(connection: &Connection, question: &str) -> Result<Seen, QueryError> {
    let answer = connection.query(question).await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    let part = |row: &InstantVector| Some((row.metric().get(PART)?.clone(), row.sample().value()));
    let parts: BTreeMap<String, f64> = rows.iter().filter_map(part).collect();
    Ok(Seen {
        run_buckets: bounds(rows),
        has_collector: parts.contains_key(COLLECTOR),
        roles: parts.keys().filter_map(|part| Role::parse(part)).collect(),
        spend: spend(&parts),
    })
}

/// What was spent, unless it is no amount of money: a counter may hold anything, and what is no number would be
/// news each time.
fn spend(parts: &BTreeMap<String, f64>) -> Option<SpendSeen> {
    let part = |name: &str| parts.get(name).copied();
    let tiles = part("tiles").filter(|tiles| (1.0..=LARGEST_AMOUNT).contains(tiles))?;
    let last_24h = part("spend24h").unwrap_or_default();
    let last_7d = part("spend7d").unwrap_or_default();
    let is_money = [last_24h, last_7d].iter().all(|amount| amount.abs() <= LARGEST_AMOUNT);
    is_money.then_some(SpendSeen { last_24h, last_7d, days: tiles / TILES_PER_DAY })
}

/// Finite bounds of buckets among the rows.
fn bounds(rows: &[InstantVector]) -> BTreeSet<Decimal> {
    let buckets = rows.iter().filter(|row| row.metric().get(PART).is_some_and(|part| part == BUCKET));
    let bounds = buckets.filter_map(|row| row.metric().get("le")?.parse::<f64>().ok());
    let bounds: BTreeSet<Decimal> =
        bounds.filter(|bound| (0.0..=LARGEST_BOUND).contains(bound)).map(Decimal::from_f64).collect();
    if bounds.len() > MOST_BUCKETS { BTreeSet::new() } else { bounds }
}

/// Everything in one query, each part with a label of its own. What was answered to another question says
/// nothing about this one.
#[must_use]
pub fn question(observability: &Observability) -> String {
    let roles = Role::ALL.into_iter().filter_map(|role| {
        let count = observability.series().count(role)?;
        Some((role.name(), count))
    });
    let cost = dollars(observability);
    let spend = [
        ("spend24h", format!("sum_over_time({cost}[1d:5m])")),
        ("spend7d", format!("sum_over_time({cost}[7d:5m])")),
        ("tiles", format!("count_over_time({cost}[7d:5m])")),
    ];
    let collector = observability.pipeline().map(|_| {
        let up = collector_up(observability);
        (COLLECTOR, format!("count(max_over_time({up}[{UP_WITHIN}]) == 1)"))
    });
    let sums = roles.chain(spend).chain(collector).map(|(part, query)| named(part, &format!("sum({query})")));
    let parts: Vec<String> =
        sums.chain(buckets(observability).map(|buckets| named(BUCKET, &buckets))).collect();
    parts.join("\nor\n")
}

fn named(part: &str, query: &str) -> String {
    format!("label_replace({query}, \"{PART}\", \"{part}\", \"\", \"\")")
}

/// The bounds among which a guard on slow runs must find its own; of a native histogram none.
fn buckets(observability: &Observability) -> Option<String> {
    let mut guards = observability.guards().iter();
    guards.find(|guard| matches!(guard.watch, Watch::SlowShare { .. }))?;
    let series = observability.series();
    let durations =
        series.profile().run_duration.as_ref().filter(|metric| metric.kind == MetricKind::Histogram)?;
    let histogram = series.select(durations);
    Some(format!("group by (le) ({}) unless on () count({histogram})", histogram.suffixed("_bucket")))
}
