//! The instrumented agents of `examples/instrument`: what they emit is what the guide says, in both
//! languages, to the last count. What is expected follows from the flags of the run in `recording.rs`.

mod exposition;
mod guide;
mod recording;
mod sink;
pub(crate) mod toolchain;

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use serde_json::Value;

use crate::support::program;
use recording::recordings;

const SONNET: &str = "claude-sonnet-4-5";
const HAIKU: &str = "claude-haiku-4-5";
const SEARCH: &str = "mcp__knowledge_base__search";
const LOOKUP: &str = "mcp__orders__lookup";

/// What the simulated messages carry and no telemetry may: texts of prompts, tools and errors.
const SECRETS: [&str; 7] = [
    "prompt-text",
    "tool-input-text",
    "tool-output-text",
    "answer-text",
    "error-text",
    "sk-ant-",
    "4111 1111",
];

/// The trace and the span of the request that causes the first run.
const CALLER: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

#[test]
fn agents_emit_the_metrics_of_the_guide_and_no_others() {
    let guide = guide::metrics();
    for recording in recordings() {
        let scraped = recording.metrics.families();
        let names =
            |metrics: &BTreeMap<String, guide::Metric>| -> Vec<String> { metrics.keys().cloned().collect() };
        assert_eq!(names(&scraped), names(&guide), "{}", recording.language);
        for (name, metric) in &guide {
            assert_eq!(&scraped[name], metric, "{name} of {}", recording.language);
        }
    }
}

#[test]
fn check_metrics_finds_nothing_amiss() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    for recording in recordings() {
        let file = folder.path().join(recording.language);
        let [(_, scrape), ..] = recording.everything();
        std::fs::write(&file, scrape).expect("the scrape should be written");
        let output = std::process::Command::new(program()).arg("check-metrics").arg(&file).output();
        let output = output.expect("agentslo should run");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {said}", recording.language);
    }
}

#[test]
fn the_guide_has_every_metric_of_the_profile() {
    let documented = guide::metrics();
    let profile = include_str!("../../src/profiles/agent_metrics.yaml");
    let words = profile.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let names: BTreeSet<&str> =
        words.filter(|word| word.starts_with("agent_") && *word != "agent_name").collect();
    assert!(names.len() > 10, "the metrics of the profile should be found: {names:?}");
    for name in names {
        assert!(documented.contains_key(name), "{name} is in the profile and not in the guide");
    }
}

#[test]
fn every_outcome_is_there_before_anything_happens() {
    let enumerated = guide::label_values();
    assert!(enumerated.len() >= 5, "the guide should enumerate outcomes: {enumerated:?}");
    for recording in recordings() {
        let (language, idle) = (recording.language, &recording.idle);
        for ((name, label), values) in &enumerated {
            assert_eq!(&idle.label_values(name, label), values, "{label} of {name} of {language}");
        }
        let moved: Vec<_> =
            idle.samples().filter(|(name, _, value)| *value != 0.0 && !is_setting(name)).collect();
        assert!(moved.is_empty(), "{language} has counted before anything happened: {moved:?}");
    }
}

/// Gauges that say what the agent is, not what happened.
fn is_setting(name: &str) -> bool {
    ["agent_build_info", "agent_session_pool_size"].contains(&name)
}

#[test]
fn counts_are_exact() {
    for recording in recordings() {
        let metrics = &recording.metrics;
        let check = |name: &str, labels: &[(&str, &str)], expected: f64| {
            let found = metrics.value(name, labels).unwrap_or(f64::NAN);
            assert!(
                (found - expected).abs() < 1e-9,
                "{}: {name} {labels:?} is {found}, not {expected}",
                recording.language
            );
        };
        for (name, labels, expected) in EXPECTED {
            check(name, labels, *expected);
        }
        for failure in FAILURES {
            check("agent_errors_total", &[("error_type", failure)], 1.0);
        }
        for (model, calls) in [(SONNET, 37.0), (HAIKU, 2.0)] {
            for (kind, each) in [("input", 100.0), ("cache_read", 2000.0), ("cache_write", 300.0)] {
                check("agent_tokens_total", &[("model", model), ("type", kind)], calls * each);
            }
        }
        // The answer that was cut off had come to its first token.
        check("agent_tokens_total", &[("model", SONNET), ("type", "output")], 36.0 * 50.0 + 1.0);
    }
}

/// One run fails in each of these ways.
const FAILURES: [&str; 8] = [
    "api_error",
    "error_during_execution",
    "error_max_budget_usd",
    "error_max_structured_output_retries",
    "error_max_turns",
    "exception",
    "no_result",
    "timeout",
];

/// A metric, its labels beside the agent's name, and its value.
type Expected = (&'static str, &'static [(&'static str, &'static str)], f64);

/// Twenty runs: 1 to 8 fail in eight ways, 9 and 10 are cancelled, tools of 11 and 12 fail, one of 13 is
/// denied, 17 to 20 are one session. Runs 5, 10 and 15 have a subagent. Run 21 does not begin to answer.
#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    ("agent_queries_total", &[("model", SONNET), ("status", "success")], 10.0),
    ("agent_queries_total", &[("model", SONNET), ("status", "error")], 8.0),
    ("agent_queries_total", &[("model", SONNET), ("status", "cancelled")], 2.0),
    ("agent_errors_total", &[("error_type", "other")], 0.0),
    ("agent_query_duration_seconds_count", &[], 18.0),
    // The one that took too long, three seconds, and seventeen quick ones.
    ("agent_query_duration_seconds_bucket", &[("le", "60")], 18.0),
    // Not run 3, which never came to a tool, nor 9 and 10, which were cut off.
    ("agent_tool_calls_total", &[("tool_name", SEARCH), ("status", "success")], 17.0),
    ("agent_tool_calls_total", &[("tool_name", SEARCH), ("status", "error")], 0.0),
    ("agent_tool_calls_total", &[("tool_name", LOOKUP), ("status", "success")], 14.0),
    ("agent_tool_calls_total", &[("tool_name", LOOKUP), ("status", "error")], 2.0),
    ("agent_tool_calls_total", &[("tool_name", LOOKUP), ("status", "denied")], 1.0),
    ("agent_tool_calls_total", &[("tool_name", "Agent"), ("status", "success")], 3.0),
    ("agent_tool_duration_seconds_count", &[("tool_name", SEARCH)], 17.0),
    ("agent_tool_duration_seconds_count", &[("tool_name", LOOKUP)], 16.0),
    // A first call in each run but 3, a second in 11 to 20; refused in 3, cut off in 4.
    ("agent_llm_calls_total", &[("model", SONNET), ("status", "success")], 29.0),
    ("agent_llm_calls_total", &[("model", SONNET), ("status", "error")], 2.0),
    ("agent_llm_calls_total", &[("model", HAIKU), ("status", "success")], 3.0),
    ("agent_llm_call_duration_seconds_count", &[("model", SONNET)], 31.0),
    ("agent_time_to_first_token_seconds_count", &[("model", SONNET)], 30.0),
    ("agent_time_to_first_token_seconds_count", &[("model", HAIKU)], 3.0),
    // Fifteen finished runs had a result, the session's among them at its share, and run 10 had one too.
    ("agent_query_cost_usd_count", &[], 15.0),
    ("agent_query_cost_usd_bucket", &[("le", "0.02")], 0.0),
    ("agent_query_cost_usd_bucket", &[("le", "0.05")], 15.0),
    ("agent_query_cost_usd_sum", &[], 15.0 * 0.03 + 0.004),
    ("agent_cost_usd_total", &[("model", SONNET)], 16.0 * 0.03),
    ("agent_cost_usd_total", &[("model", HAIKU)], 0.004),
    ("agent_cost_usd_total", &[("model", "other")], 0.0),
    ("agent_tokens_per_query_count", &[], 18.0),
    ("agent_query_turns_count", &[], 15.0),
    ("agent_query_turns_sum", &[], 30.0),
    ("agent_evaluations_total", &[("evaluator", "helpfulness"), ("result", "pass")], 9.0),
    ("agent_evaluations_total", &[("evaluator", "helpfulness"), ("result", "fail")], 1.0),
    ("agent_evaluation_score_bucket", &[("evaluator", "helpfulness"), ("le", "0.7")], 1.0),
    ("agent_evaluation_score_count", &[("evaluator", "helpfulness")], 10.0),
    ("agent_guardrail_checks_total", &[("check", "prompt-injection"), ("result", "passed")], 20.0),
    ("agent_guardrail_checks_total", &[("check", "prompt-injection"), ("result", "blocked")], 2.0),
    ("agent_active_queries", &[], 1.0),
    ("agent_queue_depth", &[], 0.0),
    ("agent_session_pool_size", &[], 1.0),
    ("agent_build_info", &[("version", "1.0.0"), ("model", SONNET)], 1.0),
];

#[test]
fn the_oldest_run_in_flight_is_told_by_its_start() {
    for recording in recordings() {
        let start = recording.metrics.value("agent_oldest_active_query_start_timestamp_seconds", &[]);
        let age = recording.scraped_at - start.expect("the gauge should be there");
        assert!((0.0..60.0).contains(&age), "{} says that a new run is {age} s old", recording.language);
    }
}

/// What ends a span without waiting for a model or a tool.
const SUDDEN: [&str; 3] = ["server_error", "api_error", "cancelled"];

#[test]
fn spans_tell_of_each_run_call_and_tool_with_its_duration() {
    for recording in recordings() {
        let named =
            |prefix: &str| recording.spans.iter().filter(|span| span.name.starts_with(prefix)).count();
        assert_eq!(named("invoke_agent support-agent"), 21, "{}", recording.language);
        assert_eq!(named(&format!("chat {SONNET}")), 31, "{}", recording.language);
        assert_eq!(named(&format!("chat {HAIKU}")), 3, "{}", recording.language);
        assert_eq!(named(&format!("execute_tool {SEARCH}")), 19, "{}", recording.language);
        assert_eq!(named("execute_tool Agent"), 3, "{}", recording.language);
        for span in &recording.spans {
            let lasted = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
            // At once come an answer that the SDK made up, the end of its run, and that of a tool cut off.
            let causes = [attribute(span, "error.type"), attribute(span, "agent.tool.status")];
            let is_sudden = causes.iter().flatten().any(|cause| SUDDEN.contains(&cause.as_str()));
            let shortest = if is_sudden { 1 } else { 4_000_000 };
            assert!(lasted >= shortest, "{} of {} lasted {lasted} ns", span.name, recording.language);
            assert_eq!(
                attribute(span, "gen_ai.agent.name").as_deref(),
                Some("support-agent"),
                "{}",
                span.name
            );
        }
    }
}

#[test]
fn spans_are_under_what_caused_them() {
    for recording in recordings() {
        let by_id: BTreeMap<&[u8], &Span> =
            recording.spans.iter().map(|span| (span.span_id.as_slice(), span)).collect();
        let mut parents: BTreeMap<(String, String), usize> = BTreeMap::new();
        for span in &recording.spans {
            let parent = by_id.get(span.parent_span_id.as_slice());
            let parent_name = match parent {
                Some(parent) => {
                    assert_eq!(parent.trace_id, span.trace_id, "{}", span.name);
                    assert!(parent.start_time_unix_nano <= span.start_time_unix_nano, "{}", span.name);
                    first_word(&parent.name)
                }
                None if span.parent_span_id.is_empty() => "none".to_owned(),
                None => {
                    assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()), CALLER);
                    "caller".to_owned()
                }
            };
            *parents.entry((first_word(&span.name), parent_name)).or_default() += 1;
        }
        let expected = [
            (("chat", "execute_tool"), 3),
            (("chat", "invoke_agent"), 31),
            (("execute_tool", "invoke_agent"), 41),
            (("invoke_agent", "caller"), 1),
            (("invoke_agent", "none"), 20),
        ];
        let expected: BTreeMap<(String, String), usize> = expected
            .into_iter()
            .map(|((child, parent), count)| ((child.to_owned(), parent.to_owned()), count))
            .collect();
        assert_eq!(parents, expected, "{}", recording.language);
    }
}

#[test]
fn failed_spans_say_what_failed_and_no_others_do() {
    for recording in recordings() {
        let mut failed: BTreeMap<(String, String), usize> = BTreeMap::new();
        for span in &recording.spans {
            let status = span.status.clone().unwrap_or_default();
            let is_error = status.code() == StatusCode::Error;
            assert_eq!(status.message, "", "{} has a text in its status", span.name);
            assert!(span.events.is_empty(), "{} has events", span.name);
            let error_type = attribute(span, "error.type");
            assert_eq!(is_error, error_type.is_some(), "{}: status and error.type agree", span.name);
            if let Some(error_type) = error_type {
                *failed.entry((first_word(&span.name), error_type)).or_default() += 1;
            }
        }
        let mut expected: BTreeMap<(String, String), usize> =
            FAILURES.into_iter().map(|cause| (("invoke_agent".to_owned(), cause.to_owned()), 1)).collect();
        expected.insert(("chat".to_owned(), "server_error".to_owned()), 1);
        expected.insert(("chat".to_owned(), "timeout".to_owned()), 1);
        expected.insert(("execute_tool".to_owned(), "tool_error".to_owned()), 2);
        assert_eq!(failed, expected, "{}", recording.language);
    }
}

#[test]
fn events_come_by_stdout_and_by_otlp_alike() {
    for recording in recordings() {
        let mut printed: Vec<String> = recording.lines.iter().map(fingerprint).collect();
        let mut sent: Vec<String> = recording
            .records
            .iter()
            .map(|record| format!("{} {} {}", record.event_name, hex(&record.trace_id), hex(&record.span_id)))
            .collect();
        printed.sort_unstable();
        sent.sort_unstable();
        assert_eq!(printed, sent, "{}", recording.language);
    }
}

fn fingerprint(line: &Value) -> String {
    let text = |field: &str| line[field].as_str().unwrap_or_default();
    format!("{} {} {}", text("event"), text("trace_id"), text("span_id"))
}

#[test]
fn events_are_those_of_the_guide_each_under_the_span_it_tells_of() {
    let guide = guide::events();
    for recording in recordings() {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let spans: BTreeMap<String, &str> =
            recording.spans.iter().map(|span| (hex(&span.span_id), span.name.as_str())).collect();
        for line in &recording.lines {
            let name = line["event"].as_str().expect("each line should have an event");
            let Some(fields) = guide.get(name) else { continue };
            names.insert(name.to_owned());
            let own = line.as_object().expect("each line should be an object").keys();
            let unknown: Vec<&String> = own.filter(|field| !fields.contains(*field)).collect();
            assert!(unknown.is_empty(), "{name} of {} has {unknown:?}", recording.language);
            let span = line["span_id"].as_str().and_then(|id| spans.get(id)).copied().unwrap_or_default();
            let operation = match name {
                "llm_response" => "chat",
                "tool_called" | "tool_completed" => "execute_tool",
                "guardrail_blocked" => "",
                _ => "invoke_agent",
            };
            assert_eq!(first_word(span), operation, "{name} of {}", recording.language);
        }
        assert_eq!(names, guide.keys().cloned().collect(), "{}", recording.language);
    }
}

#[test]
fn a_line_of_the_agents_own_has_the_trace_of_its_run() {
    for recording in recordings() {
        let own = recording.lines.iter().filter(|line| line["event"] == "answer_sent");
        let runs: BTreeSet<String> = recording
            .spans
            .iter()
            .filter(|span| span.name.starts_with("invoke_agent"))
            .map(|span| hex(&span.span_id))
            .collect();
        let spans: Vec<&str> = own.filter_map(|line| line["span_id"].as_str()).collect();
        // Ten answers, and two runs that ended without one and without an exception.
        assert_eq!(spans.len(), 12, "{}", recording.language);
        assert!(spans.iter().all(|span| runs.contains(*span)), "{}", recording.language);
    }
}

#[test]
fn no_text_of_a_prompt_a_tool_or_an_error_leaves_the_agent() {
    for recording in recordings() {
        for secret in SECRETS {
            for (place, bytes) in recording.everything() {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in the {place} of {}", recording.language);
            }
        }
    }
}

/// An attribute that is a text.
#[allow(clippy::wildcard_enum_match_arm)] // Not an enum of ours.
fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn first_word(name: &str) -> String {
    name.split(' ').next().unwrap_or_default().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every text");
        text
    })
}
