//! What secrets, personal data and content look like. All are RE2.

use std::collections::BTreeSet;

use regex_syntax::ast::AssertionKind;

use super::dialect::{Part, rewritten};
use crate::api::v1alpha1::{ContentCapture, PatternSet};
use crate::domain::pipeline::Redaction;

/// Keys of attributes whose values are credentials, whatever they look like.
pub(super) const SECRET_KEYS: &str = r"(?i)(^|[._-])(authorization|cookie|set-cookie|password|passwd|passphrase|secret|client[_-]?secret|api[_-]?key|private[_-]?key|(access|refresh|auth|id|session)[_-]?token)$";

/// A pattern and what it is called.
type Named = (&'static str, &'static str);

/// Credentials by their form.
const CREDENTIALS: [Named; 8] = [
    // Anthropic, OpenAI and those who took after them.
    ("Credentials/ModelKeys", r"sk-[A-Za-z0-9_-]{16,}"),
    // GitHub, GitLab, Slack, Google, npm, Hugging Face.
    (
        "Credentials/ServiceTokens",
        r"gh[pousr]_[A-Za-z0-9]{30,}|(?:github_pat_|glpat-|xox[abeprs]-|AIza|npm_|hf_)[A-Za-z0-9_-]{20,}",
    ),
    ("Credentials/AwsKeys", r"A(?:KI|SI)A[0-9A-Z]{16}"),
    ("Credentials/JsonWebTokens", r"eyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"),
    ("Credentials/Bearer", r"(?i)bearer\s+[A-Za-z0-9._~+/=-]{8,}"),
    // Also in the text of JSON, where quotes may be escaped.
    (
        "Credentials/Assignments",
        r#"(?i)(?:password|passwd|passphrase|secret|api[_-]?key|(?:access|refresh|auth)[_-]?token)\\*["']?\s*[:=]\s*\\*["']?[^\s"'\\,;&}\]]+"#,
    ),
    ("Credentials/UsersInUrls", r"://[^/\s:@]+:[^/\s@]+@"),
    ("Credentials/PrivateKeys", r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"),
];

/// Personal data by its form. Numbers of cards begin as the big networks' do: any 16 digits would also be
/// times and the digits of fractions.
const PERSONAL: [Named; 2] = [
    ("Personal/Addresses", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"),
    (
        "Personal/Cards",
        r"\b(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6(?:011|5\d{2}))[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b",
    ),
];

/// Counts of tokens, which no key pattern of a user takes out.
pub(super) const SPARED_KEYS: &str = r"^gen_ai[.]usage[.]|_tokens$";

/// Keys whose values are prompts, answers, or inputs and outputs of tools.
const CONTENT_KEYS: [&str; 9] = [
    // The conventions, in all generations; older ones number the messages.
    r"gen_ai[.]((input|output)[.]messages|system_instructions|prompt|completion)([.].*)?",
    r"gen_ai[.](tool[.](definitions|message|call[.](arguments|result))|event[.]content|evaluation[.]explanation|choice|(user|assistant|system|tool)[.]message)([.].*)?",
    // OpenLLMetry, OpenInference, the Vercel AI SDK, MLflow, Langfuse.
    r"llm[.](prompts?|completions?|(input|output)_messages|request[.]messages|response[.]text)([.].*)?",
    r"(traceloop[.]entity|langfuse[.](observation|trace))[.](input|output)|(input|output)[.]value|mlflow[.]span(Inputs|Outputs)",
    r"ai[.](prompt|prompt[.](messages|tools)|response[.](text|object|toolCalls)|toolCall[.](args|result))",
    // Claude Code and the Claude Agent SDK.
    r"prompt|user_prompt|system_prompt|response|assistant_response|completion|new_context|system_reminders?|(bash|full)_command|(request|response)_body|thinking|model_output",
    r"tool_(input|parameters|args|arguments|result|output|response)|tool[.](input|output|parameters|arguments|result)",
    r"answer|question|messages?|content|body|input|output|arguments|result|command",
    r"(.*[._])?preview",
];

/// Events whose body is content, unless it only repeats the event's name.
pub(super) const CONTENT_EVENTS: &str = r"^(claude_code[.])?(user_prompt|assistant_response|tool_result|tool_decision|api_(request|response)(_body)?|query_started|query_completed|query_failed|llm_response|tool_called|tool_completed)$|^gen_ai[.](.*[.]message|choice|content[.].*|.*[.]details)$";

/// Every pattern of values that is in force, with its name, in the order in which they are tried.
pub(super) fn named_values(redaction: &Redaction) -> Vec<(String, String)> {
    let sets = sets(redaction);
    let built_in = sets.iter().flat_map(|set| match set {
        PatternSet::Credentials => CREDENTIALS.as_slice(),
        PatternSet::Personal => PERSONAL.as_slice(),
    });
    let built_in = built_in.map(|(name, pattern)| ((*name).to_owned(), (*pattern).to_owned()));
    built_in.chain(named("patterns", &redaction.patterns)).collect()
}

/// The same without names.
pub(super) fn values(redaction: &Redaction) -> Vec<String> {
    named_values(redaction).into_iter().map(|(_, pattern)| pattern).collect()
}

/// Patterns of a user, called by their place in the resource.
pub(super) fn named(field: &str, patterns: &[String]) -> Vec<(String, String)> {
    let patterns = patterns.iter().enumerate();
    patterns.map(|(index, pattern)| (format!("{field}[{index}]"), pattern.clone())).collect()
}

/// Content that passes as it is still has personal data in it.
fn sets(redaction: &Redaction) -> BTreeSet<PatternSet> {
    match redaction.content {
        ContentCapture::None | ContentCapture::Redacted => redaction.sets.clone(),
        ContentCapture::Full => [PatternSet::Credentials].into_iter().collect(),
    }
}

/// One expression for whichever of several matches; flags stay within each.
pub(super) fn any_of<T: AsRef<str>>(patterns: &[T]) -> String {
    let groups: Vec<String> = patterns.iter().map(|pattern| format!("(?:{})", pattern.as_ref())).collect();
    groups.join("|")
}

/// The same pattern of keys for the paths of what is nested, in which a `.` stands between a key and the
/// next: where a key begins or ends, so may the path there.
pub(super) fn below(pattern: &str) -> String {
    rewritten(pattern, |part| match part {
        Part::Assertion(AssertionKind::StartLine | AssertionKind::StartText) => Some("(?:^|[.])"),
        Part::Assertion(AssertionKind::EndLine | AssertionKind::EndText) => Some("(?:$|[.])"),
        Part::Assertion(_) | Part::Class(_) => None,
    })
}

/// Keys of content.
pub(super) fn content_keys() -> String {
    format!("(?i)^(?:{})$", any_of(&CONTENT_KEYS))
}
