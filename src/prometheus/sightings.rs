//! One query for what one agent's telemetry has.

use std::collections::BTreeMap;

use prometheus_http_query::response::{Data, InstantVector};

use super::{Connection, QueryError};
use crate::domain::observability::Observability;
use crate::domain::role::Role;
use crate::domain::sighting::{Seen, SpendSeen};
use crate::render::guards::dollars;

/// Label by which the answer tells its parts.
const PART: &str = "part";
/// Counts of five minutes in a day.
const TILES_PER_DAY: f64 = 288.0;

/// Looks at the telemetry of one agent.
///
/// # Errors
/// See [`QueryError`].
pub async fn sighting(connection: &Connection, observability: &Observability) -> Result<Seen, QueryError> {
    let answer = connection.query(&query(observability)).await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    let part = |row: &InstantVector| Some((row.metric().get(PART)?.clone(), row.sample().value()));
    let parts: BTreeMap<String, f64> = rows.iter().filter_map(part).collect();
    let spend = |name: &str| parts.get(name).copied();
    Ok(Seen {
        roles: parts.keys().filter_map(|part| Role::parse(part)).collect(),
        spend: spend("tiles").map(|tiles| SpendSeen {
            last_24h: spend("spend24h").unwrap_or_default(),
            last_7d: spend("spend7d").unwrap_or_default(),
            days: tiles / TILES_PER_DAY,
        }),
    })
}

/// Everything in one query, each part with a label of its own.
fn query(observability: &Observability) -> String {
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
    let parts: Vec<String> = roles
        .chain(spend)
        .map(|(part, query)| format!("label_replace(sum({query}), \"{PART}\", \"{part}\", \"\", \"\")"))
        .collect();
    parts.join("\nor\n")
}
