//! Releases of the OpenTelemetry Collector as data: names of components and keys differ between them.

/// The releases that a pipeline can be made for, oldest first.
#[must_use]
pub fn names() -> Vec<&'static str> {
    vec!["0.155", "0.165"]
}
