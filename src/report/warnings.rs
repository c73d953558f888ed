//! Conditions that warn: the rules are in force, but something about the spec or the traffic deserves a
//! look.

use super::Judgement;
use super::conditions::{Claim, find};
use crate::api::v1alpha1::Condition;
use crate::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use crate::domain::alerting::LeftOut;
use crate::domain::burn_rate::Pair;
use crate::domain::decimal::Decimal;
use crate::domain::reading::Reading;
use crate::domain::slo::Slo;
use crate::domain::traffic::Traffic;
use crate::vocabulary::{condition, reason};

/// Failures that a budget should allow: then one of them is a tenth of it.
const FEWEST_IN_BUDGET: f64 = 10.0;
/// Days of the longest window that a spec may have.
const LONGEST_WINDOW: f64 = 90.0;
/// Lowest objective that a spec may have, in percent.
const LOWEST_OBJECTIVE: f64 = 50.0;

pub(super) fn alerts_reachable(slo: &Slo) -> Claim {
    let lowered = slo.alerting().pairs.iter().filter_map(|pair| {
        let from = pair.lowered_from?;
        let share = from * slo.objective().budget();
        let reached = if share < Decimal::ONE {
            format!("is reached only where more than {}% of events fail", percent(share))
        } else {
            "cannot be reached".to_owned()
        };
        Some(format!(
            "burn rate {from} over {} {reached} with an objective of {}, {} is used instead",
            pair.long,
            slo.objective(),
            pair.factor
        ))
    });
    let traffic = slo.traffic().map(|traffic| format!(" {}", rate(slo, traffic))).unwrap_or_default();
    let left_out = slo.alerting().left_out.iter().map(|LeftOut { pair, instead }| {
        let Pair { long, short, .. } = pair;
        let instead = instead.map(|longer| format!("; the page looks at {longer} instead"));
        format!(
            "the pair {long}/{short} is left out: even a total outage has too few events in {long}{traffic}{}",
            instead.unwrap_or_default()
        )
    });
    let unfed = slo.alerting().unfed.iter().map(|Pair { long, short, .. }| {
        format!(
            "the pair {long}/{short} cannot fire: even a total outage has too few events in {long}{traffic}"
        )
    });
    let mut remarks: Vec<String> = Vec::new();
    for remark in lowered.chain(left_out).chain(unfed) {
        // A page and a ticket may have the same windows.
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    if remarks.is_empty() {
        return Claim::new(
            condition::ALERTS_REACHABLE,
            True,
            reason::REACHABLE,
            "every burn-rate pair can fire",
        );
    }
    Claim::new(condition::ALERTS_REACHABLE, False, reason::ALERT_UNREACHABLE, remarks.join("; "))
}

/// Says how much one failure weighs, at the traffic that the rules are made for.
pub(super) fn traffic_sufficient(slo: &Slo) -> Claim {
    let type_ = condition::TRAFFIC_SUFFICIENT;
    let Some(traffic) = slo.traffic() else {
        return Claim::new(
            type_,
            Unknown,
            reason::PENDING,
            "the traffic is known once a day of it was counted",
        );
    };
    let events = traffic.events_per_hour() * slo.window().hours();
    let allowed = events * slo.objective().budget().to_f64();
    if allowed >= FEWEST_IN_BUDGET {
        return Claim::new(type_, True, reason::SUFFICIENT, "one failure is at most a tenth of the budget");
    }
    let (reason, weight) = if allowed < 1.0 {
        let needed = slo.fewest_events().to_f64().ceil();
        let weight = format!("one failure exhausts the budget below {needed} events in {}", slo.window());
        (reason::TARGET_FINER_THAN_DATA, weight)
    } else {
        let percent = (100.0 / allowed).round();
        (reason::LOW_TRAFFIC, format!("one failure is {percent}% of the budget"))
    };
    let message = format!("{} {weight}; {}", rate(slo, traffic), remedy(slo, traffic));
    Claim::new(type_, False, reason, message)
}

/// How many events there are, for people.
fn rate(slo: &Slo, traffic: Traffic) -> String {
    let of_groups = if slo.group_by().is_empty() { "" } else { " in the busiest group" };
    format!("at about {traffic} an hour{of_groups}")
}

/// Which objective or which window would allow ten failures.
fn remedy(slo: &Slo, traffic: Traffic) -> String {
    let budget = slo.objective().budget().to_f64();
    let events = traffic.events_per_hour() * slo.window().hours();
    let percent = ((1.0 - FEWEST_IN_BUDGET / events) * 1000.0).floor() / 10.0;
    let days = (FEWEST_IN_BUDGET / (budget * traffic.events_per_hour() * 24.0)).ceil();
    let objective = (percent >= LOWEST_OBJECTIVE).then(|| format!("an objective of {percent}%"));
    let window = (days <= LONGEST_WINDOW).then(|| format!("a window of {days}d"));
    let remedies: Vec<String> = objective.into_iter().chain(window).collect();
    if remedies.is_empty() {
        return "only more events would make it 10% or less".to_owned();
    }
    format!("{} would make it 10% or less", remedies.join(" or "))
}

/// Says what looks like a mistake of the user, all of it; the first one is the reason.
pub(super) fn plausible(judgement: &Judgement<'_>, old: &[Condition]) -> Claim {
    let doubts = [duplicate(judgement), gauge(judgement.reading, old)];
    let doubts: Vec<(&'static str, String)> = doubts.into_iter().flatten().collect();
    let Some((reason, _)) = doubts.first() else {
        return Claim::new(condition::PLAUSIBLE, True, reason::PLAUSIBLE, "nothing looks like a mistake");
    };
    let messages: Vec<&str> = doubts.iter().map(|(_, message)| message.as_str()).collect();
    Claim::new(condition::PLAUSIBLE, False, *reason, messages.join("; "))
}

fn duplicate(judgement: &Judgement<'_>) -> Option<(&'static str, String)> {
    let first = judgement.duplicate_of?;
    let message = format!(
        "AgentSLO '{first}' has the same indicator for agent '{}' over the same window; delete one of them",
        judgement.slo.agent()
    );
    Some((reason::DUPLICATE_OBJECTIVE, message))
}

fn gauge(reading: &Reading, old: &[Condition]) -> Option<(&'static str, String)> {
    let survey = match reading {
        Reading::Answered(observation) => observation.survey.as_ref(),
        Reading::NoPrometheus | Reading::Pending | Reading::Failed { .. } => None,
    };
    let Some(survey) = survey else {
        // Nobody looked since, so what was seen holds.
        let before = find(old, condition::PLAUSIBLE)?;
        let was_gauge = before.reason == reason::METRIC_LOOKS_LIKE_GAUGE;
        return was_gauge.then(|| (reason::METRIC_LOOKS_LIKE_GAUGE, before.message.clone()));
    };
    let metric = survey.gauge.as_ref()?;
    let message = format!(
        "metric '{metric}' is a gauge, but its increase is counted; use a counter, or `availability` for a gauge of 0 and 1"
    );
    Some((reason::METRIC_LOOKS_LIKE_GAUGE, message))
}

/// A share as a percentage, to one decimal.
fn percent(share: Decimal) -> Decimal {
    (share * Decimal::from_integer(100)).rounded(1)
}
