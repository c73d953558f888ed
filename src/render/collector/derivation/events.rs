//! Events in one spelling: those of Claude Code, whose names stand in an attribute, in a field or in the
//! body, and those of agents that log their runs themselves, perhaps as one object of JSON a line.

use serde_json::{Value, json};

use super::{fill, named};

/// Statements about the copy of the logs that is counted. What is counted is `sli.*`, what becomes a label
/// has the label's name.
pub(super) fn classified() -> Value {
    let statements: Vec<String> =
        [opened(), event(), kind(), outcome(), names(), numbers(), labels()].concat();
    json!({"context": "log", "statements": statements})
}

fn of(key: &str) -> String {
    format!("log.attributes[\"{key}\"]")
}

fn sli(key: &str) -> String {
    of(&format!("sli.{key}"))
}

/// The entries of a body are attributes too.
fn opened() -> Vec<String> {
    vec![
        "delete_matching_keys(log.attributes, \"^sli[.]\")".to_owned(),
        "merge_maps(log.attributes, log.body, \"insert\") where IsMap(log.body)".to_owned(),
        "merge_maps(log.attributes, ParseJSON(log.body), \"insert\") where IsString(log.body) and IsMatch(log.body, \"^\\\\s*[{]\")".to_owned(),
    ]
}

fn event() -> Vec<String> {
    let (event, body) = (
        sli("event"),
        "^(claude_code[.][a-z_]{1,40}|query_(started|completed|failed|cancelled)|tool_completed|llm_response)$",
    );
    vec![
        fill(&event, &of("event.name"), &format!("IsString({})", of("event.name"))),
        fill(&event, "log.event_name", "log.event_name != \"\""),
        fill(&event, &of("event"), &format!("IsString({})", of("event"))),
        fill(&event, "log.body", &format!("IsString(log.body) and IsMatch(log.body, \"{body}\")")),
        format!("replace_pattern({event}, \"^claude_code[.]\", \"\")"),
    ]
}

fn kind() -> Vec<String> {
    let is = |kind: &str, condition: String| fill(&sli("kind"), &format!("\"{kind}\""), &condition);
    let named = |names: &str| format!("IsMatch({}, \"^({names})$\")", sli("event"));
    let refused = format!("{} == \"reject\"", of("decision_type"));
    vec![
        is("run", named("query_completed|query_failed|query_cancelled")),
        // A refused one is told by its decision.
        is("tool", format!("{} and not {refused}", named("tool_result|tool_completed"))),
        is("tool", format!("{} and {} == \"reject\"", named("tool_decision"), of("decision"))),
        is("llm", named("api_request|api_error|llm_response")),
        is("prompt", named("user_prompt|query_started")),
        is("evaluation", named("gen_ai[.]evaluation[.]result")),
    ]
}

fn outcome() -> Vec<String> {
    let outcome = sli("outcome");
    let is = |word: &str, condition: String| fill(&outcome, &format!("\"{word}\""), &condition);
    let event = |name: &str| format!("{} == \"{name}\"", sli("event"));
    let status = |words: &str| format!("IsMatch({}, \"^({words})$\")", of("status"));
    let label = of("gen_ai.evaluation.score.label");
    let score = format!("Double({})", of("gen_ai.evaluation.score.value"));
    let good = format!(
        "({label} == nil and {score} >= 0.7) or IsMatch({label}, \"(?i)^(pass|passed|ok|good|true|yes)$\")"
    );
    vec![
        is("denied", format!("({} or {})", event("tool_decision"), status("denied"))),
        is("cancelled", format!("({} or {})", event("query_cancelled"), status("cancelled"))),
        is("error", format!("({} or {})", event("api_error"), event("query_failed"))),
        is("error", format!("{} != nil and not {}", of("status"), status("ok|success"))),
        is(
            "error",
            format!(
                "{} and {} != nil and {} != \"\"",
                event("llm_response"),
                of("error_type"),
                of("error_type")
            ),
        ),
        is(
            "error",
            format!(
                "{} and not ({success} == \"true\" or {success} == true)",
                event("tool_result"),
                success = of("success")
            ),
        ),
        is("error", format!("{} == \"evaluation\" and not ({good})", sli("kind"))),
        is("ok", format!("{} != nil", sli("kind"))),
    ]
}

fn names() -> Vec<String> {
    let first = |name: &str, keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| of(key)).collect();
        format!("set({}, Coalesce([{}, \"unknown\"]))", sli(name), keys.join(", "))
    };
    // An event of Claude Code may name a subagent in `agent_name`; the resource names the agent.
    let agent = format!(
        "set({}, Coalesce([{}, resource.attributes[\"gen_ai.agent.name\"], {}, {}, resource.attributes[\"service.name\"], \"unknown\"]))",
        sli("agent_name"),
        of("gen_ai.agent.name"),
        of("agent_name"),
        of("agent.name"),
    );
    let mut all = vec![
        agent,
        first("tool_name", &["tool_name", "gen_ai.tool.name", "tool"]),
        first("model", &["model", "gen_ai.request.model", "gen_ai.response.model"]),
        first("name", &["gen_ai.evaluation.name"]),
    ];
    all.extend(
        ["agent_name", "tool_name", "model", "name"].map(|name| named(&sli(name), "unknown")).concat(),
    );
    all
}

/// A number may come as text; what is none stays away.
fn numbers() -> Vec<String> {
    let number = |name: &str, kinds: &str, key: &str, scale: &str| {
        let condition = format!(
            "{it} != nil and not IsBool({it}) and IsMatch({sli}, \"^({kinds})$\")",
            it = of(key),
            sli = sli("kind")
        );
        fill(&sli(name), &format!("Double({}){scale}", of(key)), &condition)
    };
    let mut all = vec![
        number("seconds", "run|tool|llm", "duration_seconds", ""),
        number("seconds", "run|tool|llm", "duration_ms", " / 1000.0"),
        number("ttft", "llm", "time_to_first_token_seconds", ""),
        number("ttft", "llm", "ttft_ms", " / 1000.0"),
        number("cost", "run|llm", "cost_usd", ""),
        number("cost", "run", "total_cost_usd", ""),
        number("score", "evaluation", "gen_ai.evaluation.score.value", ""),
    ];
    for (name, keys) in [
        ("input", ["input_tokens", "gen_ai.usage.input_tokens"]),
        ("output", ["output_tokens", "gen_ai.usage.output_tokens"]),
        ("cache_read", ["cache_read_tokens", "cache_read_input_tokens"]),
        ("cache_write", ["cache_creation_tokens", "cache_write_tokens"]),
    ] {
        all.extend(keys.map(|key| number(name, "llm", key, "")));
    }
    all
}

/// Labels have their own names, whatever stood there.
fn labels() -> Vec<String> {
    let mut all = vec!["keep_matching_keys(log.attributes, \"^sli[.]\")".to_owned()];
    let labels = ["agent_name", "tool_name", "model", "name", "outcome"];
    all.extend(labels.map(|label| format!("set({}, {})", of(label), sli(label))));
    all
}
