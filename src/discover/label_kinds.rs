//! What a label holds, judged by its name and its values: an id of each call, session or user is a hazard.

use std::collections::BTreeSet;

/// Labels with a value for every call, dots as underscores.
const PER_CALL: [&str; 14] = [
    "tool_use_id",
    "tool_call_id",
    "gen_ai_tool_call_id",
    "event_loop_cycle_id",
    "request_id",
    "run_id",
    "query_id",
    "prompt_id",
    "message_id",
    "invocation_id",
    "workflow_run_id",
    "gen_ai_response_id",
    "trace_id",
    "span_id",
];
/// Labels with a value for every session.
const PER_SESSION: [&str; 6] = [
    "session_id",
    "conversation_id",
    "gen_ai_conversation_id",
    "gen_ai_session_id",
    "thread_id",
    "mcp_session_id",
];
/// Labels with a value for every user.
const PER_USER: [&str; 5] = ["end_user", "user_id", "user_email", "user_account_uuid", "enduser_id"];
/// From how many values on a label that nobody knows is looked at.
const MANY_VALUES: usize = 20;
/// What a label holds, if that is a hazard.
pub(crate) fn kind_of_label(label: &str, values: &BTreeSet<&str>, series: usize) -> Option<&'static str> {
    let plain = label.replace('.', "_");
    let is_one_of = |known: &[&str]| known.contains(&plain.as_str());
    if is_one_of(&PER_CALL) {
        return Some("LabelPerCall");
    }
    if is_one_of(&PER_SESSION) {
        return Some("LabelPerSession");
    }
    if is_one_of(&PER_USER) {
        return (values.len() > 1).then_some("LabelPerUser");
    }
    if plain == "gen_ai_tool_call_arguments" || plain == "gen_ai_tool_call_result" {
        return Some("ContentInLabels");
    }
    // A label that nobody knows, with a value for nearly every series, and all of them look like ids.
    let is_place = ["instance", "pod", "container_id", "host_name", "service_instance_id"];
    let many = values.len() >= MANY_VALUES && values.len() * 10 >= series * 8;
    (many && !is_one_of(&is_place) && values.iter().all(|value| looks_like_id(value)))
        .then_some("LabelPerCall")
}

/// Long, and mostly hexadecimal digits and dashes.
fn looks_like_id(value: &str) -> bool {
    let digits = value.bytes().filter(|byte| byte.is_ascii_hexdigit() || *byte == b'-').count();
    value.len() >= 8 && digits * 10 >= value.len() * 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_ids_are_known_by_name_or_by_their_values() {
        let values = |texts: &[&'static str]| texts.iter().copied().collect::<BTreeSet<&str>>();
        assert_eq!(kind_of_label("gen_ai.tool.call.id", &values(&["a"]), 1), Some("LabelPerCall"));
        assert_eq!(kind_of_label("session_id", &values(&["a"]), 1), Some("LabelPerSession"));
        assert_eq!(kind_of_label("end_user", &values(&[""]), 1), None);
        let ids: Vec<String> = (0..30).map(|number| format!("{:08x}", number * 7919)).collect();
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(kind_of_label("correlation", &ids, 30), Some("LabelPerCall"));
        assert_eq!(kind_of_label("instance", &ids, 30), None);
        let models: Vec<String> = (0..30).map(|number| format!("model number {number}")).collect();
        let models: BTreeSet<&str> = models.iter().map(String::as_str).collect();
        assert_eq!(kind_of_label("model", &models, 30), None);
    }
}
