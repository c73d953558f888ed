//! From the names of OpenTelemetry to those that Prometheus stores, by its four strategies
//! (`github.com/prometheus/otlptranslator`).

use crate::api::v1alpha1::NameTranslation;
use crate::profiles::{Metric, MetricKind, Naming};

/// Name of the metric as Prometheus stores it; histograms without `_bucket`, `_count` or `_sum`.
#[must_use]
pub fn stored_name(metric: &Metric, translation: NameTranslation) -> String {
    if metric.naming == Naming::Prometheus {
        return metric.name.clone();
    }
    let is_counter = metric.kind == MetricKind::Counter;
    let unit = match (metric.kind, metric.unit.as_deref()) {
        (MetricKind::Gauge, Some("1")) => Some("ratio"),
        (_, unit) => unit.and_then(unit_suffix),
    };
    match translation {
        NameTranslation::NoTranslation => metric.name.clone(),
        NameTranslation::NoUTF8EscapingWithSuffixes => dotted_with_suffixes(&metric.name, unit, is_counter),
        NameTranslation::UnderscoreEscapingWithSuffixes => {
            underscored_with_suffixes(&metric.name, unit, is_counter)
        }
        NameTranslation::UnderscoreEscapingWithoutSuffixes => tokens(&metric.name).join("_"),
    }
}

/// Name of a label as Prometheus stores it.
#[must_use]
pub fn stored_label(label: &str, translation: NameTranslation) -> String {
    match translation {
        NameTranslation::NoTranslation | NameTranslation::NoUTF8EscapingWithSuffixes => label.to_owned(),
        NameTranslation::UnderscoreEscapingWithSuffixes
        | NameTranslation::UnderscoreEscapingWithoutSuffixes => label.replace('.', "_"),
    }
}

/// The suffix for a unit; units in braces are annotations and have none.
fn unit_suffix(unit: &str) -> Option<&str> {
    match unit {
        "s" => Some("seconds"),
        "ms" => Some("milliseconds"),
        "By" => Some("bytes"),
        "" | "1" => None,
        annotation if annotation.starts_with('{') => None,
        other => Some(other),
    }
}

fn tokens(name: &str) -> Vec<&str> {
    name.split(|character: char| !(character.is_ascii_alphanumeric() || character == ':'))
        .filter(|token| !token.is_empty())
        .collect()
}

fn underscored_with_suffixes(name: &str, unit: Option<&str>, is_counter: bool) -> String {
    let mut parts = tokens(name);
    if let Some(unit) = unit.filter(|unit| !parts.contains(unit)) {
        parts.push(unit);
    }
    if is_counter {
        parts.retain(|part| *part != "total");
        parts.push("total");
    }
    parts.join("_")
}

fn dotted_with_suffixes(name: &str, unit: Option<&str>, is_counter: bool) -> String {
    let mut stored = name.to_owned();
    if is_counter {
        stored = stored.strip_suffix(".total").map_or(stored.clone(), str::to_owned);
    }
    if let Some(unit) = unit {
        stored = format!("{stored}_{unit}");
    }
    if is_counter { format!("{stored}_total") } else { stored }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verified with the upstream translator: name, unit, counter, then the four strategies.
    const TABLE: [(&str, &str, bool, [&str; 4]); 5] = [
        (
            "claude_code.token.usage",
            "tokens",
            true,
            [
                "claude_code_token_usage_tokens_total",
                "claude_code_token_usage",
                "claude_code.token.usage_tokens_total",
                "claude_code.token.usage",
            ],
        ),
        (
            "claude_code.active_time.total",
            "s",
            true,
            [
                "claude_code_active_time_seconds_total",
                "claude_code_active_time_total",
                "claude_code.active_time_seconds_total",
                "claude_code.active_time.total",
            ],
        ),
        (
            "gen_ai.client.operation.duration",
            "s",
            false,
            [
                "gen_ai_client_operation_duration_seconds",
                "gen_ai_client_operation_duration",
                "gen_ai.client.operation.duration_seconds",
                "gen_ai.client.operation.duration",
            ],
        ),
        (
            "gen_ai.client.inference.usage.input_tokens",
            "{token}",
            true,
            [
                "gen_ai_client_inference_usage_input_tokens_total",
                "gen_ai_client_inference_usage_input_tokens",
                "gen_ai.client.inference.usage.input_tokens_total",
                "gen_ai.client.inference.usage.input_tokens",
            ],
        ),
        (
            "gen_ai.client.token.usage",
            "token",
            false,
            [
                "gen_ai_client_token_usage",
                "gen_ai_client_token_usage",
                "gen_ai.client.token.usage_token",
                "gen_ai.client.token.usage",
            ],
        ),
    ];

    #[test]
    fn names_are_translated_as_upstream_does() {
        let strategies = [
            NameTranslation::UnderscoreEscapingWithSuffixes,
            NameTranslation::UnderscoreEscapingWithoutSuffixes,
            NameTranslation::NoUTF8EscapingWithSuffixes,
            NameTranslation::NoTranslation,
        ];
        for (name, unit, is_counter, stored) in TABLE {
            let kind = if is_counter { MetricKind::Counter } else { MetricKind::Histogram };
            let metric = Metric {
                name: name.into(),
                unit: Some(unit.into()),
                kind,
                naming: Naming::OpenTelemetry,
                matchers: Vec::new(),
                agent_label: None,
            };
            for (strategy, expected) in strategies.into_iter().zip(stored) {
                assert_eq!(stored_name(&metric, strategy), expected, "{name} {strategy:?}");
            }
        }
    }
}
