//! What the targets say that a metric is.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde::Deserialize;

use super::{Connection, QueryError};

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    type_: String,
}

/// For each metric that some target exposes now, whether all of them call it a gauge.
///
/// # Errors
/// See [`QueryError`].
pub async fn gauges(
    connection: &Connection,
    metrics: &BTreeSet<String>,
) -> Result<BTreeMap<String, bool>, QueryError> {
    let mut gauges = BTreeMap::new();
    for metric in metrics {
        // In the OpenMetrics format a counter is described without its suffix.
        let names = [Some(metric.as_str()), metric.strip_suffix("_total")];
        let mut types = BTreeSet::new();
        for name in names.into_iter().flatten() {
            types.append(&mut types_of(connection, name).await?);
        }
        if !types.is_empty() {
            gauges.insert(metric.clone(), types.iter().all(|type_| type_ == "gauge"));
        }
    }
    Ok(gauges)
}

async fn types_of(connection: &Connection, metric: &str) -> Result<BTreeSet<String>, QueryError> {
    let query = Url::parse_with_params("http://prometheus", [("metric", metric)])
        .expect("an address with parameters should be one");
    let path = format!("api/v1/metadata?{}", query.query().unwrap_or_default());
    match connection.get::<BTreeMap<String, Vec<Entry>>>(&path).await {
        Ok(entries) => Ok(entries.into_values().flatten().map(|entry| entry.type_).collect()),
        // Not every back end has it.
        Err(QueryError::Status(_) | QueryError::NotPrometheus) => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}
