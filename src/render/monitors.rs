//! Pods that Prometheus scrapes: the agent's, and those of its Collector and its ledger. Labels of the scrape always win
//! over labels of the pods (`honorLabels: false`), or an agent could speak in the name of another.

use std::collections::BTreeMap;

use super::metadata::metadata;
use super::{Artifact, ArtifactKind, ledger};
use crate::api::v1alpha1::{Derivation, PipelineDelivery, PodSelector};
use crate::domain::names::{child_name, dns_label, suffixed_name};
use crate::domain::observability::Observability;
use crate::domain::pipeline::Pipeline;
use crate::domain::scrape::Scrape;
use crate::foreign::{PodMetricsEndpoint, PodMonitor, PodMonitorSpec, Relabeling};
use crate::vocabulary::{PIPELINE_POD_LABEL, label};

/// Port on which a Collector serves the metrics that it derives for the agent.
const DERIVED_PORT: u16 = 8889;
/// Port on which a Collector serves its own metrics.
const OWN_PORT: u16 = 8888;
/// Path of both.
const COLLECTOR_PATH: &str = "/metrics";
/// Time between two scrapes of both.
const COLLECTOR_INTERVAL: &str = "30s";
/// Longest name of an `OpenTelemetryCollector` of ours.
const COLLECTOR_NAME: usize = 50;
/// Longest value of a label.
const LABEL_VALUE: usize = 63;

/// What the AgentObservability asks for.
pub(super) fn artifacts(observability: &Observability) -> Vec<Artifact> {
    let agent = observability.scrape().map(|scrape| agent(observability, scrape));
    let collector = observability.pipeline().map(|pipeline| collector(observability, pipeline));
    let ledger = observability.ledger().map(|_| ledger(observability));
    agent.into_iter().chain(collector).chain(ledger).collect()
}

fn agent(observability: &Observability, scrape: &Scrape) -> Artifact {
    let endpoint = PodMetricsEndpoint {
        port: Some(scrape.port.clone()),
        port_number: None,
        path: scrape.path.clone(),
        interval: format!("{}s", scrape.interval.as_secs()),
        honor_labels: false,
        relabelings: Vec::new(),
    };
    let name = child_name("AgentObservability", observability.namespace(), observability.name());
    monitor(observability, name, scrape.selector.clone(), vec![endpoint])
}

/// The derived metrics keep the agent's labels; only the Collector's own carry the name of the pipeline.
fn collector(observability: &Observability, pipeline: &Pipeline) -> Artifact {
    let derived = (pipeline.derivation != Derivation::Off).then(|| collector_port(DERIVED_PORT));
    let own = PodMetricsEndpoint { relabelings: vec![named(observability)], ..collector_port(OWN_PORT) };
    let name = child_name("AgentObservability", observability.namespace(), observability.name());
    let name = suffixed_name(&name, "otel");
    monitor(
        observability,
        name,
        collector_pods(observability, pipeline),
        derived.into_iter().chain([own]).collect(),
    )
}

/// The sink, and who verifies what it enters.
fn ledger(observability: &Observability) -> Artifact {
    let endpoint = PodMetricsEndpoint {
        port: Some(ledger::STATUS.to_owned()),
        port_number: None,
        path: COLLECTOR_PATH.to_owned(),
        interval: COLLECTOR_INTERVAL.to_owned(),
        honor_labels: false,
        relabelings: vec![named(observability)],
    };
    let name = child_name("AgentObservability", observability.namespace(), observability.name());
    let name = suffixed_name(&name, "ledger");
    monitor(observability, name, ledger::scraped_pods(observability), vec![endpoint])
}

/// The name of the AgentObservability, on what its pods tell of themselves.
fn named(observability: &Observability) -> Relabeling {
    Relabeling {
        action: "replace".to_owned(),
        target_label: label::PIPELINE.to_owned(),
        replacement: observability.name().to_owned(),
    }
}

/// By number: a port has to be declared by the pods, but they may call it as they like.
fn collector_port(number: u16) -> PodMetricsEndpoint {
    PodMetricsEndpoint {
        port: None,
        port_number: Some(number),
        path: COLLECTOR_PATH.to_owned(),
        interval: COLLECTOR_INTERVAL.to_owned(),
        honor_labels: false,
        relabelings: Vec::new(),
    }
}

/// Who runs the Collector labels its pods: people by our label, the OpenTelemetry operator by its own.
pub(super) fn collector_pods(observability: &Observability, pipeline: &Pipeline) -> PodSelector {
    let labels = match pipeline.delivery {
        PipelineDelivery::ConfigMap => {
            vec![(PIPELINE_POD_LABEL, dns_label(observability.name(), LABEL_VALUE))]
        }
        PipelineDelivery::OpenTelemetryCollector => vec![
            ("app.kubernetes.io/component", "opentelemetry-collector".to_owned()),
            ("app.kubernetes.io/instance", instance(observability)),
        ],
    };
    let match_labels: BTreeMap<String, String> =
        labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    PodSelector { match_labels, match_expressions: Vec::new() }
}

/// As the OpenTelemetry operator makes it: namespace and name, the namespace cut so that both fit.
fn instance(observability: &Observability) -> String {
    let name = dns_label(observability.name(), COLLECTOR_NAME);
    let room = LABEL_VALUE - 1 - name.len();
    let namespace: String = observability.namespace().chars().take(room).collect();
    format!("{namespace}.{name}")
}

fn monitor(
    observability: &Observability,
    name: String,
    selector: PodSelector,
    pod_metrics_endpoints: Vec<PodMetricsEndpoint>,
) -> Artifact {
    let labels = &observability.platform().monitor_labels;
    Artifact::PodMonitor(PodMonitor {
        api_version: ArtifactKind::PodMonitor.api_version(),
        kind: ArtifactKind::PodMonitor.name().to_owned(),
        metadata: metadata(name, observability.namespace(), labels),
        spec: PodMonitorSpec { selector, pod_metrics_endpoints },
    })
}
