//! Grafana dashboards of an agent: the sources in `dashboards/`, filled with what is the agent's. A panel
//! that rests on series which the agent does not have is left out, and the layout closes the gap.

mod board;
mod delivery;
mod fill;
mod layout;
mod ledger;
mod series;
mod signals;
mod slots;

use super::Artifact;
use crate::domain::observability::Observability;
use crate::domain::slo::{Dashboards, Slo};
use board::Board;

/// What the AgentObservability asks for.
pub(super) fn artifacts(observability: &Observability) -> Vec<Artifact> {
    let Some(delivery) = observability.dashboards() else { return Vec::new() };
    let boards = Board::ALL.into_iter().filter(|board| board.is_of(observability));
    boards
        .map(|board| delivery::artifact(observability, delivery, board, &json(observability, board)))
        .collect()
}

/// Addresses in Grafana of the agent's dashboard and of that of its budgets; none where nobody said where
/// Grafana is, or there are no dashboards.
pub(super) fn addresses(observability: &Observability) -> Option<(String, String)> {
    observability.dashboards()?;
    let grafana = observability.platform().grafana.url.as_ref()?;
    let of = |board| address(grafana, board, observability.namespace(), observability.name());
    Some((of(Board::Agent), of(Board::Slo)))
}

/// Address of the dashboard of budgets, at the budget of an AgentSLO. Names need no escaping.
pub(super) fn address_of(slo: &Slo) -> Option<String> {
    let Dashboards { grafana, observability } = slo.dashboards()?;
    let dashboard = address(grafana, Board::Slo, slo.namespace(), observability);
    Some(format!("{dashboard}?var-slo={}", slo.name()))
}

fn address(grafana: &str, board: Board, namespace: &str, name: &str) -> String {
    format!("{}/d/{}", grafana.trim_end_matches('/'), board.uid(namespace, name))
}

/// A dashboard as Grafana reads it.
fn json(observability: &Observability, board: Board) -> String {
    let mut dashboard = fill::filled(board.source(), &|slot| slots::text(observability, slot));
    layout::close_gaps(&mut dashboard);
    serde_json::to_string_pretty(&dashboard).expect("dashboards should have only string keys")
}
