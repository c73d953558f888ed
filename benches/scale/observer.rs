//! What anybody sees who watches the API server: which AgentSLOs are Ready, and when rules were written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;

use crate::Result;
use crate::crowd::{rules, slos};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(20);

/// What was seen.
#[derive(Default)]
struct Seen {
    ready: BTreeSet<(String, String)>,
    /// When rules last said an objective, by their name.
    written: BTreeMap<String, Instant>,
    rules: BTreeSet<String>,
}

/// Watches; clones are the same one.
#[derive(Clone)]
pub(crate) struct Observer {
    seen: Arc<Mutex<Seen>>,
    size: usize,
}

impl Observer {
    /// Starts to watch so many AgentSLOs.
    pub(crate) fn start(client: Client, size: usize) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let slos: Api<DynamicObject> = Api::all_with(client.clone(), &slos());
        let noted = Arc::clone(&seen);
        let ready = watcher(slos, watcher::Config::default()).default_backoff().touched_objects();
        tokio::spawn(ready.try_for_each(move |slo| {
            let place = (slo.namespace().unwrap_or_default(), slo.name_any());
            if is_ready(&slo) {
                noted.lock().expect("nobody panics with it").ready.insert(place);
            }
            futures::future::ready(Ok(()))
        }));
        let rules: Api<DynamicObject> = Api::all_with(client, &rules());
        let noted = Arc::clone(&seen);
        let mut events = watcher(rules, watcher::Config::default()).default_backoff().boxed();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let mut seen = noted.lock().expect("nobody panics with it");
                match event {
                    Ok(Event::Apply(rule) | Event::InitApply(rule)) => {
                        seen.written.insert(rule.name_any(), Instant::now());
                        seen.rules.insert(rule.name_any());
                    }
                    Ok(Event::Delete(rule)) => {
                        seen.rules.remove(&rule.name_any());
                    }
                    Ok(Event::Init | Event::InitDone) | Err(_) => {}
                }
            }
        });
        Self { seen, size }
    }

    /// Waits until all are Ready.
    pub(crate) async fn all_ready(&self) -> Result<()> {
        let size = self.size;
        self.wait_until(|seen| seen.ready.len() >= size).await
    }

    /// Waits until there are no rules.
    pub(crate) async fn no_rules(&self) -> Result<()> {
        self.wait_until(|seen| seen.rules.is_empty()).await
    }

    /// When rules were last written.
    pub(crate) fn written(&self, name: &str) -> Option<Instant> {
        self.seen.lock().expect("nobody panics with it").written.get(name).copied()
    }

    async fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) -> Result<()> {
        let begin = Instant::now();
        while !is_so(&self.seen.lock().expect("nobody panics with it")) {
            if begin.elapsed() > PATIENCE {
                return Err("it did not come to be".into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

fn is_ready(slo: &DynamicObject) -> bool {
    let conditions = slo.data["status"]["conditions"].as_array();
    let mut all = conditions.into_iter().flatten();
    all.any(|condition: &Value| condition["type"] == "Ready" && condition["status"] == "True")
}
