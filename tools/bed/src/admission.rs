//! prometheus-operator's admission webhook, on a server of its own.

use kube::Client;
use serde_json::{Value, json};

use crate::{
    Error, Part, Probe, Process,
    apply::apply,
    authority::Identity,
    crds::GROUP,
    kubernetes::Kubernetes,
    site::{Site, write},
};

/// Starts the admission webhook and makes the apiserver ask it.
pub(crate) async fn start_webhook(
    site: &Site,
    kubernetes: &Kubernetes,
    client: &Client,
) -> Result<Process, Error> {
    let name = Part::AdmissionWebhook.name();
    let data = site.data(name)?;
    let Identity { certificate, key } = kubernetes.authority.identify(name)?;
    write(&data.join("tls.crt"), certificate)?;
    write(&data.join("tls.key"), key)?;
    let address = format!("127.0.0.1:{}", site.port()?);
    let launch = site
        .launch(name, Probe::Url(format!("https://{address}/healthz")))?
        .arg(format!("--web.listen-address={address}"))
        .arg(format!("--web.cert-file={}", data.join("tls.crt").display()))
        .arg(format!("--web.key-file={}", data.join("tls.key").display()));
    let process = Process::launch(launch).await?;
    for object in webhooks(&address, &kubernetes.authority.root()) {
        apply(client, object).await?;
    }
    Ok(process)
}

/// As prometheus-operator's documentation sets them up, with a URL in the place of a Service.
fn webhooks(address: &str, root: &str) -> [Value; 2] {
    let rules = "prometheusrules";
    let routes = "alertmanagerconfigs";
    let webhook = |resource: &str, verb: &str| {
        json!({
            "name": format!("{resource}-{verb}.{GROUP}"),
            "clientConfig": {
                "url": format!("https://{address}/admission-{resource}/{verb}"),
                "caBundle": k8s_openapi::ByteString(root.as_bytes().to_vec()),
            },
            "rules": [{
                "apiGroups": [GROUP], "apiVersions": ["*"], "resources": [resource],
                "operations": ["CREATE", "UPDATE"],
            }],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        })
    };
    let configuration = |kind: &str, webhooks: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": "bed"},
            "webhooks": webhooks,
        })
    };
    [
        configuration(
            "ValidatingWebhookConfiguration",
            json!([webhook(rules, "validate"), webhook(routes, "validate")]),
        ),
        configuration("MutatingWebhookConfiguration", json!([webhook(rules, "mutate")])),
    ]
}
