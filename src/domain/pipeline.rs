//! A validated Collector pipeline: every back end is known, every amount is a number.

use std::collections::BTreeSet;
use std::time::Duration;

use super::decimal::Decimal;
use crate::api::v1alpha1::{
    Backend, ContentCapture, Derivation, ErrorSampling, LogLevel, PatternSet, PipelineDelivery,
};

/// The Collector pipeline of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pipeline {
    /// What carries the configuration.
    pub delivery: PipelineDelivery,
    /// Release of the Collector, one of [`crate::collector_versions::names`].
    pub version: &'static str,
    /// From which telemetry SLI metrics are derived.
    pub derivation: Derivation,
    /// What is taken out of all signals.
    pub redaction: Redaction,
    /// Back ends of traces.
    pub traces: Vec<Backend>,
    /// Which traces are kept; none for all.
    pub sampling: Option<Sampling>,
    /// Back ends of logs.
    pub logs: Vec<Backend>,
    /// Lowest level of log records that is carried on.
    pub min_level: LogLevel,
    /// Back ends of metrics, by push.
    pub metrics: Vec<Backend>,
}

/// What is taken out of all signals.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redaction {
    /// Whether content passes.
    pub content: ContentCapture,
    /// Built-in sets of patterns; always has `Credentials`.
    pub sets: BTreeSet<PatternSet>,
    /// RE2 expressions for values.
    pub patterns: Vec<String>,
    /// RE2 expressions for keys.
    pub key_patterns: Vec<String>,
}

/// What is taken out where nothing is said of it.
impl Default for Redaction {
    fn default() -> Self {
        Self {
            content: ContentCapture::None,
            sets: BTreeSet::from([PatternSet::Credentials, PatternSet::Personal]),
            patterns: Vec::new(),
            key_patterns: Vec::new(),
        }
    }
}

/// Which traces are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sampling {
    /// Whether every trace with an error is kept.
    pub errors: ErrorSampling,
    /// Duration from which on a trace is kept.
    pub slower_than: Option<Duration>,
    /// Cost of a span from which on its trace is kept, in US dollars.
    pub costlier_than: Option<Decimal>,
    /// Percentage of all others that is kept.
    pub percent_of_rest: Decimal,
    /// Time from the first span of a trace to the decision.
    pub decision_wait: Duration,
}
