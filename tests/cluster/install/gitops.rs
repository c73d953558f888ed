//! What tools that keep a cluster like a repository must be able to rely on.

use bed::Bed;
use serde_json::{Value, json};

use super::helm::{kustomize, objects, root};
use crate::api_server::api_server;

/// Labels and annotations by which Argo CD, Flux, Helm and kubectl know what is theirs.
const TRACKING: [&str; 6] = [
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "kubectl.kubernetes.io/last-applied-configuration",
];
/// The one that we write ourselves: an update of a child is no reason to look at the Application.
const OWN: &str = "argocd.argoproj.io/ignore-resource-updates";

/// Every object of our kinds among the examples.
fn examples() -> Vec<(String, Value)> {
    let folders = std::fs::read_dir(root().join("examples")).expect("the examples should be there");
    let mut found = Vec::new();
    for folder in folders.map(|folder| folder.expect("an entry should be readable").path()) {
        for file in ["agentslo.yaml", "agentobservability.yaml", "platform.yaml"] {
            let Ok(text) = std::fs::read_to_string(folder.join(file)) else { continue };
            let name = format!("{}/{file}", folder.file_name().unwrap_or_default().to_string_lossy());
            found.extend(objects(&text).into_iter().map(|object| (name.clone(), object)));
        }
    }
    found
}

/// Server-side apply as Argo CD does it; dry or not.
async fn apply(bed: &Bed, object: &Value, more: &[&str]) -> Value {
    let file = tempfile::NamedTempFile::with_suffix(".json").expect("there should be room for a file");
    std::fs::write(file.path(), object.to_string()).expect("there should be room for a file");
    let path = file.path().display().to_string();
    let arguments =
        ["apply", "--server-side", "--field-manager=argocd-controller", "-o", "json", "-f", &path];
    let said = bed.kubectl(&[&arguments, more].concat()).await;
    serde_json::from_str(&said.expect("the object should be accepted")).expect("kubectl should print JSON")
}

/// What is applied is what is there: neither defaults nor a second sync make a difference.
#[tokio::test(flavor = "multi_thread")]
async fn no_example_is_out_of_sync_once_it_is_applied() {
    let bed = api_server().await;
    let namespace = "gitops";
    bed.apply_yaml(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}"))
        .await
        .expect("the namespace should be made");
    let examples = examples();
    assert!(examples.len() > 25, "only {} were found", examples.len());
    for (name, mut object) in examples {
        if object["kind"] != "AgentPlatform" {
            object["metadata"]["namespace"] = namespace.into();
        }
        let live = apply(bed, &object, &[]).await;
        let defaulted = json!({
            "apiVersion": live["apiVersion"], "kind": live["kind"], "spec": live["spec"],
            "metadata": object["metadata"],
        });
        for desired in [&object, &defaulted] {
            let predicted = apply(bed, desired, &["--dry-run=server"]).await;
            assert_eq!(predicted["spec"], live["spec"], "{name}");
        }
        let again = apply(bed, &object, &[]).await;
        assert_eq!(again["metadata"]["resourceVersion"], live["metadata"]["resourceVersion"], "{name}");
    }
}

#[test]
fn the_waves_of_the_example_are_crds_then_operator_then_objects() {
    for object in objects(&kustomize("deploy/argocd/example")) {
        let annotations = &object["metadata"]["annotations"];
        let of_operator = object["metadata"]["labels"]["app.kubernetes.io/name"] == "agentslo";
        let expected = match object["kind"].as_str().unwrap_or_default() {
            "Namespace" => json!("-2"),
            "CustomResourceDefinition" => {
                let options = &annotations["argocd.argoproj.io/sync-options"];
                assert_eq!(options, "Prune=false,Delete=false", "a sync may not remove every AgentSLO");
                json!("-2")
            }
            _ if of_operator => json!("-1"),
            kind => {
                assert!(kind.starts_with("Agent"), "{kind} is in no wave");
                Value::Null
            }
        };
        assert_eq!(annotations["argocd.argoproj.io/sync-wave"], expected, "{}", object["kind"]);
    }
}

/// Of what people wrote, the operator owns the status and nothing else.
pub(crate) fn assert_only_the_status_is_ours(object: &Value) {
    let fields = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let ours: Vec<&Value> = fields.iter().filter(|entry| entry["manager"] == "agentslo").collect();
    assert_eq!(ours.len(), 1, "{} has a status of ours: {fields:?}", object["metadata"]["name"]);
    let owned = ours[0]["fieldsV1"].as_object().expect("fields should be a map");
    assert_eq!(owned.keys().collect::<Vec<_>>(), ["f:status"], "{}", object["metadata"]["name"]);
}

/// A child is not part of the application that its owner is part of, or that application would prune it.
pub(crate) fn assert_nobody_tracks(child: &Value) {
    let metadata = &child["metadata"];
    for place in ["labels", "annotations"] {
        let keys = metadata[place].as_object().into_iter().flatten().map(|(key, _)| key);
        let tracked: Vec<&String> =
            keys.filter(|key| *key != OWN && TRACKING.iter().any(|word| key.starts_with(word))).collect();
        assert!(tracked.is_empty(), "{} {}: {tracked:?}", child["kind"], metadata["name"]);
    }
    assert_eq!(metadata["annotations"][OWN], "true", "{} {}", child["kind"], metadata["name"]);
}
