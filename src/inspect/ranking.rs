//! Which AgentSLOs burn most, have least left, or cost most.

use std::cmp::Ordering;

use kube::ResourceExt;

use super::overview::{budget, burn, firing, state};
use super::table::{Cell, Table, Tone};
use crate::api::v1alpha1::{AgentSlo, AgentSloStatus};

/// By what the table is ordered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// The burn rate in the shortest window, highest first.
    #[default]
    Burn,
    /// What is left of the budget, least first.
    Budget,
    /// Samples that the rules read in an hour, most first.
    Cost,
}

/// A row for each AgentSLO; those of which the figure is not known come last.
#[must_use]
pub fn ranking(slos: &[AgentSlo], order: Order, has_namespace: bool) -> Table {
    let mut titles = if has_namespace { vec!["NAMESPACE"] } else { Vec::new() };
    titles.extend(["NAME", "BURN", "BUDGET", "STATE", "ALERT", "RULES", "SERIES", "SAMPLES/H"]);
    let mut table = Table::new(titles);
    let empty = AgentSloStatus::default();
    let mut sorted: Vec<(&AgentSlo, &AgentSloStatus)> =
        slos.iter().map(|slo| (slo, slo.status.as_ref().unwrap_or(&empty))).collect();
    sorted.sort_by(|(one, left), (other, right)| {
        let figures = largest_first(figure(left, order), figure(right, order));
        figures.then_with(|| (one.namespace(), one.name_any()).cmp(&(other.namespace(), other.name_any())))
    });
    for (slo, status) in sorted {
        table.push(row(slo, status, has_namespace));
    }
    table
}

/// What the rules of all of them cost, in a line.
#[must_use]
pub fn total_cost(slos: &[AgentSlo]) -> String {
    let costs = || slos.iter().filter_map(|slo| slo.status.as_ref()?.cost.as_ref());
    let rules: i64 = costs().map(|cost| i64::from(cost.rules)).sum();
    let series: i64 = costs().map(|cost| i64::from(cost.series)).sum();
    let samples: f64 = costs().filter_map(|cost| millions(&cost.samples_per_hour)).sum();
    format!(
        "total: {rules} rules, {series} series, {samples:.2}M recorded samples read an hour, for each group of `groupBy`"
    )
}

fn row(slo: &AgentSlo, status: &AgentSloStatus, has_namespace: bool) -> Vec<Cell> {
    let mut row = Vec::new();
    if has_namespace {
        row.push(Cell::of(slo.namespace().as_deref()));
    }
    let cost = status.cost.as_ref();
    let number = |number: Option<i32>| Cell::of(number.map(|number| number.to_string()).as_deref());
    row.push(Cell::new(&slo.name_any(), Tone::Plain));
    row.extend([burn(status), budget(status), state(status), firing(status)]);
    row.push(number(cost.map(|cost| cost.rules)));
    row.push(number(cost.map(|cost| cost.series)));
    row.push(Cell::of(cost.map(|cost| cost.samples_per_hour.as_str())));
    row
}

/// The figure by which a row is placed, larger before smaller.
fn figure(status: &AgentSloStatus, order: Order) -> Option<f64> {
    match order {
        Order::Burn => status.burn.as_ref()?.rates.first()?.rate.parse().ok(),
        Order::Budget => percent(status.budget.as_ref()?.remaining.as_deref()?).map(|left| -left),
        Order::Cost => millions(&status.cost.as_ref()?.samples_per_hour),
    }
}

/// `41%`, `-26%`, and `<1%`, which is more than nothing.
fn percent(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    if number == "<1" { Some(0.5) } else { number.parse().ok() }
}

fn millions(text: &str) -> Option<f64> {
    text.strip_suffix('M')?.parse().ok()
}

fn largest_first(one: Option<f64>, other: Option<f64>) -> Ordering {
    let known = |figure: Option<f64>| figure.unwrap_or(f64::NEG_INFINITY);
    known(other).total_cmp(&known(one))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::table::Paint;
    use super::*;

    fn slo(name: &str, status: &Value) -> AgentSlo {
        let slo = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {"name": name, "namespace": "team"},
            "spec": {"agent": "a", "objective": "99", "indicator": {"success": {}}},
            "status": status,
        });
        serde_json::from_value(slo).expect("test data should be an AgentSLO")
    }

    fn status(burn: &str, left: &str, samples: &str) -> Value {
        json!({
            "burn": {"state": "Steady", "rates": [{"window": "1h", "rate": burn}]},
            "budget": {"state": "Met", "remaining": left},
            "cost": {"rules": 9, "series": 7, "samplesPerHour": samples},
        })
    }

    #[test]
    fn what_is_not_known_comes_last_whatever_the_order() {
        let slos = [
            slo("new", &json!({})),
            slo("spent", &status("0.1", "-26%", "0.61M")),
            slo("nearly", &status("3.0", "<1%", "0.20M")),
            slo("busy", &status("12", "80%", "0.40M")),
        ];
        let names = |order| {
            let lines = ranking(&slos, order, false).lines(Paint::Bare, None);
            let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
            lines.iter().skip(1).map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Order::Burn), "busy nearly spent new");
        assert_eq!(names(Order::Budget), "spent nearly busy new");
        assert_eq!(names(Order::Cost), "spent busy nearly new");
        assert!(total_cost(&slos).starts_with("total: 27 rules, 21 series, 1.21M"), "{}", total_cost(&slos));
    }
}
