//! From routing on the wire to routing whose receivers exist.

use super::findings::Findings;
use crate::api::v1alpha1 as api;
use crate::domain::routing::Routing;

/// Validates routing; `None` where violations were found.
pub(super) fn parse(spec: &api::Routing, _findings: &mut Findings) -> Option<Routing> {
    Some(Routing {
        page: spec.page.clone(),
        ticket: spec.ticket.clone(),
        receivers: spec.receivers.clone(),
        group_wait: spec.group_wait.clone(),
        group_interval: spec.group_interval.clone(),
        repeat_interval: spec.repeat_interval.clone(),
        mute_times: spec.mute_times.clone(),
    })
}
