//! What goes into the templates of alerts: text of users literally, labels, links.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::promql::is_legacy_name;

/// What a part of a URL's path holds as it is (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Text of a user, so that a template prints it byte for byte.
pub(super) fn literal(text: &str) -> String {
    if text.contains("{{") { format!("{{{{ {} }}}}", go_string(text)) } else { text.to_owned() }
}

fn go_string(text: &str) -> String {
    // JSON's escapes are a subset of Go's.
    serde_json::Value::from(text).to_string()
}

/// The value of a label of the alert.
pub(super) fn label_value(label: &str) -> String {
    if is_legacy_name(label) { format!("$labels.{label}") } else { format!("(index $labels \"{label}\")") }
}

/// The URL with its placeholders filled in: of the alert, and of the resource that it is made for. The
/// agent's name comes last, and encoded: it may hold anything, also what looks like a placeholder.
pub(super) fn runbook(url: &str, alert: &str, (namespace, name): (&str, &str), agent: &str) -> String {
    let agent = utf8_percent_encode(agent, UNRESERVED).to_string();
    let url = url.replace("{alert}", alert).replace("{name}", name).replace("{namespace}", namespace);
    url.replace("{agent}", &agent)
}
