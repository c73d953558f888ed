//! What a call of a model cost, as far as the event about it says.

use super::attributes::Attributes;

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
pub(super) fn of(event: &str, at: u64, attributes: &Attributes) -> Option<Charge> {
    let outcome = match event {
        "api_request" | "llm_response" => Outcome::Answered,
        "api_error" => Outcome::Failed,
        "api_refusal" => Outcome::Refused,
        _ => return None,
    };
    let number = |keys: &[&str]| keys.iter().find_map(|key| attributes.number(key));
    let tokens = |keys: &[&str]| number(keys).unwrap_or_default().max(0);
    let milliseconds = number(&["duration_ms"]);
    Some(Charge {
        at,
        model: attributes.text("model").or_else(|| attributes.text("gen_ai.request.model"))?.to_owned(),
        outcome,
        duration_us: milliseconds.map(|milliseconds| milliseconds.saturating_mul(1000)),
        input_tokens: tokens(&["input_tokens", "gen_ai.usage.input_tokens"]),
        output_tokens: tokens(&["output_tokens", "gen_ai.usage.output_tokens"]),
        cache_read_tokens: tokens(&["cache_read_tokens", "cache_read_input_tokens"]),
        cache_write_tokens: tokens(&["cache_creation_tokens", "cache_creation_input_tokens"]),
        micro_usd: micro_usd(attributes),
        purpose: attributes.text("query_source").map(str::to_owned),
    })
}

fn micro_usd(attributes: &Attributes) -> Option<i64> {
    let exact = attributes.number("cost_usd_micros");
    exact.or_else(|| millionths(&attributes.decimal("cost_usd")?)).filter(|cost| *cost >= 0)
}

/// A decimal text in millionths, rounded half up. Sums of many calls are exact, since no fraction is added.
fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let padded = format!("{fraction:0<7}");
    let (six, rest) = padded.split_at(6);
    let millions: i64 = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    millions.checked_add(six.parse::<i64>().ok()?)?.checked_add(i64::from(rest.as_bytes()[0] >= b'5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_counted_in_millionths() {
        let cases = [
            ("0", Some(0)),
            ("12", Some(12_000_000)),
            ("0.25", Some(250_000)),
            ("0.0000005", Some(1)),
            ("0.00000049", Some(0)),
            ("1.9999999", Some(2_000_000)),
            ("9999999999999", None),
            ("-1", None),
            ("1e-3", None),
            ("NaN", None),
            ("", None),
            (".5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(millionths(text), expected, "{text}");
        }
    }
}
