//! Why counts are missing: asked only when they are.

use prometheus_http_query::response::Data;

use super::{Connection, QueryError};
use crate::api::v1alpha1::HistogramType;
use crate::domain::decimal::Decimal;
use crate::domain::indicator::{Counter, Measure};
use crate::domain::promql::SeriesSelector;
use crate::domain::reading::{Diagnosis, Observation};
use crate::domain::slo::Slo;

/// Looks at the raw series of an AgentSLO whose counts are missing.
///
/// # Errors
/// See [`QueryError`].
pub async fn diagnose(
    connection: &Connection,
    slo: &Slo,
    observation: &Observation,
) -> Result<Diagnosis, QueryError> {
    match &slo.indicator().measure {
        Measure::Distribution { histogram, form, bound, .. } if !observation.groups.is_empty() => {
            find_bucket(connection, histogram, *form, *bound).await
        }
        measure @ (Measure::Events { .. }
        | Measure::Distribution { .. }
        | Measure::HourlyMean { .. }
        | Measure::Samples { .. }
        | Measure::Raw { .. }) => find_series(connection, measure).await,
    }
}

async fn find_series(connection: &Connection, measure: &Measure) -> Result<Diagnosis, QueryError> {
    let selectors = match measure {
        Measure::Events { total, .. } => counter_selectors(total),
        Measure::Distribution { histogram, form, .. } => {
            counter_selectors(&Counter::Observations(histogram.clone(), *form))
        }
        Measure::HourlyMean { runs, .. } => counter_selectors(runs),
        Measure::Samples { gauge } => vec![gauge.clone()],
        Measure::Raw { .. } => return Ok(Diagnosis::Unexplained),
    };
    for selector in &selectors {
        if count(connection, &format!("count(last_over_time({selector}[1h]))")).await? > 0.0 {
            return Ok(Diagnosis::Unexplained);
        }
    }
    let no_series = |selector: &SeriesSelector| Diagnosis::NoSeries { selector: selector.to_string() };
    Ok(selectors.last().map_or(Diagnosis::Unexplained, no_series))
}

fn counter_selectors(counter: &Counter) -> Vec<SeriesSelector> {
    match counter {
        Counter::Plain(selector) => vec![selector.clone()],
        Counter::Observations(histogram, HistogramType::Native) => vec![histogram.clone()],
        Counter::Observations(histogram, HistogramType::Classic) => vec![histogram.suffixed("_count")],
        Counter::Observations(histogram, HistogramType::Auto) => {
            vec![histogram.clone(), histogram.suffixed("_count")]
        }
    }
}

async fn find_bucket(
    connection: &Connection,
    histogram: &SeriesSelector,
    form: HistogramType,
    bound: Decimal,
) -> Result<Diagnosis, QueryError> {
    if form == HistogramType::Native {
        return Ok(Diagnosis::Unexplained);
    }
    let query = format!("group by (le) (last_over_time({}[1h]))", histogram.suffixed("_bucket"));
    let answer = connection.query(&query).await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    let mut bounds: Vec<f64> = rows
        .iter()
        .filter_map(|row| row.metric().get("le")?.parse().ok())
        .filter(|le: &f64| le.is_finite())
        .collect();
    bounds.sort_by(f64::total_cmp);
    let wanted = bound.to_f64();
    if bounds.is_empty() || bounds.iter().any(|le| (le - wanted).abs() < 1e-9) {
        return Ok(Diagnosis::Unexplained);
    }
    let below = bounds.iter().rev().find(|le| **le < wanted);
    let above = bounds.iter().find(|le| **le > wanted);
    let nearest = below.into_iter().chain(above).map(ToString::to_string).collect();
    Ok(Diagnosis::NoSuchBucket { bound: bound.to_string(), nearest })
}

async fn count(connection: &Connection, query: &str) -> Result<f64, QueryError> {
    let answer = connection.query(query).await?;
    match answer.data() {
        Data::Vector(rows) => Ok(rows.first().map_or(0.0, |row| row.sample().value())),
        Data::Matrix(_) | Data::Scalar(_) => Err(QueryError::NotPrometheus),
    }
}
