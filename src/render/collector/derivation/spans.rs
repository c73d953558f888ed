//! Spans in one spelling: those of the GenAI conventions, of Claude Code, and of agents that trace their
//! runs as `agent.query`.

use serde_json::{Value, json};

use super::{fill, named};

/// Claude Code's span of one prompt.
const INTERACTION: &str = "claude_code.interaction";
/// Its span of a tool at work, which does not name the tool.
const EXECUTION: &str = "claude_code.tool.execution";

/// Statements about the copy of the traces that is counted; as those about events.
pub(super) fn classified() -> Value {
    let statements: Vec<String> = [kind(), outcome(), names(), numbers(), labels()].concat();
    json!({"context": "span", "statements": statements})
}

fn of(key: &str) -> String {
    format!("span.attributes[\"{key}\"]")
}

fn sli(key: &str) -> String {
    of(&format!("sli.{key}"))
}

fn kind() -> Vec<String> {
    let is = |kind: &str, condition: String| fill(&sli("kind"), &format!("\"{kind}\""), &condition);
    let operation = |names: &str| format!("IsMatch({}, \"^({names})$\")", of("gen_ai.operation.name"));
    let name = |names: &str| format!("IsMatch(span.name, \"^({names})\")");
    let others = |condition: String| format!("not IsMatch(span.name, \"^claude_code[.]\") and ({condition})");
    let runs = format!("{} or {}", operation("invoke_agent"), name("invoke_agent( |$)|agent[.]query$"));
    let tools = format!("{} or {}", operation("execute_tool"), name("execute_tool |agent[.]tool[.]|tool[.]"));
    vec![
        "delete_matching_keys(span.attributes, \"^sli[.]\")".to_owned(),
        is("run", others(runs)),
        // Below a run that the agent itself traces, it is a part of that run.
        is("run", format!("span.name == \"{INTERACTION}\" and IsRootSpan()")),
        is("tool", others(tools)),
        // The span around it also lasts while the user is asked, and does not tell whether the tool failed.
        is("tool", format!("span.name == \"{EXECUTION}\"")),
        is(
            "llm",
            format!(
                "({} or {})",
                operation("chat|generate_content|text_completion"),
                name("chat |agent[.]llm_call$|llm[.]completion$|claude_code[.]llm_request$")
            ),
        ),
    ]
}

fn outcome() -> Vec<String> {
    let is = |word: &str, condition: String| fill(&sli("outcome"), &format!("\"{word}\""), &condition);
    let status = |words: &str| {
        let keys = [of("agent.status"), of("agent.tool.status")];
        format!("({})", keys.map(|key| format!("IsMatch({key}, \"^({words})$\")")).join(" or "))
    };
    vec![
        is("denied", status("denied")),
        is("cancelled", status("cancelled")),
        is(
            "error",
            format!(
                "(span.status.code == STATUS_CODE_ERROR or {} != nil or {})",
                of("error.type"),
                status("error|failed|failure|timeout")
            ),
        ),
        is("error", format!("({success} == false or {success} == \"false\")", success = of("success"))),
        // It is left unset however the run ended, so it is not known that it was good.
        is("unset", format!("span.name == \"{INTERACTION}\"")),
        is("ok", format!("{} != nil", sli("kind"))),
    ]
}

fn names() -> Vec<String> {
    let agent = format!(
        "set({}, Coalesce([{}, {}, resource.attributes[\"gen_ai.agent.name\"], resource.attributes[\"service.name\"], \"unknown\"]))",
        sli("agent_name"),
        of("gen_ai.agent.name"),
        of("agent.name"),
    );
    let tool = sli("tool_name");
    let mut all = vec![
        agent,
        format!(
            "set({tool}, Coalesce([{}, {}, {}, span.name]))",
            of("gen_ai.tool.name"),
            of("tool.name"),
            of("tool_name")
        ),
        format!("replace_pattern({tool}, \"^(agent[.]tool[.]|execute_tool |tool[.])\", \"\")"),
        format!("set({tool}, \"unknown\") where {tool} == \"{EXECUTION}\""),
        format!(
            "set({}, Coalesce([{}, {}, {}, \"unknown\"]))",
            sli("model"),
            of("gen_ai.request.model"),
            of("gen_ai.response.model"),
            of("model")
        ),
    ];
    all.extend(["agent_name", "tool_name", "model"].map(|name| named(&sli(name), "unknown")).concat());
    all
}

fn numbers() -> Vec<String> {
    let number = |name: &str, kind: &str, key: &str, scale: &str| {
        let condition = format!(
            "{it} != nil and not IsBool({it}) and {sli} == \"{kind}\"",
            it = of(key),
            sli = sli("kind")
        );
        fill(&sli(name), &format!("Double({}){scale}", of(key)), &condition)
    };
    let mut all = vec![
        fill(
            &sli("seconds"),
            "Seconds(span.end_time - span.start_time)",
            "span.end_time_unix_nano >= span.start_time_unix_nano",
        ),
        number("ttft", "llm", "gen_ai.response.time_to_first_chunk", ""),
        number("ttft", "llm", "ttft_ms", " / 1000.0"),
        number("cost", "run", "agent.cost_usd", ""),
        number("cost", "llm", "gen_ai.usage.cost", ""),
        number("cost", "llm", "cost_usd", ""),
    ];
    for (name, keys) in [
        // Claude Code's own keys first: by the conventions the input includes what was read from the cache.
        ("input", ["input_tokens", "gen_ai.usage.input_tokens"]),
        ("output", ["output_tokens", "gen_ai.usage.output_tokens"]),
        ("cache_read", ["cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"]),
        ("cache_write", ["cache_creation_tokens", "gen_ai.usage.cache_creation.input_tokens"]),
    ] {
        all.extend(keys.map(|key| number(name, "llm", key, "")));
    }
    all
}

fn labels() -> Vec<String> {
    let mut all = vec!["keep_matching_keys(span.attributes, \"^sli[.]\")".to_owned()];
    let labels = ["agent_name", "tool_name", "model", "outcome"];
    all.extend(labels.map(|label| format!("set({}, {})", of(label), sli(label))));
    all
}
