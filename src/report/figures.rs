//! The numbers of a status, formatted and rounded.

use std::collections::BTreeMap;

use statrs::distribution::{Beta, ContinuousCDF};

use crate::api::v1alpha1::{
    AgentSloStatus, AlertStatus, Budget, BudgetState, Burn, BurnRateReading, BurnState, Confidence, Events,
    GroupStatus, PairSeverity, RuleCost, TrafficReading,
};
use crate::domain::burn_rate::{Pair, Urgency};
use crate::domain::reading::{Firing, GroupCounts, Observation, Reading};
use crate::domain::slo::Slo;
use crate::domain::traffic::Traffic;
use crate::domain::window::Window;
use crate::render::rules::cost;
use crate::simulate;

/// Share of the budget at and below which it is at risk.
const AT_RISK: f64 = 0.25;
/// Most groups in a status.
const MOST_GROUPS: usize = 10;

/// The old status with the figures of a reading. What Prometheus did not say stays as it was.
pub(super) fn update(before: &AgentSloStatus, slo: &Slo, reading: &Reading) -> AgentSloStatus {
    let mut status = before.clone();
    status.objective = Some(slo.objective().to_string());
    status.window = Some(slo.window().to_string());
    status.indicator = Some(slo.indicator().kind.to_owned());
    status.cost = Some(rule_cost(slo));
    if let Reading::Answered(observation) = reading {
        fill(&mut status, slo, observation);
    }
    status.traffic = traffic(slo, before, reading);
    let firing = status.firing.clone();
    status.alerts = alerts(slo, firing.as_deref());
    status
}

fn fill(status: &mut AgentSloStatus, slo: &Slo, observation: &Observation) {
    let mut groups: Vec<(&GroupCounts, Verdict)> = observation
        .groups
        .iter()
        .map(|group| (group, judge(slo, group, observation.is_stale(slo))))
        .collect();
    groups.sort_by(|(_, one), (_, other)| one.remaining_or_full().total_cmp(&other.remaining_or_full()));
    let firing = observation.firing(slo);
    status.firing = firing.first().map(|firing| format!("{firing:?}"));
    if groups.is_empty() && !observation.is_evaluated(slo) && is_known(status, slo) {
        // The rules were evaluated once; what they said last is better than nothing.
        if let Some(budget) = &mut status.budget {
            budget.state = BudgetState::Stale;
        }
        return;
    }
    let worst = groups.first();
    // Before the first evaluation nobody can say anything, not even that there is no data.
    status.budget = (worst.is_some() || observation.is_evaluated(slo))
        .then(|| worst.map_or_else(Budget::default, |(group, verdict)| budget(slo, group, verdict)));
    status.sli = worst.and_then(|(group, _)| sli(group));
    status.confidence = worst.and_then(|(group, _)| confidence(group));
    status.events = worst.is_some().then(|| events(slo, observation, status.events.as_ref()));
    status.burn = Some(Burn {
        state: burn_state(&firing),
        rates: worst.map(|(group, _)| burn_rates(group)).unwrap_or_default(),
    });
    status.groups = if slo.group_by().is_empty() { Vec::new() } else { group_statuses(&groups) };
}

/// Whether the figures of a status are those of this window.
fn is_known(status: &AgentSloStatus, slo: &Slo) -> bool {
    status.events.as_ref().is_some_and(|events| events.since == slo.window().to_string())
}

/// State of the budget of one group.
struct Verdict {
    state: BudgetState,
    remaining: Option<f64>,
}

impl Verdict {
    fn remaining_or_full(&self) -> f64 {
        self.remaining.unwrap_or(1.0)
    }
}

fn judge(slo: &Slo, group: &GroupCounts, is_stale: bool) -> Verdict {
    let Some(bad) = group.bad else { return Verdict { state: BudgetState::NoData, remaining: None } };
    if group.total < 0.5 {
        let state = if is_stale { BudgetState::Stale } else { BudgetState::Idle };
        return Verdict { state, remaining: None };
    }
    let remaining = 1.0 - bad / (slo.objective().budget().to_f64() * group.total);
    let state = match remaining {
        _ if is_stale => BudgetState::Stale,
        _ if group.total < slo.fewest_events().to_f64() => BudgetState::Insufficient,
        remaining if remaining <= 0.0 => BudgetState::Exhausted,
        remaining if remaining <= AT_RISK => BudgetState::AtRisk,
        _ => BudgetState::Met,
    };
    let remaining = (state != BudgetState::Insufficient).then_some(remaining);
    Verdict { state, remaining }
}

fn budget(slo: &Slo, group: &GroupCounts, verdict: &Verdict) -> Budget {
    let allowed = slo.objective().budget().to_f64() * group.total;
    let left = verdict.remaining.and(group.bad).map(|bad| (allowed - bad).floor());
    Budget {
        state: verdict.state,
        remaining: verdict.remaining.map(remaining_text),
        remaining_events: left.map(|left| format!("{left:.0}")),
    }
}

/// Whole percent, rounded down; a budget that is not spent never reads as zero.
fn remaining_text(remaining: f64) -> String {
    let percent = (remaining * 100.0 + 1e-9).floor();
    if percent == 0.0 && remaining > 0.0 { "<1%".to_owned() } else { format!("{:.0}%", percent + 0.0) }
}

/// Two decimals, rounded down, so that 100 % means that nothing was bad.
fn sli(group: &GroupCounts) -> Option<String> {
    let bad = group.bad?;
    (group.total >= 0.5).then(|| share_text(((1.0 - bad / group.total) * 10_000.0 + 1e-6).floor() / 10_000.0))
}

fn share_text(share: f64) -> String {
    let text = format!("{:.2}", (share * 100.0).clamp(0.0, 100.0));
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Jeffreys interval: the posterior of the share under the prior Beta(1/2, 1/2).
fn confidence(group: &GroupCounts) -> Option<Confidence> {
    let bad = group.bad.filter(|_| group.total >= 0.5)?.clamp(0.0, group.total);
    let posterior = Beta::new(group.total - bad + 0.5, bad + 0.5).ok()?;
    let low = if group.total - bad < 0.5 { 0.0 } else { posterior.inverse_cdf(0.025) };
    let high = if bad < 0.5 { 1.0 } else { posterior.inverse_cdf(0.975) };
    Some(Confidence { low: share_text(low), high: share_text(high) })
}

fn events(slo: &Slo, observation: &Observation, before: Option<&Events>) -> Events {
    let total: f64 = observation.groups.iter().map(|group| group.total).sum();
    let bad: f64 = observation.groups.iter().filter_map(|group| group.bad).sum();
    let since = slo.window().to_string();
    let known = || before.filter(|before| before.since == since)?.coverage.clone();
    Events {
        total: format!("{:.0}", total.round()),
        bad: format!("{:.0}", bad.round()),
        coverage: observation.survey.as_ref().map(|survey| coverage_text(survey.coverage)).or_else(known),
        since,
    }
}

/// Whole percent, rounded down, so that 100 % means that nothing is missing.
fn coverage_text(coverage: f64) -> String {
    let percent = (coverage * 100.0 + 1e-9).floor();
    if percent < 1.0 && coverage > 0.0 { "<1%".to_owned() } else { format!("{percent:.0}%") }
}

fn burn_state(firing: &[Firing]) -> BurnState {
    if firing.contains(&Firing::Page) {
        BurnState::FastBurn
    } else if firing.contains(&Firing::Ticket) {
        BurnState::SlowBurn
    } else {
        BurnState::Steady
    }
}

fn burn_rates(group: &GroupCounts) -> Vec<BurnRateReading> {
    let mut rates: Vec<_> =
        group.burn_rates.iter().filter_map(|(window, rate)| Some((Window::parse(window)?, rate))).collect();
    rates.sort_by_key(|(window, _)| *window);
    rates
        .into_iter()
        .map(|(window, rate)| BurnRateReading { window: window.to_string(), rate: rate_text(*rate) })
        .collect()
}

/// Two significant digits are all that a burn rate is worth.
fn rate_text(rate: f64) -> String {
    let rate = rate.max(0.0);
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

fn group_statuses(groups: &[(&GroupCounts, Verdict)]) -> Vec<GroupStatus> {
    groups
        .iter()
        .take(MOST_GROUPS)
        .map(|(group, verdict)| GroupStatus {
            group: group_text(&group.labels),
            sli: sli(group),
            state: verdict.state,
            remaining: verdict.remaining.map(remaining_text),
        })
        .collect()
}

fn group_text(labels: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join(",").chars().filter(|character| !character.is_control()).take(512).collect()
}

fn alerts(slo: &Slo, firing: Option<&str>) -> Vec<AlertStatus> {
    let events_per_hour = slo.traffic().map(Traffic::events_per_hour);
    slo.alerting().pairs.iter().map(|pair| alert(slo, pair, firing, events_per_hour)).collect()
}

fn alert(slo: &Slo, pair: &Pair, firing: Option<&str>, events_per_hour: Option<f64>) -> AlertStatus {
    let severity = match pair.urgency {
        Urgency::Page => PairSeverity::Page,
        Urgency::Ticket => PairSeverity::Ticket,
    };
    let minutes = |minutes: u32| Window::from_minutes(minutes).to_string();
    AlertStatus {
        severity,
        long_window: pair.long.to_string(),
        short_window: pair.short.to_string(),
        burn_rate: pair.factor.to_string(),
        detection: events_per_hour.and_then(|rate| simulate::detection(slo, pair, rate)).map(minutes),
        reset: events_per_hour.and_then(|rate| simulate::reset(slo, pair, rate)).map(minutes),
        false_pages_per_month: events_per_hour
            .map(|rate| format!("{:.1}", simulate::false_pages_per_month(slo, pair, rate))),
        firing: firing == Some(format!("{severity:?}").as_str()),
    }
}

/// What was measured, and what the rules are made for.
fn traffic(slo: &Slo, before: &AgentSloStatus, reading: &Reading) -> Option<TrafficReading> {
    let measured = match reading {
        Reading::Answered(observation) => {
            observation.survey.as_ref().and_then(|survey| survey.events_per_hour).map(significant)
        }
        Reading::NoPrometheus | Reading::Pending | Reading::Failed { .. } => None,
    };
    let known = || before.traffic.as_ref()?.per_hour.clone();
    let used = slo.traffic()?.to_string();
    Some(TrafficReading { per_hour: measured.or_else(known), used })
}

/// Two significant digits.
fn significant(rate: f64) -> String {
    if rate <= 0.0 {
        return "0".to_owned();
    }
    let unit = 10_f64.powf(rate.log10().floor() - 1.0);
    let rounded = (rate / unit).round() * unit;
    let text = if unit < 1.0 { format!("{rounded:.*}", decimals(unit)) } else { format!("{rounded:.0}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Decimals of a power of ten below one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn decimals(unit: f64) -> usize {
    (-unit.log10().round()).clamp(0.0, 6.0) as usize
}

fn rule_cost(slo: &Slo) -> RuleCost {
    let cost = cost(slo);
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    #[allow(clippy::cast_precision_loss)]
    let millions = cost.samples_per_hour as f64 / 1e6;
    RuleCost {
        rules: count(cost.rules),
        series: count(cost.series),
        samples_per_hour: format!("{millions:.2}M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_has_two_significant_digits() {
        let cases = [
            (0.0, "0"),
            (0.0123, "0.012"),
            (0.5, "0.5"),
            (1.04, "1"),
            (1.05, "1.1"),
            (12.4, "12"),
            (1234.0, "1200"),
        ];
        for (rate, text) in cases {
            assert_eq!(significant(rate), text);
        }
    }

    #[test]
    fn a_window_with_a_gap_is_never_covered_in_full() {
        for (coverage, text) in
            [(1.0, "100%"), (719.0 / 720.0, "99%"), (0.1, "10%"), (0.001, "<1%"), (0.0, "0%")]
        {
            assert_eq!(coverage_text(coverage), text);
        }
    }
}
