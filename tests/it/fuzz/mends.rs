//! What no schema says: which fields go together. Specs that ignore it are refused for it and for nothing else,
//! so most are mended, and then perhaps bent.

use serde_json::{Value, json};

/// Ways in which a receiver is told.
const WAYS: [&str; 6] = ["slack", "pagerDuty", "webhook", "email", "opsGenie", "msTeams"];

/// Makes the fields of a spec agree.
pub(super) fn mend(kind: &str, spec: &mut Value) {
    match kind {
        "AgentSLO" => mend_slo(spec),
        "AgentObservability" => mend_observability(spec),
        _ => at(spec, "/namespaceSelector/matchExpressions", mend_conditions),
    }
    drop_nulls(spec);
}

fn mend_slo(spec: &mut Value) {
    if spec["observabilityRef"].is_object() {
        spec["telemetry"].take();
    }
    at(spec, "/indicator/evaluation", |it| keep_one(it, &["minScore", "goodLabels"], &json!("0.7")));
    at(spec, "/indicator/ratio", |it| keep_one(it, &["bad", "good"], &json!({"metric": "errors_total"})));
}

fn mend_observability(spec: &mut Value) {
    at(spec, "/scrape/selector/matchExpressions", mend_conditions);
    at(spec, "/scrape/selector", |selector| {
        if is_empty(&selector["matchLabels"]) && is_empty(&selector["matchExpressions"]) {
            selector["matchLabels"] = json!({"app": "support-agent"});
        }
    });
    at(spec, "/routing", mend_routing);
    at(spec, "/guards/spendRate", |it| keep_one(it, &["timesUsual", "maxUSDPerHour"], &json!("5")));
}

/// Changes what is at a place, if there is anything.
fn at(spec: &mut Value, place: &str, change: impl FnOnce(&mut Value)) {
    if let Some(found) = spec.pointer_mut(place) {
        change(found);
    }
}

/// Everybody is told in one way, and of something.
fn mend_routing(routing: &mut Value) {
    if is_empty(&routing["receivers"]) {
        routing["receivers"] = json!([{"name": "pager"}]);
    }
    let url = json!({"url": {"secret": "pager", "key": "url"}});
    let receivers = routing["receivers"].as_array_mut().into_iter().flatten();
    let names: Vec<Value> = receivers
        .map(|receiver| {
            let way = WAYS.iter().find(|way| receiver[**way].is_object()).unwrap_or(&"webhook");
            keep_one(receiver, &[&[*way], &WAYS[..]].concat(), &url);
            receiver["name"].clone()
        })
        .collect();
    let half = names.len().div_ceil(2);
    routing["page"] = names[half..].into();
    routing["ticket"] = names[..half].into();
}

fn mend_conditions(conditions: &mut Value) {
    for condition in conditions.as_array_mut().into_iter().flatten() {
        let takes_values = condition["operator"] == "In" || condition["operator"] == "NotIn";
        if takes_values && is_empty(&condition["values"]) {
            condition["values"] = json!(["yes"]);
        } else if !takes_values {
            condition["values"].take();
        }
        condition["key"] = json!("canary");
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_none_or(Vec::is_empty) && value.as_object().is_none_or(serde_json::Map::is_empty)
}

/// Of fields that exclude each other the first that is there stays; where none is, the first gets a value.
fn keep_one(object: &mut Value, names: &[&str], value: &Value) {
    let kept = names.iter().find(|name| !object[**name].is_null()).unwrap_or(&names[0]);
    if object[*kept].is_null() {
        object[*kept] = value.clone();
    }
    for name in names.iter().filter(|name| *name != kept) {
        object[*name].take();
    }
}

/// Looking at a field that is not there has made it null.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
