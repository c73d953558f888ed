//! Which differences are worth a write. Budgets move with every event; a status that followed each of
//! them would be noise in etcd and in every watch.

use crate::api::v1alpha1::{AgentSloStatus, Burn, Events, TrafficReading};

/// Whether somebody who read the old status would want to know the new one.
pub(super) fn differs(old: &AgentSloStatus, new: &AgentSloStatus) -> bool {
    rounded(old) != rounded(new)
        || events_differ(old.events.as_ref(), new.events.as_ref())
        || traffic_differs(old.traffic.as_ref(), new.traffic.as_ref())
        || burn_differs(old.burn.as_ref(), new.burn.as_ref())
}

/// The status without the numbers that move with every event.
fn rounded(status: &AgentSloStatus) -> AgentSloStatus {
    let mut rounded = status.clone();
    rounded.events = None;
    if let Some(traffic) = &mut rounded.traffic {
        traffic.per_hour = None;
    }
    rounded.confidence = None;
    rounded.sli = None;
    if let Some(budget) = &mut rounded.budget {
        budget.remaining_events = None;
    }
    if let Some(burn) = &mut rounded.burn {
        burn.rates.clear();
    }
    for alert in &mut rounded.alerts {
        alert.detection = None;
        alert.reset = None;
        alert.false_pages_per_month = None;
    }
    for group in &mut rounded.groups {
        group.sli = None;
    }
    rounded
}

/// A first count, a twentieth more or fewer events, or bad events where there were few.
fn events_differ(old: Option<&Events>, new: Option<&Events>) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return old.is_some() != new.is_some() };
    old.since != new.since
        || old.coverage != new.coverage
        || moved(&old.total, &new.total, 0.05, 1.0)
        || moved(&old.bad, &new.bad, 0.01, 0.5)
}

fn traffic_differs(old: Option<&TrafficReading>, new: Option<&TrafficReading>) -> bool {
    let per_hour = |traffic: Option<&TrafficReading>| traffic?.per_hour.clone();
    match (per_hour(old), per_hour(new)) {
        (Some(old), Some(new)) => moved(&old, &new, 0.25, 0.0),
        (old, new) => old != new,
    }
}

fn burn_differs(old: Option<&Burn>, new: Option<&Burn>) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return old.is_some() != new.is_some() };
    old.rates.len() != new.rates.len()
        || old
            .rates
            .iter()
            .zip(&new.rates)
            .any(|(old, new)| old.window != new.window || moved(&old.rate, &new.rate, 0.5, 0.5))
}

/// Whether a number moved by more than a share of itself and by more than an amount.
fn moved(old: &str, new: &str, share: f64, amount: f64) -> bool {
    let (Ok(old), Ok(new)) = (old.parse::<f64>(), new.parse::<f64>()) else { return old != new };
    (new - old).abs() > amount.max(share * old.abs())
}
