//! What the pods have in common: the program, the way to the database, and nothing that they do not need.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EnvVar, HTTPGetAction, KeyToPath, PodSecurityContext, PodSpec,
    PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecretVolumeSource, SecurityContext,
    Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Plan;
use crate::api::v1alpha1::{PodSelector, SecretKey};
use crate::domain::names::dns_label;
use crate::domain::observability::Observability;

/// Label that all pods of ledgers have, with [`PODS`].
const NAME_LABEL: &str = "app.kubernetes.io/name";
/// Label with the name of the AgentObservability.
const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// Label with what a pod does.
const COMPONENT_LABEL: &str = "app.kubernetes.io/component";
/// Value of the name's label.
const PODS: &str = "agentslo-ledger";
/// Longest value of a label.
const LABEL_VALUE: usize = 63;
/// Name of the port with probes and metrics.
pub(in crate::render) const STATUS: &str = "http";
/// Its number.
pub(super) const STATUS_PORT: i32 = 8080;
/// Directory under which Secrets are.
const SECRETS: &str = "/var/run/agentslo";

/// Labels of all pods of an AgentObservability's ledger.
fn pod_labels(observability: &Observability) -> BTreeMap<String, String> {
    let instance = dns_label(observability.name(), LABEL_VALUE);
    [(NAME_LABEL.to_owned(), PODS.to_owned()), (INSTANCE_LABEL.to_owned(), instance)].into()
}

/// The pods whose metrics are scraped: those that serve any.
pub(in crate::render) fn scraped_pods(observability: &Observability) -> PodSelector {
    PodSelector { match_labels: pod_labels(observability), match_expressions: Vec::new() }
}

/// Labels of the pods that do one thing for an AgentObservability.
pub(super) fn labels(plan: &Plan<'_>, component: &str) -> BTreeMap<String, String> {
    let mut labels = pod_labels(plan.observability);
    labels.insert(COMPONENT_LABEL.to_owned(), component.to_owned());
    labels
}

pub(super) fn selector(plan: &Plan<'_>, component: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(labels(plan, component)), match_expressions: None }
}

/// What a pod does, with which role of the database, and what else it holds.
pub(super) struct Work<'a> {
    /// What it does, as its label says.
    pub(super) component: &'a str,
    /// The account that it runs under.
    pub(super) account: String,
    /// Whether the account may do anything in the cluster.
    pub(super) has_token: bool,
    /// The command of the program, with what is particular to it.
    pub(super) arguments: Vec<String>,
    /// Secret with the credentials of its database role.
    pub(super) credentials: &'a str,
    /// Further keys of Secrets, each with the name of the file that it becomes.
    pub(super) files: Vec<(&'static str, &'a SecretKey)>,
    /// Ports besides that of probes and metrics; none where there is nobody to ask.
    pub(super) ports: Option<Vec<ContainerPort>>,
    /// Memory that it may have.
    pub(super) memory: &'a str,
}

/// Path of a file that is made of a Secret's key.
pub(super) fn file(name: &str) -> String {
    format!("{SECRETS}/{name}/{name}")
}

/// A pod that does the work.
pub(super) fn template(plan: &Plan<'_>, work: &Work<'_>) -> PodTemplateSpec {
    let metadata = ObjectMeta { labels: Some(labels(plan, work.component)), ..ObjectMeta::default() };
    PodTemplateSpec { metadata: Some(metadata), spec: Some(pod(plan, work)) }
}

fn pod(plan: &Plan<'_>, work: &Work<'_>) -> PodSpec {
    let credentials = SecretVolumeSource {
        secret_name: Some(work.credentials.to_owned()),
        ..SecretVolumeSource::default()
    };
    let authority = ("database-ca", &plan.ledger.offer.written.ca_secret);
    let keys = [authority].into_iter().chain(work.files.iter().copied());
    let volumes = [volume("database", credentials)].into_iter().chain(keys.map(|(name, key)| {
        let items = vec![KeyToPath { key: key.key.clone(), path: name.to_owned(), mode: None }];
        let source = SecretVolumeSource {
            secret_name: Some(key.name.clone()),
            items: Some(items),
            ..SecretVolumeSource::default()
        };
        volume(name, source)
    }));
    let volumes: Vec<Volume> = volumes.collect();
    let mounts = volumes.iter().map(|volume| mount(&volume.name)).collect();
    PodSpec {
        service_account_name: Some(work.account.clone()),
        automount_service_account_token: Some(work.has_token),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        containers: vec![container(plan, work, mounts)],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

fn volume(name: &str, secret: SecretVolumeSource) -> Volume {
    Volume { name: name.to_owned(), secret: Some(secret), ..Volume::default() }
}

fn mount(name: &str) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: format!("{SECRETS}/{name}"),
        read_only: Some(true),
        ..VolumeMount::default()
    }
}

fn container(plan: &Plan<'_>, work: &Work<'_>, mounts: Vec<VolumeMount>) -> Container {
    let status = ContainerPort {
        name: Some(STATUS.to_owned()),
        container_port: STATUS_PORT,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let ports = work.ports.clone().map(|ports| [vec![status], ports].concat());
    let probe = |path: &str| ports.is_some().then(|| probe(path));
    Container {
        name: "ledger".to_owned(),
        image: Some(plan.ledger.offer.written.image.clone()),
        args: Some(
            ["ledger"].into_iter().chain(work.arguments.iter().map(String::as_str)).map(argument).collect(),
        ),
        env: Some(environment(plan)),
        liveness_probe: probe("/livez"),
        readiness_probe: probe("/readyz"),
        resources: Some(ResourceRequirements {
            requests: Some(quantities(&[("cpu", "10m"), ("memory", "32Mi")])),
            limits: Some(quantities(&[("memory", work.memory)])),
            ..ResourceRequirements::default()
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(mounts),
        ports,
        ..Container::default()
    }
}

/// An argument that Kubernetes hands on as it is: nothing in it is a variable.
fn argument(text: &str) -> String {
    text.replace("$(", "$$(")
}

/// How to reach the database: never in plain text, and with nothing secret in it.
fn environment(plan: &Plan<'_>) -> Vec<EnvVar> {
    let url = format!("{}?sslmode=require", plan.ledger.offer.database);
    [
        ("AGENTSLO_DATABASE_URL", url),
        ("AGENTSLO_DATABASE_USERNAME_FILE", format!("{SECRETS}/database/username")),
        ("AGENTSLO_DATABASE_PASSWORD_FILE", format!("{SECRETS}/database/password")),
        ("AGENTSLO_DATABASE_CA", file("database-ca")),
    ]
    .into_iter()
    .map(|(name, value)| EnvVar { name: name.to_owned(), value: Some(value), value_from: None })
    .collect()
}

fn probe(path: &str) -> Probe {
    let http_get = HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::String(STATUS.to_owned()),
        ..HTTPGetAction::default()
    };
    Probe { http_get: Some(http_get), ..Probe::default() }
}

fn quantities(of: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    of.iter().map(|(name, value)| ((*name).to_owned(), Quantity((*value).to_owned()))).collect()
}
