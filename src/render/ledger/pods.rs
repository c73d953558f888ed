//! What the pods have in common: the program, the way to the database, and nothing that they do not need.

use std::collections::BTreeMap;

use serde_json::{Value, json};

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
pub(super) const STATUS_PORT: u16 = 8080;
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

pub(super) fn selector(plan: &Plan<'_>, component: &str) -> Value {
    json!({"matchLabels": labels(plan, component)})
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
    pub(super) files: Vec<(&'static str, SecretKey)>,
    /// Ports besides that of probes and metrics, by name; none where there is nobody to ask.
    pub(super) ports: Option<Vec<(&'static str, u16)>>,
    /// Memory that it may have.
    pub(super) memory: &'a str,
}

/// Path of a file that is made of a Secret's key.
pub(super) fn file(name: &str) -> String {
    format!("{SECRETS}/{name}/{name}")
}

/// A pod that does the work.
pub(super) fn template(plan: &Plan<'_>, work: &Work<'_>) -> Value {
    let volumes = volumes(plan, work);
    let mut template = json!({
        "metadata": {"labels": labels(plan, work.component)},
        "spec": {
            "serviceAccountName": work.account,
            "automountServiceAccountToken": work.has_token,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container(plan, work, &volumes)],
            "volumes": volumes,
        },
    });
    let secrets = &plan.ledger.offer.written.image_pull_secrets;
    if !secrets.is_empty() {
        template["spec"]["imagePullSecrets"] = secrets.iter().map(|name| json!({"name": name})).collect();
    }
    template
}

fn volumes(plan: &Plan<'_>, work: &Work<'_>) -> Vec<Value> {
    let credentials = json!({"name": "database", "secret": {"secretName": work.credentials}});
    let authority = ("database-ca", plan.ledger.offer.written.ca_secret.clone());
    let keys = [&authority].into_iter().chain(&work.files);
    let keys = keys.map(|(name, key)| {
        let items = json!([{"key": key.key, "path": name}]);
        json!({"name": name, "secret": {"secretName": key.name, "items": items}})
    });
    [credentials].into_iter().chain(keys).collect()
}

fn container(plan: &Plan<'_>, work: &Work<'_>, volumes: &[Value]) -> Value {
    let arguments = ["ledger"].into_iter().chain(work.arguments.iter().map(String::as_str));
    let mount = |volume: &Value| {
        let path = format!("{SECRETS}/{}", volume["name"].as_str().unwrap_or_default());
        json!({"name": volume["name"], "mountPath": path, "readOnly": true})
    };
    let mut container = json!({
        "name": "ledger",
        "image": plan.ledger.offer.written.image,
        "args": arguments.map(argument).collect::<Vec<_>>(),
        "env": environment(plan),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": work.memory}},
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": volumes.iter().map(mount).collect::<Vec<_>>(),
    });
    if let Some(ports) = &work.ports {
        let all = [(STATUS, STATUS_PORT)].into_iter().chain(ports.iter().copied());
        let ports = all.map(|(name, port)| json!({"name": name, "containerPort": port, "protocol": "TCP"}));
        container["ports"] = ports.collect();
        container["livenessProbe"] = json!({"httpGet": {"path": "/livez", "port": STATUS}});
        container["readinessProbe"] = json!({"httpGet": {"path": "/readyz", "port": STATUS}});
    }
    container
}

/// An argument that Kubernetes hands on as it is: nothing in it is a variable.
fn argument(text: &str) -> String {
    text.replace("$(", "$$(")
}

/// How to reach the database: never in plain text, and with nothing secret in it.
fn environment(plan: &Plan<'_>) -> Vec<Value> {
    let url = format!("{}?sslmode=require", plan.ledger.offer.database);
    [
        ("AGENTSLO_DATABASE_URL", url),
        ("AGENTSLO_DATABASE_USERNAME_FILE", format!("{SECRETS}/database/username")),
        ("AGENTSLO_DATABASE_PASSWORD_FILE", format!("{SECRETS}/database/password")),
        ("AGENTSLO_DATABASE_CA", file("database-ca")),
    ]
    .into_iter()
    .map(|(name, value)| json!({"name": name, "value": value}))
    .collect()
}
