//! prometheus-operator, and the objects it works on.
//!
//! It writes what it would mount into pods (rule files, Alertmanager's configuration) and creates
//! `StatefulSets` that stay at 0/1; the bed's real Prometheus and Alertmanager take the pods' place.

use kube::Client;
use serde_json::{Value, json};

use crate::{Error, Part, Probe, Process, apply::apply, crds::GROUP, kubernetes::Kubernetes, site::Site};

/// Where the `Prometheus` and the `Alertmanager` are.
pub(crate) const NAMESPACE: &str = "monitoring";
/// What both of them are called.
pub(crate) const NAME: &str = "bed";

/// Starts prometheus-operator and hands it the bed's `Prometheus` and `Alertmanager`.
pub(crate) async fn start_operator(
    site: &Site,
    kubernetes: &Kubernetes,
    client: &Client,
    routes: &str,
) -> Result<Process, Error> {
    for object in objects(routes) {
        apply(client, object).await?;
    }
    let name = Part::PrometheusOperator.name();
    let address = format!("127.0.0.1:{}", site.port()?);
    let kubeconfig = kubernetes.kubeconfig(name)?;
    let launch = site
        .launch(name, Probe::Url(format!("http://{address}/healthz")))?
        // It has no flag for a kubeconfig.
        .env("KUBECONFIG", kubeconfig.display().to_string())
        .arg(format!("--web.listen-address={address}"))
        .arg("--web.enable-tls=false")
        .args(["--kubelet-endpoints=false", "--kubelet-endpointslice=false"])
        .arg("--feature-gates=StatusForConfigurationResources=true");
    Process::launch(launch).await
}

/// What prometheus-operator works on. `routes` is Alertmanager's configuration, into which it
/// merges every `AlertmanagerConfig`.
fn objects(routes: &str) -> [Value; 4] {
    let metadata = json!({"name": NAME, "namespace": NAMESPACE});
    [
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE},
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            // The name that prometheus-operator looks for.
            "metadata": {"name": format!("alertmanager-{NAME}"), "namespace": NAMESPACE},
            "stringData": {"alertmanager.yaml": routes},
        }),
        json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": "Alertmanager",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                // What tools/servers builds: its grammar is what gets written.
                "version": "v0.31.1",
                "alertmanagerConfigSelector": {},
                "alertmanagerConfigNamespaceSelector": {},
            },
        }),
        json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": "Prometheus",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "ruleSelector": {}, "ruleNamespaceSelector": {},
                "podMonitorSelector": {}, "podMonitorNamespaceSelector": {},
                "serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {},
                "alerting": {"alertmanagers": [{
                    "name": "alertmanager-operated", "namespace": NAMESPACE, "port": "web",
                }]},
            },
        }),
    ]
}
