//! The AgentSLOs whose rules are in force, and what Prometheus last said of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::poison::locked;
use crate::api::v1alpha1::PrometheusEndpoint;
use crate::domain::reading::Reading;
use crate::domain::slo::Slo;
use crate::prometheus::SloKey;

/// One AgentSLO whose rules are in force.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its last valid spec.
    pub(super) slo: Arc<Slo>,
    /// Where its budget is read.
    pub(super) endpoint: Option<Arc<PrometheusEndpoint>>,
    /// What was read.
    pub(super) reading: Arc<Reading>,
    /// An older AgentSLO of its namespace that promises the same.
    pub(super) duplicate_of: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Registry {
    entries: Mutex<BTreeMap<SloKey, Entry>>,
    /// Told when an entry is new or has moved to another Prometheus.
    pub(super) changed: Notify,
}

impl Registry {
    /// What is known of an AgentSLO.
    pub(super) fn get(&self, key: &SloKey) -> Option<Entry> {
        locked(&self.entries).get(key).cloned()
    }

    /// All entries.
    pub(super) fn all(&self) -> BTreeMap<SloKey, Entry> {
        locked(&self.entries).clone()
    }

    /// Notes a valid spec and returns what was last read for it.
    pub(super) fn register(
        &self,
        key: &SloKey,
        slo: Slo,
        endpoint: Option<Arc<PrometheusEndpoint>>,
    ) -> Entry {
        let mut entries = locked(&self.entries);
        let before = entries.get(key).filter(|before| before.endpoint == endpoint);
        let unread = if endpoint.is_some() { Reading::Pending } else { Reading::NoPrometheus };
        let is_new = before.is_none_or(|before| *before.slo != slo);
        let duplicate_of = before.and_then(|before| before.duplicate_of.clone());
        let reading = before.map_or_else(|| Arc::new(unread), |before| Arc::clone(&before.reading));
        let entry = Entry { slo: Arc::new(slo), endpoint, reading, duplicate_of };
        entries.insert(key.clone(), entry.clone());
        if is_new {
            self.changed.notify_one();
        }
        entry
    }

    /// Notes what was read; says whether it differs from before.
    pub(super) fn read(&self, key: &SloKey, reading: Reading) -> bool {
        let mut entries = locked(&self.entries);
        let Some(entry) = entries.get_mut(key) else { return false };
        let differs = !is_same(&entry.reading, &reading);
        entry.reading = Arc::new(reading);
        differs
    }

    /// Notes which AgentSLO promises the same already; says whether that is news.
    pub(super) fn note_duplicate(&self, key: &SloKey, duplicate_of: Option<String>) -> bool {
        let mut entries = locked(&self.entries);
        let Some(entry) = entries.get_mut(key) else { return false };
        let differs = entry.duplicate_of != duplicate_of;
        entry.duplicate_of = duplicate_of;
        differs
    }

    /// Forgets an AgentSLO that is gone.
    pub(super) fn forget(&self, key: &SloKey) {
        locked(&self.entries).remove(key);
    }
}

/// Whether two readings say the same, apart from the time at which they were taken.
fn is_same(before: &Reading, after: &Reading) -> bool {
    match (before, after) {
        (Reading::Answered(before), Reading::Answered(after)) => {
            let mut dated = before.clone();
            dated.asked_at = after.asked_at;
            dated == *after
        }
        (before, after) => before == after,
    }
}
