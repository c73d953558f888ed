//! The indicators: what a valid event is, and when it is good. Exactly one per AgentSLO.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Matcher, Selector, messages};

/// What is counted. Exactly one of the fields is set.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Indicator {
    /// Runs that end well. A valid event is a finished run that the user did not cancel; it is good
    /// when its outcome is good, and bad when its outcome is unknown. Example: `success: {}`.
    Success(SuccessIndicator),
    /// Runs, model calls or tool calls that end in time. Example: `latency: {threshold: 60s}`.
    Latency(LatencyIndicator),
    /// Streaming model calls whose first token comes in time. Example: `timeToFirstToken: {threshold: 2s}`.
    TimeToFirstToken(TimeToFirstTokenIndicator),
    /// Tool executions that end without error; denied ones do not count. Example: `toolSuccess: {}`.
    ToolSuccess(ToolSuccessIndicator),
    /// Runs that cost at most a given amount. Example: `costPerRun: {maxUSD: "0.10"}`.
    CostPerRun(CostPerRunIndicator),
    /// Runs that use at most a given number of tokens. Example: `tokensPerRun: {max: 65536}`.
    TokensPerRun(MaxIndicator),
    /// Runs that take at most a given number of turns. Example: `turns: {max: 16}`.
    Turns(MaxIndicator),
    /// Evaluated runs whose score or label is good. Example: `evaluation: {evaluator: helpfulness, minScore: "0.7"}`.
    Evaluation(EvaluationIndicator),
    /// Guardrail checks that let the run pass. Example: `guardrail: {}`.
    Guardrail(GuardrailIndicator),
    /// Probe samples of a 0/1 gauge. Example: `availability: {metric: probe_success}`.
    Availability(Selector),
    /// Any two counters. Example: `ratio: {total: {metric: requests_total}, bad: {metric: errors_total}}`.
    Ratio(RatioIndicator),
    /// Any histogram with a threshold. Example: `histogram: {metric: queue_wait_seconds, threshold: 5s}`.
    Histogram(HistogramIndicator),
    /// PromQL of your own; only where the AgentPlatform allows it.
    Raw(RawIndicator),
}

/// Which outcomes are good, and which do not count.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SuccessIndicator {
    /// Values of the outcome label that are good. Default: from the profile. Example: `[success]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub good_outcomes: Vec<String>,
    /// Values of the outcome label that are not valid events. Default: from the profile, which leaves
    /// out what the user cancelled. Example: `[cancelled]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub exclude_outcomes: Vec<String>,
}

/// What a latency is measured of.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum LatencyOf {
    /// A whole run of the agent.
    #[default]
    Run,
    /// One call of a model.
    ModelCall,
    /// One execution of a tool.
    Tool,
}

/// How a histogram is stored.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum HistogramType {
    /// Whichever of the two a series has, also while its source goes over from one to the other.
    #[default]
    Auto,
    /// One series per bucket, with label `le`. The threshold must be a bucket bound.
    Classic,
    /// One native histogram series, exponential or with custom buckets.
    Native,
}

/// Duration at most a threshold.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.threshold.matches('^[1-9][0-9]*(ms|s|m|h)$')").message(messages::DURATION_FORMAT).field_path(".threshold"),
    validation = Rule::new("!self.threshold.matches('^[1-9][0-9]*(ms|s|m|h)$') || (duration(self.threshold) >= duration('1ms') && duration(self.threshold) <= duration('24h'))").message(messages::THRESHOLD_RANGE).field_path(".threshold")
)]
pub struct LatencyIndicator {
    /// Longest duration that is good, inclusive, 1ms to 24h. With classic histograms it must be a
    /// bucket bound. Example: `60s`.
    #[schemars(length(min = 1, max = 12))]
    pub threshold: String,
    /// What is measured. Default: `Run`.
    #[serde(default)]
    pub of: LatencyOf,
    /// How the histogram is stored. Default: `Auto`.
    #[serde(default, rename = "type")]
    pub histogram_type: HistogramType,
}

/// Time to the first token at most a threshold.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.threshold.matches('^[1-9][0-9]*(ms|s|m|h)$')").message(messages::DURATION_FORMAT).field_path(".threshold"),
    validation = Rule::new("!self.threshold.matches('^[1-9][0-9]*(ms|s|m|h)$') || (duration(self.threshold) >= duration('1ms') && duration(self.threshold) <= duration('24h'))").message(messages::THRESHOLD_RANGE).field_path(".threshold")
)]
pub struct TimeToFirstTokenIndicator {
    /// Longest time that is good, inclusive, 1ms to 24h. With classic histograms it must be a bucket
    /// bound. Example: `2s`.
    #[schemars(length(min = 1, max = 12))]
    pub threshold: String,
    /// How the histogram is stored. Default: `Auto`.
    #[serde(default, rename = "type")]
    pub histogram_type: HistogramType,
}

/// Which tools count.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolSuccessIndicator {
    /// Names of the tools that count. Default: all. Example: `[Bash, search]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub tools: Vec<String>,
}

/// How the cost of a run is known.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CostMethod {
    /// From a histogram of cost per run: each run is an event.
    #[default]
    Events,
    /// From a cost counter and a run counter: each hour with traffic is an event, good when the mean
    /// cost of its runs is within the limit.
    HourlyMean,
}

/// Cost at most a limit.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.maxUSD.matches('^[0-9]{1,6}([.][0-9]{1,6})?$') && double(self.maxUSD) > 0.0").message(messages::MONEY).field_path(".maxUSD")
)]
pub struct CostPerRunIndicator {
    /// Highest cost of a run that is good, in US dollars, inclusive. With `Events` it must be a bucket
    /// bound of a classic histogram. Example: `"0.10"`.
    #[serde(rename = "maxUSD")]
    #[schemars(length(min = 1, max = 13))]
    pub max_usd: String,
    /// How the cost is known. Default: `Events`.
    #[serde(default)]
    pub method: CostMethod,
}

/// A count per run at most a limit.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MaxIndicator {
    /// Highest count of a run that is good, inclusive. It must be a bucket bound of a classic
    /// histogram. Example: `65536`.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max: i64,
}

/// Which evaluation, and what is good.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.minScore) != (has(self.goodLabels) && size(self.goodLabels) > 0)").message(messages::ONE_CRITERION),
    validation = Rule::new("!has(self.minScore) || self.minScore.matches('^[0-9]{1,6}([.][0-9]{1,6})?$')").message(messages::SCORE).field_path(".minScore")
)]
pub struct EvaluationIndicator {
    /// Name of the evaluator whose results count. Example: `helpfulness`.
    #[schemars(length(min = 1, max = 128))]
    pub evaluator: String,
    /// Scores above this bound are good. It must be a bucket bound of the score histogram, and a score
    /// exactly on it counts as bad, since buckets include their bound. Example: `"0.7"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 13))]
    pub min_score: Option<String>,
    /// Labels of the evaluation result that are good. Example: `[pass]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub good_labels: Vec<String>,
}

/// Which guardrail checks count.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardrailIndicator {
    /// Names of the checks that count. Default: all. Example: `[prompt-injection]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub checks: Vec<String>,
}

/// Two counters: all events, and the good or the bad ones among them.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.good) != has(self.bad)").message(messages::ONE_NUMERATOR),
    validation = Rule::new("(!has(self.good) || [self.good.metric] + (has(self.good.matchers) ? self.good.matchers.map(m, m.label + ' ' + m.op + ' ' + m.value) : []) != [self.total.metric] + (has(self.total.matchers) ? self.total.matchers.map(m, m.label + ' ' + m.op + ' ' + m.value) : [])) && (!has(self.bad) || [self.bad.metric] + (has(self.bad.matchers) ? self.bad.matchers.map(m, m.label + ' ' + m.op + ' ' + m.value) : []) != [self.total.metric] + (has(self.total.matchers) ? self.total.matchers.map(m, m.label + ' ' + m.op + ' ' + m.value) : []))").message(messages::SAME_SELECTOR)
)]
pub struct RatioIndicator {
    /// Counter of all valid events.
    pub total: Selector,
    /// Counter of the good ones. Set this or `bad`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Selector>,
    /// Counter of the bad ones. Set this or `good`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<Selector>,
}

/// A histogram whose observations are good up to a threshold.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.metric.matches('^[a-zA-Z_:][a-zA-Z0-9_:.]*$')").message(messages::METRIC_NAME).field_path(".metric"),
    validation = Rule::new("self.threshold.matches('^([1-9][0-9]*(ms|s|m|h)|[0-9]{1,9}([.][0-9]{1,6})?)$')").message(messages::HISTOGRAM_THRESHOLD_FORMAT).field_path(".threshold")
)]
pub struct HistogramIndicator {
    /// Name of the histogram without `_bucket`, `_count` or `_sum`. Example: `queue_wait_seconds`.
    #[schemars(length(min = 1, max = 200))]
    pub metric: String,
    /// Conditions on its labels, all of which must hold. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["label", "op"]))]
    pub matchers: Vec<Matcher>,
    /// Highest good value, inclusive: a duration (compared in seconds), or a plain number in the unit
    /// of the histogram. Example: `5s` or `"0.5"`.
    #[schemars(length(min = 1, max = 16))]
    pub threshold: String,
    /// How the histogram is stored. Default: `Auto`.
    #[serde(default, rename = "type")]
    pub histogram_type: HistogramType,
}

/// PromQL for the two counts in a window.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.bad.contains('$window')").message(messages::RAW_WINDOW).field_path(".bad"),
    validation = Rule::new("self.total.contains('$window')").message(messages::RAW_WINDOW).field_path(".total"),
    validation = Rule::new("self.bad != self.total").message(messages::SAME_SELECTOR)
)]
pub struct RawIndicator {
    /// Number of bad events in `$window`, as one series per group.
    /// Example: `sum(increase(my_errors_total[$window]))`.
    #[schemars(length(min = 1, max = 4096))]
    pub bad: String,
    /// Number of valid events in `$window`, as one series per group.
    /// Example: `sum(increase(my_requests_total[$window]))`.
    #[schemars(length(min = 1, max = 4096))]
    pub total: String,
}
