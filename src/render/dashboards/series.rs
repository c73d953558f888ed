//! PromQL for what an agent's series mean. Counters are aggregated after `increase`, never before, and
//! histograms are read in whichever form they are stored. Runs and dollars of long windows are those that
//! the operator has recorded, which misses nothing where `increase` misses what a series is born with.

use super::fill::Slot;
use crate::domain::agent_series::AgentSeries;
use crate::domain::observability::Observability;
use crate::domain::promql::{LabelMatcher, SeriesSelector, by_clause};
use crate::domain::role::Role;
use crate::profiles::{Metric, MetricKind, Outcome, OutcomeLabel, Outcomes, Profile, TokenType};
use crate::render::guards;

/// The query for a slot that begins with the name of a role; none where the agent lacks the role or the
/// role has no such aspect.
pub(super) fn text(observability: &Observability, slot: Slot<'_>) -> Option<String> {
    let (role, aspect) = slot.name.split_once('.').unwrap_or((slot.name, ""));
    let role = Role::parse(role).filter(|role| observability.has(*role))?;
    let series = observability.series();
    let profile = series.profile();
    let query = match role {
        Role::Runs if aspect == "counted" => counted(&guards::runs(observability), slot.window),
        Role::Runs | Role::ModelCalls | Role::Tools | Role::Evaluations | Role::Guardrails => {
            Events { series, outcomes: outcomes(profile, role)?, window: slot.window }.aspect(aspect)?
        }
        Role::Errors => {
            let errors = profile.errors.as_ref().filter(|_| aspect == "byType")?;
            increase(series, &errors.metric, &[], &[series.label(&errors.type_label)], slot.window)
        }
        Role::Cost => spend(&guards::dollars(observability), aspect, slot.window)?,
        Role::Tokens => amount(series, profile.tokens.get(&token_type(aspect)?)?, slot.window),
        Role::ActiveRuns | Role::QueueDepth => {
            format!("sum({})", series.select(role.metrics(profile).first()?))
        }
        Role::OldestActiveRunStart => format!("min({} > 0)", series.select(role.metrics(profile).first()?)),
        Role::RunDuration
        | Role::ModelCallDuration
        | Role::ToolDuration
        | Role::TimeToFirstToken
        | Role::RunCost
        | Role::RunTokens
        | Role::RunTurns
        | Role::EvaluationScore => distribution(series, role.metrics(profile).first()?, aspect, slot.window)?,
    };
    Some(query)
}

fn outcomes(profile: &'static Profile, role: Role) -> Option<&'static Outcomes> {
    match role {
        Role::Runs => profile.runs.as_ref(),
        Role::ModelCalls => profile.model_calls.as_ref(),
        Role::Tools => profile.tools.as_ref(),
        Role::Evaluations => profile.evaluations.as_ref(),
        Role::Guardrails => profile.guardrails.as_ref(),
        Role::RunDuration
        | Role::ModelCallDuration
        | Role::ToolDuration
        | Role::TimeToFirstToken
        | Role::RunCost
        | Role::Cost
        | Role::RunTokens
        | Role::Tokens
        | Role::RunTurns
        | Role::ActiveRuns
        | Role::OldestActiveRunStart
        | Role::QueueDepth
        | Role::Errors
        | Role::EvaluationScore => None,
    }
}

fn token_type(aspect: &str) -> Option<TokenType> {
    match aspect {
        "input" => Some(TokenType::Input),
        "output" => Some(TokenType::Output),
        "cacheRead" => Some(TokenType::CacheRead),
        "cacheWrite" => Some(TokenType::CacheWrite),
        "reasoning" => Some(TokenType::Reasoning),
        _ => None,
    }
}

/// Events with an outcome in a window.
struct Events<'a> {
    series: &'a AgentSeries,
    outcomes: &'static Outcomes,
    window: &'a str,
}

impl Events<'_> {
    fn aspect(&self, aspect: &str) -> Option<String> {
        match aspect {
            "" => Some(self.all(&[])),
            "failed" => self.failed(&[]),
            "byName" => Some(self.all(&[self.name_label()?])),
            "failedByName" => self.failed(&[self.name_label()?]),
            _ => None,
        }
    }

    fn name_label(&self) -> Option<String> {
        Some(self.series.label(self.outcomes.name_label.as_ref()?))
    }

    /// All events that count.
    fn all(&self, by: &[String]) -> String {
        self.increase(&self.outcomes.metric, &self.valid(), by)
    }

    /// Those that failed; 0 as soon as there are events.
    fn failed(&self, by: &[String]) -> Option<String> {
        let all = self.all(by);
        let or_zero = |query: String| format!("({query} or 0 * {all})");
        match &self.outcomes.outcome {
            Outcome::Label(label) => {
                let bad = [self.valid(), self.bad(label)].concat();
                Some(or_zero(self.increase(&self.outcomes.metric, &bad, by)))
            }
            Outcome::Failed(metric) => Some(or_zero(self.increase(metric, &[], by))),
            Outcome::Succeeded(metric) => {
                let good = or_zero(self.increase(metric, &[], by));
                Some(format!("clamp_min({all} - {good}, 0)"))
            }
            Outcome::Untold => None,
        }
    }

    fn valid(&self) -> Vec<LabelMatcher> {
        let label = self.outcomes.outcome.label();
        label.map(|label| self.is_none_of(&label.name, &label.excluded)).unwrap_or_default()
    }

    fn bad(&self, label: &OutcomeLabel) -> Vec<LabelMatcher> {
        match &label.bad {
            Some(expression) => vec![LabelMatcher::regex(self.series.label(&label.name), expression.clone())],
            None => self.is_none_of(&label.name, &label.good),
        }
    }

    fn is_none_of(&self, label: &str, values: &[String]) -> Vec<LabelMatcher> {
        let label = self.series.label(label);
        values.iter().map(|value| LabelMatcher::not_equal(label.clone(), value.clone())).collect()
    }

    fn increase(&self, metric: &Metric, matchers: &[LabelMatcher], by: &[String]) -> String {
        increase(self.series, metric, matchers, by, self.window)
    }
}

/// How many events of a metric a window has.
fn increase(
    series: &AgentSeries,
    metric: &Metric,
    matchers: &[LabelMatcher],
    by: &[String],
    window: &str,
) -> String {
    let selector = series.select(metric).with(matchers.iter().cloned());
    let by = by_clause(by);
    match metric.kind {
        MetricKind::Counter | MetricKind::Gauge => format!("sum{by} (increase({selector}[{window}]))"),
        MetricKind::Histogram => {
            let classic = selector.suffixed("_count");
            format!(
                "(sum{by} (increase({classic}[{window}])) or histogram_count(sum{by} (increase({selector}[{window}]))))"
            )
        }
    }
}

/// What a window has of something of which five minutes are recorded at a time.
fn counted(recorded: &str, window: &str) -> String {
    format!("sum(sum_over_time({recorded}[{window}:5m]))")
}

/// US dollars, or in how many steps of a subquery anything was known of them.
fn spend(recorded: &str, aspect: &str, window: &str) -> Option<String> {
    match aspect {
        "counted" => Some(counted(recorded, window)),
        "samples" => Some(format!("count_over_time(sum({recorded})[{window}])")),
        _ => None,
    }
}

/// What was used in a window.
fn amount(series: &AgentSeries, metric: &Metric, window: &str) -> String {
    let (selector, native) = (series.select_amount(metric), series.select(metric));
    let classic = format!("sum(increase({selector}[{window}]))");
    match metric.kind {
        MetricKind::Histogram => format!("({classic} or histogram_sum(sum(increase({native}[{window}]))))"),
        MetricKind::Counter | MetricKind::Gauge => classic,
    }
}

fn distribution(series: &AgentSeries, metric: &Metric, aspect: &str, window: &str) -> Option<String> {
    let native: SeriesSelector = series.select(metric);
    let classic = native.suffixed("_bucket");
    match aspect {
        "classic" => Some(format!("sum by (le) (rate({classic}[{window}]))")),
        "native" => Some(format!("sum(rate({native}[{window}]))")),
        "classicCount" => Some(format!("sum by (le) (increase({classic}[{window}]))")),
        "nativeCount" => Some(format!("sum(increase({native}[{window}]))")),
        "count" => Some(increase(series, metric, &[], &[], window)),
        _ => None,
    }
}
