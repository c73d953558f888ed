//! Validated scraping: which pods, and how often.

use std::time::Duration;

use crate::api::v1alpha1::PodSelector;

/// Pods whose metrics Prometheus scrapes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scrape {
    /// Labels of the pods.
    pub selector: PodSelector,
    /// Name of the container port.
    pub port: String,
    /// Path of the metrics.
    pub path: String,
    /// Time between two scrapes.
    pub interval: Duration,
}
