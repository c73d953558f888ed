//! Attributes out of JSON: strings, numbers, truth values, lists and objects are themselves, a number
//! with a point is a double.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Kind,
};
use serde_json::Value;

/// The attributes that a JSON object lists.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn attributes(json: &Value) -> Vec<KeyValue> {
    let object = json.as_object().expect("attributes are a JSON object");
    let pairs = object.iter();
    pairs
        .map(|(key, json)| KeyValue { key: key.clone(), value: Some(value(json)), ..Default::default() })
        .collect()
}

/// One value; null is an empty one, which OTLP has too.
#[must_use]
pub fn value(json: &Value) -> AnyValue {
    let kind = match json {
        Value::Null => None,
        Value::Bool(truth) => Some(Kind::BoolValue(*truth)),
        Value::Number(number) => Some(match number.as_i64() {
            Some(integer) => Kind::IntValue(integer),
            None => Kind::DoubleValue(number.as_f64().unwrap_or(f64::NAN)),
        }),
        Value::String(text) => Some(Kind::StringValue(text.clone())),
        Value::Array(items) => {
            Some(Kind::ArrayValue(ArrayValue { values: items.iter().map(value).collect() }))
        }
        Value::Object(_) => Some(Kind::KvlistValue(KeyValueList { values: attributes(json) })),
    };
    AnyValue { value: kind }
}
