//! Telemetry with a text in every place where a sender can put one, as OTLP's JSON.

use serde_json::{Value, json};

/// What stands beside the planted text and must arrive.
pub(crate) const KEPT: &str = "kept-as-it-was";
/// A time in nanoseconds, some way in the past.
const TIME: &str = "1764000000000000000";

pub(crate) fn text(value: &str) -> Value {
    json!({"stringValue": value})
}

/// The text as bytes, which is base64 here and wherever the Collector makes text of them.
pub(crate) fn raw(planted: &str) -> Value {
    json!({"bytesValue": base64(planted.as_bytes())})
}

pub(crate) fn object(entries: &[(&str, Value)]) -> Value {
    let entries = entries.iter().map(|(key, value)| json!({"key": key, "value": value}));
    json!({"kvlistValue": {"values": entries.collect::<Vec<_>>()}})
}

pub(crate) fn list(values: &[Value]) -> Value {
    json!({"arrayValue": {"values": values}})
}

/// Attributes with the text as a value, in a list, in nested objects, as a key, in a sentence, as bytes
/// wherever a value can be, and beside a number that JSON cannot write.
fn attributes(planted: &str) -> Value {
    let nested = object(&[("deep", object(&[("er", text(planted))])), (planted, text("x"))]);
    let unwritable = object(&[("not", json!({"doubleValue": "NaN"})), ("note", text(planted))]);
    json!([
        {"key": "note", "value": text(planted)},
        {"key": "sentence", "value": text(&format!("it said {planted} and ended"))},
        {"key": "list", "value": list(&[text("a"), text(planted)])},
        {"key": "nested", "value": nested},
        {"key": "unwritable", "value": unwritable},
        {"key": "redaction.masked.keys", "value": text(planted)},
        {"key": "raw", "value": raw(planted)},
        {"key": "raw \"quoted\\E\"", "value": raw(planted)},
        {"key": "nested.raw", "value": object(&[("deep", object(&[("er", raw(planted))]))])},
        {"key": "list.raw", "value": list(&[text("a"), list(&[raw(planted)])])},
        {"key": format!("key {planted}"), "value": text("x")},
        {"key": "neighbour", "value": text(KEPT)},
    ])
}

fn resource(planted: &str) -> Value {
    let mut all = attributes(planted);
    let list = all.as_array_mut().expect("attributes are a list");
    list.push(json!({"key": "service.name", "value": text("support-agent")}));
    json!({"attributes": all})
}

fn scope(planted: &str) -> Value {
    json!({"name": planted, "version": planted, "attributes": attributes(planted)})
}

/// Number of log records in [`logs`].
pub(crate) const BODIES: usize = 8;

/// Log records: each form of a body, the fields, an exception.
pub(crate) fn logs(planted: &str) -> Value {
    let bodies = [
        text(&format!("text {planted} text")),
        object(&[("inner", object(&[("deep", text(planted))])), (planted, text("x"))]),
        list(&[text(planted), list(&[text(planted)])]),
        raw(planted),
        text(&json!({"event": "step", "note": planted}).to_string()),
        object(&[("inner", object(&[("deep", raw(planted))])), ("raw", raw(planted))]),
        list(&[text("a"), raw(planted), list(&[raw(planted)])]),
        object(&[("inner", object(&[("deep", object(&[(planted, text("x"))]))]))]),
    ];
    let exception = json!([
        {"key": "exception.message", "value": text(&format!("failed with {planted}"))},
        {"key": "exception.stacktrace", "value": text(&format!("at main\n  at {planted}\n"))},
    ]);
    let records = bodies.into_iter().map(|body| {
        let mut all = attributes(planted);
        let list = all.as_array_mut().expect("attributes are a list");
        list.extend(exception.as_array().expect("attributes are a list").iter().cloned());
        json!({
            "timeUnixNano": TIME, "severityNumber": 9, "severityText": planted, "eventName": planted,
            "body": body, "attributes": all,
        })
    });
    let records: Vec<Value> = records.collect();
    assert_eq!(records.len(), BODIES);
    json!({"resourceLogs": [{
        "resource": resource(planted), "schemaUrl": planted,
        "scopeLogs": [{"scope": scope(planted), "schemaUrl": planted, "logRecords": records}],
    }]})
}

/// A span with an event and a link.
pub(crate) fn traces(planted: &str) -> Value {
    json!({"resourceSpans": [{
        "resource": resource(planted), "schemaUrl": planted,
        "scopeSpans": [{"scope": scope(planted), "schemaUrl": planted, "spans": [{
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
            "name": planted, "kind": 1, "traceState": format!("vendor={planted}"),
            "startTimeUnixNano": TIME, "endTimeUnixNano": "1764000001000000000",
            "status": {"code": 2, "message": planted}, "attributes": attributes(planted),
            "events": [{"timeUnixNano": TIME, "name": planted, "attributes": attributes(planted)}],
            "links": [{
                "traceId": "0af7651916cd43dd8448eb211c80319d", "spanId": "b7ad6b7169203332",
                "traceState": format!("vendor={planted}"), "attributes": attributes(planted),
            }],
        }]}],
    }]})
}

/// A metric of each kind, and one whose name is the text.
pub(crate) fn metrics(planted: &str) -> Value {
    let exemplar = json!({
        "timeUnixNano": TIME, "asDouble": 1.0, "filteredAttributes": attributes(planted),
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
    });
    let point = |more: Value| {
        let mut point = json!({"timeUnixNano": TIME, "attributes": attributes(planted)});
        let entries = point.as_object_mut().expect("a point is an object");
        entries.extend(more.as_object().expect("an object").clone());
        json!([point])
    };
    let number = || point(json!({"asDouble": 1.0, "exemplars": [exemplar]}));
    let histogram = point(json!({
        "count": "1", "sum": 1.0, "bucketCounts": ["1", "0"], "explicitBounds": [2.0], "exemplars": [exemplar],
    }));
    let exponential = point(json!({
        "count": "1", "sum": 1.0, "scale": 0, "zeroCount": "0",
        "positive": {"offset": 0, "bucketCounts": ["1"]}, "exemplars": [exemplar],
    }));
    let summary =
        point(json!({"count": "1", "sum": 1.0, "quantileValues": [{"quantile": 0.5, "value": 1.0}]}));
    let kinds = [
        ("app.sum", "sum", json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": number()})),
        ("app.gauge", "gauge", json!({"dataPoints": number()})),
        ("app.histogram", "histogram", json!({"aggregationTemporality": 2, "dataPoints": histogram})),
        (
            "app.exponential",
            "exponentialHistogram",
            json!({"aggregationTemporality": 2, "dataPoints": exponential}),
        ),
        ("app.summary", "summary", json!({"dataPoints": summary})),
        (planted, "gauge", json!({"dataPoints": number()})),
    ];
    let metrics: Vec<Value> = kinds
        .into_iter()
        .map(|(name, kind, data)| {
            json!({
                "name": name, "unit": planted, "description": planted, "metadata": attributes(planted), kind: data,
            })
        })
        .collect();
    json!({"resourceMetrics": [{
        "resource": resource(planted), "schemaUrl": planted,
        "scopeMetrics": [{"scope": scope(planted), "schemaUrl": planted, "metrics": metrics}],
    }]})
}

/// As OTLP's JSON writes bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |number: usize| char::from(DIGITS[number & 63]);
    bytes.chunks(3).fold(String::new(), |mut text, chunk| {
        let of = |index: usize| usize::from(chunk.get(index).copied().unwrap_or_default());
        let all = (of(0) << 16) | (of(1) << 8) | of(2);
        text.extend([digit(all >> 18), digit(all >> 12)]);
        text.push(if chunk.len() > 1 { digit(all >> 6) } else { '=' });
        text.push(if chunk.len() > 2 { digit(all) } else { '=' });
        text
    })
}

#[test]
fn bytes_are_written_as_everyone_does() {
    for (bytes, expected) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(base64(bytes.as_bytes()), expected);
    }
}
