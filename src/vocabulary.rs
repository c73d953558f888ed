//! Every name that we put into other systems: metrics, labels, annotations, condition types, reasons,
//! events, the field manager. Changing one of them is a breaking change for somebody.

/// Who owns the fields that we apply.
pub const FIELD_MANAGER: &str = "agentslo";
/// Label on every child, with [`MANAGED_BY_VALUE`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY_VALUE: &str = "agentslo";
/// Label of the pods that run a pipeline's Collector; its value is the name of the AgentObservability.
pub const PIPELINE_POD_LABEL: &str = "agentslo.dev/pipeline";
/// Annotation of a Lease by which a replica without work asks for it.
pub const WANTED_BY_ANNOTATION: &str = "agentslo.dev/wanted-by";
/// Annotation that keeps Argo CD from refreshing an application whenever a child changes.
pub const ARGOCD_IGNORE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";

/// Names of the recorded series.
pub mod series {
    /// Prefix of everything that we record.
    pub const PREFIX: &str = "agentslo:";
    /// Valid events in the last five minutes.
    pub const TOTAL_5M: &str = "agentslo:total:increase5m";
    /// Bad events in the last five minutes.
    pub const BAD_5M: &str = "agentslo:bad:increase5m";
    /// Valid events in the budget's window; the window is appended.
    pub const TOTAL_COUNT: &str = "agentslo:total:count";
    /// Bad events in the budget's window; the window is appended.
    pub const BAD_COUNT: &str = "agentslo:bad:count";
    /// Share of the budget that is left.
    pub const REMAINING: &str = "agentslo:budget:remaining_ratio";
    /// Burn rates, one for each window in label [`super::label::WINDOW`].
    pub const BURN_RATE: &str = "agentslo:burn:rate";
    /// Always 1; carries what may change without breaking history as labels.
    pub const INFO: &str = "agentslo:slo:info";
    /// What guards count in five minutes; label [`super::label::EVENT`] says what.
    pub const GUARD_5M: &str = "agentslo:guard:increase5m";
    /// US dollars that an agent spends in an hour in which it spends any.
    pub const GUARD_USUAL: &str = "agentslo:guard:usual_hour";
    /// Series of an agent that are there.
    pub const GUARD_SERIES: &str = "agentslo:guard:series";
    /// Seconds since Monday's midnight in the time zone of the active hours.
    pub const GUARD_CLOCK: &str = "agentslo:guard:week_seconds";
    /// 1 in active hours, else 0.
    pub const GUARD_ACTIVE: &str = "agentslo:guard:active";
    /// Seconds of active hours since the last finished run.
    pub const GUARD_IDLE: &str = "agentslo:guard:idle_seconds";
}

/// Labels of recorded series and alerts.
pub mod label {
    /// Namespace of the AgentSLO.
    pub const NAMESPACE: &str = "namespace";
    /// Name of an alert, which Prometheus sets.
    pub const ALERT: &str = "alertname";
    /// Name of the AgentSLO.
    pub const SLO: &str = "agentslo";
    /// The agent, as its telemetry names it.
    pub const AGENT: &str = "agent";
    /// `page` or `ticket`.
    pub const URGENCY: &str = "urgency";
    /// The user's word for the urgency.
    pub const SEVERITY: &str = "severity";
    /// Window of a burn rate.
    pub const WINDOW: &str = "window";
    /// Percentage, on the info series.
    pub const OBJECTIVE: &str = "objective";
    /// Kind of the indicator, on the info series.
    pub const INDICATOR: &str = "indicator";
    /// What a guard counts.
    pub const EVENT: &str = "event";
    /// Name of the AgentObservability whose Collector a series is of; put there by its PodMonitor.
    pub const PIPELINE: &str = "agentslo_pipeline";
    /// Signal of which a Collector lost data.
    pub const SIGNAL: &str = "signal";
}

/// Names of the alerts.
pub mod alert {
    /// The budget burns too fast.
    pub const BURN: &str = "AgentSLOBudgetBurn";
    /// The budget is spent.
    pub const EXHAUSTED: &str = "AgentSLOBudgetExhausted";
    /// The telemetry is gone.
    pub const NO_DATA: &str = "AgentSLONoData";
    /// An agent spends too fast.
    pub const SPEND_RATE: &str = "AgentSpendRateHigh";
    /// An agent has spent more than its allowance.
    pub const SPEND_BUDGET: &str = "AgentSpendBudgetSpent";
    /// An agent is about to spend more than its allowance.
    pub const SPEND_FORECAST: &str = "AgentSpendBudgetForecast";
    /// An agent has finished nothing for too long.
    pub const INACTIVE: &str = "AgentInactive";
    /// A run does not end.
    pub const STUCK: &str = "AgentRunStuck";
    /// Work piles up in front of an agent.
    pub const QUEUE: &str = "AgentQueueDeep";
    /// A tool fails too often.
    pub const TOOL: &str = "AgentToolFailing";
    /// Too many runs are slow.
    pub const SLOW: &str = "AgentRunsSlow";
    /// The series of an agent are gone.
    pub const MISSING: &str = "AgentTelemetryMissing";
    /// The SDK of an agent drops labels.
    pub const OVERFLOW: &str = "AgentCardinalityOverflow";
    /// The queue of an exporter fills up.
    pub const PIPELINE_QUEUE: &str = "AgentPipelineQueueFull";
    /// A full queue turned data away.
    pub const PIPELINE_OVERFLOW: &str = "AgentPipelineQueueOverflow";
    /// A back end did not take data.
    pub const PIPELINE_EXPORT: &str = "AgentPipelineExportFailing";
    /// The Collector did not take data.
    pub const PIPELINE_REFUSED: &str = "AgentPipelineDataRefused";
    /// The Collector dropped data points.
    pub const PIPELINE_DROPPED: &str = "AgentPipelineDataDropped";

    /// Something was done to a chain of the ledger.
    pub const LEDGER_NOT_INTACT: &str = "AgentLedgerNotIntact";
    /// Nobody has verified a chain of the ledger for too long.
    pub const LEDGER_NOT_VERIFIED: &str = "AgentLedgerNotVerified";
    /// The sink of a ledger cannot commit.
    pub const LEDGER_NOT_ENTERING: &str = "AgentLedgerNotEntering";
    /// A chain does not grow though the agent runs.
    pub const LEDGER_STOPPED: &str = "AgentLedgerStopped";
    /// The sink of a ledger refused events.
    pub const LEDGER_REFUSED: &str = "AgentLedgerEventsRefused";

    /// All of them: by these names and by the labels routes know our alerts from others.
    pub const ALL: [&str; 23] = [
        BURN,
        EXHAUSTED,
        NO_DATA,
        SPEND_RATE,
        SPEND_BUDGET,
        SPEND_FORECAST,
        INACTIVE,
        STUCK,
        QUEUE,
        TOOL,
        SLOW,
        MISSING,
        OVERFLOW,
        PIPELINE_QUEUE,
        PIPELINE_OVERFLOW,
        PIPELINE_EXPORT,
        PIPELINE_REFUSED,
        PIPELINE_DROPPED,
        LEDGER_NOT_INTACT,
        LEDGER_NOT_VERIFIED,
        LEDGER_NOT_ENTERING,
        LEDGER_STOPPED,
        LEDGER_REFUSED,
    ];
}

/// Annotations of alerts.
pub mod annotation {
    /// What happened, in one sentence with its numbers.
    pub const SUMMARY: &str = "summary";
    /// What the objective promises.
    pub const DESCRIPTION: &str = "description";
    /// Where the responder finds help.
    pub const RUNBOOK: &str = "runbook_url";
    /// Where the numbers behind it are drawn.
    pub const DASHBOARD: &str = "dashboard_url";
}

/// Types of conditions.
pub mod condition {
    /// The rules for this generation are in force.
    pub const READY: &str = "Ready";
    /// The spec makes sense and is permitted.
    pub const ACCEPTED: &str = "Accepted";
    /// The rule object is as desired.
    pub const RULES_APPLIED: &str = "RulesApplied";
    /// A Prometheus evaluates the rules.
    pub const RULES_ACCEPTED: &str = "RulesAccepted";
    /// The series of the indicator exist and are fresh.
    pub const DATA_AVAILABLE: &str = "DataAvailable";
    /// Budget is left. Not part of `Ready`.
    pub const BUDGET_HEALTHY: &str = "BudgetHealthy";
    /// Every burn-rate pair can be reached as the catalogue has it.
    pub const ALERTS_REACHABLE: &str = "AlertsReachable";
    /// There are events enough for the objective.
    pub const TRAFFIC_SUFFICIENT: &str = "TrafficSufficient";
    /// Nothing about the spec looks like a mistake.
    pub const PLAUSIBLE: &str = "Plausible";
    /// The Collector's configuration and the agent's environment are as desired.
    pub const PIPELINE_APPLIED: &str = "PipelineApplied";
    /// The dashboards are as desired.
    pub const DASHBOARDS_APPLIED: &str = "DashboardsApplied";
    /// The plain alerts are as desired.
    pub const GUARDS_APPLIED: &str = "GuardsApplied";
    /// The alert routes are as desired.
    pub const ROUTES_APPLIED: &str = "RoutesApplied";
    /// What enters events into a ledger is as desired.
    pub const LEDGER_APPLIED: &str = "LedgerApplied";
    /// Nothing was done to what was entered. Not part of `Ready`.
    pub const AUDIT_INTACT: &str = "AuditIntact";
    /// The monitors of pods are as desired.
    pub const MONITORS_APPLIED: &str = "MonitorsApplied";
    /// All that say whether a child is as desired.
    pub const APPLICATIONS: [&str; 7] = [
        RULES_APPLIED,
        PIPELINE_APPLIED,
        MONITORS_APPLIED,
        GUARDS_APPLIED,
        ROUTES_APPLIED,
        DASHBOARDS_APPLIED,
        LEDGER_APPLIED,
    ];
    /// The controller is at work on this generation (kstatus, abnormal when true).
    pub const RECONCILING: &str = "Reconciling";
    /// The controller waits for somebody (kstatus, abnormal when true).
    pub const STALLED: &str = "Stalled";
    /// Of an AgentPlatform: its Prometheus answers.
    pub const PROMETHEUS_REACHABLE: &str = "PrometheusReachable";
}

/// Reasons of conditions that are not the name of a violated rule or of a failed effect.
pub mod reason {
    /// All is well.
    pub const READY: &str = "Ready";
    /// The spec is valid.
    pub const VALID: &str = "Valid";
    /// The child is as desired.
    pub const APPLIED: &str = "Applied";
    /// Not looked at yet.
    pub const PENDING: &str = "Pending";
    /// Nothing is done while `suspend` is set.
    pub const SUSPENDED: &str = "Suspended";
    /// A CRD is missing.
    pub const DEPENDENCY_MISSING: &str = "DependencyMissing";
    /// Another object of the same name is not ours.
    pub const CONFLICT: &str = "Conflict";
    /// Somebody else keeps changing the child.
    pub const CONTESTED: &str = "Contested";
    /// The operator lacks a permission.
    pub const FORBIDDEN: &str = "Forbidden";
    /// The rendered object is larger than its reader takes.
    pub const TOO_LARGE: &str = "TooLarge";
    /// The API server refused a write.
    pub const APPLY_FAILED: &str = "ApplyFailed";
    /// A quota refused a write.
    pub const QUOTA_EXCEEDED: &str = "QuotaExceeded";
    /// The spec is not valid, so nothing new was applied.
    pub const NOT_ACCEPTED: &str = "NotAccepted";
    /// No AgentPlatform names a Prometheus.
    pub const PROMETHEUS_UNKNOWN: &str = "PrometheusUnknown";
    /// Some Prometheus evaluates the rules.
    pub const EVALUATED: &str = "Evaluated";
    /// prometheus-operator says that some Prometheus took the rules.
    pub const BOUND: &str = "Bound";
    /// prometheus-operator refused the rules.
    pub const REJECTED: &str = "RejectedByPrometheus";
    /// No Prometheus selects the rules.
    pub const NO_PROMETHEUS_SELECTS: &str = "NoPrometheusSelectsRule";
    /// Prometheus evaluates the rules with an error.
    pub const RULE_FAILED: &str = "RuleFailed";
    /// Prometheus was not asked yet, or has not evaluated the rules yet.
    pub const NOT_EVALUATED: &str = "NotEvaluated";
    /// Prometheus does not answer.
    pub const QUERY_FAILED: &str = "QueryFailed";
    /// Prometheus wants other credentials.
    pub const UNAUTHORIZED: &str = "Unauthorized";
    /// Prometheus asks for fewer requests.
    pub const RATE_LIMITED: &str = "RateLimited";
    /// Prometheus is up but cannot answer.
    pub const UNAVAILABLE: &str = "Unavailable";
    /// Prometheus refused the query.
    pub const QUERY_REJECTED: &str = "QueryRejected";
    /// Series and events are there.
    pub const DATA: &str = "Data";
    /// No series match.
    pub const NO_SERIES: &str = "NoSeries";
    /// Series match, no events.
    pub const IDLE: &str = "Idle";
    /// The newest sample is too old.
    pub const SAMPLES_TOO_OLD: &str = "SamplesTooOld";
    /// The histogram has no bucket with the threshold as its bound.
    pub const NO_SUCH_BUCKET: &str = "NoSuchBucket";
    /// Prometheus forgets before the window ends.
    pub const RETENTION_TOO_SHORT: &str = "RetentionTooShort";
    /// A query yields several series where one is expected.
    pub const INVALID_QUERY: &str = "InvalidQuery";
    /// More bad than valid events.
    pub const RATIO_ABOVE_ONE: &str = "RatioAboveOne";
    /// The state of the budget decides; see [`crate::api::v1alpha1::BudgetState`].
    pub const WITHIN_BUDGET: &str = "WithinBudget";
    /// The budget is spent.
    pub const EXHAUSTED: &str = "Exhausted";
    /// The budget burns too fast.
    pub const BURNING_FAST: &str = "BurningFast";
    /// Too few events for a verdict.
    pub const INSUFFICIENT: &str = "Insufficient";
    /// Every pair is as the catalogue has it.
    pub const REACHABLE: &str = "Reachable";
    /// A pair was lowered or left out because a total failure would not, or hardly, reach it.
    pub const ALERT_UNREACHABLE: &str = "AlertUnreachable";
    /// One failure is at most a tenth of the budget.
    pub const SUFFICIENT: &str = "Sufficient";
    /// One failure is more than a tenth of the budget.
    pub const LOW_TRAFFIC: &str = "LowTraffic";
    /// One failure is more than the whole budget.
    pub const TARGET_FINER_THAN_DATA: &str = "TargetFinerThanData";
    /// Nothing looks like a mistake.
    pub const PLAUSIBLE: &str = "Plausible";
    /// An older AgentSLO promises the same.
    pub const DUPLICATE_OBJECTIVE: &str = "DuplicateObjective";
    /// A gauge where a counter is needed.
    pub const METRIC_LOOKS_LIKE_GAUGE: &str = "MetricLooksLikeGauge";
    /// Nothing of the kind is asked for.
    pub const NOT_REQUESTED: &str = "NotRequested";
    /// A guard that was asked for has no series to look at.
    pub const SERIES_MISSING: &str = "SeriesMissing";
    /// A guard that was asked for needs series that the profile does not have.
    pub const UNSUPPORTED_GUARD: &str = "UnsupportedGuard";
    /// It is written, and nothing is seen of whoever should use it.
    pub const NOT_OBSERVED: &str = "NotObserved";
    /// A chain was intact when it was last verified.
    pub const INTACT: &str = "Intact";
    /// Something was done to a chain.
    pub const NOT_INTACT: &str = "NotIntact";
    /// Nobody has verified a chain for too long.
    pub const NOT_VERIFIED: &str = "NotVerified";
    /// The operator was not told that it may.
    pub const NOT_ALLOWED: &str = "NotAllowed";
    /// Done with this generation.
    pub const OBSERVED: &str = "Observed";
    /// An error is being retried.
    pub const RETRYING: &str = "Retrying";
    /// Prometheus answers.
    pub const REACHED: &str = "Reached";
}

/// Reasons of Events, written on transitions and once in a while, never at every reconciliation.
pub mod event {
    /// The spec is not valid; the last good rules stay.
    pub const SPEC_REJECTED: &str = "SpecRejected";
    /// The budget is spent.
    pub const BUDGET_EXHAUSTED: &str = "BudgetExhausted";
    /// Budget is left again.
    pub const BUDGET_RECOVERED: &str = "BudgetRecovered";
    /// A child was changed by somebody else and was put right.
    pub const DRIFT_CORRECTED: &str = "DriftCorrected";
    /// An object of the same name is not ours.
    pub const CONFLICT: &str = "Conflict";
    /// A CRD is missing.
    pub const DEPENDENCY_MISSING: &str = "DependencyMissing";
    /// One failure is more than the whole budget.
    pub const TARGET_FINER_THAN_DATA: &str = "TargetFinerThanData";
    /// A chain of the ledger is not what it was.
    pub const AUDIT_NOT_INTACT: &str = "AuditNotIntact";
    /// An object changes too often for each change to be acted on.
    pub const THROTTLED: &str = "Throttled";
}
