//! One query for what one agent's telemetry has.

use std::collections::{BTreeMap, BTreeSet};

use prometheus_http_query::response::{Data, InstantVector};

use super::{Connection, QueryError};
use crate::domain::decimal::Decimal;
use crate::domain::guard::Watch;
use crate::domain::observability::Observability;
use crate::domain::promql::LabelMatcher;
use crate::domain::role::Role;
use crate::domain::sighting::{AuditSeen, Seen, SpendSeen};
use crate::profiles::MetricKind;
use crate::render::guards::{collector_up, dollars, of_chain};

/// Label by which the answer tells its parts.
const PART: &str = "part";
/// Counts of five minutes in a day.
const TILES_PER_DAY: f64 = 288.0;
/// The part that says which buckets there are.
const BUCKET: &str = "bucket";
/// Who says what was spent, and in which parts.
struct Account {
    /// What was spent in a day and in a week, and how many pieces of time that rests on.
    parts: [&'static str; 3],
    /// Fewest pieces that are believed.
    fewest: f64,
    pieces_per_day: f64,
}

/// The metrics of the agent, counted in five minutes.
const METRICS: Account =
    Account { parts: ["spend24h", "spend7d", "tiles"], fewest: 1.0, pieces_per_day: TILES_PER_DAY };
/// The ledger, in days.
const LEDGER: Account = Account {
    parts: ["ledger24h", "ledger7d", "ledgerDays"],
    fewest: f64::MIN_POSITIVE,
    pieces_per_day: 1.0,
};
/// The part that says whether the chain is intact.
const INTACT: &str = "intact";
/// The part that says when it was verified.
const VERIFIED: &str = "verified";
/// The part that says what was signed last.
const ANCHOR: &str = "anchor";
/// The end of the year 9999, in seconds since the epoch.
const LATEST: f64 = 253_402_300_799.0;
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
        spend: spend(&parts, &METRICS),
        ledger_spend: spend(&parts, &LEDGER),
        audit: audit(rows, &parts),
    })
}

/// What was spent, unless it is no amount of money: a counter may hold anything, and what is no number would be
/// news each time.
fn spend(parts: &BTreeMap<String, f64>, account: &Account) -> Option<SpendSeen> {
    let [day, week, pieces] = account.parts.map(|name| parts.get(name).copied());
    let pieces = pieces.filter(|pieces| (account.fewest..=LARGEST_AMOUNT).contains(pieces))?;
    let (last_24h, last_7d) = (day.unwrap_or_default(), week.unwrap_or_default());
    let is_money = [last_24h, last_7d].iter().all(|amount| amount.abs() <= LARGEST_AMOUNT);
    is_money.then_some(SpendSeen { last_24h, last_7d, days: pieces / account.pieces_per_day })
}

/// What is said of the chain, unless it makes no sense.
fn audit(rows: &[InstantVector], parts: &BTreeMap<String, f64>) -> Option<AuditSeen> {
    let is_intact = *parts.get(INTACT)? > 0.5;
    let verified_at = whole(*parts.get(VERIFIED)?)?;
    let anchors = rows.iter().filter(|row| row.metric().get(PART).is_some_and(|part| part == ANCHOR));
    let head = |row: &InstantVector| {
        let sequence = row.metric().get("sequence")?.parse().ok()?;
        let hash = row.metric().get("hash").filter(|hash| is_hash(hash))?;
        Some((sequence, hash.clone()))
    };
    Some(AuditSeen { is_intact, verified_at, head: anchors.filter_map(head).max() })
}

/// Seconds since the epoch, before the year 10,000.
#[allow(clippy::cast_possible_truncation, reason = "the range was looked at")]
fn whole(seconds: f64) -> Option<i64> {
    (0.0..=LATEST).contains(&seconds).then_some(seconds as i64)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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
        format!("sum_over_time({cost}[1d:5m])"),
        format!("sum_over_time({cost}[7d:5m])"),
        format!("count_over_time({cost}[7d:5m])"),
    ];
    let spend = METRICS.parts.into_iter().zip(spend);
    let ledger = observability.ledger().is_some().then(|| chain(observability)).into_iter().flatten();
    let collector = observability.pipeline().map(|_| {
        let up = collector_up(observability);
        (COLLECTOR, format!("count(max_over_time({up}[{UP_WITHIN}]) == 1)"))
    });
    let sums = roles.chain(spend).chain(collector).map(|(part, query)| named(part, &format!("sum({query})")));
    let buckets = buckets(observability).map(|buckets| named(BUCKET, &buckets));
    let parts: Vec<String> = sums.chain(buckets).chain(ledger).collect();
    parts.join("\nor\n")
}

/// What is said of the agent's chain in the ledger, and what it spent by it.
fn chain(observability: &Observability) -> Vec<String> {
    let of = |metric: &str| of_chain(observability, &format!("agentslo_ledger_{metric}"));
    let over = |window: &str| format!("max({})", of("spend_usd").with([LabelMatcher::equal("over", window)]));
    let [day, week, days] = LEDGER.parts;
    vec![
        named(INTACT, &format!("min({})", of("chain_intact"))),
        named(VERIFIED, &format!("max({})", of("chain_verified_timestamp_seconds"))),
        named(ANCHOR, &format!("max by (sequence, hash) ({})", of("anchor_info"))),
        named(day, &over("1d")),
        named(week, &over("7d")),
        named(days, &format!("max({})", of("spend_observed_days"))),
    ]
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
