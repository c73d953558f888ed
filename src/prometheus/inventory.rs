//! What a Prometheus has, for `discover`: names, series of the last hour, bounds, and counters that fall.
//! Every read is limited, in time by the connection and in size by `limit`.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Connection, QueryError};
use crate::discover::{Facts, Series, agent_labels, names_wanted};
use crate::domain::promql::{LabelMatcher, SeriesSelector, by_clause, quoted};
use crate::profiles::MetricKind;

/// Most names of metrics that are read.
const MOST_NAMES: usize = 50_000;
/// Most metrics that are looked into; all emitters together have fewer under one translation.
const MOST_METRICS: usize = 120;
/// Most series that are read of one metric.
const MOST_SERIES: usize = 2_000;
/// Most buckets that are read of one histogram.
const MOST_BUCKETS: usize = 5_000;
/// How far back a series is still there.
const LOOKBACK: &str = "1h";

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    type_: String,
}

#[derive(Deserialize)]
struct Evaluated {
    result: Vec<Row>,
}

/// One row of a vector or a matrix. Only what is needed of a native histogram is read.
#[derive(Deserialize)]
struct Row {
    metric: BTreeMap<String, String>,
    value: Option<(f64, String)>,
    histogram: Option<(f64, Count)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

#[derive(Deserialize)]
struct Count {
    count: String,
}

/// Reads what there is.
///
/// # Errors
/// See [`QueryError`].
pub async fn inventory(connection: &Connection) -> Result<Facts, QueryError> {
    let mut reader = Reader { connection, facts: Facts::default() };
    let there = reader.names().await?;
    let mut wanted = names_wanted(&there);
    if wanted.len() > MOST_METRICS {
        reader.facts.left_out.push(format!("{} of {} metrics", wanted.len() - MOST_METRICS, wanted.len()));
        wanted = wanted.into_iter().take(MOST_METRICS).collect();
    }
    reader.types().await?;
    reader.counts(&wanted).await?;
    let present: Vec<String> = reader.facts.counts.keys().cloned().collect();
    for name in &present {
        reader.series(name).await?;
    }
    for name in &present {
        let base = name.strip_suffix("_count");
        if let Some(base) = base.filter(|base| there.contains(&format!("{base}_bucket"))) {
            reader.buckets(base, name).await?;
        }
        if base.is_some() || wanted.get(name) == Some(&MetricKind::Counter) {
            reader.falls(name).await?;
        }
    }
    reader.overflow(&there).await?;
    Ok(reader.facts)
}

struct Reader<'a> {
    connection: &'a Connection,
    facts: Facts,
}

impl Reader<'_> {
    async fn names(&mut self) -> Result<BTreeSet<String>, QueryError> {
        let path = format!("api/v1/label/__name__/values?limit={MOST_NAMES}");
        let (names, is_cut) = self.connection.get_limited::<BTreeSet<String>>(&path).await?;
        if is_cut {
            self.facts.left_out.push(format!("names of metrics after the first {MOST_NAMES}"));
        }
        Ok(names)
    }

    /// Not every back end has metadata, and it is no loss where it is too much.
    async fn types(&mut self) -> Result<(), QueryError> {
        let path = format!("api/v1/metadata?limit={MOST_NAMES}&limit_per_metric=1");
        match self.connection.get_limited::<BTreeMap<String, Vec<Entry>>>(&path).await {
            Ok((entries, _)) => {
                let of =
                    |(name, entries): (String, Vec<Entry>)| Some((name, entries.into_iter().next()?.type_));
                self.facts.types = entries.into_iter().filter_map(of).collect();
                Ok(())
            }
            Err(QueryError::Status(_) | QueryError::NotPrometheus | QueryError::TooLarge(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn counts(&mut self, wanted: &BTreeMap<String, MetricKind>) -> Result<(), QueryError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = wanted.keys().map(|name| regex_syntax::escape(name)).collect();
        let selector = format!("{{__name__=~{}}}", quoted(&names.join("|")));
        let query = format!("count by (__name__) (last_over_time({selector}[{LOOKBACK}]))");
        for row in self.query(&query, MOST_METRICS).await?.0 {
            let count = row.number().unwrap_or_default();
            if let Some(name) = row.metric.get("__name__") {
                // Counts of series are far below what a float holds exactly.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                self.facts.counts.insert(name.clone(), count as u64);
            }
        }
        Ok(())
    }

    async fn series(&mut self, name: &str) -> Result<(), QueryError> {
        let query = format!("last_over_time({}[{LOOKBACK}])", SeriesSelector::new(name, Vec::new()));
        let (rows, is_cut) = self.query(&query, MOST_SERIES).await?;
        if is_cut {
            self.facts.left_out.push(format!("series of {name} after the first {MOST_SERIES}"));
        }
        self.facts.series.insert(name.to_owned(), rows.into_iter().filter_map(Row::into_series).collect());
        Ok(())
    }

    /// Buckets summed over everything but what may name an agent.
    async fn buckets(&mut self, base: &str, counted: &str) -> Result<(), QueryError> {
        let labels = agent_labels();
        let has = |label: &String| {
            let series = self.facts.series.get(counted).into_iter().flatten();
            series.into_iter().any(|series| series.labels.contains_key(label))
        };
        let by: Vec<String> =
            labels.iter().filter(|label| has(label)).cloned().chain(["le".to_owned()]).collect();
        let buckets = SeriesSelector::new(format!("{base}_bucket"), Vec::new());
        let query = format!("sum{} (last_over_time({buckets}[{LOOKBACK}]))", by_clause(&by));
        let (rows, is_cut) = self.query(&query, MOST_BUCKETS).await?;
        if is_cut {
            self.facts.left_out.push(format!("buckets of {base} after the first {MOST_BUCKETS}"));
        }
        self.facts.buckets.insert(base.to_owned(), rows.into_iter().filter_map(Row::into_series).collect());
        Ok(())
    }

    /// The samples of the series that fell most often, if one fell more than a few times.
    async fn falls(&mut self, name: &str) -> Result<(), QueryError> {
        let selector = SeriesSelector::new(name, Vec::new());
        let query = format!("topk(1, resets({selector}[{LOOKBACK}]) > 2)");
        let (rows, _) = self.query(&query, 1).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(()) };
        let labels = row.metric.into_iter().filter(|(label, _)| label != "__name__");
        let matchers = labels.map(|(label, value)| LabelMatcher::equal(label, value)).collect();
        let query = format!("{}[{LOOKBACK}]", SeriesSelector::new(name, matchers));
        let (rows, _) = self.query(&query, 1).await?;
        let samples = rows.into_iter().next().map(|row| row.values).unwrap_or_default();
        let samples = samples.into_iter().filter_map(|(_, value)| value.parse().ok()).collect();
        self.facts.falling.insert(name.to_owned(), samples);
        Ok(())
    }

    async fn overflow(&mut self, there: &BTreeSet<String>) -> Result<(), QueryError> {
        let has_dots = there.iter().any(|name| name.contains('.'));
        let labels = ["otel_metric_overflow", "otel.metric.overflow"];
        for label in labels.into_iter().take(if has_dots { 2 } else { 1 }) {
            let matcher = LabelMatcher::equal(label, "true");
            let query = format!("count by (__name__) (last_over_time({{{matcher}}}[{LOOKBACK}]))");
            for row in self.query(&query, MOST_METRICS).await?.0 {
                let count = row.number().unwrap_or_default();
                if let Some(name) = row.metric.get("__name__").filter(|name| !name.ends_with("_bucket")) {
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    self.facts.overflow.insert(name.clone(), count as u64);
                }
            }
        }
        Ok(())
    }

    async fn query(&self, query: &str, limit: usize) -> Result<(Vec<Row>, bool), QueryError> {
        let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
        let path = format!("api/v1/query?query={query}&limit={limit}");
        let (evaluated, is_cut) = self.connection.get_limited::<Evaluated>(&path).await?;
        Ok((evaluated.result, is_cut))
    }
}

impl Row {
    fn number(&self) -> Option<f64> {
        let text = self.value.as_ref().map(|(_, text)| text);
        let count = self.histogram.as_ref().map(|(_, histogram)| &histogram.count);
        text.or(count)?.parse().ok()
    }

    fn into_series(mut self) -> Option<Series> {
        let value = self.number()?;
        self.metric.remove("__name__");
        Some(Series { labels: self.metric, value })
    }
}
