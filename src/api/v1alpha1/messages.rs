//! The words for each mistake that both CEL and [`crate::validate`] can see: one sentence that says
//! what is wrong and what would be right. Kept in one place so that both say the same.

/// Objective that is not a plain decimal.
pub const OBJECTIVE_FORMAT: &str =
    "must be a percentage in digits, with at most 5 decimals and no '%', for example '99.5'";
/// Objective of 100 or more.
pub const OBJECTIVE_TOO_HIGH: &str =
    "must be a percentage less than 100, for example '99.5'; 100 leaves no error budget";
/// Objective below 50: most often a ratio written where a percentage is meant.
pub const OBJECTIVE_TOO_LOW: &str = "must be greater than or equal to 50; write '99.5' for 99.5 percent";
/// A window that is not a whole number with a unit.
pub const WINDOW_FORMAT: &str = "must be a whole number with a unit 'm', 'h', 'd' or 'w', for example '30d'";
/// Budget window outside its bounds.
pub const WINDOW_RANGE: &str = "must be at least 1 day and at most 90 days, for example '30d'";
/// A duration that is not a whole number with a unit.
pub const DURATION_FORMAT: &str =
    "must be a whole number with a unit 'ms', 's', 'm' or 'h', for example '60s'";
/// Latency threshold outside its bounds.
pub const THRESHOLD_RANGE: &str = "must be between 1ms and 24h, for example '60s'";
/// Threshold of a `histogram` indicator.
pub const HISTOGRAM_THRESHOLD_FORMAT: &str =
    "must be a duration such as '60s', or a plain number in the unit of the histogram such as '0.5'";
/// Query offset of a wrong form or outside its bounds.
pub const QUERY_OFFSET: &str =
    "must be a whole number of seconds or minutes and at most 15m, for example '60s'";
/// Name of an agent that would not survive in a label or an alert.
pub const AGENT_TEXT: &str = "must not contain '{{' or control characters, for example 'support-agent'";
/// Label of an alert that Prometheus or Alertmanager would not take.
pub const ALERT_LABEL_NAME: &str =
    "must match '^[a-zA-Z_][a-zA-Z0-9_]*$' and must not start with '__', for example 'team'";
/// Annotation of an alert with a name that is taken or not legal.
pub const ANNOTATION_NAME: &str = "must match '^[a-zA-Z_][a-zA-Z0-9_]*$' and must not be `summary`, `description` or `runbook_url`, which the operator sets";
/// A window that the 5-minute counts cannot make up.
pub const WINDOW_STEP: &str = "must be a multiple of 5 minutes, for example '30m'";
/// Absence tolerance outside its bounds.
pub const NO_DATA_RANGE: &str = "must be at least 5m and at most 30d, for example '6h'";
/// Text that would be read as a template.
pub const NO_TEMPLATE: &str = "must not contain '{{': alert text is inserted literally";
/// Control characters in text that ends in a query or an alert.
pub const NO_CONTROL: &str = "must not contain control characters";
/// A URL that is not a plain https one.
pub const HTTPS_URL: &str =
    "must be an https URL without user information, for example 'https://runbooks.example/agent'";
/// Both sources of telemetry.
pub const ONE_TELEMETRY: &str = "set `observabilityRef` or `telemetry`, not both";
/// No indicator, or more than one.
pub const ONE_INDICATOR: &str = "set exactly one of `success`, `latency`, `timeToFirstToken`, `toolSuccess`, `costPerRun`, `tokensPerRun`, `turns`, `evaluation`, `guardrail`, `availability`, `ratio`, `histogram`, `raw`";
/// `ratio` with neither or both numerators.
pub const ONE_NUMERATOR: &str = "set exactly one of `good`, `bad`";
/// `ratio` of a selector with itself.
pub const SAME_SELECTOR: &str = "`good` and `bad` must differ from `total`, the ratio would always be 1";
/// `evaluation` with neither or both criteria.
pub const ONE_CRITERION: &str = "set exactly one of `minScore`, `goodLabels`";
/// A label name that Prometheus would not take.
pub const LABEL_NAME: &str =
    "must match '^[a-zA-Z_][a-zA-Z0-9_.]*$' and must not start with '__', for example 'cluster'";
/// A metric name that Prometheus would not take.
pub const METRIC_NAME: &str =
    "must match '^[a-zA-Z_:][a-zA-Z0-9_:.]*$', for example 'gen_ai_client_token_usage'";
/// A label that the operator sets itself.
pub const RESERVED_LABEL: &str = "`namespace`, `alertname`, `severity`, `urgency`, `agent`, `le`, `quantile`, `job`, `instance` and names that start with 'agentslo' are set by the operator and may not be specified";
/// Grouping by a label that has a meaning of its own.
pub const RESERVED_GROUP: &str = "must not be `namespace`, `agent`, `alertname`, `severity`, `urgency`, `le`, `quantile` or start with 'agentslo'";
/// Short window not below long window.
pub const SHORT_BELOW_LONG: &str = "`shortWindow` must be less than `longWindow`";
/// Long window beyond the budget's window.
pub const LONG_WITHIN_WINDOW: &str = "`longWindow` must be at most a third of `window`";
/// A share of the budget outside its bounds.
pub const BUDGET_PERCENT: &str =
    "must be a percentage greater than 0 and at most 100 with at most 3 decimals, for example '2'";
/// A burn rate that total failure would not reach.
pub const UNREACHABLE: &str = "must need a burn rate below the highest reachable one, 100 / (100 - `objective`); lower `budgetPercent` or lengthen `longWindow`";
/// An amount of money.
pub const MONEY: &str = "must be an amount in US dollars greater than 0 and below 1000000 with at most 6 decimals, for example '0.10'";
/// A score.
pub const SCORE: &str =
    "must be a decimal number from 0 to below 1000000 with at most 6 decimals, for example '0.7'";
/// Raw PromQL without its window.
pub const RAW_WINDOW: &str =
    "must contain the placeholder '$window', for example 'sum(increase(my_errors_total[$window]))'";
/// A label that Kubernetes would refuse on an object.
pub const OBJECT_LABEL: &str = "must have a key and values that Kubernetes takes for labels, for example 'release: kube-prometheus-stack'";
/// The key of a label, or of an annotation, that Kubernetes would refuse on an object.
pub const OBJECT_KEY: &str =
    "must be a key that Kubernetes takes for labels, for example 'grafana_dashboard' or 'example.com/team'";
/// A condition on labels with values that its operator does not take.
pub const LABEL_REQUIREMENT: &str =
    "must have `values` for `In` and `NotIn`, and none for `Exists` and `DoesNotExist`";
/// A severity that does not fit a label.
pub const SEVERITY: &str = "must be lower-case letters, digits and '-', for example 'critical'";
/// An address of a server.
pub const SERVER_URL: &str = "must be an http or https URL without user information, for example 'http://prometheus.monitoring.svc:9090'";
/// An address of a back end.
pub const BACKEND_URL: &str = "must be an http, https or postgresql URL without user information, for example 'http://tempo.monitoring.svc:4317'";
/// A scrape interval outside its bounds.
pub const SCRAPE_INTERVAL: &str =
    "must be a whole number of seconds or minutes, at least 5s and at most 5m, for example '30s'";
/// Pods that nothing tells from others.
pub const POD_SELECTOR: &str =
    "must have a label in `matchLabels` or a condition in `matchExpressions`, or every pod would be scraped";
/// A percentage.
pub const PERCENT: &str = "must be a percentage from 0 to 100 with at most 3 decimals, for example '10'";
/// A percentage that can be exceeded.
pub const PERCENT_OPEN: &str =
    "must be a percentage greater than 0 and less than 100 with at most 3 decimals, for example '5'";
/// Wait of the tail sampler outside its bounds.
pub const DECISION_WAIT: &str =
    "must be a whole number of seconds or minutes, at least 1s and at most 1h, for example '2m'";
/// `spendRate` without a limit.
pub const SPEND_RATE: &str = "set `maxUSDPerHour`, `timesUsual` or both";
/// A multiple of the usual rate.
pub const TIMES_USUAL: &str = "must be a number greater than 1 with at most 2 decimals, for example '4'";
/// Period of a spend budget.
pub const PERIOD: &str =
    "must be a whole number with a unit 'h', 'd' or 'w', at least 1h and at most 31d, for example '24h'";
/// Time without activity.
pub const EXPECTED_EVERY: &str =
    "must be a whole number with a unit 'm', 'h' or 'd', at least 10m and at most 14d, for example '6h'";
/// Time of day.
pub const TIME_OF_DAY: &str =
    "must be a time of day such as '08:00', and `to` must differ from `from`; '24:00' ends a day";
/// Time after which a run is stuck.
pub const STUCK_AFTER: &str =
    "must be a whole number of minutes or hours, at least 5m and at most 24h, for example '45m'";
/// Time after which telemetry is missing.
pub const MISSING_AFTER: &str =
    "must be a whole number with a unit 'm', 'h' or 'd', at least 5m and at most 14d, for example '15m'";
/// A duration of a route.
pub const ROUTE_DURATION: &str = "must be a whole number of seconds, minutes or hours, for example '30s'";
/// A receiver with no way, or with several.
pub const ONE_RECEIVER: &str =
    "set exactly one of `slack`, `pagerDuty`, `webhook`, `email`, `opsGenie`, `msTeams`";
/// Routing that tells nobody.
pub const ROUTE_TO_SOMEBODY: &str = "name a receiver in `page`, `ticket` or both, or nobody is told";
/// An address to which agents send, with placeholders.
pub const COLLECTOR_URL: &str = "must be an http or https URL without user information, in which '{name}' and '{namespace}' are replaced, for example 'http://otel-collector.{namespace}.svc:4318'";
/// Metrics that the agent counts and the pipeline derives, under the same names.
pub const COUNTED_TWICE: &str = "must be 'Off' with profile 'AgentMetrics': the agent counts for itself, and the derived series would have the same names";
/// A ledger that nobody sends anything to.
pub const LEDGER_PIPELINE: &str = "needs `pipeline`, whose Collector sends what is entered";
/// Contents that never arrive.
pub const LEDGER_CONTENTS: &str = "must be 'Metadata' unless `pipeline.redaction.contentCapture` is 'Redacted' or 'Full': contents are taken out before they are sent";
/// How long something is kept.
pub const RETENTION: &str = "must be a whole number of days, 1d to 3650d, for example '400d'";
