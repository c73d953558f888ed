//! A cluster as the scenarios see it: what anybody may do with a client, and what only the owner of the
//! servers may do.

use std::fmt;
use std::time::Duration;

use bed::eventually;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// A request that the API server answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Request {
    pub(crate) user: String,
    pub(crate) verb: String,
    /// Plural of the kind, with the subresource.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// HTTP status; 0 where the connection broke before.
    pub(crate) code: u16,
}

impl Request {
    pub(crate) fn is_write(&self) -> bool {
        ["create", "patch", "update", "delete"].contains(&self.verb.as_str())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, resource, namespace, name, code, .. } = self;
        write!(out, "{verb} {resource} {namespace}/{name} {code}")
    }
}

/// A kind that scenarios look at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Slo,
    Observability,
    Rules,
    ConfigMap,
    Monitor,
    Routes,
    Collector,
    Dashboard,
    Event,
}

impl Kind {
    fn api_resource(self) -> ApiResource {
        let (group, version, kind, plural) = match self {
            Self::Slo => ("agentslo.dev", "v1alpha1", "AgentSLO", "agentslos"),
            Self::Observability => ("agentslo.dev", "v1alpha1", "AgentObservability", "agentobservabilities"),
            Self::ConfigMap => ("", "v1", "ConfigMap", "configmaps"),
            Self::Monitor => ("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors"),
            Self::Routes => {
                ("monitoring.coreos.com", "v1alpha1", "AlertmanagerConfig", "alertmanagerconfigs")
            }
            Self::Collector => {
                ("opentelemetry.io", "v1beta1", "OpenTelemetryCollector", "opentelemetrycollectors")
            }
            Self::Dashboard => {
                ("grafana.integreatly.org", "v1beta1", "GrafanaDashboard", "grafanadashboards")
            }
            Self::Rules => ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
            Self::Event => ("events.k8s.io", "v1", "Event", "events"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }
}

/// An API server, the operator, and a Prometheus that an AgentPlatform names.
pub(crate) trait Cluster {
    /// A client of somebody who may do everything.
    fn client(&self) -> Client;

    /// A client of somebody who may write our kinds in one namespace.
    fn tenant(&self) -> Client;

    /// Every object that there is, but those that servers renew for themselves.
    async fn everything(&self) -> Vec<Value>;

    /// What the operator has asked the API server for so far.
    fn requests(&self) -> Vec<Request>;

    async fn start_operator(&self);

    /// Tells the operator to stop, and waits until it has.
    async fn stop_operator(&self);

    /// Queries that Prometheus has answered so far.
    async fn queries(&self) -> usize;

    async fn stop_prometheus(&self);

    async fn start_prometheus(&self);

    /// Takes a verb on a resource from the operator.
    async fn forbid(&self, verb: &str, resource: &str);

    /// Gives it back.
    async fn permit(&self, verb: &str, resource: &str);

    /// Installs the kinds of prometheus-operator, where they are missing.
    async fn install_prometheus_operator(&self);

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client(), namespace, &kind.api_resource())
    }

    /// Applies an object as somebody with a field manager of their own.
    async fn apply(&self, object: &Value) {
        apply(self.client(), object).await;
    }

    /// Creates an object as the tenant.
    async fn create_as_tenant(&self, object: &Value) {
        create(self.tenant(), object).await;
    }

    /// Creates an object as somebody whose text arrives as it is, which is not so with an apply.
    async fn create(&self, object: &Value) {
        create(self.client(), object).await;
    }

    /// Changes an object as the tenant.
    async fn edit_as_tenant(&self, object: &Value, patch: &Value) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let api = api_of(self.tenant(), object);
        let patched = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.unwrap_or_else(|error| panic!("{patch} should be accepted: {error}"));
    }

    /// Changes an object as somebody who knows nothing of field managers.
    async fn edit(&self, kind: Kind, namespace: &str, name: &str, patch: &Value) {
        let patched =
            self.api(kind, namespace).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.unwrap_or_else(|error| panic!("{patch} should be accepted: {error}"));
    }

    /// An object, if it exists.
    async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let object = self.api(kind, namespace).get_opt(name).await.expect("the API server should answer");
        object.map(|object| serde_json::to_value(object).expect("an object should be JSON"))
    }

    /// Every object of a kind in a namespace.
    async fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        let list = self.api(kind, namespace).list(&ListParams::default()).await;
        let objects = list.expect("the API server should answer").items;
        objects.iter().map(|object| serde_json::to_value(object).expect("an object should be JSON")).collect()
    }

    async fn delete(&self, kind: Kind, namespace: &str, name: &str) {
        let deleted = self.api(kind, namespace).delete(name, &DeleteParams::default()).await;
        deleted.expect("anybody may delete it");
    }

    /// Waits until a condition of an AgentSLO has this status and reason.
    async fn wait_for(&self, namespace: &str, name: &str, wanted: (&str, &str, &str)) -> Value {
        self.wait_for_one(Kind::Slo, namespace, name, wanted).await
    }

    /// Waits until a condition of an object has this status and reason.
    async fn wait_for_one(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        (type_, status, reason): (&str, &str, &str),
    ) -> Value {
        let is_wanted = |condition: &Value| condition["status"] == status && condition["reason"] == reason;
        self.wait_until(kind, (namespace, name), type_, is_wanted).await
    }

    /// Waits until a condition of an object is as wanted.
    async fn wait_until(
        &self,
        kind: Kind,
        (namespace, name): (&str, &str),
        type_: &str,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let seen = async || {
            let object = self.get(kind, namespace, name).await?;
            condition(&object, type_).filter(|condition| is_wanted(condition))
        };
        let found = eventually(PATIENCE, seen).await;
        let Some(found) = found else {
            let object = self.get(kind, namespace, name).await.unwrap_or_default();
            panic!("{type_} of {namespace}/{name} is not as wanted: {:#}", object["status"]["conditions"]);
        };
        found
    }

    /// Successful writes of the operator after a point in its requests, in a namespace or to none.
    fn writes_since(&self, start: usize, namespace: &str) -> Vec<String> {
        let requests = self.requests();
        let writes = requests.iter().skip(start).filter(|request| {
            request.is_write() && (request.namespace == namespace || request.namespace.is_empty())
        });
        writes.map(ToString::to_string).collect()
    }
}

async fn apply(client: Client, object: &Value) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let parameters = PatchParams::apply("somebody").force();
    let applied = api_of(client, object).patch(name, &parameters, &Patch::Apply(object)).await;
    applied.unwrap_or_else(|error| panic!("{object} should be accepted: {error}"));
}

async fn create(client: Client, object: &Value) {
    let new = serde_json::from_value(object.clone()).expect("objects should have metadata");
    let created = api_of(client, object).create(&PostParams::default(), &new).await;
    created.unwrap_or_else(|error| panic!("{object} should be accepted: {error}"));
}

fn api_of(client: Client, object: &Value) -> Api<DynamicObject> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let types = text("/apiVersion").rsplit_once('/');
    let (group, version) = types.unwrap_or(("", text("/apiVersion")));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("/kind")));
    match text("/metadata/namespace") {
        "" => Api::all_with(client, &resource),
        namespace => Api::namespaced_with(client, namespace, &resource),
    }
}

/// A condition of an object.
pub(crate) fn condition(object: &Value, type_: &str) -> Option<Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == type_).cloned()
}

/// A small AgentSLO.
pub(crate) fn success_slo(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentSLO",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"agent": "support-agent", "objective": "99", "indicator": {"success": {}}},
    })
}
