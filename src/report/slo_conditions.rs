//! What each condition of an AgentSLO says.

use super::conditions::{Claim, contested, find, progress, repeat_or_pending, settled};
use super::{Acceptance, Application, Judgement, Outcome, warnings};
use crate::api::v1alpha1::ConditionStatus::{False, True, Unknown};
use crate::api::v1alpha1::{AgentSloStatus, BudgetState, BurnState, Condition};
use crate::domain::indicator::Measure;
use crate::domain::reading::{Diagnosis, Observation, Reading, RulesSeen};
use crate::domain::slo::Slo;
use crate::domain::violation::Violations;
use crate::plan::Obstacle;
use crate::vocabulary::{condition, reason};

/// All conditions, in the order in which they are written.
pub(super) fn claims(outcome: Outcome<'_>, status: &AgentSloStatus, before: &AgentSloStatus) -> Vec<Claim> {
    let old = &before.conditions;
    match outcome {
        Outcome::Suspended => suspended(old),
        Outcome::Rejected { violations, in_force } => rejected(violations, in_force, status, old),
        Outcome::Judged(judgement) => judged(judgement, status, old),
    }
}

fn suspended(old: &[Condition]) -> Vec<Claim> {
    let message = "the AgentSLO is suspended: its rules stay as they are and are not updated";
    let mut claims = vec![Claim::new(condition::READY, True, reason::SUSPENDED, message)];
    claims.extend(
        [
            condition::ACCEPTED,
            condition::RULES_APPLIED,
            condition::RULES_ACCEPTED,
            condition::DATA_AVAILABLE,
            condition::BUDGET_HEALTHY,
            condition::ALERTS_REACHABLE,
            condition::TRAFFIC_SUFFICIENT,
            condition::PLAUSIBLE,
        ]
        .map(|type_| repeat_or_pending(type_, old)),
    );
    claims.extend(settled());
    claims
}

fn rejected(
    violations: &Violations,
    in_force: Option<(&Slo, &Reading)>,
    status: &AgentSloStatus,
    old: &[Condition],
) -> Vec<Claim> {
    let reason = violations.first().map(|violation| violation.rule.name().to_owned()).unwrap_or_default();
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let message = all.join("; ");
    let applied = match find(old, condition::RULES_APPLIED) {
        Some(before) if before.status == True => {
            let message = "the rules of the last valid spec stay in force";
            Claim::new(condition::RULES_APPLIED, True, reason::NOT_ACCEPTED, message)
        }
        Some(_) | None => {
            let message = "the spec is not valid, so no rules were written";
            Claim::new(condition::RULES_APPLIED, False, reason::NOT_ACCEPTED, message)
        }
    };
    let (data, healthy) = match in_force {
        Some((slo, reading)) => (data_available(slo, reading, status, old), budget_healthy(status)),
        None => (
            repeat_or_pending(condition::DATA_AVAILABLE, old),
            repeat_or_pending(condition::BUDGET_HEALTHY, old),
        ),
    };
    vec![
        Claim::new(condition::READY, False, reason.clone(), message.clone()),
        Claim::new(condition::ACCEPTED, False, reason.clone(), message.clone()),
        applied,
        repeat_or_pending(condition::RULES_ACCEPTED, old),
        data,
        healthy,
        repeat_or_pending(condition::ALERTS_REACHABLE, old),
        repeat_or_pending(condition::TRAFFIC_SUFFICIENT, old),
        repeat_or_pending(condition::PLAUSIBLE, old),
        Claim::new(condition::RECONCILING, False, reason::OBSERVED, "this generation was looked at"),
        Claim::new(condition::STALLED, True, reason, message),
    ]
}

fn judged(judgement: Judgement<'_>, status: &AgentSloStatus, old: &[Condition]) -> Vec<Claim> {
    let accepted = Claim::new(condition::ACCEPTED, True, reason::VALID, "the spec is valid and permitted");
    let applied = rules_applied(judgement.application);
    let loaded = rules_accepted(&judgement, &applied, old);
    let ready = ready(&[&accepted, &applied, &loaded]);
    let is_applied = *judgement.application == Application::AsDesired;
    // What Prometheus makes of rules that are applied nobody here can hasten, unless it has not looked yet.
    let amiss = (!is_applied || ready.status == Unknown).then_some(&ready);
    let [reconciling, stalled] = progress(amiss);
    vec![
        ready,
        accepted,
        applied,
        loaded,
        data_available(judgement.slo, judgement.reading, status, old),
        budget_healthy(status),
        warnings::alerts_reachable(judgement.slo),
        warnings::traffic_sufficient(judgement.slo),
        warnings::plausible(&judgement, old),
        reconciling,
        stalled,
    ]
}

fn rules_applied(application: &Application) -> Claim {
    let type_ = condition::RULES_APPLIED;
    match application {
        Application::AsDesired => {
            Claim::new(type_, True, reason::APPLIED, "the PrometheusRule is as desired")
        }
        Application::Contested { by } => {
            Claim::new(type_, False, reason::CONTESTED, contested("the PrometheusRule", by))
        }
        Application::Failed { reason, message } => Claim::new(type_, False, *reason, message.clone()),
        Application::Obstructed(Obstacle::NotInstalled) => Claim::new(
            type_,
            False,
            reason::DEPENDENCY_MISSING,
            "kind PrometheusRule is not installed in this cluster; install the CRDs of prometheus-operator, the rules follow by themselves",
        ),
        Application::Obstructed(Obstacle::Foreign { controller }) => Claim::new(
            type_,
            False,
            reason::CONFLICT,
            format!(
                "the PrometheusRule of this name is not controlled by this AgentSLO but by {controller}; rename or delete one of them"
            ),
        ),
        Application::Obstructed(Obstacle::TooLarge { bytes }) => Claim::new(
            type_,
            False,
            reason::TOO_LARGE,
            format!(
                "the PrometheusRule would have {bytes} bytes, more than prometheus-operator takes; shorten matchers and annotations"
            ),
        ),
    }
}

fn rules_accepted(judgement: &Judgement<'_>, applied: &Claim, old: &[Condition]) -> Claim {
    let type_ = condition::RULES_ACCEPTED;
    if applied.status != True {
        return Claim::new(type_, Unknown, reason::PENDING, "the rules are not applied");
    }
    if let Acceptance::Refused { message } = judgement.acceptance {
        return Claim::new(
            type_,
            False,
            reason::REJECTED,
            format!("prometheus-operator refused the rules: {message}"),
        );
    }
    let bound = match judgement.acceptance {
        Acceptance::Bound { by } => {
            Some(Claim::new(type_, True, reason::BOUND, format!("Prometheus '{by}' took the rules")))
        }
        Acceptance::NotReported | Acceptance::Refused { .. } => None,
    };
    match judgement.reading {
        Reading::Answered(observation) => evaluated(judgement.slo, observation, bound, old),
        Reading::NoPrometheus => bound.unwrap_or_else(|| {
            let message =
                "no AgentPlatform names a Prometheus, so nobody can tell whether the rules are evaluated";
            Claim::new(type_, Unknown, reason::PROMETHEUS_UNKNOWN, message)
        }),
        Reading::Pending => bound.unwrap_or_else(|| repeat_or_pending(type_, old)),
        Reading::Failed { reason, message } => bound
            .or_else(|| find(old, type_).map(|before| Claim::repeated(type_, before)))
            .unwrap_or_else(|| Claim::new(type_, Unknown, *reason, message.clone())),
    }
}

fn evaluated(slo: &Slo, observation: &Observation, bound: Option<Claim>, old: &[Condition]) -> Claim {
    let type_ = condition::RULES_ACCEPTED;
    match &observation.rules {
        RulesSeen::Failing { rule, error } => Claim::new(
            type_,
            False,
            reason::RULE_FAILED,
            format!("rule '{rule}' fails in Prometheus: {error}"),
        ),
        RulesSeen::NotAsked | RulesSeen::Missing | RulesSeen::Healthy if observation.is_evaluated(slo) => {
            bound.unwrap_or_else(|| {
                Claim::new(type_, True, reason::EVALUATED, "Prometheus evaluates the rules")
            })
        }
        RulesSeen::NotAsked | RulesSeen::Missing | RulesSeen::Healthy if bound.is_some() => {
            bound.expect("the guard should have seen it")
        }
        RulesSeen::Missing => Claim::new(
            type_,
            False,
            reason::NO_PROMETHEUS_SELECTS,
            "Prometheus has not loaded the rules; its `ruleSelector` must match the labels of the PrometheusRule, which `ruleLabels` of the AgentPlatform sets",
        ),
        RulesSeen::NotAsked => still(not_evaluated(type_), old),
        RulesSeen::Healthy => not_evaluated(type_),
    }
}

/// The first condition that does not hold; a Prometheus that nobody named does not count.
fn ready(claims: &[&Claim]) -> Claim {
    let type_ = condition::READY;
    let first = claims.iter().find(|claim| claim.status == False).or_else(|| {
        claims.iter().find(|claim| claim.status == Unknown && claim.reason != reason::PROMETHEUS_UNKNOWN)
    });
    first.map_or_else(
        || Claim::new(type_, True, reason::READY, "the rules are in force"),
        |claim| Claim::new(type_, claim.status, claim.reason.clone(), claim.message.clone()),
    )
}

fn data_available(slo: &Slo, reading: &Reading, status: &AgentSloStatus, old: &[Condition]) -> Claim {
    let type_ = condition::DATA_AVAILABLE;
    match reading {
        Reading::NoPrometheus => Claim::new(
            type_,
            Unknown,
            reason::PROMETHEUS_UNKNOWN,
            "no AgentPlatform names a Prometheus, so the budget is not known",
        ),
        // An operator that has just started knows nothing new, so what was said holds.
        Reading::Pending => repeat_or_pending(type_, old),
        Reading::Failed { reason, message } => Claim::new(type_, Unknown, *reason, message.clone()),
        Reading::Answered(observation) => observed(slo, observation, status, old),
    }
}

fn observed(slo: &Slo, observation: &Observation, status: &AgentSloStatus, old: &[Condition]) -> Claim {
    let type_ = condition::DATA_AVAILABLE;
    if let Some(claim) = observation.diagnosis.as_ref().and_then(diagnosed) {
        return claim;
    }
    if status.budget.as_ref().is_some_and(|budget| budget.state == BudgetState::Stale) {
        return stale(slo, observation);
    }
    if observation.groups.is_empty() {
        if !observation.is_evaluated(slo) {
            return not_evaluated(type_);
        }
        let message = format!("no series match the indicator of agent '{}'", slo.agent());
        let unexplained = Claim::new(type_, False, reason::NO_SERIES, message);
        return if observation.diagnosis.is_none() { still(unexplained, old) } else { unexplained };
    }
    if observation.groups.iter().any(|group| group.bad.is_none()) {
        let message = "valid events are counted, bad ones are not; see the rules in Prometheus";
        return Claim::new(type_, Unknown, reason::NOT_EVALUATED, message);
    }
    // Births and resets may put the two counts apart by an event.
    if observation.groups.iter().any(|group| group.bad.is_some_and(|bad| bad > group.total + 1.0)) {
        let message = "there are more bad events than valid ones; the two selectors do not belong together";
        return Claim::new(type_, False, reason::RATIO_ABOVE_ONE, message);
    }
    if let Some(claim) =
        several_series(slo, observation).or_else(|| retention_too_short(slo, observation, old))
    {
        return claim;
    }
    if observation.groups.iter().all(|group| group.total < 0.5) {
        return Claim::new(
            type_,
            True,
            reason::IDLE,
            "series are there, but no event happened in the window",
        );
    }
    Claim::new(type_, True, reason::DATA, "series are there and fresh")
}

fn stale(slo: &Slo, observation: &Observation) -> Claim {
    let message = if observation.is_gone(slo) {
        let after = slo.alerting().no_data_after;
        format!("there has been no telemetry for {after}; the budget is that of the counts before")
    } else {
        "the newest count is older than three evaluations; the budget is that of the last count".to_owned()
    };
    Claim::new(condition::DATA_AVAILABLE, False, reason::SAMPLES_TOO_OLD, message)
}

/// A user's own query may yield more series than the spec groups by.
fn several_series(slo: &Slo, observation: &Observation) -> Option<Claim> {
    let newest = observation.groups.iter().map(|group| group.counted_at).fold(0.0, f64::max);
    // Right after an edit of `groupBy` the counts of before are still seen.
    let of_newest = observation.groups.iter().filter(|group| newest - group.counted_at < 1.0);
    let unasked = of_newest.filter(|group| group.labels.keys().any(|label| !slo.group_by().contains(label)));
    let number = unasked.count();
    let is_raw = matches!(slo.indicator().measure, Measure::Raw { .. });
    (is_raw && number > 1).then(|| {
        let message = match slo.group_by() {
            [] => format!("expected one series, got {number}; aggregate with sum()"),
            labels => {
                let labels = labels.join(", ");
                format!("expected labels {labels} only, got {number} series with others; aggregate with sum by ({labels})")
            }
        };
        Claim::new(condition::DATA_AVAILABLE, False, reason::INVALID_QUERY, message)
    })
}

fn retention_too_short(slo: &Slo, observation: &Observation, old: &[Condition]) -> Option<Claim> {
    let Some(survey) = &observation.survey else {
        // Nobody looked since, so what was seen holds.
        let before = find(old, condition::DATA_AVAILABLE)?;
        let was_short = before.reason == reason::RETENTION_TOO_SHORT;
        return was_short.then(|| Claim::repeated(condition::DATA_AVAILABLE, before));
    };
    let kept = survey.retention.filter(|kept| *kept < slo.window())?;
    let message = format!(
        "the window is {}, but Prometheus keeps samples for {kept} only, so older events are forgotten; lengthen its retention or shorten `window`",
        slo.window()
    );
    Some(Claim::new(condition::DATA_AVAILABLE, False, reason::RETENTION_TOO_SHORT, message))
}

fn not_evaluated(type_: &'static str) -> Claim {
    Claim::new(type_, Unknown, reason::NOT_EVALUATED, "Prometheus has not evaluated the rules yet")
}

/// What an earlier look found, for as long as nobody has looked again; an operator that has just started
/// looks into a few at a time.
fn still(claim: Claim, old: &[Condition]) -> Claim {
    match find(old, claim.type_) {
        Some(before) if before.status == False => Claim::repeated(claim.type_, before),
        Some(_) | None => claim,
    }
}

/// What a look found, if that is what is wrong.
fn diagnosed(diagnosis: &Diagnosis) -> Option<Claim> {
    let type_ = condition::DATA_AVAILABLE;
    let claim = match diagnosis {
        Diagnosis::NoSeries { selector } => Claim::new(
            type_,
            False,
            reason::NO_SERIES,
            format!("selector {selector} matches no series in the last hour"),
        ),
        Diagnosis::NoSuchBucket { bound, nearest } => Claim::new(
            type_,
            False,
            reason::NO_SUCH_BUCKET,
            format!("the histogram has no bucket with le='{bound}'; nearest '{}'", nearest.join("' and '")),
        ),
        Diagnosis::Unexplained => return None,
    };
    Some(claim)
}

fn budget_healthy(status: &AgentSloStatus) -> Claim {
    let type_ = condition::BUDGET_HEALTHY;
    let state = status.budget.as_ref().map_or(BudgetState::NoData, |budget| budget.state);
    let burning = status.burn.as_ref().is_some_and(|burn| burn.state == BurnState::FastBurn);
    match state {
        BudgetState::Exhausted => Claim::new(type_, False, reason::EXHAUSTED, "the budget is spent"),
        BudgetState::Met | BudgetState::AtRisk | BudgetState::Insufficient | BudgetState::Idle if burning => {
            Claim::new(type_, False, reason::BURNING_FAST, "the page alert fires")
        }
        BudgetState::Met | BudgetState::AtRisk => {
            Claim::new(type_, True, reason::WITHIN_BUDGET, "budget is left")
        }
        BudgetState::Insufficient => Claim::new(
            type_,
            Unknown,
            reason::INSUFFICIENT,
            "too few events for a verdict: a single failure would spend the whole budget",
        ),
        BudgetState::Idle => Claim::new(type_, Unknown, reason::IDLE, "no event happened in the window"),
        BudgetState::NoData => Claim::new(type_, Unknown, reason::NO_SERIES, "there are no counts"),
        BudgetState::Stale => {
            Claim::new(type_, Unknown, reason::SAMPLES_TOO_OLD, "the newest count is too old")
        }
    }
}
