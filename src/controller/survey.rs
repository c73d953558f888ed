//! The slow look at a Prometheus: what the recorded past says of each AgentSLO. It reads many samples, so
//! it is made rarely, and between two looks the last one holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::registry::Entry;
use crate::domain::reading::{Observation, Survey};
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::prometheus::{Connection, QueryError, SloKey, gauges, histories, retention};

/// Time between two looks.
pub(super) const SURVEY_EVERY: Duration = Duration::from_mins(10);
/// Most metrics whose type is looked up in one look, each with a request of its own.
const MOST_METRICS: usize = 100;

/// Whether somebody's counts are new, so that there is no point in waiting.
pub(super) fn is_missing(entry: &Entry, seen: &Observation) -> bool {
    seen.is_evaluated(&entry.slo) && seen.survey.is_none()
}

/// Looks into the past of all AgentSLOs of one Prometheus.
pub(super) async fn survey(
    connection: &Connection,
    found: &mut [(&SloKey, &Entry, Observation)],
) -> Result<(), QueryError> {
    let windows: BTreeMap<SloKey, Window> =
        found.iter().map(|(key, entry, _)| ((*key).clone(), entry.slo.window())).collect();
    let largest_offset = found.iter().map(|(_, entry, _)| entry.slo.query_offset()).max().unwrap_or_default();
    let histories = histories(connection, &windows, largest_offset).await?;
    let retention = retention(connection).await?;
    let gauges = gauges(connection, &metrics(found)).await?;
    // Of rules that are not evaluated yet there is no past; they are looked at as soon as they are.
    let evaluated = found.iter_mut().filter(|(_, entry, seen)| seen.is_evaluated(&entry.slo));
    for (key, entry, seen) in evaluated {
        let Some(history) = histories.get(*key) else { continue };
        let before = seen.survey.take().and_then(|survey| survey.gauge);
        seen.survey = Some(Survey {
            events_per_hour: history.events_per_hour,
            coverage: history.coverage,
            retention,
            gauge: gauge(&entry.slo, &gauges, before.as_deref()),
        });
    }
    Ok(())
}

/// A metric that is counted and is a gauge. One that no target exposes just now is what it was before.
fn gauge(slo: &Slo, gauges: &BTreeMap<String, bool>, before: Option<&str>) -> Option<String> {
    let is_gauge = |metric: &&str| gauges.get(*metric).copied().unwrap_or(before == Some(*metric));
    slo.indicator().measure.counted_metrics().into_iter().find(is_gauge).map(str::to_owned)
}

/// The metrics whose type is looked up.
fn metrics(found: &[(&SloKey, &Entry, Observation)]) -> BTreeSet<String> {
    let all = found.iter().flat_map(|(_, entry, _)| entry.slo.indicator().measure.counted_metrics());
    let distinct: BTreeSet<&str> = all.collect();
    distinct.into_iter().take(MOST_METRICS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1alpha1::AgentSlo;
    use crate::validate::{self, SloFacts};
    use serde_json::json;

    #[test]
    fn a_gauge_that_is_not_exposed_just_now_stays_one() {
        let total = json!({"metric": "jobs_total"});
        let indicator = json!({"ratio": {"total": total, "bad": {"metric": "failed_jobs"}}});
        let written: AgentSlo = serde_json::from_value(json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO", "metadata": {"name": "a"},
            "spec": {"agent": "a", "objective": "99", "indicator": indicator},
        }))
        .expect("the spec should have the shape");
        let slo = validate::slo(&written, &SloFacts::default()).expect("the spec should be valid");
        let found = |known: &[(&str, bool)], before: Option<&str>| {
            let known = known.iter().map(|(name, is_gauge)| ((*name).to_owned(), *is_gauge)).collect();
            gauge(&slo, &known, before)
        };
        let failed = Some("failed_jobs".to_owned());
        assert_eq!(found(&[("jobs_total", false), ("failed_jobs", true)], None), failed);
        assert_eq!(found(&[("failed_jobs", false)], Some("failed_jobs")), None);
        assert_eq!(found(&[], Some("failed_jobs")), failed);
        assert_eq!(found(&[("other", true)], Some("another")), None);
    }
}
