//! Releases of the OpenTelemetry Collector as data: names of components and keys differ between them.
//! A release is one YAML file in this folder; adding one is adding a file. What a release is not known to
//! do, it is taken not to do.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/collector_versions");

static RELEASES: LazyLock<Vec<Release>> = LazyLock::new(|| {
    let files = FILES.files();
    let files = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "yaml"));
    let mut releases: Vec<Release> = files
        .map(|file| {
            let text = file.contents_utf8().expect("releases should be UTF-8");
            serde_saphyr::from_str(text).expect("releases should parse, as a test shows")
        })
        .collect();
    releases.sort_by_key(Release::order);
    releases
});

/// The releases that a pipeline can be made for, oldest first.
#[must_use]
pub fn names() -> Vec<&'static str> {
    RELEASES.iter().map(|release| release.name.as_str()).collect()
}

/// The same with what is known of them.
pub fn all() -> impl Iterator<Item = &'static Release> {
    RELEASES.iter()
}

/// The release of this name, if it is known.
#[must_use]
pub fn find(name: &str) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.name == name)
}

/// One release of the Collector.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// Major and minor version, as in `spec.pipeline.collectorVersion`.
    pub name: String,
    /// Where it was read, or how it was seen.
    pub source: String,
    /// What it calls its components.
    pub components: Components,
    /// Whether OTTL's `set(path, nil)` empties what has no other way to be emptied: links of spans,
    /// metadata of metrics, attributes of exemplars. Where it does nothing, they pass unread.
    pub unsets_with_nil: bool,
    /// Whether the remote write exporter takes its client's settings under `http`.
    pub remote_write_under_http: bool,
}

/// Ids of the components whose names have changed, or may.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Components {
    /// OTLP exporter over gRPC.
    pub otlp_grpc: String,
    /// OTLP exporter over HTTP.
    pub otlp_http: String,
    /// Exporter to Elasticsearch.
    pub elasticsearch: String,
    /// Exporter to Zipkin.
    pub zipkin: String,
    /// Exporter by Prometheus' remote write.
    pub prometheus_remote_write: String,
    /// From deltas to totals.
    pub delta_to_cumulative: String,
    /// Looks up pods by address.
    pub kubernetes_attributes: String,
    /// Counts log records, spans and data points.
    pub signal_to_metrics: String,
}

impl Release {
    fn order(&self) -> Vec<u32> {
        self.name.split('.').map(|part| part.parse().unwrap_or_default()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_parse_and_are_in_order() {
        assert_eq!(names(), ["0.155", "0.158", "0.165"]);
        for name in names() {
            let release = find(name).expect("a listed release should be found");
            assert!(!release.source.is_empty());
        }
        assert!(find("0.154").is_none());
    }
}
