//! Many AgentSLOs.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::{Result, count};

/// Namespaces that they are spread over: each has fewer than an AgentPlatform allows.
const NAMESPACES: usize = 50;
/// Requests at once, as many as the operator makes.
pub(crate) const AT_ONCE: usize = 16;

/// So many AgentSLOs.
pub(crate) struct Crowd {
    pub(crate) client: Client,
    pub(crate) size: usize,
    /// How fast they were created.
    pub(crate) created_per_second: f64,
}

/// The kind that people write.
pub(crate) fn slos() -> ApiResource {
    ApiResource {
        group: "agentslo.dev".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "agentslo.dev/v1alpha1".to_owned(),
        kind: "AgentSLO".to_owned(),
        plural: "agentslos".to_owned(),
    }
}

/// The kind that they become.
pub(crate) fn rules() -> ApiResource {
    ApiResource {
        group: "monitoring.coreos.com".to_owned(),
        version: "v1".to_owned(),
        api_version: "monitoring.coreos.com/v1".to_owned(),
        kind: "PrometheusRule".to_owned(),
        plural: "prometheusrules".to_owned(),
    }
}

/// Namespace and name of one of them.
pub(crate) fn place(number: usize) -> (String, String) {
    (format!("team-{}", number % NAMESPACES), format!("agent-{number}-success"))
}

fn slo(number: usize) -> Value {
    let (namespace, name) = place(number);
    json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentSLO",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "labels": {"app.kubernetes.io/part-of": "agents", "team": format!("team-{}", number % NAMESPACES)},
            "annotations": {"argocd.argoproj.io/tracking-id": format!("agents:agentslo.dev/AgentSLO:{name}")},
        },
        "spec": {
            "agent": format!("agent-{number}"),
            "displayName": format!("Success of agent {number}"),
            "description": "Runs that end in success, of all that were begun and not cancelled by a person.",
            "objective": "95",
            "window": "28d",
            "indicator": {"success": {}},
            "alerting": {"labels": {"team": format!("team-{}", number % NAMESPACES)}},
        },
    })
}

impl Crowd {
    /// Creates them.
    pub(crate) async fn create(client: Client, size: usize) -> Result<Self> {
        for number in 0..NAMESPACES {
            let name = format!("team-{number}");
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let applied = PatchParams::apply("platform").force();
            let namespaces: Api<Namespace> = Api::all(client.clone());
            namespaces.patch(&name, &applied, &Patch::Apply(namespace)).await?;
        }
        let begin = Instant::now();
        let all = stream::iter(0..size).map(|number| create(client.clone(), number));
        all.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let created_per_second = count(size) / begin.elapsed().as_secs_f64();
        Ok(Self { client, size, created_per_second })
    }

    /// Deletes all of them.
    pub(crate) async fn delete(&self) -> Result<()> {
        for number in 0..NAMESPACES {
            let slos: Api<DynamicObject> =
                Api::namespaced_with(self.client.clone(), &format!("team-{number}"), &slos());
            slos.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        }
        Ok(())
    }
}

async fn create(client: Client, number: usize) -> Result<()> {
    let slos: Api<DynamicObject> = Api::namespaced_with(client, &place(number).0, &slos());
    slos.create(&PostParams::default(), &serde_json::from_value(slo(number))?).await?;
    Ok(())
}
