//! Log records, spans and metrics, each stamped with the time it is made.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    logs::v1::LogRecord,
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
        metric::Data, number_data_point::Value as Number,
    },
    trace::v1::{Span, Status, span::SpanKind, status::StatusCode},
};
use serde_json::{Value, json};

use super::{attributes as listed, value};
use crate::port::random;

/// Whether points of a counter count from the start of the process or from the point before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// From the point before, as Claude Code sends them.
    Delta,
    /// From the start of the process.
    Cumulative,
}

/// A log record with a body of text.
#[must_use]
pub fn log(body: &str, attributes: &Value) -> LogRecord {
    let time = now();
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time,
        body: Some(value(&Value::from(body))),
        attributes: listed(attributes),
        ..Default::default()
    }
}

/// An event: a log record that is known by its attribute `event.name`, as Claude Code sends it. The
/// field `event_name`, where later SDKs put the name, stays empty.
#[must_use]
pub fn event(name: &str, attributes: &Value) -> LogRecord {
    let mut record = log(name, attributes);
    record.attributes.extend(listed(&json!({"event.name": name})));
    record
}

/// A span of a trace of its own that has just ended.
#[must_use]
pub fn span(name: &str, duration: Duration, attributes: &Value) -> Span {
    let end = now();
    Span {
        trace_id: [random().to_be_bytes(), random().to_be_bytes()].concat(),
        span_id: random().to_be_bytes().to_vec(),
        name: name.to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: end - nanoseconds(duration),
        end_time_unix_nano: end,
        attributes: listed(attributes),
        ..Default::default()
    }
}

/// The span as a child of another one.
#[must_use]
pub fn within(parent: &Span, child: Span) -> Span {
    Span { trace_id: parent.trace_id.clone(), parent_span_id: parent.span_id.clone(), ..child }
}

/// The span with an error for its status.
#[must_use]
pub fn failed(span: Span, message: &str) -> Span {
    let status = Status { code: StatusCode::Error.into(), message: message.to_owned() };
    Span { status: Some(status), ..span }
}

/// A span's trace id as people and stores write it.
#[must_use]
pub fn trace_id(span: &Span) -> String {
    span.trace_id.iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
}

/// One point of a counter.
#[must_use]
pub fn counter(name: &str, temporality: Temporality, value: f64, attributes: &Value) -> Metric {
    let sum = Sum {
        data_points: vec![point(value, attributes)],
        aggregation_temporality: wire(temporality).into(),
        is_monotonic: true,
    };
    metric(name, Data::Sum(sum))
}

/// One point of a gauge.
#[must_use]
pub fn gauge(name: &str, value: f64, attributes: &Value) -> Metric {
    metric(name, Data::Gauge(Gauge { data_points: vec![point(value, attributes)] }))
}

/// One point of a histogram that has seen these values, with buckets up to these bounds.
#[must_use]
pub fn histogram(
    name: &str,
    temporality: Temporality,
    bounds: &[f64],
    values: &[f64],
    attributes: &Value,
) -> Metric {
    let mut bucket_counts = vec![0; bounds.len() + 1];
    for &value in values {
        bucket_counts[bounds.partition_point(|&bound| bound < value)] += 1;
    }
    let point = HistogramDataPoint {
        attributes: listed(attributes),
        time_unix_nano: now(),
        count: bucket_counts.iter().sum(),
        sum: Some(values.iter().sum()),
        bucket_counts,
        explicit_bounds: bounds.to_vec(),
        ..Default::default()
    };
    let aggregation_temporality = wire(temporality).into();
    metric(name, Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality }))
}

fn metric(name: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), data: Some(data), ..Default::default() }
}

fn point(value: f64, attributes: &Value) -> NumberDataPoint {
    NumberDataPoint {
        attributes: listed(attributes),
        time_unix_nano: now(),
        value: Some(Number::AsDouble(value)),
        ..Default::default()
    }
}

fn wire(temporality: Temporality) -> AggregationTemporality {
    match temporality {
        Temporality::Delta => AggregationTemporality::Delta,
        Temporality::Cumulative => AggregationTemporality::Cumulative,
    }
}

// A sender's clock is the shell's, and the servers run by the same one.
#[allow(clippy::disallowed_methods)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    nanoseconds(since)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("64 bits of nanoseconds are 584 years")
}
