//! What the chart makes of values, without a cluster.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::helm::{CHART, Helm, kept, objects, of_kind};

/// Files of `values/`, each with what the chart makes of it in `rendered/`.
const VALUES: [&str; 5] = ["default", "namespaced", "sharded", "everything", "nothing"];

fn rendered(values: &str) -> String {
    let file = format!("tests/cluster/install/values/{values}.yaml");
    Helm::offline().template(&["--values", &file]).expect("the values should be accepted")
}

#[test]
fn helm_finds_nothing_to_complain_of() {
    for values in VALUES {
        let file = format!("tests/cluster/install/values/{values}.yaml");
        let said = Helm::offline().run(&["lint", "--strict", CHART, "--values", &file]);
        assert!(said.is_ok(), "{values}: {said:?}");
    }
}

#[test]
fn each_set_of_values_makes_what_is_kept() {
    for values in VALUES {
        let text = rendered(values);
        // The CRDs are those of crds/, see below.
        let is_ours = |document: &&str| !document.contains("kind: CustomResourceDefinition");
        let documents: Vec<&str> = text.split("---\n").filter(is_ours).collect();
        kept(&format!("tests/cluster/install/rendered/{values}.yaml"), &documents.join("---\n"));
    }
}

#[test]
fn the_crds_are_those_of_the_project_and_are_kept() {
    let definitions = agentslo::api::v1alpha1::custom_resource_definitions();
    let installed = of_kind(&objects(&rendered("default")), "CustomResourceDefinition");
    assert_eq!(installed.len(), definitions.len());
    for definition in definitions {
        let name = definition.metadata.name.clone().expect("CRDs should have a name");
        let found = installed.iter().find(|object| object["metadata"]["name"] == *name);
        let found = found.unwrap_or_else(|| panic!("{name} should be installed"));
        let read: CustomResourceDefinition =
            serde_json::from_value(found.clone()).expect("a CRD should have its shape");
        assert!(read.spec == definition.spec, "{name} differs");
        assert_eq!(found["metadata"]["annotations"]["helm.sh/resource-policy"], "keep", "{name}");
    }
    let unkept = of_kind(&objects(&rendered("everything")), "CustomResourceDefinition");
    assert!(unkept.iter().all(|object| object["metadata"]["annotations"].is_null()), "nothing keeps them");
}

#[test]
fn with_namespaces_nothing_is_cluster_scoped_but_the_crds() {
    let namespaces: BTreeSet<String> = objects(&rendered("namespaced"))
        .iter()
        .filter(|object| object["kind"] != "CustomResourceDefinition")
        .map(|object| {
            let kind = object["kind"].as_str().unwrap_or_default();
            assert!(
                !kind.starts_with("Cluster"),
                "{kind} is cluster-scoped, whatever it says of a namespace"
            );
            let namespace = object["metadata"]["namespace"].as_str();
            namespace.unwrap_or_else(|| panic!("{} has no namespace", object["kind"])).to_owned()
        })
        .collect();
    let expected = ["agentslo-system", "team-a", "team-b"].map(str::to_owned);
    assert_eq!(namespaces, expected.into());
}

/// Argo CD and Flux order hooks in other ways than Helm does.
#[test]
fn there_are_no_hooks() {
    for values in VALUES {
        assert!(!rendered(values).contains("helm.sh/hook"), "{values}");
    }
}

#[test]
fn no_permission_is_a_wildcard_or_more_than_reading_secrets_by_name() {
    for values in VALUES {
        let objects = objects(&rendered(values));
        let roles = objects.iter().filter(|object| {
            object["kind"].as_str().is_some_and(|kind| ["Role", "ClusterRole"].contains(&kind))
        });
        for rule in roles.flat_map(|role| role["rules"].as_array().cloned().unwrap_or_default()) {
            assert!(!rule.to_string().contains('*'), "{values}: {rule}");
            let is_about_roles = rule.to_string().contains("roles");
            let makes_ledgers = objects.iter().any(|object| object.to_string().contains("\"--ledger\""));
            assert!(!is_about_roles || makes_ledgers, "{values}: {rule}");
            let of_secrets = rule["resources"].as_array().is_some_and(|all| all.contains(&"secrets".into()));
            if of_secrets {
                assert_eq!(rule["verbs"], serde_json::json!(["get"]), "{values}");
            }
        }
    }
}

/// Values and a part of what is said about them.
const REFUSED: [(&str, &str); 9] = [
    (
        "admissionPolicies.enabled=true,watchNamespaces={team-a},platform.spec.ruleLabels.release=a",
        "admissionPolicies.enabled must be false with watchNamespaces",
    ),
    ("traget=1", "additional properties 'traget' not allowed"),
    ("image.tags=1", "at '/image': additional properties 'tags' not allowed"),
    ("replicas=two", "at '/replicas': got string, want integer"),
    ("replicas=0", "at '/replicas': minimum: got 0, want 1"),
    ("image.digest=sha256:1", "at '/image/digest': 'sha256:1' does not match pattern"),
    ("log.format=xml", "at '/log/format': value must be one of 'json', 'text'"),
    ("watchNamespaces={team-a}", "platform.spec must be set with watchNamespaces"),
    ("leaderElection.enabled=false", "leaderElection.enabled must be true with more than one replica"),
];

#[test]
fn a_mistake_in_values_is_refused_with_its_place() {
    for (values, expected) in REFUSED {
        let said = Helm::offline().template(&["--set", values]);
        let said = said.expect_err(&format!("{values} should be refused"));
        assert!(said.contains(expected), "{values}: {said}");
    }
}

/// A value that no template reads would be a promise that nobody keeps.
#[test]
fn every_value_changes_something() {
    let defaults = std::fs::read_to_string(super::helm::root().join(CHART).join("values.yaml"));
    let defaults: Value =
        serde_saphyr::from_str(&defaults.expect("the values should be there")).expect("they should parse");
    let file =
        std::fs::read_to_string(super::helm::root().join("tests/cluster/install/values/everything.yaml"));
    let everything: Value =
        serde_saphyr::from_str(&file.expect("the values should be there")).expect("they should parse");
    let templates: String = std::fs::read_dir(super::helm::root().join(CHART).join("templates"))
        .expect("the templates should be there")
        .map(|entry| entry.expect("an entry should be readable").path())
        .map(|path| std::fs::read_to_string(path).expect("a template should be text"))
        .collect();
    for (key, value) in defaults.as_object().expect("values should be an object") {
        assert!(templates.contains(&format!(".Values.{key}")), "no template reads {key}");
        assert!(everything.get(key).is_some(), "everything.yaml leaves {key} out");
        for part in value.as_object().into_iter().flatten().map(|(part, _)| part) {
            let is_read = templates.contains(&format!(".Values.{key}.{part}"))
                || templates.contains(&format!(".{part}"))
                || key == "resources";
            assert!(is_read, "no template reads {key}.{part}");
        }
    }
}
