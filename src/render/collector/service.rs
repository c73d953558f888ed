//! The order in which data passes the components. Secrets go first; a `batch` stands in front of every
//! connector, since requests that are counted side by side lose counts; metrics are derived before traces
//! are sampled and logs are filtered.

use serde_json::{Map, Value, json};

use super::derivation::{self, Source};
use super::exporters;
use super::receivers::address;
use super::{logs, redaction, signals, tenant};
use crate::api::v1alpha1::{Backend, Derivation};
use crate::collector_versions::Release;
use crate::domain::ledger::Ledger;
use crate::domain::observability::Observability;
use crate::domain::pipeline::Pipeline;

/// The service: these extensions, these pipelines.
pub(super) fn service(plan: &Plan<'_>, extensions: &Value, pipelines: &Map<String, Value>) -> Value {
    let extensions: Vec<&String> = extensions.as_object().into_iter().flat_map(Map::keys).collect();
    let reader =
        json!({"pull": {"exporter": {"prometheus": {"host": address(plan.pipeline), "port": 8888}}}});
    json!({
        "extensions": extensions,
        "telemetry": {"metrics": {"level": "detailed", "readers": [reader]}},
        "pipelines": pipelines,
    })
}

/// What decides which pipelines there are.
pub(super) struct Plan<'a> {
    pub(super) observability: &'a Observability,
    pub(super) pipeline: &'a Pipeline,
    pub(super) release: &'a Release,
    /// The sink of the ledger, where there is one.
    pub(super) ledger: Option<Backend>,
}

type Named = (String, Value);

impl Plan<'_> {
    /// The pipelines, by name.
    pub(super) fn pipelines(&self) -> Map<String, Value> {
        [self.logs(), self.traces(), self.metrics()].concat().into_iter().collect()
    }

    fn logs(&self) -> Vec<Named> {
        let (derives, kept) = (self.derives(Source::Events), &self.pipeline.logs);
        if !signals(self.observability, self.pipeline).logs {
            return Vec::new();
        }
        let level = logs::level(self.pipeline.min_level).map(|_| "filter/level".to_owned());
        let mut all = vec![self.entrance("logs", &[], &["transform/correlation"], &["forward/logs"])];
        if derives {
            all.push(self.derivation("logs", "transform/events"));
        }
        if !kept.is_empty() {
            all.push(step("logs/out", &["forward/logs"], level.as_slice(), &self.ids(kept)));
        }
        all.extend(self.entered("logs"));
        all
    }

    fn traces(&self) -> Vec<Named> {
        let (derives, kept) = (self.derives(Source::Spans), &self.pipeline.traces);
        if !signals(self.observability, self.pipeline).traces {
            return Vec::new();
        }
        let sampling = self.pipeline.sampling.as_ref().map(|_| "tail_sampling".to_owned());
        let mut all = vec![self.entrance("traces", &[], &[], &["forward/traces"])];
        if derives {
            all.push(self.derivation("traces", "transform/spans"));
        }
        if !kept.is_empty() {
            all.push(step("traces/out", &["forward/traces"], sampling.as_slice(), &self.ids(kept)));
        }
        if self.observability.ledger().is_some_and(Ledger::enters_spans) {
            all.extend(self.entered("traces"));
        }
        all
    }

    /// Everything goes into the ledger, whatever its level and whether its trace is sampled or not.
    fn entered(&self, signal: &str) -> Option<Named> {
        let sink = self.ids(self.ledger.as_slice());
        let receiver = [format!("forward/{signal}")];
        (!sink.is_empty()).then(|| step(&format!("{signal}/ledger"), &receiver, &[], &sink))
    }

    /// What the agent sends itself, what is derived, and what is pushed out of both.
    fn metrics(&self) -> Vec<Named> {
        let total = self.release.components.delta_to_cumulative.clone();
        let (native, scraped) = (self.counting("native"), ["prometheus".to_owned()]);
        let mut all = Vec::new();
        let mut own = vec!["transform/namespace".to_owned(), total.clone()];
        if self.pipeline.derivation == Derivation::Off {
            all.push(self.entrance("metrics", &["filter/metric_names"], &[], &["forward/metrics"]));
        } else {
            own.insert(0, "filter/others".to_owned());
            all.push(self.entrance("metrics", &["filter/metric_names"], &[], &["forward/metrics", &native]));
            let receivers = [self.counting("derived"), native];
            let steps = ["transform/single_writer".to_owned(), total];
            all.push(step("metrics/derived", &receivers, &steps, &scraped));
        }
        all.push(step("metrics/own", &["forward/metrics"], &own, &scraped));
        if !self.pipeline.metrics.is_empty() {
            let steps = ["filter/repeat".to_owned()];
            all.push(step("metrics/push", &["prometheus/repeat"], &steps, &self.ids(&self.pipeline.metrics)));
        }
        all
    }

    /// From the agent to the connectors: nothing but this reads what has not been redacted.
    fn entrance(&self, signal: &str, first: &[&str], last: &[&str], exporters: &[&str]) -> Named {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let steps = [
            vec!["memory_limiter".to_owned()],
            tenant::steps(self.observability, self.release),
            owned(first),
            owned(&redaction::steps(&self.pipeline.redaction)),
            owned(last),
            vec!["batch".to_owned()],
        ];
        step(&format!("{signal}/in"), &["otlp"], &steps.concat(), &owned(exporters))
    }

    fn derivation(&self, signal: &str, classification: &str) -> Named {
        let receiver = [format!("forward/{signal}")];
        let steps = [classification.to_owned()];
        step(&format!("{signal}/derive"), &receiver, &steps, &[self.counting("derived")])
    }

    fn derives(&self, source: Source) -> bool {
        derivation::reads(self.pipeline.derivation, source)
    }

    fn counting(&self, what: &str) -> String {
        format!("{}/{what}", self.release.components.signal_to_metrics)
    }

    fn ids(&self, backends: &[Backend]) -> Vec<String> {
        backends.iter().map(|backend| exporters::id(backend, self.release)).collect()
    }
}

fn step<T: AsRef<str>>(name: &str, receivers: &[T], steps: &[String], exporters: &[String]) -> Named {
    let receivers: Vec<&str> = receivers.iter().map(AsRef::as_ref).collect();
    (name.to_owned(), json!({"receivers": receivers, "processors": steps, "exporters": exporters}))
}
