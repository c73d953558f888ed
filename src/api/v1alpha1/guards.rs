//! Guards: plain alerts that no error budget expresses.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::messages;

/// Plain alerts, each made only where its series exist.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.runbookURL) || (self.runbookURL.startsWith('https://') && !self.runbookURL.contains('@') && self.runbookURL.matches('^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^ \"<>\\\\\\\\^`|]*)?$') && !self.runbookURL.contains('{{'))").message(messages::HTTPS_URL).field_path(".runbookURL")
)]
pub struct Guards {
    /// The agent spends money too fast. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend_rate: Option<SpendRate>,
    /// The agent spends more than its allowance. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend_budget: Option<SpendBudget>,
    /// The agent has done nothing for too long. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// A run does not end. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Stuck>,
    /// Work piles up in front of the agent. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// A tool fails too often. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_failure: Option<ToolFailure>,
    /// The agent's series are gone. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry_missing: Option<TelemetryMissing>,
    /// The agent's SDK drops labels because it has too many series, so that failures go uncounted.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardinality_overflow: Option<CardinalityOverflow>,
    /// Too large a share of the runs is slow. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_share: Option<SlowShare>,
    /// The pipeline loses telemetry: a queue is full, an export fails, data is refused. Default: with a
    /// `pipeline`, severity `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_loss: Option<PipelineLoss>,
    /// Where the responder finds help: an https URL; `{alert}`, `{name}`, `{namespace}` and `{agent}` are
    /// replaced. Alerts of AgentSLOs that refer here and have no `runbookURL` of their own lead there too.
    /// Default: none. Example: `https://runbooks.example/agents/{alert}`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "runbookURL")]
    #[schemars(length(max = 512))]
    pub runbook_url: Option<String>,
}

/// The agent spends money too fast. At least one limit must be set.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.maxUSDPerHour) || has(self.timesUsual)").message(messages::SPEND_RATE),
    validation = Rule::new("!has(self.maxUSDPerHour) || (self.maxUSDPerHour.matches('^[0-9]{1,6}([.][0-9]{1,6})?$') && double(self.maxUSDPerHour) > 0.0)").message(messages::MONEY).field_path(".maxUSDPerHour"),
    validation = Rule::new("!has(self.timesUsual) || (self.timesUsual.matches('^[0-9]{1,3}([.][0-9]{1,2})?$') && double(self.timesUsual) > 1.0)").message(messages::TIMES_USUAL).field_path(".timesUsual"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct SpendRate {
    /// Most US dollars an hour, over the last quarter of an hour. Default: none. Example: `"5"`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "maxUSDPerHour")]
    #[schemars(length(min = 1, max = 13))]
    pub max_usd_per_hour: Option<String>,
    /// Most times what the agent usually spends in an hour, over the last hour. Usual is the mean of last
    /// week's hours in which it spent anything; it is known after a day with three of them. With
    /// `maxUSDPerHour` both must be exceeded, and that one decides alone until the usual is known.
    /// Default: none. Example: `"4"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 6))]
    pub times_usual: Option<String>,
    /// Value of the label `severity`. Default: the AgentPlatform's for pages, in most `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

/// The agent spends more than its allowance.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.amountUSD.matches('^[0-9]{1,6}([.][0-9]{1,6})?$') && double(self.amountUSD) > 0.0").message(messages::MONEY).field_path(".amountUSD"),
    validation = Rule::new("self.period.matches('^[1-9][0-9]{0,5}(h|d|w)$')").message(messages::PERIOD).field_path(".period"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct SpendBudget {
    /// US dollars that may be spent in the period. Example: `"50"`.
    #[serde(rename = "amountUSD")]
    #[schemars(length(min = 1, max = 13))]
    pub amount_usd: String,
    /// Rolling period, 1h to 31d. Default: `24h`.
    #[serde(default = "default_period")]
    #[schemars(length(min = 2, max = 7))]
    pub period: String,
    /// Whether to alert before the amount is spent, when the rate of the last sixth of the period would
    /// spend it within the period. Default: `Warn`.
    #[serde(default)]
    pub forecast: Forecast,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

fn default_period() -> String {
    "24h".to_owned()
}

/// Whether to alert before the amount is spent.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Forecast {
    /// An alert of its own says so.
    #[default]
    Warn,
    /// Only the spent amount alerts.
    Off,
}

/// The agent has done nothing for too long.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.expectedEvery.matches('^[1-9][0-9]{0,5}(m|h|d)$')").message(messages::EXPECTED_EVERY).field_path(".expectedEvery"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct Activity {
    /// Longest time without a finished run, 10m to 14d. Example: `6h`.
    #[schemars(length(min = 2, max = 7))]
    pub expected_every: String,
    /// When the agent is expected to work. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_hours: Option<ActiveHours>,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

/// When the agent is expected to work.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.from.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')").message(messages::TIME_OF_DAY).field_path(".from"),
    validation = Rule::new("self.to.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$') && self.to != self.from").message(messages::TIME_OF_DAY).field_path(".to")
)]
pub struct ActiveHours {
    /// Days of the week. Default: all. Example: `[Monday, Tuesday, Wednesday, Thursday, Friday]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days: Vec<Weekday>,
    /// First minute of the day. Example: `08:00`.
    #[schemars(length(min = 5, max = 5))]
    pub from: String,
    /// End of the day; a time before `from` is of the next day. Example: `18:00`.
    #[schemars(length(min = 5, max = 5))]
    pub to: String,
    /// Time zone of the two, by its IANA name. Default: `UTC`. Example: `Europe/Madrid`.
    #[serde(default = "default_zone")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"))]
    pub time_zone: String,
}

pub(super) fn default_zone() -> String {
    "UTC".to_owned()
}

/// Days of the week.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Weekday {
    /// The first by ISO 8601.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

/// A run does not end.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.after.matches('^[1-9][0-9]{0,5}(m|h)$')").message(messages::STUCK_AFTER).field_path(".after"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct Stuck {
    /// Time after which a run counts as stuck, 5m to 24h. Example: `45m`.
    #[schemars(length(min = 2, max = 7))]
    pub after: String,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

/// Work piles up in front of the agent.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct Queue {
    /// Most waiting items; more for a quarter of an hour alerts. Example: `100`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_depth: i32,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

/// A tool fails too often.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.percent.matches('^[0-9]{1,3}([.][0-9]{1,3})?$') && double(self.percent) > 0.0 && double(self.percent) < 100.0").message(messages::PERCENT_OPEN).field_path(".percent"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct ToolFailure {
    /// Percentage of a tool's calls that may fail in an hour. Default: `50`. Example: `"20"`.
    #[serde(default = "default_tool_percent")]
    #[schemars(length(min = 1, max = 7))]
    pub percent: String,
    /// Fewest failed calls in the hour. Default: `5`.
    #[serde(default = "default_min_failures")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_failures: i32,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

fn default_tool_percent() -> String {
    "50".to_owned()
}

fn default_min_failures() -> i32 {
    5
}

/// The agent's series are gone.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.after.matches('^[1-9][0-9]{0,5}(m|h|d)$')").message(messages::MISSING_AFTER).field_path(".after"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct TelemetryMissing {
    /// Time without a sample, 5m to 14d. Default: `15m`.
    #[serde(default = "default_missing")]
    #[schemars(length(min = 2, max = 7))]
    pub after: String,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

fn default_missing() -> String {
    "15m".to_owned()
}

/// The agent's SDK drops labels because it has too many series.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct CardinalityOverflow {
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

/// Too large a share of the runs is slow.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.slowerThan.matches('^[1-9][0-9]{0,6}(ms|s|m|h)$') && duration(self.slowerThan) <= duration('24h')").message(messages::THRESHOLD_RANGE).field_path(".slowerThan"),
    validation = Rule::new("self.percent.matches('^[0-9]{1,3}([.][0-9]{1,3})?$') && double(self.percent) > 0.0 && double(self.percent) < 100.0").message(messages::PERCENT_OPEN).field_path(".percent"),
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct SlowShare {
    /// Duration above which a run is slow, 1ms to 24h; a bound of the histogram. Example: `1800s`.
    #[schemars(length(min = 2, max = 9))]
    pub slower_than: String,
    /// Percentage of runs that may be slow in six hours. Default: `5`. Example: `"1"`.
    #[serde(default = "default_slow_percent")]
    #[schemars(length(min = 1, max = 7))]
    pub percent: String,
    /// Fewest slow runs in the six hours. Default: `3`.
    #[serde(default = "default_slow_runs")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_slow: i32,
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}

fn default_slow_percent() -> String {
    "5".to_owned()
}

fn default_slow_runs() -> i32 {
    3
}

/// The pipeline loses telemetry.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.severity) || self.severity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".severity")
)]
pub struct PipelineLoss {
    /// Value of the label `severity`. Default: the AgentPlatform's for tickets, in most `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub severity: Option<String>,
}
