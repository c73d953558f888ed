//! What a call of a model cost, as far as the event about it says.

use super::attributes::Attributes;
use crate::money::millionths;

/// One call of a model.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Charge {
    /// When it ended, in nanoseconds since the epoch.
    pub at: u64,
    /// Which model.
    pub model: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in microseconds.
    pub duration_us: Option<i64>,
    /// Tokens that were read anew.
    pub input_tokens: i64,
    /// Tokens that were written.
    pub output_tokens: i64,
    /// Tokens that were read from a cache.
    pub cache_read_tokens: i64,
    /// Tokens that were put into a cache.
    pub cache_write_tokens: i64,
    /// What whoever called says that it cost, in millionths of a US dollar; none where nobody says so.
    pub micro_usd: Option<i64>,
    /// What it was for. Example: `main`, `subagent`.
    pub purpose: Option<String>,
}

/// How a call of a model ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Outcome {
    /// It was answered.
    #[default]
    Answered,
    /// It failed.
    Failed,
    /// The model refused.
    Refused,
}

/// What an event says of a call; none where it is about something else.
pub(super) fn of_event(event: &str, at: u64, attributes: &Attributes) -> Option<Charge> {
    let outcome = match event {
        "api_request" | "llm_response" => Outcome::Answered,
        "api_error" => Outcome::Failed,
        "api_refusal" => Outcome::Refused,
        _ => return None,
    };
    of(outcome, (at, duration_us(attributes)), attributes)
}

/// What a span says of a call, of which the length is known; none where it names no model.
pub(super) fn of_span(
    is_failed: bool,
    (at, length_us): (u64, i64),
    attributes: &Attributes,
) -> Option<Charge> {
    let outcome = if is_failed { Outcome::Failed } else { Outcome::Answered };
    of(outcome, (at, Some(length_us)), attributes)
}

fn of(outcome: Outcome, (at, duration_us): (u64, Option<i64>), attributes: &Attributes) -> Option<Charge> {
    let tokens = |keys: &[&str]| {
        let number = keys.iter().find_map(|key| attributes.number(key));
        number.unwrap_or_default().max(0)
    };
    let model = ["gen_ai.response.model", "model", "gen_ai.request.model"];
    Some(Charge {
        at,
        model: model.into_iter().find_map(|key| attributes.text(key))?.to_owned(),
        outcome,
        duration_us,
        input_tokens: tokens(&["input_tokens", "gen_ai.usage.input_tokens"]),
        output_tokens: tokens(&["output_tokens", "gen_ai.usage.output_tokens"]),
        cache_read_tokens: tokens(&[
            "cache_read_tokens",
            "cache_read_input_tokens",
            "gen_ai.usage.cache_read.input_tokens",
        ]),
        cache_write_tokens: tokens(&[
            "cache_creation_tokens",
            "cache_creation_input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
        ]),
        micro_usd: micro_usd(attributes, &["cost_usd", "gen_ai.usage.cost"]),
        purpose: attributes.text("query_source").map(str::to_owned),
    })
}

/// How long something took, in microseconds.
pub(super) fn duration_us(attributes: &Attributes) -> Option<i64> {
    let milliseconds = attributes.number("duration_ms").map(|milliseconds| milliseconds.saturating_mul(1000));
    // A second is a million microseconds as a dollar is a million millionths.
    milliseconds.or_else(|| millionths(&attributes.decimal("duration_seconds")?))
}

/// What something cost, where one of the attributes says so.
pub(super) fn micro_usd(attributes: &Attributes, keys: &[&str]) -> Option<i64> {
    let exact = attributes.number("cost_usd_micros");
    let said = || keys.iter().find_map(|key| millionths(&attributes.decimal(key)?));
    exact.or_else(said).filter(|cost| *cost >= 0)
}
