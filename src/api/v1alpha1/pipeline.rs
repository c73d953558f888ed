//! The OpenTelemetry Collector pipeline of an agent. Nothing here can carry an address or a component of
//! the user's own: back ends are named, and what they are is the AgentPlatform's.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::messages;

/// The Collector pipeline of an agent: OTLP in, secrets out, SLI metrics derived, back ends fed.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pipeline {
    /// What carries the configuration. Default: `ConfigMap`.
    #[serde(default)]
    pub delivery: PipelineDelivery,
    /// Version of the Collector that runs the pipeline, since components and keys differ between them.
    /// Default: the newest of those that are known. Example: `"0.165"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 8), extend("enum" = crate::collector_versions::names()))]
    pub collector_version: Option<String>,
    /// From which telemetry SLI metrics are derived. They are counted before sampling, with no label for
    /// a session, by the Collector as the only writer. Default: `RunsFromSpans`.
    #[serde(default)]
    pub derive_metrics: Derivation,
    /// What is taken out of all signals before anything else reads them. Default: all credentials and
    /// personal data, and all content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<Redaction>,
    /// What happens to traces. Default: they feed the derived metrics and go nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<TracePipeline>,
    /// What happens to logs. Default: they feed the derived metrics and go nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<LogPipeline>,
    /// What happens to metrics, besides being scraped from the Collector. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricPipeline>,
}

/// What carries the configuration of a Collector.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PipelineDelivery {
    /// A ConfigMap with the file `collector.yaml`, for a Collector that somebody else runs.
    #[default]
    ConfigMap,
    /// An `OpenTelemetryCollector`, which the OpenTelemetry operator runs.
    OpenTelemetryCollector,
}

/// From which telemetry SLI metrics are derived.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Derivation {
    /// Runs from spans, everything else from log events: right for Claude Code and the Claude Agent SDK,
    /// whose events carry no outcome of a run.
    #[default]
    RunsFromSpans,
    /// Everything from log events.
    FromEvents,
    /// Everything from spans.
    FromSpans,
    /// None are derived: the agent's own metrics are used.
    Off,
}

/// What is taken out of all signals.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.patterns) || self.patterns.all(p, !p.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x9f]'))").message(messages::NO_CONTROL).field_path(".patterns"),
    validation = Rule::new("!has(self.keyPatterns) || self.keyPatterns.all(p, !p.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x9f]'))").message(messages::NO_CONTROL).field_path(".keyPatterns")
)]
pub struct Redaction {
    /// Whether prompts, answers, tool inputs and tool outputs pass. Default: `None`.
    #[serde(default)]
    pub content_capture: ContentCapture,
    /// Built-in sets of patterns; `Credentials` is in force whether listed or not.
    /// Default: `[Credentials, Personal]`. Example: `[Credentials]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub sets: Option<Vec<PatternSet>>,
    /// Further RE2 expressions; what they match becomes `****` wherever it stands. At most 20.
    /// Default: none. Example: `["CUST-[0-9]{8}"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub patterns: Vec<String>,
    /// Further RE2 expressions for keys of attributes, whose whole value is taken out. Counts of tokens
    /// (`gen_ai.usage.*` and the like) are spared. At most 20. Default: none. Example: `["^customer[.]"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub key_patterns: Vec<String>,
}

/// Whether content passes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ContentCapture {
    /// Content is dropped.
    #[default]
    None,
    /// Content passes after redaction.
    Redacted,
    /// Content passes as it is, with credentials taken out.
    Full,
}

/// A built-in set of patterns.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum PatternSet {
    /// API keys, tokens, passwords, private keys.
    Credentials,
    /// Addresses of e-mail and numbers of payment cards.
    Personal,
}

/// What happens to traces.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TracePipeline {
    /// Names of the AgentPlatform's back ends that receive them. Default: none. Example: `[tempo]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub backends: Vec<String>,
    /// Which traces are kept, decided when a trace has ended. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
}

/// Which traces are kept. A trace that meets one condition is kept whole.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.slowerThan) || (self.slowerThan.matches('^[1-9][0-9]{0,6}(ms|s|m|h)$') && duration(self.slowerThan) <= duration('24h'))").message(messages::THRESHOLD_RANGE).field_path(".slowerThan"),
    validation = Rule::new("!has(self.costlierThanUSD) || (self.costlierThanUSD.matches('^[0-9]{1,6}([.][0-9]{1,6})?$') && double(self.costlierThanUSD) > 0.0)").message(messages::MONEY).field_path(".costlierThanUSD"),
    validation = Rule::new("self.percentOfRest.matches('^[0-9]{1,3}([.][0-9]{1,3})?$') && double(self.percentOfRest) <= 100.0").message(messages::PERCENT).field_path(".percentOfRest"),
    validation = Rule::new("self.decisionWait.matches('^[1-9][0-9]{0,4}(s|m)$') && duration(self.decisionWait) >= duration('1s') && duration(self.decisionWait) <= duration('1h')").message(messages::DECISION_WAIT).field_path(".decisionWait")
)]
pub struct Sampling {
    /// Whether every trace with an error is kept. Default: `Keep`.
    #[serde(default)]
    pub errors: ErrorSampling,
    /// Duration from which on a trace is kept, 1ms to 24h. Default: none. Example: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 9))]
    pub slower_than: Option<String>,
    /// Cost of a span from which on its trace is kept, in US dollars. Default: none. Example: `"1"`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "costlierThanUSD")]
    #[schemars(length(min = 1, max = 13))]
    pub costlier_than_usd: Option<String>,
    /// Percentage of all other traces that is kept. Default: `10`. Example: `"2.5"`.
    #[serde(default = "default_percent")]
    #[schemars(length(min = 1, max = 7))]
    pub percent_of_rest: String,
    /// Time from the first span of a trace to the decision, 1s to 1h; as long as a run takes, or the end
    /// of the run is not seen. Default: `2m`.
    #[serde(default = "default_wait")]
    #[schemars(length(min = 2, max = 6))]
    pub decision_wait: String,
}

fn default_percent() -> String {
    "10".to_owned()
}

fn default_wait() -> String {
    "2m".to_owned()
}

/// Whether every trace with an error is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ErrorSampling {
    /// It is.
    #[default]
    Keep,
    /// It is sampled like the rest.
    Sample,
}

/// What happens to logs.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPipeline {
    /// Names of the AgentPlatform's back ends that receive them. Default: none. Example: `[loki]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub backends: Vec<String>,
    /// Lowest level that is carried on. Records without a level, as Claude Code's events are, pass.
    /// Default: `Info`.
    #[serde(default)]
    pub min_level: LogLevel,
}

/// Levels of log records, as OpenTelemetry orders them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// For whoever debugs.
    Debug,
    /// What happened.
    #[default]
    Info,
    /// What may become a failure.
    Warn,
    /// Failures.
    Error,
    /// What ended the process.
    Fatal,
}

/// What happens to metrics, besides being scraped from the Collector.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricPipeline {
    /// Names of the AgentPlatform's back ends that receive them by push. Default: none.
    /// Example: `[prometheus]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub backends: Vec<String>,
}
