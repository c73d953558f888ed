//! A run of an agent, as far as the event or the span about its end says.

use super::attributes::Attributes;
use super::charge::{duration_us, micro_usd};

/// One run, from a prompt to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// When it ended, in nanoseconds since the epoch.
    pub at: u64,
    /// How it ended.
    pub outcome: RunOutcome,
    /// How long it took, in microseconds.
    pub duration_us: Option<i64>,
    /// Turns of model and tools.
    pub turns: Option<i64>,
    /// What the agent says that it cost, in millionths of a US dollar; none where nobody says so.
    pub micro_usd: Option<i64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RunOutcome {
    /// It came to its end.
    Succeeded,
    /// It failed.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// What an event says of a run; none where it is about something else.
pub(super) fn of_event(event: &str, at: u64, attributes: &Attributes) -> Option<Run> {
    let outcome = match event {
        "query_completed" => RunOutcome::Succeeded,
        "query_failed" => RunOutcome::Failed,
        "query_cancelled" => RunOutcome::Cancelled,
        _ => return None,
    };
    Some(Run { duration_us: duration_us(attributes), ..of(outcome, at, attributes) })
}

/// What a span says of a run, of which the length is known.
pub(super) fn of_span(is_failed: bool, (at, length_us): (u64, i64), attributes: &Attributes) -> Run {
    let outcome = match attributes.text("agent.status") {
        Some("cancelled") => RunOutcome::Cancelled,
        _ if is_failed => RunOutcome::Failed,
        _ => RunOutcome::Succeeded,
    };
    Run { duration_us: Some(length_us), ..of(outcome, at, attributes) }
}

fn of(outcome: RunOutcome, at: u64, attributes: &Attributes) -> Run {
    let turns = ["turns", "num_turns", "agent.turns"].into_iter().find_map(|key| attributes.number(key));
    let micro_usd = micro_usd(attributes, &["cost_usd", "agent.cost_usd"]);
    Run { at, outcome, duration_us: None, turns, micro_usd }
}
