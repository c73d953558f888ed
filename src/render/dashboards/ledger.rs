//! What is asked about an agent's ledger: of Prometheus, to which its pods tell of themselves, and of the database.

use super::slots::in_query;
use crate::domain::observability::Observability;
use crate::render::guards::{of_chain, of_ledger};

/// What fills a slot; none without a ledger.
pub(super) fn text(observability: &Observability, slot: &str) -> Option<String> {
    observability.ledger()?;
    let chain = |metric: &str| in_query(&of_chain(observability, metric).to_string());
    let pods = |metric: &str| in_query(&of_ledger(observability, metric).to_string());
    Some(match slot {
        "chain.intact" => chain("agentslo_ledger_chain_intact"),
        "chain.sequence" => chain("agentslo_ledger_chain_head_sequence"),
        "chain.verified" => chain("agentslo_ledger_chain_verified_timestamp_seconds"),
        "ledger.events" => pods("agentslo_ledger_events_total"),
        "ledger.failures" => pods("agentslo_ledger_transactions_failed_total"),
        "ledger.lastCommit" => pods("agentslo_ledger_last_commit_timestamp_seconds"),
        "sql.namespace" => literal(observability.namespace()),
        "sql.agent" => literal(observability.agent()),
        "sql.stream" => literal(&observability.stream()),
        _ => return None,
    })
}

/// A text in SQL, whatever the settings of the server: letters, digits and a few signs as they are, and all else by
/// number. Neither Grafana nor the database reads anything in it.
fn literal(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " -_./:@".contains(letter);
    let written = text.chars().map(|letter| {
        if is_plain(letter) { letter.to_string() } else { format!("\\U{:08x}", u32::from(letter)) }
    });
    format!("E'{}'", written.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn nothing_in_a_literal_ends_it() {
        assert_eq!(literal("team-a/support agent"), "E'team-a/support agent'");
        assert_eq!(literal("a'$b\\"), "E'a\\U00000027\\U00000024b\\U0000005c'");
    }
}
