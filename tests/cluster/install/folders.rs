//! The folders of `deploy/`: made from the chart, and no second opinion about anything.

use std::collections::BTreeMap;

use serde_json::Value;

use super::helm::{Helm, kept, kustomize, objects};

const HEADER: &str = "# Made from charts/agentslo by `make bless`: change that instead.\n";
const ONE: [&str; 4] = ["--set", "replicas=1", "--set", "crds.enabled=false"];
const TWO: [&str; 4] = ["--set", "replicas=2", "--set", "crds.enabled=false"];
const NAMESPACED: [&str; 6] = [
    "--set",
    "replicas=1,crds.enabled=false",
    "--set",
    "watchNamespaces={team-a}",
    "--set",
    "platform.spec.prometheus.address=http://prometheus-operated.monitoring.svc:9090",
];

const LEDGER: [&str; 4] = ["--set", "replicas=1", "--set", "crds.enabled=false,ledger.enabled=true"];

const POLICIES: [&str; 2] = ["--set", "admissionPolicies.enabled=true"];

/// A file of `deploy/`, the template that it is made from, and the values.
const FILES: [(&str, &str, &[&str]); 11] = [
    ("admission/policies.yaml", "admission", &POLICIES),
    ("base/service-account.yaml", "serviceaccount", &ONE),
    ("base/secrets.yaml", "rbac-secrets", &ONE),
    ("base/leases.yaml", "rbac-leases", &ONE),
    ("base/service.yaml", "service", &ONE),
    ("base/deployment.yaml", "deployment", &ONE),
    ("overlays/cluster/permissions.yaml", "rbac", &ONE),
    ("overlays/ha/disruption-budget.yaml", "poddisruptionbudget", &TWO),
    ("overlays/ledger/permissions.yaml", "rbac", &LEDGER),
    ("overlays/namespaced/permissions.yaml", "rbac", &NAMESPACED),
    ("overlays/namespaced/platform.yaml", "platform", &NAMESPACED),
];

#[test]
fn the_folders_are_made_from_the_chart() {
    let helm = Helm::offline();
    for (file, template, values) in FILES {
        let only = format!("templates/{template}.yaml");
        let text = helm.template(&[values, &["--show-only", &only]].concat());
        kept(&format!("deploy/{file}"), &without_helm(&text.expect("the template should render")));
    }
}

/// What Helm says about itself would be untrue.
fn without_helm(text: &str) -> String {
    let of_helm = ["# Source:", "helm.sh/chart:", "app.kubernetes.io/managed-by:"];
    let is_ours = |line: &&str| !of_helm.iter().any(|word| line.trim_start().starts_with(word));
    let lines: Vec<&str> = text.trim().lines().filter(is_ours).collect();
    let documents = lines.join("\n");
    let documents: Vec<&str> =
        documents.split("---\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    format!("{HEADER}{}\n", documents.join("\n---\n"))
}

#[test]
fn an_overlay_is_what_the_chart_makes_of_the_same_values() {
    let overlays = [("cluster", &ONE[..]), ("ha", &TWO), ("ledger", &LEDGER), ("namespaced", &NAMESPACED)];
    for (overlay, values) in overlays {
        let of_overlay = by_name(&kustomize(&format!("deploy/overlays/{overlay}")));
        let of_chart = by_name(&Helm::offline().template(values).expect("the chart should render"));
        assert!(of_chart.len() > 8, "{overlay}: {of_chart:?}");
        assert_eq!(
            of_overlay.keys().collect::<Vec<_>>(),
            of_chart.keys().collect::<Vec<_>>(),
            "{overlay} has the objects of the chart"
        );
        for (name, object) in &of_chart {
            assert_eq!(&of_overlay[name], object, "{overlay}: {name}");
        }
    }
}

#[test]
fn the_cluster_overlay_brings_the_crds() {
    let objects = objects(&kustomize("deploy/overlays/cluster"));
    let crds = objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition");
    assert_eq!(crds.count(), 3);
}

/// The objects that both sides have, without what only one of them can know: the chart does not make its
/// namespace, and an overlay does not know what Helm is or what the file of the platform sums up to.
fn by_name(text: &str) -> BTreeMap<String, Value> {
    let objects = objects(text).into_iter().filter(|object| {
        let kind = object["kind"].as_str().unwrap_or_default();
        !["Namespace", "CustomResourceDefinition"].contains(&kind)
    });
    objects
        .map(|mut object| {
            for key in ["helm.sh/chart", "app.kubernetes.io/managed-by"] {
                object["metadata"]["labels"].as_object_mut().expect("objects should have labels").remove(key);
            }
            if let Some(annotations) = object.pointer_mut("/spec/template/metadata/annotations") {
                annotations.as_object_mut().expect("annotations should be a map").remove("checksum/platform");
            }
            let metadata = &object["metadata"];
            let place = metadata["namespace"].as_str().unwrap_or_default();
            let name = format!("{} {place}/{}", object["kind"], metadata["name"]);
            (name, object)
        })
        .collect()
}
