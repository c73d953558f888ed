//! What the ledger says of itself: whether the agent's chain is intact, is verified, and grows while the agent runs.

use super::alert::{Text, alert, number, time};
use super::counts::{Event, recorded};
use super::pipeline::own;
use crate::domain::guard::Guard;
use crate::domain::ledger::VERIFIED_WITHIN;
use crate::domain::observability::Observability;
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::domain::role::Role;
use crate::foreign::Rule;
use crate::vocabulary::alert as names;

/// How far back a verification is looked for.
const KNOWN_FOR: &str = "1d";
/// In which time the chain should have grown, with time to be verified before and after.
const GROWN_WITHIN: &str = "90m";
/// Runs that should have been entered in it: those that ended in this hour.
const RUNS: &str = "[1h:5m] offset 15m";
/// How long a chain may stand still, or a sink fail, before anybody is told.
const PATIENCE: &str = "10m";
/// Window in which failures and refusals are counted.
const OVER: &str = "15m";

const INTACT: &str = "The hashes of the agent's entries in the ledger do not fit together, or not to what was signed: \
                      somebody changed, removed or added some who could write to the database.";
const VERIFIED: &str = "Nobody verifies and signs the agent's entries in the ledger. What is done to those that came \
                        since the last signature may not show.";
const ENTERING: &str = "The sink of the ledger cannot commit. The Collector keeps what it sends in its queue; when \
                        that is full, entries are lost.";
const STOPPED: &str = "The agent runs, and nothing is entered into the ledger.";
const REFUSED: &str = "The sink of the ledger does not enter some events: they are too large, name no agent or \
                       another one, have no time that can be, or an event has a name that is the ledger's own.";

/// The chain is not intact.
pub(super) fn not_intact(observability: &Observability, guard: &Guard) -> Rule {
    let expr = format!("min({}) == 0", chain(observability, "agentslo_ledger_chain_intact"));
    let happened = "its entries in the ledger were tampered with".to_owned();
    alert(observability, guard, names::LEDGER_NOT_INTACT, expr, &Text { happened, description: INTACT })
}

/// An alert for each way in which entries are lost, or the proof of them.
pub(super) fn losses(observability: &Observability, guard: &Guard) -> Vec<Rule> {
    let mut rules = vec![
        not_verified(observability, guard),
        not_entering(observability, guard),
        refused(observability, guard),
    ];
    rules.extend(observability.has(Role::Runs).then(|| stopped(observability, guard)));
    rules
}

fn not_verified(observability: &Observability, guard: &Guard) -> Rule {
    let verified = chain(observability, "agentslo_ledger_chain_verified_timestamp_seconds");
    let expr = format!("time() - max(max_over_time({verified}[{KNOWN_FOR}])) > {VERIFIED_WITHIN}");
    let happened = format!("its entries in the ledger were last verified {} ago", time());
    alert(observability, guard, names::LEDGER_NOT_VERIFIED, expr, &Text { happened, description: VERIFIED })
}

fn not_entering(observability: &Observability, guard: &Guard) -> Rule {
    let failed = own(observability, "agentslo_ledger_transactions_failed_total");
    let expr = format!("sum(increase({failed}[{OVER}])) > 0");
    let happened = format!("{} attempts to enter events into the ledger failed in the last {OVER}", number());
    let text = Text { happened, description: ENTERING };
    let mut rule = alert(observability, guard, names::LEDGER_NOT_ENTERING, expr, &text);
    rule.for_ = Some(PATIENCE.to_owned());
    rule
}

fn refused(observability: &Observability, guard: &Guard) -> Rule {
    let events = own(observability, "agentslo_ledger_events_total");
    let events = events.with([LabelMatcher::equal("result", "refused")]);
    let expr = format!("sum(increase({events}[{OVER}])) > 0");
    let happened = format!("{} events were not entered into the ledger in the last {OVER}", number());
    alert(observability, guard, names::LEDGER_REFUSED, expr, &Text { happened, description: REFUSED })
}

/// Runs ended, and the chain did not grow: it is as long as it was, or not there.
fn stopped(observability: &Observability, guard: &Guard) -> Rule {
    let series = chain(observability, "agentslo_ledger_chain_head_sequence");
    let (sequence, before) = (format!("max({series})"), format!("max({series} offset {GROWN_WITHIN})"));
    let runs = recorded(observability, Event::Run);
    let expr = format!(
        "sum(sum_over_time({runs}{RUNS})) > 0.5 unless on () ({sequence} > {before} or ({sequence} unless on () {before}))"
    );
    let happened = format!("{} runs ended, and nothing of them is in the ledger", number());
    let text = Text { happened, description: STOPPED };
    let mut rule = alert(observability, guard, names::LEDGER_STOPPED, expr, &text);
    rule.for_ = Some(PATIENCE.to_owned());
    rule
}

/// A series about the agent's chain.
pub(super) fn chain(observability: &Observability, metric: &str) -> SeriesSelector {
    own(observability, metric).with([LabelMatcher::equal("stream", observability.stream())])
}
