//! What series can mean, whatever they are called.

use crate::profiles::{Metric, Profile};

/// What series mean. Named as in a profile.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Finished runs.
    Runs,
    /// Finished calls of models.
    ModelCalls,
    /// Finished tool executions.
    Tools,
    /// Duration of runs.
    RunDuration,
    /// Duration of model calls.
    ModelCallDuration,
    /// Duration of tool executions.
    ToolDuration,
    /// Time to the first token.
    TimeToFirstToken,
    /// Cost of single runs.
    RunCost,
    /// Cost.
    Cost,
    /// Tokens of single runs.
    RunTokens,
    /// Tokens.
    Tokens,
    /// Turns of runs.
    RunTurns,
    /// Runs under way.
    ActiveRuns,
    /// When the oldest run under way began.
    OldestActiveRunStart,
    /// Work that waits.
    QueueDepth,
    /// Errors by type.
    Errors,
    /// Evaluated runs.
    Evaluations,
    /// Scores of evaluated runs.
    EvaluationScore,
    /// Guardrail checks.
    Guardrails,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Runs,
        Self::ModelCalls,
        Self::Tools,
        Self::RunDuration,
        Self::ModelCallDuration,
        Self::ToolDuration,
        Self::TimeToFirstToken,
        Self::RunCost,
        Self::Cost,
        Self::RunTokens,
        Self::Tokens,
        Self::RunTurns,
        Self::ActiveRuns,
        Self::OldestActiveRunStart,
        Self::QueueDepth,
        Self::Errors,
        Self::Evaluations,
        Self::EvaluationScore,
        Self::Guardrails,
    ];

    /// Its name in a profile and in status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::ModelCalls => "modelCalls",
            Self::Tools => "tools",
            Self::RunDuration => "runDuration",
            Self::ModelCallDuration => "modelCallDuration",
            Self::ToolDuration => "toolDuration",
            Self::TimeToFirstToken => "timeToFirstToken",
            Self::RunCost => "runCost",
            Self::Cost => "cost",
            Self::RunTokens => "runTokens",
            Self::Tokens => "tokens",
            Self::RunTurns => "runTurns",
            Self::ActiveRuns => "activeRuns",
            Self::OldestActiveRunStart => "oldestActiveRunStart",
            Self::QueueDepth => "queueDepth",
            Self::Errors => "errors",
            Self::Evaluations => "evaluations",
            Self::EvaluationScore => "evaluationScore",
            Self::Guardrails => "guardrails",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The metrics that play it in a profile; none where the emitter has none.
    #[must_use]
    pub fn metrics(self, profile: &Profile) -> Vec<&Metric> {
        match self {
            Self::Runs => profile.runs.iter().map(|runs| &runs.metric).collect(),
            Self::ModelCalls => profile.model_calls.iter().map(|calls| &calls.metric).collect(),
            Self::Tools => profile.tools.iter().map(|tools| &tools.metric).collect(),
            Self::RunDuration => profile.run_duration.iter().collect(),
            Self::ModelCallDuration => profile.model_call_duration.iter().collect(),
            Self::ToolDuration => profile.tool_duration.iter().collect(),
            Self::TimeToFirstToken => profile.time_to_first_token.iter().collect(),
            Self::RunCost => profile.run_cost.iter().collect(),
            Self::Cost => profile.cost.iter().collect(),
            Self::RunTokens => profile.run_tokens.iter().collect(),
            Self::Tokens => profile.tokens.values().collect(),
            Self::RunTurns => profile.run_turns.iter().collect(),
            Self::ActiveRuns => profile.active_runs.iter().collect(),
            Self::OldestActiveRunStart => profile.oldest_active_run_start.iter().collect(),
            Self::QueueDepth => profile.queue_depth.iter().collect(),
            Self::Errors => profile.errors.iter().map(|errors| &errors.metric).collect(),
            Self::Evaluations => profile.evaluations.iter().map(|evaluations| &evaluations.metric).collect(),
            Self::EvaluationScore => profile.evaluation_score.iter().map(|score| &score.metric).collect(),
            Self::Guardrails => profile.guardrails.iter().map(|guardrails| &guardrails.metric).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_role() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
    }
}
