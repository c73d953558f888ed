//! What carries the configuration: a file for a Collector that somebody else runs, or a Collector that the
//! OpenTelemetry operator runs.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMap, EmptyDirVolumeSource, EnvVar, EnvVarSource, SecretKeySelector, Volume, VolumeMount,
};
use serde_json::Value;

use super::exporters;
use super::receivers::METRICS_PORT;
use super::service::Plan;
use crate::api::v1alpha1::{PipelineDelivery, SecretKey};
use crate::domain::names;
use crate::foreign::{CollectorMode, CollectorPort, OpenTelemetryCollector, OpenTelemetryCollectorSpec};
use crate::render::metadata::metadata;
use crate::render::{Artifact, ArtifactKind};

/// File with the configuration.
const CONFIGURATION: &str = "collector.yaml";
/// File with the variables that the Collector's container needs, as its `env`.
const VARIABLES: &str = "env.yaml";
/// Volume of the queues.
const QUEUE: &str = "queue";

/// The configuration in what carries it.
pub(super) fn artifact(plan: &Plan<'_>, configuration: &Value) -> Artifact {
    match plan.pipeline.delivery {
        PipelineDelivery::ConfigMap => Artifact::ConfigMap(config_map(plan, configuration)),
        PipelineDelivery::OpenTelemetryCollector => {
            Artifact::OpenTelemetryCollector(collector(plan, configuration))
        }
    }
}

fn config_map(plan: &Plan<'_>, configuration: &Value) -> ConfigMap {
    let name = names::suffixed_name(plan.observability.name(), "collector");
    let variables = variables(plan);
    let mut files = BTreeMap::from([(CONFIGURATION.to_owned(), yaml(configuration))]);
    if !variables.is_empty() {
        let variables = serde_json::to_value(variables).expect("variables should have only string keys");
        files.insert(VARIABLES.to_owned(), yaml(&variables));
    }
    ConfigMap {
        metadata: metadata(name, plan.observability.namespace(), &BTreeMap::new()),
        data: Some(files),
        ..ConfigMap::default()
    }
}

/// A statement is one line, so that it can be searched for.
fn yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { min_fold_chars: usize::MAX, prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options).expect("configurations should have only string keys")
}

/// One replica: two would both count, and each would see a part of a trace.
fn collector(plan: &Plan<'_>, configuration: &Value) -> OpenTelemetryCollector {
    let name = names::dns_label(plan.observability.name(), 50);
    let directory = &plan.observability.platform().collectors.storage_directory;
    let queued = !exporters::backends(plan).is_empty();
    let kind = ArtifactKind::OpenTelemetryCollector;
    OpenTelemetryCollector {
        api_version: kind.api_version(),
        kind: kind.name().to_owned(),
        metadata: metadata(name, plan.observability.namespace(), &BTreeMap::new()),
        spec: OpenTelemetryCollectorSpec {
            mode: CollectorMode::Deployment,
            replicas: 1,
            env: variables(plan),
            ports: vec![CollectorPort { name: "prometheus".to_owned(), port: METRICS_PORT }],
            volumes: queued.then(volume).into_iter().collect(),
            volume_mounts: queued.then(|| mount(directory)).into_iter().collect(),
            config: configuration.clone(),
        },
    }
}

/// It outlives the container, and not the pod.
fn volume() -> Volume {
    Volume { name: QUEUE.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
}

fn mount(directory: &str) -> VolumeMount {
    VolumeMount { name: QUEUE.to_owned(), mount_path: directory.to_owned(), ..VolumeMount::default() }
}

/// Credentials, each from the Secret that the platform names, in the Collector's namespace.
fn variables(plan: &Plan<'_>) -> Vec<EnvVar> {
    exporters::variables(plan).into_iter().map(|(name, secret)| from_secret(name, secret)).collect()
}

fn from_secret(name: String, secret: SecretKey) -> EnvVar {
    let selector = SecretKeySelector { name: secret.name, key: secret.key, optional: None };
    let source = EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() };
    EnvVar { name, value_from: Some(source), ..EnvVar::default() }
}
