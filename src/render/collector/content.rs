//! Prompts, answers, inputs and outputs of tools, where none of them may pass.

use serde_json::Value;

use super::escape::quoted;
use super::patterns::{CONTENT_EVENTS, content_keys};
use super::statements::{OF_LOGS, OF_METRICS, OF_TRACES, Statements, strict};

/// What stands where content was.
const REMOVED: &str = "[content removed]";

/// Takes content out of attributes and bodies.
pub(super) fn removal(statements: Statements<'_>) -> Value {
    let keys = quoted(&content_keys());
    let attributes = |level: &str| vec![format!("delete_matching_keys({level}.attributes, {keys})")];
    let mut logs = statements.about_each(&OF_LOGS, attributes);
    logs.insert(0, parsed_bodies(statements));
    logs.push(statements.about("log", &bodies(&keys)));
    strict(
        statements.about_each(&OF_TRACES, attributes),
        logs,
        statements.about_each(&OF_METRICS, attributes),
    )
}

/// A body that is the text of an object becomes that object, so that its keys can be told apart.
fn parsed_bodies(statements: Statements<'_>) -> Value {
    let object = quoted(r"^\s*\{");
    let parse = format!(
        "set(log.body, ParseJSON(log.body)) where IsString(log.body) and IsMatch(log.body, {object})"
    );
    let mut group = statements.about("log", &[parse]);
    group["error_mode"] = Value::from("ignore");
    group
}

fn bodies(keys: &str) -> Vec<String> {
    let (removed, events, name) = (quoted(REMOVED), quoted(CONTENT_EVENTS), quoted("^[a-z_.]{1,64}$"));
    let names = ["log.attributes[\"event.name\"]", "log.attributes[\"event\"]", "log.event_name"];
    let texts = names.map(|event| {
        format!("set(log.body, {removed}) where IsString(log.body) and IsMatch({event}, {events}) and not IsMatch(log.body, {name})")
    });
    let objects = format!("delete_matching_keys(log.body, {keys}) where IsMap(log.body)");
    texts.into_iter().chain([objects]).collect()
}
