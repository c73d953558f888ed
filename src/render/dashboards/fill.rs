//! Fills the slots of a source. A slot is `<<name>>` or `<<name[window]>>` in any text. Where one cannot be
//! filled, the innermost element of a list that it stands in is left out: a query, a threshold, a link; a
//! panel without queries, a row without panels and a variable that nothing uses follow.

use serde_json::{Map, Value};

/// What a slot stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filling {
    /// Part of a text.
    Text(String),
    /// A number, where the slot is all of the text.
    Number(f64),
}

/// A slot: its name and the window in brackets, if it has one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Slot<'a> {
    pub(super) name: &'a str,
    pub(super) window: &'a str,
}

/// What fills a slot; none where the agent has nothing for it.
type Fill<'a> = &'a dyn Fn(Slot<'_>) -> Option<Filling>;

/// The source with its slots filled.
pub(super) fn filled(source: Value, fill: Fill<'_>) -> Value {
    let mut dashboard =
        value(source, fill).expect("a source should have no slot outside of lists but uid and title");
    if let Some(panels) = dashboard["panels"].as_array_mut() {
        panels.retain(|panel| panel["targets"] != Value::Array(Vec::new()));
        drop_empty_rows(panels);
    }
    drop_unused_variables(&mut dashboard);
    dashboard
}

fn value(source: Value, fill: Fill<'_>) -> Option<Value> {
    match source {
        Value::String(source) => text(&source, fill),
        Value::Array(elements) => {
            Some(Value::Array(elements.into_iter().filter_map(|element| value(element, fill)).collect()))
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, field)| Some((name, value(field, fill)?)));
            Some(Value::Object(fields.collect::<Option<Map<_, _>>>()?))
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Some(other),
    }
}

fn text(source: &str, fill: Fill<'_>) -> Option<Value> {
    let mut filled = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("<<") {
        let (slot, after) = after.split_once(">>").expect("slots should be closed, as a test shows");
        filled.push_str(before);
        match fill(parse(slot))? {
            Filling::Text(text) => filled.push_str(&text),
            Filling::Number(number) => return Some(number.into()),
        }
        rest = after;
    }
    filled.push_str(rest);
    Some(filled.into())
}

fn parse(slot: &str) -> Slot<'_> {
    let (name, window) = slot.split_once('[').unwrap_or((slot, ""));
    Slot { name, window: window.trim_end_matches(']') }
}

fn is_row(panel: &Value) -> bool {
    panel["type"] == "row"
}

fn drop_empty_rows(panels: &mut Vec<Value>) {
    let mut next_is_row = true;
    let mut kept: Vec<Value> = Vec::new();
    for panel in panels.drain(..).rev() {
        let this_is_row = is_row(&panel);
        if !(this_is_row && next_is_row) {
            kept.push(panel);
        }
        next_is_row = this_is_row;
    }
    kept.reverse();
    *panels = kept;
}

/// Until none is left, since variables use each other.
fn drop_unused_variables(dashboard: &mut Value) {
    loop {
        let Some(variables) = dashboard["templating"]["list"].as_array() else { return };
        let used: Vec<Value> =
            variables.iter().filter(|variable| is_used(dashboard, variable)).cloned().collect();
        if used.len() == variables.len() {
            return;
        }
        dashboard["templating"]["list"] = Value::Array(used);
    }
}

fn is_used(dashboard: &Value, variable: &Value) -> bool {
    let name = variable["name"].as_str().unwrap_or_default();
    let others =
        dashboard["templating"]["list"].as_array().into_iter().flatten().filter(|other| *other != variable);
    let users = others.chain([&dashboard["panels"], &dashboard["annotations"]]);
    users.into_iter().any(|user| mentions(user, name))
}

fn mentions(value: &Value, variable: &str) -> bool {
    match value {
        Value::String(text) => text_mentions(text, variable),
        Value::Array(elements) => elements.iter().any(|element| mentions(element, variable)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, variable)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `$name` or `${name`, and not the beginning of a longer name.
fn text_mentions(text: &str, variable: &str) -> bool {
    text.split('$').skip(1).any(|after| {
        let after = after.strip_prefix('{').unwrap_or(after);
        let is_end = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        after.strip_prefix(variable).is_some_and(is_end)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill(slot: Slot<'_>) -> Option<Filling> {
        match (slot.name, slot.window) {
            ("agent", "") => Some(Filling::Text("<<a>>".into())),
            ("runs", window) => Some(Filling::Text(format!("sum(runs[{window}])"))),
            ("limit", "") => Some(Filling::Number(5.0)),
            _ => None,
        }
    }

    #[test]
    fn what_cannot_be_filled_is_left_out_with_what_rests_on_it() {
        let source = json!({
            "title": "Agent <<agent>>",
            "templating": {"list": [{"name": "source"}, {"name": "bound"}, {"name": "unused", "query": "$source"}]},
            "panels": [
                {"type": "row", "title": "kept"},
                {"targets": [{"expr": "<<runs[5m]>> / $bound"}, {"expr": "<<cost[5m]>>"}], "steps": [{"value": "<<limit>>"}]},
                {"type": "row", "title": "empty"},
                {"targets": [{"expr": "<<cost[5m]>>"}]},
                {"type": "row", "title": "last"},
            ],
        });
        let expected = json!({
            "title": "Agent <<a>>",
            "templating": {"list": [{"name": "bound"}]},
            "panels": [
                {"type": "row", "title": "kept"},
                {"targets": [{"expr": "sum(runs[5m]) / $bound"}], "steps": [{"value": 5.0}]},
            ],
        });
        assert_eq!(filled(source, &fill), expected);
    }

    #[test]
    fn a_variable_is_told_from_one_with_a_longer_name() {
        for (text, is_mentioned) in [("$slo", true), ("${slo:raw}", true), ("$slower", false), ("slo", false)]
        {
            assert_eq!(text_mentions(text, "slo"), is_mentioned, "{text}");
        }
    }
}
