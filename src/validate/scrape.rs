//! From scraping on the wire to one with a duration.

use std::time::Duration;

use super::findings::Findings;
use super::labels;
use super::text::duration_within;
use crate::api::v1alpha1::{self as api, messages};
use crate::domain::scrape::Scrape;
use crate::domain::violation::Rule;

/// Validates scraping; `None` where violations were found.
pub(super) fn parse(spec: &api::Scrape, findings: &mut Findings) -> Option<Scrape> {
    let is_bound = !spec.selector.match_labels.is_empty() || !spec.selector.match_expressions.is_empty();
    findings.require(is_bound, "spec.scrape.selector", Rule::Contradiction, messages::POD_SELECTOR);
    labels::check(&spec.selector.match_labels, "spec.scrape.selector.matchLabels", findings);
    let path = "spec.scrape.selector.matchExpressions";
    labels::check_requirements(&spec.selector.match_expressions, path, findings);
    let interval =
        duration_within(&spec.interval, &["s", "m"], Duration::from_secs(5), Duration::from_mins(5));
    let interval =
        findings.expect(interval, "spec.scrape.interval", Rule::InvalidWindow, messages::SCRAPE_INTERVAL)?;
    Some(Scrape {
        selector: spec.selector.clone(),
        port: spec.port.clone(),
        path: spec.path.clone(),
        interval,
    })
}
