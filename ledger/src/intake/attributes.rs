//! Attributes of OTLP as values of an entry.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::entry::Detail;

/// Attributes, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(BTreeMap<String, Detail>);

impl Attributes {
    pub(super) fn of(pairs: &[KeyValue]) -> Self {
        Self(map(pairs))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.text()
    }

    /// A whole number, also where it came as a text.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            Detail::Number(number) => Some(*number),
            Detail::Text(text) => text.parse().ok(),
            Detail::Flag(_) | Detail::List(_) | Detail::Map(_) => None,
        }
    }

    /// The text of a number, with its fraction.
    pub(super) fn decimal(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Detail::Number(number) => Some(number.to_string()),
            Detail::Text(text) => Some(text.clone()),
            Detail::Flag(_) | Detail::List(_) | Detail::Map(_) => None,
        }
    }

    pub(super) fn only(&self, keys: &[&str]) -> BTreeMap<String, Detail> {
        let there = keys.iter().filter_map(|key| self.0.get_key_value(*key));
        there.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(super) fn iter(&self) -> Iter<'_, String, Detail> {
        self.0.iter()
    }
}

fn map(pairs: &[KeyValue]) -> BTreeMap<String, Detail> {
    let known = pairs
        .iter()
        .filter_map(|pair| Some((pair.key.replace('\0', "\u{fffd}"), detail(pair.value.as_ref()?)?)));
    known.collect()
}

/// None for a value that says nothing.
fn detail(value: &AnyValue) -> Option<Detail> {
    Some(match value.value.as_ref()? {
        Value::StringValue(text) => text.as_str().into(),
        Value::BoolValue(flag) => Detail::Flag(*flag),
        Value::IntValue(number) => (*number).into(),
        Value::DoubleValue(fraction) => (*fraction).into(),
        Value::ArrayValue(list) => Detail::List(list.values.iter().filter_map(detail).collect()),
        Value::KvlistValue(pairs) => Detail::Map(map(&pairs.values)),
        Value::BytesValue(bytes) => Detail::Text(const_hex::encode(bytes)),
        // Only profiles have tables of strings.
        Value::StringValueStrindex(_) => return None,
    })
}
