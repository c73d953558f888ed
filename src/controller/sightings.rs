//! What is known of the telemetry of each AgentObservability: what Prometheus is asked, and what it said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::poison::locked;
use crate::api::v1alpha1::PrometheusEndpoint;
use crate::domain::observability::Observability;
use crate::domain::sighting::Sighting;
use crate::prometheus::question;

/// Namespace and name.
pub(super) type ObservabilityKey = (String, String);

/// One AgentObservability that is in force.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// What Prometheus is asked about its last valid spec.
    pub(super) question: Arc<str>,
    /// Whether it has a pipeline, which a Collector should run.
    pub(super) has_pipeline: bool,
    /// Where its series are.
    pub(super) endpoint: Option<Arc<PrometheusEndpoint>>,
    /// What was seen.
    pub(super) sighting: Arc<Sighting>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    watched: Mutex<BTreeMap<ObservabilityKey, Watched>>,
    /// Told when an entry wants a first look.
    pub(super) changed: Notify,
}

impl Sightings {
    /// What was last seen.
    pub(super) fn get(&self, key: &ObservabilityKey) -> Option<Arc<Sighting>> {
        locked(&self.watched).get(key).map(|watched| Arc::clone(&watched.sighting))
    }

    /// All entries.
    pub(super) fn all(&self) -> BTreeMap<ObservabilityKey, Watched> {
        locked(&self.watched).clone()
    }

    /// Notes a valid spec and returns what was last seen of its telemetry.
    pub(super) fn register(&self, key: &ObservabilityKey, observability: &Observability) -> Arc<Sighting> {
        let endpoint = observability.platform().prometheus.clone();
        let question: Arc<str> = question(observability).into();
        let has_pipeline = observability.pipeline().is_some();
        let mut all = locked(&self.watched);
        let before = all.get(key).filter(|before| before.endpoint == endpoint && before.question == question);
        if before.is_none() && endpoint.is_some() {
            self.changed.notify_one();
        }
        let unread = if endpoint.is_some() { Sighting::Pending } else { Sighting::NoPrometheus };
        let sighting = before.map_or_else(|| Arc::new(unread), |before| Arc::clone(&before.sighting));
        let watched = Watched { question, has_pipeline, endpoint, sighting: Arc::clone(&sighting) };
        all.insert(key.clone(), watched);
        sighting
    }

    /// Notes what was answered to a question; says whether it differs from before. If another is asked by
    /// now, the answer says nothing about it.
    pub(super) fn note(&self, key: &ObservabilityKey, question: &str, sighting: Sighting) -> bool {
        let mut all = locked(&self.watched);
        let Some(watched) = all.get_mut(key).filter(|watched| &*watched.question == question) else {
            return false;
        };
        let differs = *watched.sighting != sighting;
        watched.sighting = Arc::new(sighting);
        differs
    }

    /// Forgets one that is gone.
    pub(super) fn forget(&self, key: &ObservabilityKey) {
        locked(&self.watched).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::v1alpha1::{AgentObservability, AgentObservabilitySpec};
    use crate::domain::platform::Platform;
    use crate::domain::sighting::Seen;
    use crate::validate::{self, ObservabilityFacts};

    fn observability(profile: &str) -> Observability {
        let spec = json!({"agent": "support", "telemetry": {"profile": profile}});
        let spec: AgentObservabilitySpec = serde_json::from_value(spec).expect("it should have the shape");
        let mut resource = AgentObservability::new("support", spec);
        resource.metadata.namespace = Some("team-a".to_owned());
        let prometheus = json!({"address": "http://prometheus.example:9090"});
        let prometheus: PrometheusEndpoint =
            serde_json::from_value(prometheus).expect("it should have the shape");
        let platform = Platform { prometheus: Some(Arc::new(prometheus)), ..Platform::default() };
        let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
        validate::observability(&resource, &facts).expect("it should be valid")
    }

    #[test]
    fn an_answer_to_an_earlier_question_is_not_taken_for_one_to_the_present() {
        let sightings = Sightings::default();
        let key = ("team-a".to_owned(), "support".to_owned());
        let (before, now) = (observability("AgentMetrics"), observability("ClaudeCode"));
        sightings.register(&key, &before);
        sightings.register(&key, &now);
        assert!(!sightings.note(&key, &question(&before), Sighting::Seen(Seen::default())));
        assert_eq!(sightings.get(&key).as_deref(), Some(&Sighting::Pending));
        assert!(sightings.note(&key, &question(&now), Sighting::Seen(Seen::default())));
    }
}
