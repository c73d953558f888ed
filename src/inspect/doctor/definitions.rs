//! Whether the kinds are installed, ours in the version of this program, and those of others.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::Check;
use crate::render::ArtifactKind;

/// One of our kinds in a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Definition {
    /// It is not there.
    Missing,
    /// It is there, and is what this program would install.
    Same,
    /// It is there, and is of another version of this program.
    Different,
    /// It is there, and the API server does not serve it.
    NotServed,
}

impl Definition {
    /// How a kind of a cluster differs from what this program would install.
    #[must_use]
    pub fn of(wanted: &CustomResourceDefinition, live: Option<&CustomResourceDefinition>) -> Self {
        let Some(live) = live else { return Self::Missing };
        let conditions = live.status.as_ref().and_then(|status| status.conditions.as_ref());
        let is_served = conditions
            .into_iter()
            .flatten()
            .any(|condition| condition.type_ == "Established" && condition.status == "True");
        if !is_served {
            return Self::NotServed;
        }
        if schemas(wanted) == schemas(live) { Self::Same } else { Self::Different }
    }
}

/// Schema and columns of every version; the rest is filled in by the API server.
fn schemas(definition: &CustomResourceDefinition) -> Vec<Value> {
    let versions = definition.spec.versions.iter();
    versions
        .map(|version| json!([version.name, version.schema, version.additional_printer_columns]))
        .collect()
}

/// One check for each of our kinds.
#[must_use]
pub fn definitions(found: &[(CustomResourceDefinition, Definition)]) -> Vec<Check> {
    let install = "agentslo crds | kubectl apply --server-side -f -";
    found
        .iter()
        .map(|(wanted, found)| {
            let about = format!("kind {}", wanted.spec.names.kind);
            match found {
                Definition::Same => Check::ok(&about, format!("{} is installed", wanted.name_any())),
                Definition::Missing => {
                    Check::problem(&about, format!("{} is not installed", wanted.name_any()), install)
                }
                Definition::NotServed => Check::problem(
                    &about,
                    "it is installed, and the API server does not serve it",
                    format!("look at kubectl describe crd {}", wanted.name_any()),
                ),
                Definition::Different => Check::problem(
                    &about,
                    format!("what is installed is not that of version {}", env!("CARGO_PKG_VERSION")),
                    format!("take a client of the operator's version, or {install}"),
                ),
            }
        })
        .collect()
}

/// Which kinds of others are installed, of those that are written. Only rules are needed by everybody.
#[must_use]
pub fn foreign_kinds(installed: &BTreeSet<ArtifactKind>) -> Vec<Check> {
    let kinds = ArtifactKind::ALL.into_iter().filter_map(|kind| Some((kind, kind.provider()?)));
    kinds
        .map(|(kind, provider)| {
            let about = format!("kind {}", kind.name());
            match (installed.contains(&kind), kind) {
                (true, _) => Check::ok(&about, format!("{} is installed", kind.api_version())),
                (false, ArtifactKind::PrometheusRule) => Check::problem(
                    &about,
                    "it is not installed, so no rule can be written",
                    format!("install the CRDs of {provider}; the rules follow by themselves"),
                ),
                (false, _) => Check::ok(
                    &about,
                    format!("it is not installed, which matters only to AgentObservabilities; {provider} brings it"),
                ),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::api::v1alpha1::custom_resource_definitions;

    fn served(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
        let status = json!({"conditions": [{"type": "Established", "status": "True"}]});
        definition.status = serde_json::from_value(status).expect("test data should be a status");
        definition
    }

    #[test]
    fn a_kind_of_another_version_is_told_from_ours() {
        let wanted = custom_resource_definitions().remove(0);
        let same = served(wanted.clone());
        let mut different = same.clone();
        different.spec.versions[0].additional_printer_columns = None;
        let cases = [
            (None, Definition::Missing),
            (Some(&wanted), Definition::NotServed),
            (Some(&same), Definition::Same),
            (Some(&different), Definition::Different),
        ];
        for (live, expected) in cases {
            assert_eq!(Definition::of(&wanted, live), expected);
        }
    }

    #[test]
    fn only_rules_are_needed_by_everybody() {
        let verdict = |installed: &[ArtifactKind]| {
            foreign_kinds(&installed.iter().copied().collect()).iter().map(|check| check.verdict).max()
        };
        assert_eq!(verdict(&[ArtifactKind::PrometheusRule]), Some(Verdict::Ok));
        assert_eq!(verdict(&[]), Some(Verdict::Problem));
    }
}
