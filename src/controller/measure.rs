//! Asks each Prometheus for the budgets of all its AgentSLOs, in one query, again and again. Prometheus
//! being down is a reading, not an error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use super::connect::connect;
use super::context::Context;
use super::duplicates::duplicates;
use super::poison::locked;
use super::registry::Entry;
use super::survey::{SURVEY_EVERY, is_missing, survey};
use super::wake::Wake;
use crate::api::v1alpha1::PrometheusEndpoint;
use crate::domain::reading::{Observation, Reading, RulesSeen};
use crate::domain::slo::Slo;
use crate::metrics::Queried;
use crate::prometheus::{Connection, GroupHealth, QueryError, SloKey, budgets, diagnose, rule_groups};
use crate::render::rules::group_name;

/// Fewest seconds between two polls, when something new wants to be read.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
/// Time between two looks at the rules API and at raw series, for each Prometheus.
const DIAGNOSE_EVERY: Duration = Duration::from_mins(1);
/// Most AgentSLOs whose raw series are looked at in one look. Those that nobody looked at come first, and the
/// others take turns.
const MOST_DIAGNOSED: usize = 20;

fn is_due(last: Option<Instant>, pause: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= pause)
}

/// Reads budgets.
pub(super) struct Meter {
    pub(super) ctx: Arc<Context>,
    /// Namespace of the Secrets that endpoints refer to.
    pub(super) operator_namespace: String,
    /// Time between two polls.
    pub(super) interval: Duration,
    /// Wakes the reconciliation of whatever Prometheus has news of.
    pub(super) wake: Wake,
}

/// The AgentSLOs of one Prometheus.
type Members = Vec<(SloKey, Entry)>;

/// When one Prometheus was last looked into.
#[derive(Clone, Copy, Default)]
struct Looks {
    diagnosed: Option<Instant>,
    /// AgentSLOs whose raw series were looked at since the start.
    looked_at: usize,
    surveyed: Option<Instant>,
}

impl Looks {
    /// Takes the looks that are due.
    async fn after(mut self, connection: &Connection, found: &mut [(&SloKey, &Entry, Observation)]) -> Self {
        if is_due(self.diagnosed, DIAGNOSE_EVERY) && look_into(connection, found, self.looked_at).await {
            self.diagnosed = Some(Instant::now());
            self.looked_at += MOST_DIAGNOSED;
        }
        let is_new = found.iter().any(|(_, entry, seen)| is_missing(entry, seen));
        if is_due(self.surveyed, if is_new { DIAGNOSE_EVERY } else { SURVEY_EVERY }) {
            self.surveyed = Some(Instant::now());
            if let Err(error) = survey(connection, found).await {
                tracing::debug!(%error, "the past could not be read");
            }
        }
        self
    }
}

impl Meter {
    /// Polls until the future is dropped.
    pub(super) async fn run(self) {
        let mut looks: BTreeMap<String, Looks> = BTreeMap::new();
        loop {
            self.poll(&mut looks).await;
            tokio::time::sleep(SHORTEST_PAUSE.min(self.interval)).await;
            let rest = self.interval.saturating_sub(SHORTEST_PAUSE);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.ctx.registry.changed.notified() => {}
            }
        }
    }

    async fn poll(&self, looks: &mut BTreeMap<String, Looks>) {
        // There are few, and two platforms may share one.
        let mut endpoints: Vec<(Arc<PrometheusEndpoint>, Members)> = Vec::new();
        for (key, entry) in self.present() {
            let Some(endpoint) = entry.endpoint.clone() else { continue };
            match endpoints.iter_mut().find(|(known, _)| *known == endpoint) {
                Some((_, members)) => members.push((key, entry)),
                None => endpoints.push((endpoint, vec![(key, entry)])),
            }
        }
        let polls = endpoints.into_iter().map(|(endpoint, members)| {
            let identity = format!("{endpoint:?}");
            let before = looks.get(&identity).copied().unwrap_or_default();
            async move { (identity, self.poll_endpoint(&endpoint, &members, before).await) }
        });
        *looks = join_all(polls).await.into_iter().collect();
    }

    /// The entries whose AgentSLO still exists and is not another replica's; notes which of them promise
    /// the same.
    fn present(&self) -> Members {
        let (mut present, mut dated) = (Members::new(), Vec::new());
        for (key, entry) in self.ctx.registry.all() {
            let slo = self.ctx.slos.get(&ObjectRef::new(&key.name).within(&key.namespace));
            match slo.filter(|_| self.ctx.tenure.holds(&key.namespace)) {
                None => self.ctx.registry.forget(&key),
                Some(slo) => {
                    let created = slo.meta().creation_timestamp.clone();
                    dated.push((created, key.clone(), Arc::clone(&entry.slo)));
                    present.push((key, entry));
                }
            }
        }
        let mut duplicates = duplicates(dated);
        for (key, _) in &present {
            if self.ctx.registry.note_duplicate(key, duplicates.remove(key)) {
                self.wake(key);
            }
        }
        present
    }

    /// Reads the budgets of one Prometheus; says when it was last looked into.
    async fn poll_endpoint(&self, endpoint: &PrometheusEndpoint, members: &Members, looks: Looks) -> Looks {
        let answer = self.ask(endpoint, members).await;
        let code = answer.as_ref().err().map_or("ok", QueryError::reason);
        self.ctx.metrics.queried.get_or_create(&Queried { code }).inc();
        self.note_answer(endpoint, answer.as_ref().err());
        match answer {
            Err(error) => {
                tracing::debug!(%error, address = endpoint.address, "budgets could not be read");
                for (key, _) in members {
                    self.publish(key, Reading::Failed { reason: error.reason(), message: error.to_string() });
                }
                looks
            }
            Ok((connection, mut observations)) => {
                self.note_age(&observations);
                let mut found: Vec<(&SloKey, &Entry, Observation)> = members
                    .iter()
                    .map(|(key, entry)| (key, entry, observations.remove(key).unwrap_or_default()))
                    .collect();
                for (_, entry, observation) in &mut found {
                    keep_findings(observation, entry);
                }
                let looks = looks.after(&connection, &mut found).await;
                for (key, _, observation) in found {
                    self.publish(key, Reading::Answered(observation));
                }
                looks
            }
        }
    }

    async fn ask(
        &self,
        endpoint: &PrometheusEndpoint,
        members: &Members,
    ) -> Result<(Connection, BTreeMap<SloKey, Observation>), QueryError> {
        let connection = connect(endpoint, &self.operator_namespace, &self.ctx).await?;
        let largest_offset =
            members.iter().map(|(_, entry)| entry.slo.query_offset()).max().unwrap_or_default();
        let observations = budgets(&connection, largest_offset).await?;
        Ok((connection, observations))
    }

    fn publish(&self, key: &SloKey, reading: Reading) {
        if self.ctx.registry.read(key, reading) {
            self.wake(key);
        }
    }

    fn wake(&self, key: &SloKey) {
        self.wake.slo(&key.namespace, &key.name);
    }

    fn note_answer(&self, endpoint: &PrometheusEndpoint, error: Option<&QueryError>) {
        let mut answers = locked(&self.ctx.answers);
        for platform in self.ctx.platforms.state() {
            if platform.spec.prometheus.as_ref() == Some(endpoint) {
                let name = platform.metadata.name.clone().unwrap_or_default();
                let answer = error.map_or(Ok(()), |error| Err((error.reason(), error.to_string())));
                answers.insert(name, answer);
            }
        }
    }

    fn note_age(&self, observations: &BTreeMap<SloKey, Observation>) {
        let ages = observations.values().filter_map(|seen| Some(seen.asked_at - seen.evaluated_at?));
        if let Some(youngest) = ages.reduce(f64::min) {
            self.ctx.metrics.sample_age.set(youngest);
        }
    }
}

/// Looks into what is missing, where so many were looked at before; says whether there was anything.
async fn look_into(
    connection: &Connection,
    found: &mut [(&SloKey, &Entry, Observation)],
    looked_at: usize,
) -> bool {
    let mut missing: Vec<_> =
        found.iter_mut().filter(|(_, entry, seen)| misses_something(seen, &entry.slo)).collect();
    if missing.is_empty() {
        return false;
    }
    if let Ok(groups) = rule_groups(connection).await {
        for (_, entry, seen) in &mut missing {
            seen.rules = rules_seen(entry, &groups);
        }
    }
    missing.retain(|(_, entry, seen)| seen.is_evaluated(&entry.slo));
    for (_, entry, seen) in in_turn(missing, looked_at, |(_, _, seen)| seen.diagnosis.is_none()) {
        if let Ok(diagnosis) = diagnose(connection, &entry.slo, seen).await {
            seen.diagnosis = Some(diagnosis);
        }
    }
    true
}

/// Those whose turn it is, where so many had theirs.
fn in_turn<T>(mut all: Vec<T>, had_theirs: usize, is_new: impl Fn(&T) -> bool) -> impl Iterator<Item = T> {
    let turn = had_theirs.checked_rem(all.len()).unwrap_or_default();
    all.rotate_left(turn);
    all.sort_by_key(|each| !is_new(each));
    all.into_iter().take(MOST_DIAGNOSED)
}

fn rules_seen(entry: &Entry, groups: &BTreeMap<String, GroupHealth>) -> RulesSeen {
    let of = |part| groups.get(&group_name(&entry.slo, part));
    match (of("counts"), of("budget")) {
        (Some(GroupHealth::Failing { rule, error }), _) | (_, Some(GroupHealth::Failing { rule, error })) => {
            RulesSeen::Failing { rule: rule.clone(), error: error.clone() }
        }
        (Some(GroupHealth::Healthy), Some(GroupHealth::Healthy)) => RulesSeen::Healthy,
        (None, _) | (_, None) => RulesSeen::Missing,
    }
}

/// Whether rules are not evaluated, or lack counts.
fn misses_something(seen: &Observation, slo: &Slo) -> bool {
    !seen.is_evaluated(slo) || seen.groups.is_empty() || seen.groups.iter().any(|group| group.bad.is_none())
}

/// Between two looks the findings of the last one hold, those about something missing as long as it is.
fn keep_findings(observation: &mut Observation, entry: &Entry) {
    let Reading::Answered(before) = &*entry.reading else { return };
    observation.survey.clone_from(&before.survey);
    if !misses_something(observation, &entry.slo) {
        return;
    }
    observation.rules = before.rules.clone();
    // While nobody counts, nobody can tell what is wrong with the series.
    if observation.is_evaluated(&entry.slo) {
        observation.diagnosis.clone_from(&before.diagnosis);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::v1alpha1::AgentSlo;
    use crate::domain::reading::{Diagnosis, GroupCounts};
    use crate::validate::{self, SloFacts};

    /// An AgentSLO without counts, and what was found out about that.
    fn looked_into() -> Entry {
        let spec = json!({"agent": "support-agent", "objective": "99", "indicator": {"success": {}}});
        let spec = serde_json::from_value(spec).expect("it should have the shape");
        let slo = validate::slo(&AgentSlo::new("one", spec), &SloFacts::default());
        let found = Observation {
            rules: RulesSeen::Healthy,
            diagnosis: Some(Diagnosis::Unexplained),
            ..Observation::default()
        };
        let reading = Arc::new(Reading::Answered(found));
        let slo = Arc::new(slo.expect("it should be valid"));
        Entry { slo, endpoint: None, reading, duplicate_of: None }
    }

    #[test]
    fn findings_hold_as_long_as_what_they_are_about() {
        let (healthy, found) = (RulesSeen::Healthy, Some(Diagnosis::Unexplained));
        let counts = GroupCounts { bad: Some(0.0), ..GroupCounts::default() };
        let evaluated = Some(100_000.0);
        let cases = [
            ("no counts", evaluated, Vec::new(), (healthy.clone(), found.clone())),
            ("no bad counts", evaluated, vec![GroupCounts::default()], (healthy.clone(), found)),
            ("nobody counts", None, Vec::new(), (healthy.clone(), None)),
            ("nobody counts any more", Some(1.0), vec![counts.clone()], (healthy, None)),
            ("counts", evaluated, vec![counts], (RulesSeen::NotAsked, None)),
        ];
        for (what, evaluated_at, groups, expected) in cases {
            let mut seen =
                Observation { asked_at: 100_000.0, evaluated_at, groups, ..Observation::default() };
            keep_findings(&mut seen, &looked_into());
            assert_eq!((seen.rules, seen.diagnosis), expected, "{what}");
        }
    }

    #[test]
    fn all_get_their_turn_and_new_ones_come_first() {
        let all: Vec<usize> = (0..50).collect();
        let is_new = |each: &usize| *each == 49;
        let first: Vec<usize> = in_turn(all.clone(), 0, is_new).collect();
        assert_eq!(first, [vec![49], (0..19).collect()].concat());
        let second: Vec<usize> = in_turn(all.clone(), 20, |_| false).collect();
        assert_eq!(second, (20..40).collect::<Vec<_>>());
        let third: Vec<usize> = in_turn(all, 40, |_| false).collect();
        assert_eq!(third, [(40..50).collect::<Vec<_>>(), (0..10).collect()].concat());
        assert_eq!(in_turn(Vec::<usize>::new(), 20, is_new).count(), 0);
    }
}
