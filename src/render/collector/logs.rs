//! What is done to log records besides redaction.

use serde_json::{Value, json};

use super::statements::{Statements, lenient};
use crate::api::v1alpha1::LogLevel;

/// Gives a record that has none the ids of the trace and span that its attributes name.
pub(super) fn correlation(statements: Statements<'_>) -> Value {
    let fill = |id: &str, none: &str, digits: usize| {
        let attribute = format!("log.attributes[\"{id}\"]");
        format!(
            "set(log.{id}.string, ToLowerCase({attribute})) where log.{id} == {none} and IsString({attribute}) and IsMatch({attribute}, \"^[0-9a-fA-F]{{{digits}}}$\")"
        )
    };
    let trace = fill("trace_id", "TraceID(0x00000000000000000000000000000000)", 32);
    let span = fill("span_id", "SpanID(0x0000000000000000)", 16);
    lenient(vec![], vec![statements.about("log", &[trace, span])], vec![])
}

/// The filter of levels; none where every level passes. A record without a level passes, unless its text
/// names a lower one.
pub(super) fn level(least: LogLevel) -> Option<Value> {
    let (number, lower) = match least {
        LogLevel::Trace => return None,
        LogLevel::Debug => ("SEVERITY_NUMBER_DEBUG", "trace"),
        LogLevel::Info => ("SEVERITY_NUMBER_INFO", "trace|debug"),
        LogLevel::Warn => ("SEVERITY_NUMBER_WARN", "trace|debug|info|information|notice"),
        LogLevel::Error => ("SEVERITY_NUMBER_ERROR", "trace|debug|info|information|notice|warn|warning"),
        LogLevel::Fatal => {
            ("SEVERITY_NUMBER_FATAL", "trace|debug|info|information|notice|warn|warning|error")
        }
    };
    let conditions = [
        format!("log.severity_number != SEVERITY_NUMBER_UNSPECIFIED and log.severity_number < {number}"),
        format!(
            "log.severity_number == SEVERITY_NUMBER_UNSPECIFIED and IsMatch(log.severity_text, \"(?i)^({lower})$\")"
        ),
    ];
    Some(json!({"error_mode": "ignore", "log_conditions": conditions}))
}
