//! Server-side apply of whatever a text says, through discovery.

use std::time::Duration;

use kube::{
    Client,
    api::{Api, DynamicObject, Patch, PatchParams},
    core::{GroupVersionKind, TypeMeta},
    discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind},
};
use serde_json::Value;

use crate::{Error, eventually};

/// The field manager of everything the bed applies.
const FIELD_MANAGER: &str = "bed";
/// A kind whose CRD was applied a moment ago takes this long at most to be discoverable.
const DISCOVERY: Duration = Duration::from_secs(5);

/// Applies each document of a YAML text, in order.
pub(crate) async fn apply_yaml(client: &Client, text: &str) -> Result<(), Error> {
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| Error::Yaml(Box::new(error)))?;
    for object in objects.into_iter().filter(|object| !object.is_null()) {
        apply(client, object).await?;
    }
    Ok(())
}

/// Applies one object; one without a namespace goes to `default`.
pub(crate) async fn apply(client: &Client, object: Value) -> Result<(), Error> {
    let kind = kind_of(&object)?;
    let name = name_of(&object)?;
    let what = format!("apply {} {name}", kind.kind);
    let (resource, capabilities) = discover(client, &kind).await.map_err(Error::kubernetes(what.as_str()))?;
    let namespace = object["metadata"]["namespace"].as_str();
    let api = api(client.clone(), namespace, &resource, &capabilities);
    api.patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(&object))
        .await
        .map_err(Error::kubernetes(what))?;
    Ok(())
}

fn kind_of(object: &Value) -> Result<GroupVersionKind, Error> {
    let types = TypeMeta {
        api_version: text(object, "/apiVersion", "apiVersion")?,
        kind: text(object, "/kind", "kind")?,
    };
    GroupVersionKind::try_from(&types).map_err(|_| missing("usable apiVersion", object))
}

fn name_of(object: &Value) -> Result<String, Error> {
    text(object, "/metadata/name", "metadata.name")
}

fn text(object: &Value, pointer: &str, field: &'static str) -> Result<String, Error> {
    let text = object.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| missing(field, object))
}

fn missing(field: &'static str, object: &Value) -> Error {
    Error::Object { field, object: object.to_string() }
}

/// Asks until the kind is there, or the last answer counts.
async fn discover(
    client: &Client,
    kind: &GroupVersionKind,
) -> Result<(ApiResource, ApiCapabilities), kube::Error> {
    let found = eventually(DISCOVERY, || async { pinned_kind(client, kind).await.ok() });
    match found.await {
        Some(found) => Ok(found),
        None => pinned_kind(client, kind).await,
    }
}

fn api(
    client: Client,
    namespace: Option<&str>,
    resource: &ApiResource,
    capabilities: &ApiCapabilities,
) -> Api<DynamicObject> {
    match (&capabilities.scope, namespace) {
        (Scope::Cluster, _) => Api::all_with(client, resource),
        (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client, namespace, resource),
        (Scope::Namespaced, None) => Api::default_namespaced_with(client, resource),
    }
}
