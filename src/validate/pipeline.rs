//! From a pipeline on the wire to one whose back ends are known.

use std::time::Duration;

use super::findings::Findings;
use super::go_regex;
use super::observability::written_or_none;
use super::telemetry::check_regex;
use super::text::{duration_within, has_control, money, plain_decimal};
use crate::api::v1alpha1::{
    self as api, Backend, BackendKind, ContentCapture, Derivation, PatternSet, messages,
};
use crate::collector_versions;
use crate::domain::decimal::Decimal;
use crate::domain::pipeline::{Pipeline, Redaction, Sampling};
use crate::domain::platform::Platform;
use crate::domain::violation::Rule;

/// Validates a pipeline; `None` where violations were found.
pub(super) fn parse(spec: &api::Pipeline, platform: &Platform, findings: &mut Findings) -> Option<Pipeline> {
    let traces = spec.traces.clone().unwrap_or_default();
    let logs = spec.logs.clone().unwrap_or_default();
    let metrics = spec.metrics.clone().unwrap_or_default();
    let version = parse_version(spec.collector_version.as_deref(), findings);
    let redaction = parse_redaction(spec.redaction.as_ref(), findings);
    check_content(version, redaction.content, findings);
    let trace_backends = find_all(&traces.backends, Signal::Traces, platform, findings);
    let log_backends = find_all(&logs.backends, Signal::Logs, platform, findings);
    let metric_backends = find_all(&metrics.backends, Signal::Metrics, platform, findings);
    let sampling = match &traces.sampling {
        None => None,
        Some(sampling) => Some(parse_sampling(sampling, findings)?),
    };
    Some(Pipeline {
        delivery: spec.delivery,
        version: version?,
        derivation: spec.derive_metrics,
        redaction,
        traces: trace_backends,
        sampling,
        logs: log_backends,
        min_level: logs.min_level,
        metrics: metric_backends,
    })
}

/// Whether the pipeline makes metrics of its own.
pub(super) fn derives(spec: Option<&api::Pipeline>) -> bool {
    spec.is_some_and(|pipeline| pipeline.derive_metrics != Derivation::Off)
}

fn parse_version(written: Option<&str>, findings: &mut Findings) -> Option<&'static str> {
    let known = collector_versions::names();
    let version = match written {
        None => known.last(),
        Some(written) => known.iter().find(|version| **version == written),
    };
    let message = format!("must be one of '{}'", known.join("', '"));
    findings.expect(version.copied(), "spec.pipeline.collectorVersion", Rule::UnknownReference, message)
}

/// A release that cannot empty links, exemplars and descriptions would let content pass in them.
fn check_content(version: Option<&str>, content: ContentCapture, findings: &mut Findings) {
    let Some(release) = version.and_then(collector_versions::find) else { return };
    let able = collector_versions::all().filter(|release| release.unsets_with_nil);
    let able: Vec<&str> = able.map(|release| release.name.as_str()).collect();
    let message = format!(
        "Collector {} cannot take anything out of links of spans, exemplars and metadata of metrics; choose \
         'collectorVersion' {}, or 'contentCapture: Full' where such may pass",
        release.name,
        able.join(", ")
    );
    let holds = release.unsets_with_nil || content == ContentCapture::Full;
    findings.require(holds, "spec.pipeline.collectorVersion", Rule::Contradiction, message);
}

fn parse_redaction(written: Option<&api::Redaction>, findings: &mut Findings) -> Redaction {
    let written = written.cloned().unwrap_or_default();
    let mut sets = written.sets.map_or_else(|| Redaction::default().sets, |sets| sets.into_iter().collect());
    sets.insert(PatternSet::Credentials);
    check_patterns(&written.patterns, "spec.pipeline.redaction.patterns", findings);
    check_patterns(&written.key_patterns, "spec.pipeline.redaction.keyPatterns", findings);
    Redaction {
        content: written.content_capture,
        sets,
        patterns: written.patterns,
        key_patterns: written.key_patterns,
    }
}

fn check_patterns(patterns: &[String], path: &str, findings: &mut Findings) {
    for (index, pattern) in patterns.iter().enumerate() {
        if has_control(pattern) {
            findings.add(path, Rule::InvalidText, messages::NO_CONTROL);
        } else if let Err(message) = check_regex(pattern).and_then(|()| go_regex::check(pattern)) {
            findings.add(format!("{path}[{index}]"), Rule::InvalidRegex, message);
        }
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Traces,
    Logs,
    Metrics,
}

impl Signal {
    fn field(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    /// Whether a back end of this kind takes the signal.
    fn is_taken_by(self, kind: BackendKind) -> bool {
        match kind {
            BackendKind::Otlp | BackendKind::Honeycomb | BackendKind::Elasticsearch => true,
            BackendKind::Loki => matches!(self, Self::Logs),
            BackendKind::Sentry => matches!(self, Self::Traces | Self::Logs),
            BackendKind::Tempo | BackendKind::Jaeger | BackendKind::Zipkin => matches!(self, Self::Traces),
            BackendKind::PrometheusRemoteWrite => matches!(self, Self::Metrics),
            BackendKind::Postgres => false,
        }
    }
}

fn find_all(names: &[String], signal: Signal, platform: &Platform, findings: &mut Findings) -> Vec<Backend> {
    let fitting: Vec<&Backend> =
        platform.backends.iter().filter(|backend| signal.is_taken_by(backend.kind)).collect();
    let offered: Vec<&str> = fitting.iter().map(|backend| backend.name.as_str()).collect();
    let offered = if offered.is_empty() {
        format!("{} offers none", platform.display_name())
    } else {
        format!("{} offers '{}'", platform.display_name(), offered.join("', '"))
    };
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let backend = fitting.iter().find(|backend| backend.name == *name).map(|backend| (*backend).clone());
        let field = signal.field();
        let path = format!("spec.pipeline.{field}.backends[{index}]");
        let message = format!("'{name}' is no back end for {field}; {offered}");
        found.extend(findings.expect(backend, path, Rule::NotPermitted, message));
    }
    found
}

fn parse_sampling(written: &api::Sampling, findings: &mut Findings) -> Option<Sampling> {
    const PATH: &str = "spec.pipeline.traces.sampling";
    let slower_than = written.slower_than.as_deref().map(|text| {
        let duration =
            duration_within(text, &["ms", "s", "m", "h"], Duration::ZERO, Duration::from_hours(24));
        let path = format!("{PATH}.slowerThan");
        findings.expect(duration, path, Rule::InvalidThreshold, messages::THRESHOLD_RANGE)
    });
    let costlier_than = written
        .costlier_than_usd
        .as_deref()
        .map(|text| money(text, &format!("{PATH}.costlierThanUSD"), findings));
    let percent = plain_decimal(&written.percent_of_rest, 3, 3);
    let percent = findings.expect(
        percent.filter(|percent| *percent <= Decimal::from_integer(100)),
        format!("{PATH}.percentOfRest"),
        Rule::InvalidThreshold,
        messages::PERCENT,
    );
    let wait =
        duration_within(&written.decision_wait, &["s", "m"], Duration::from_secs(1), Duration::from_hours(1));
    let path = format!("{PATH}.decisionWait");
    let wait = findings.expect(wait, path, Rule::InvalidWindow, messages::DECISION_WAIT);
    Some(Sampling {
        errors: written.errors,
        slower_than: written_or_none(slower_than)?,
        costlier_than: written_or_none(costlier_than)?,
        percent_of_rest: percent?,
        decision_wait: wait?,
    })
}
