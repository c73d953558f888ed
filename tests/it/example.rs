//! The scenarios of `examples/`: what people write, validated as the operator would.

use std::collections::BTreeMap;

use agentslo::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::domain::slo::Slo;
use agentslo::domain::violation::Violations;
use agentslo::render::{self, Artifacts};
use agentslo::validate::{self, ObservabilityFacts, SloFacts};

use crate::workspace;

/// One folder of `examples/`.
pub(crate) struct Example {
    /// Name of the folder.
    pub(crate) name: String,
    /// The AgentSLO as it is written.
    pub(crate) written: AgentSlo,
    /// The same, validated with the AgentPlatform beside it.
    pub(crate) slo: Slo,
}

impl Example {
    /// Everything that it is rendered to.
    pub(crate) fn artifacts(&self) -> Artifacts {
        render::slo(&self.slo)
    }
}

/// Every example, sorted by name.
pub(crate) fn all() -> Vec<Example> {
    let names: Vec<String> = workspace::files("examples").iter().filter_map(|file| scenario(file)).collect();
    assert!(names.len() > 20, "the examples should be found, not only {names:?}");
    names.into_iter().map(load).collect()
}

fn scenario(file: &str) -> Option<String> {
    Some(file.strip_prefix("examples/")?.strip_suffix("/agentslo.yaml")?.to_owned())
}

fn load(name: String) -> Example {
    let text = workspace::read(format!("examples/{name}/agentslo.yaml"));
    let written: AgentSlo =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("example {name} should parse: {error}"));
    let facts = SloFacts { platform: platform(&name), ..SloFacts::default() };
    let slo = valid(&name, validate::slo(&written, &facts));
    Example { name, written, slo }
}

/// Name of a folder of `examples/`, and the AgentObservability in it, validated with the AgentPlatform
/// beside it.
pub(crate) fn observabilities() -> Vec<(String, Observability)> {
    let files = workspace::files("examples");
    let names = files.iter().filter_map(|file| {
        Some(file.strip_prefix("examples/")?.strip_suffix("/agentobservability.yaml")?.to_owned())
    });
    names.map(|name| (name.clone(), observability(&name))).collect()
}

fn observability(name: &str) -> Observability {
    let text = workspace::read(format!("examples/{name}/agentobservability.yaml"));
    let written: AgentObservability =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("example {name} should parse: {error}"));
    let facts = ObservabilityFacts { platform: platform(name), ..ObservabilityFacts::default() };
    valid(name, validate::observability(&written, &facts))
}

fn valid<T>(name: &str, judged: Result<T, Violations>) -> T {
    judged.unwrap_or_else(|violations| {
        let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
        panic!("example {name} should be valid:\n{}", all.join("\n"))
    })
}

fn platform(name: &str) -> Platform {
    let file = format!("examples/{name}/platform.yaml");
    if !workspace::path(&file).exists() {
        return Platform::default();
    }
    let platform: AgentPlatform = serde_saphyr::from_str(&workspace::read(&file))
        .unwrap_or_else(|error| panic!("{file} should parse: {error}"));
    valid(&file, validate::platform(&platform))
}

#[test]
fn every_kind_of_indicator_has_an_example() {
    let by_kind: BTreeMap<&str, String> =
        all().iter().map(|example| (example.slo.indicator().kind, example.name.clone())).collect();
    let schema = crate::crd::schema_of("AgentSLO");
    let kinds = schema["properties"]["spec"]["properties"]["indicator"]["properties"].as_object();
    for kind in kinds.expect("indicators should have properties").keys() {
        assert!(by_kind.contains_key(kind.as_str()), "no example has indicator {kind}");
    }
}
