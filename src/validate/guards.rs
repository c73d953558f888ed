//! From guards on the wire to guards with numbers.

use super::findings::Findings;
use crate::api::v1alpha1 as api;
use crate::domain::guard::Guard;
use crate::domain::platform::Platform;

/// Validates guards.
pub(super) fn parse(
    _written: Option<&api::Guards>,
    _has_pipeline: bool,
    _platform: &Platform,
    _findings: &mut Findings,
) -> Vec<Guard> {
    Vec::new()
}
