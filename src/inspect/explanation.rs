//! Why a budget stands where it stands: what was counted, what the alerts see, which condition blocks, and
//! what to do about it.

use super::overview::tone;
use super::page::{Body, Page};
use super::table::{Cell, Table, Tone};
use crate::api::v1alpha1::{AgentSlo, AgentSloStatus, BudgetState, Condition, ConditionStatus};
use crate::domain::burn_rate::{Pair, Urgency};
use crate::domain::estimator::LongTest;
use crate::domain::names::{SloKey, child_name};
use crate::domain::reading::Recent;
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::vocabulary::{condition, reason};

/// What is known of the AgentSLO that is explained.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was written and reported.
    pub slo: &'a AgentSlo,
    /// What it means under the policy of the cluster; none where it is not valid.
    pub valid: Option<&'a Slo>,
    /// What the alerts see now, or why nobody can tell.
    pub recent: Result<&'a Recent, &'a str>,
}

/// The explanation.
#[must_use]
pub fn explanation(subject: Subject<'_>) -> Page {
    let empty = AgentSloStatus::default();
    let status = subject.slo.status.as_ref().unwrap_or(&empty);
    let mut page = Page::default();
    page.add(None, heading(subject.slo, status));
    page.add(Some("WHY THIS NUMBER"), number(subject.slo, status));
    page.add(Some("ALERTS"), alerts(subject, status));
    page.add(Some("CONDITIONS"), conditions(subject.slo, status));
    page.add(Some("WHAT TO DO"), advice(subject.slo, status));
    page.add(Some("NEXT"), vec![Body::Command(next(subject.slo, status))]);
    page
}

fn sentence(text: String) -> Body {
    Body::Sentence(text, Tone::Plain)
}

fn heading(slo: &AgentSlo, status: &AgentSloStatus) -> Vec<Body> {
    let window = status.window.as_deref().or(slo.spec.window.as_deref()).unwrap_or("the default window");
    let indicator =
        status.indicator.as_deref().map(|name| format!(" (indicator {name})")).unwrap_or_default();
    let promise = format!(
        "AgentSLO {}: {}% of the events of agent '{}' must be good over {window}{indicator}.",
        SloKey::of(slo),
        slo.spec.objective,
        slo.spec.agent
    );
    let mut lines = vec![sentence(promise)];
    lines.extend(slo.spec.description.clone().map(sentence));
    lines.push(verdict(status));
    lines
}

fn verdict(status: &AgentSloStatus) -> Body {
    let Some(budget) = &status.budget else {
        return Body::Sentence("Nothing is known of its budget yet.".to_owned(), Tone::Faint);
    };
    let mut text = format!("{:?}: {}", budget.state, meaning(budget.state));
    if let Some(remaining) = &budget.remaining {
        let left = budget.remaining_events.as_deref().unwrap_or("0");
        let more = match left.strip_prefix('-') {
            Some(over) => format!("{over} more went wrong than it allows"),
            None => format!("{left} more may go wrong"),
        };
        text = format!("{text}; {remaining} is left, {more}");
    }
    Body::Sentence(format!("{text}."), tone(budget.state))
}

fn meaning(state: BudgetState) -> &'static str {
    match state {
        BudgetState::Met => "more than a quarter of the budget is left",
        BudgetState::AtRisk => "at most a quarter of the budget is left",
        BudgetState::Exhausted => "the budget is spent",
        BudgetState::NoData => "no series match, so nobody can tell; that is not the same as good",
        BudgetState::Idle => "series are there, but nothing happened in the window",
        BudgetState::Insufficient => {
            "there are too few events for a verdict: one failure would be more than the budget"
        }
        BudgetState::Stale => "the telemetry is gone; the figures are those of before",
    }
}

fn number(slo: &AgentSlo, status: &AgentSloStatus) -> Vec<Body> {
    let Some(events) = &status.events else { return Vec::new() };
    let mut lines = vec![sentence(format!(
        "{} events were counted in the last {}, {} of them bad{}.",
        events.total,
        events.since,
        events.bad,
        status.sli.as_ref().map(|sli| format!(": {sli} were good")).unwrap_or_default()
    ))];
    lines.extend(allowance(slo, &events.total).map(sentence));
    if let Some(confidence) = &status.confidence {
        let (low, high) = (&confidence.low, &confidence.high);
        lines
            .push(sentence(format!("With a probability of 95% the true share is between {low} and {high}.")));
    }
    match events.coverage.as_deref() {
        Some("100%") => {}
        Some(coverage) => lines.push(Body::Sentence(
            format!(
                "Prometheus has counts for {coverage} of the window; what it did not see is not counted."
            ),
            Tone::Warning,
        )),
        None => lines.push(Body::Sentence(
            "How much of the window was counted is not known yet.".to_owned(),
            Tone::Faint,
        )),
    }
    lines.extend(burn(status).map(sentence));
    let group = |group: &crate::api::v1alpha1::GroupStatus| {
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        sentence(format!(
            "{}: {:?}, {} good, {} left.",
            group.group,
            group.state,
            of(&group.sli),
            of(&group.remaining)
        ))
    };
    lines.extend(status.groups.iter().map(group));
    lines
}

/// What the objective lets go wrong.
fn allowance(slo: &AgentSlo, total: &str) -> Option<String> {
    let total: f64 = total.parse().ok()?;
    let objective = crate::domain::objective::Objective::parse(&slo.spec.objective).ok()?;
    let budget = objective.budget().to_f64();
    Some(format!(
        "The objective of {}% lets {}% of them go wrong, which is {:.1}.",
        slo.spec.objective,
        crate::domain::decimal::Decimal::from_integer(100) - objective.percent(),
        budget * total
    ))
}

fn burn(status: &AgentSloStatus) -> Option<String> {
    let rates = &status.burn.as_ref()?.rates;
    let texts: Vec<String> = rates.iter().map(|rate| format!("{}x in {}", rate.rate, rate.window)).collect();
    (!texts.is_empty())
        .then(|| format!("It burns at {}; 1x spends exactly the budget over the window.", texts.join(", ")))
}

fn alerts(subject: Subject<'_>, status: &AgentSloStatus) -> Vec<Body> {
    let Some(slo) = subject.valid else {
        return vec![sentence(
            "The spec is not valid; the alerts of the last valid one stay in force.".to_owned(),
        )];
    };
    let alerting = slo.alerting();
    if alerting.pairs.is_empty() {
        return vec![Body::Sentence("No pair of windows can fire.".to_owned(), Tone::Warning)];
    }
    let mut table =
        Table::new(vec!["ALERT", "BURN", "LONG", "NOW", "FIRES", "SHORT", "NOW", "FIRES", "STATE"]);
    for pair in &alerting.pairs {
        table.push(alert(slo, pair, subject.recent.ok(), status.firing.as_deref()));
    }
    let mut lines = vec![Body::Table(table)];
    match subject.recent {
        Ok(_) => lines.push(Body::Sentence(
            "NOW is bad of valid events in the window, FIRES from which bad ones on; both windows must."
                .to_owned(),
            Tone::Faint,
        )),
        Err(why) => {
            lines.push(Body::Sentence(format!("What they see now is not known: {why}."), Tone::Faint));
        }
    }
    for left_out in &alerting.left_out {
        let text =
            format!("The pair of {} is left out: not even a total outage would fire it.", left_out.pair.long);
        lines.push(Body::Sentence(text, Tone::Faint));
    }
    lines
}

fn alert(slo: &Slo, pair: &Pair, recent: Option<&Recent>, firing: Option<&str>) -> Vec<Cell> {
    let name = match pair.urgency {
        Urgency::Page => "Page",
        Urgency::Ticket => "Ticket",
    };
    let alerting = slo.alerting();
    let test = LongTest::of(pair, slo.objective(), alerting.estimator, alerting.min_failures);
    let long = seen(recent, pair.long, |total| test.line(total).max(test.at_least.to_f64()));
    let short = seen(recent, pair.short, |total| pair.threshold(slo.objective()).to_f64() * total);
    let is_burning = |seen: &Option<Seen>| seen.as_ref().is_some_and(|seen| seen.bad > seen.above);
    let state = if firing == Some(name) {
        Cell::new("firing", if pair.urgency == Urgency::Page { Tone::Bad } else { Tone::Warning })
    } else if long.is_none() || short.is_none() {
        Cell::new("unknown", Tone::Faint)
    } else if is_burning(&long) && is_burning(&short) {
        Cell::new("about to fire", Tone::Warning)
    } else if is_burning(&long) {
        Cell::new("subsiding", Tone::Plain)
    } else {
        Cell::new("quiet", Tone::Good)
    };
    let plain = |text: String| Cell::new(&text, Tone::Plain);
    let mut row = vec![plain(name.to_owned()), plain(format!("{}x", pair.factor))];
    for (window, seen) in [(pair.long, long), (pair.short, short)] {
        row.push(plain(window.to_string()));
        row.push(Cell::of(seen.as_ref().map(|seen| format!("{:.0}/{:.0}", seen.bad, seen.total)).as_deref()));
        row.push(Cell::of(seen.as_ref().map(|seen| format!(">{:.1}", seen.above)).as_deref()));
    }
    row.push(state);
    row
}

/// Events in a window, and the number of bad ones above which it burns.
struct Seen {
    bad: f64,
    total: f64,
    above: f64,
}

/// Of several groups, the one that is nearest to an alert, or farthest beyond.
fn seen(recent: Option<&Recent>, window: Window, above: impl Fn(f64) -> f64) -> Option<Seen> {
    let counts = recent?.get(&window)?.values();
    let seen = counts.map(|(bad, total)| Seen { bad: *bad, total: *total, above: above(*total) });
    seen.max_by(|one, other| (one.bad - one.above).total_cmp(&(other.bad - other.above)))
}

/// Conditions that do not hold.
fn blocking(status: &AgentSloStatus) -> Vec<&Condition> {
    let is_abnormal = |type_: &str| [condition::RECONCILING, condition::STALLED].contains(&type_);
    // `Ready` repeats the first of the others.
    let others = status.conditions.iter().filter(|held| held.type_ != condition::READY);
    others.filter(|held| !is_abnormal(&held.type_) && held.status != ConditionStatus::True).collect()
}

fn conditions(slo: &AgentSlo, status: &AgentSloStatus) -> Vec<Body> {
    if status.conditions.is_empty() {
        return vec![Body::Sentence("The operator has not looked at it yet.".to_owned(), Tone::Warning)];
    }
    let line = |held: &Condition| {
        let tone = if held.status == ConditionStatus::False { Tone::Bad } else { Tone::Warning };
        Body::Sentence(
            format!("{} is {:?}, {}: {}.", held.type_, held.status, held.reason, held.message),
            tone,
        )
    };
    let mut lines: Vec<Body> = blocking(status).into_iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Body::Sentence("Every condition holds.".to_owned(), Tone::Good));
    }
    if is_behind(slo, status) {
        let text =
            "The operator has not looked at the newest edit yet; what is said above is about the one before.";
        lines.push(Body::Sentence(text.to_owned(), Tone::Warning));
    }
    lines
}

fn is_behind(slo: &AgentSlo, status: &AgentSloStatus) -> bool {
    slo.metadata.generation.is_some() && status.observed_generation < slo.metadata.generation
}

/// One sentence for what is most urgent.
fn advice(slo: &AgentSlo, status: &AgentSloStatus) -> Vec<Body> {
    let runbook = slo.spec.alerting.as_ref().and_then(|alerting| alerting.runbook_url.clone());
    let first = blocking(status).into_iter().find(|held| held.type_ != condition::BUDGET_HEALTHY);
    let mut lines = Vec::new();
    if status.firing.as_deref() == Some("Page") {
        let runbook = runbook.map(|url| format!(" The runbook: {url}.")).unwrap_or_default();
        lines.push(sentence(format!(
            "The agent fails now: look at its newest failures and at what was changed.{runbook}"
        )));
    }
    lines.extend(first.and_then(|held| remedy(&held.reason)).map(|text| sentence(text.to_owned())));
    lines.extend(
        status.budget.as_ref().and_then(|budget| outlook(budget.state)).map(|text| sentence(text.to_owned())),
    );
    if status.conditions.is_empty() || is_behind(slo, status) {
        lines.push(sentence("See whether the operator runs.".to_owned()));
    }
    if lines.is_empty() {
        lines.push(sentence("Nothing.".to_owned()));
    }
    lines
}

/// What to do about a condition that does not hold; its own message says what is wrong.
fn remedy(reason: &str) -> Option<&'static str> {
    match reason {
        reason::NO_SERIES => {
            Some("Compare agent, profile and matchers of the spec with the series that Prometheus has.")
        }
        reason::NO_SUCH_BUCKET => Some("Take one of the bounds that the histogram has as the threshold."),
        reason::NO_PROMETHEUS_SELECTS => {
            Some("Set `ruleLabels` of the AgentPlatform to what Prometheus' `ruleSelector` asks for.")
        }
        reason::DEPENDENCY_MISSING => Some("Install what is missing; the rules follow by themselves."),
        reason::FORBIDDEN => Some("Grant the operator what it lacks; doctor prints the rule."),
        reason::PROMETHEUS_UNKNOWN => {
            Some("Name Prometheus in `spec.prometheus.address` of an AgentPlatform.")
        }
        reason::LOW_TRAFFIC | reason::TARGET_FINER_THAN_DATA => Some(
            "Promise less or over a longer window: at this traffic a single failure is much of the budget.",
        ),
        reason::RETENTION_TOO_SHORT => {
            Some("Let Prometheus keep samples for longer than the window, or shorten the window.")
        }
        reason::DUPLICATE_OBJECTIVE => Some("Delete one of the two AgentSLOs that promise the same."),
        reason::METRIC_LOOKS_LIKE_GAUGE => Some("Count a counter; of a gauge there are no events."),
        reason::CONTESTED => Some("Keep others from changing the rules; their managedFields tell who does."),
        reason::CONFLICT => Some("Rename the AgentSLO, or delete the object that has its place."),
        _ => None,
    }
}

fn outlook(state: BudgetState) -> Option<&'static str> {
    match state {
        BudgetState::Exhausted => Some(
            "Hold risky changes to the agent until bad events leave the window, or promise what it can keep.",
        ),
        BudgetState::AtRisk => {
            Some("Spend the rest with care: little may go wrong before the budget is spent.")
        }
        BudgetState::Insufficient => Some("Wait for more events, or promise less."),
        BudgetState::Stale => Some("See why the agent or its scrape is gone."),
        BudgetState::Met | BudgetState::NoData | BudgetState::Idle => None,
    }
}

fn next(slo: &AgentSlo, status: &AgentSloStatus) -> String {
    let SloKey { namespace, name } = SloKey::of(slo);
    let blocking = blocking(status);
    let blocks = |type_: &str| blocking.iter().find(|held| held.type_ == type_);
    if status.conditions.is_empty() || is_behind(slo, status) {
        return format!("kubectl agentslo doctor -n {namespace}");
    }
    if blocks(condition::ACCEPTED).is_some() {
        return format!(
            "kubectl get agentslo -n {namespace} {name} -o yaml | kubectl agentslo validate -f -"
        );
    }
    let is_disputed =
        |held: &&&Condition| [reason::CONFLICT, reason::CONTESTED].contains(&held.reason.as_str());
    if blocks(condition::RULES_APPLIED).as_ref().is_some_and(is_disputed) {
        let rule = child_name("AgentSLO", &namespace, &name);
        return format!("kubectl get prometheusrule -n {namespace} {rule} -o yaml --show-managed-fields");
    }
    if blocks(condition::RULES_APPLIED).is_some() || blocks(condition::RULES_ACCEPTED).is_some() {
        return format!("kubectl agentslo doctor -n {namespace}");
    }
    match blocks(condition::DATA_AVAILABLE).map(|held| held.reason.as_str()) {
        Some(reason::NO_SERIES | reason::NO_SUCH_BUCKET) => format!(
            "kubectl agentslo discover --prometheus http://127.0.0.1:9090 -n {namespace} --agent {}",
            quoted(&slo.spec.agent)
        ),
        Some(_) => format!("kubectl agentslo doctor -n {namespace}"),
        None => format!("kubectl agentslo status -n {namespace} {name} --watch"),
    }
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:".contains(letter);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
