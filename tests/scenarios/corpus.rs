//! Everything that is known to be accepted, as a tenant would apply it: the examples, the catalogue of bad
//! input as far as an API server takes it, the shapes that are proven, and specs with hostile text.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::unpermitted;
use crate::{fixtures, spec};

/// One object of a tenant.
#[derive(Debug)]
pub(crate) struct Input {
    /// Where it is from, for messages.
    pub(crate) place: String,
    /// The object, in no namespace.
    pub(crate) object: Value,
    /// Whether validation takes it where everything is permitted.
    pub(crate) is_valid: bool,
}

/// Specs of properties; a few more do not find more here, and each takes its time on real servers.
const GENERATED: usize = 24;

/// The objects, each with a name of its own, and an AgentObservability with an agent of its own.
pub(crate) fn inputs() -> Vec<Input> {
    let mut inputs: Vec<Input> = [examples(), catalogue(), shapes(), askers(), generated()]
        .into_iter()
        .flatten()
        .filter(|input| input.object["kind"] == "AgentSLO" || input.object["kind"] == "AgentObservability")
        // The stand-in for an API server does not know which fields may be null.
        .filter(|input| !has_null(&input.object))
        .collect();
    let mut taken = BTreeSet::new();
    for (index, input) in inputs.iter_mut().enumerate() {
        let object = &mut input.object;
        if object["kind"] == "AgentObservability" {
            let agent = object["spec"]["agent"].as_str().unwrap_or_default();
            object["spec"]["agent"] = format!("{agent}-{index}").into();
        }
        let metadata = &mut object["metadata"];
        let name = metadata["name"].as_str().unwrap_or("none").to_owned();
        let is_new = taken.insert(name.clone());
        metadata["name"] = if is_new { name } else { format!("{name}-{index}") }.into();
    }
    inputs
}

fn examples() -> Vec<Input> {
    let folders = std::fs::read_dir(root().join("examples")).expect("the examples should be there");
    let mut folders: Vec<_> = folders.map(|entry| entry.expect("it should be readable").path()).collect();
    folders.sort();
    let files = ["agentslo.yaml", "agentobservability.yaml"];
    let files = folders.iter().flat_map(|folder| files.map(|file| folder.join(file)));
    files
        .filter_map(|file| Some(documents(&std::fs::read_to_string(file).ok()?, "an example")))
        .flatten()
        .collect()
}

/// What stands beside an AgentPlatform may be valid only under that one.
fn catalogue() -> Vec<Input> {
    let mut inputs = Vec::new();
    for file in fixtures::files() {
        let fixtures = fixtures::read(&file);
        let has_platform = fixtures.iter().any(|fixture| fixture.document.contains("kind: AgentPlatform"));
        for fixture in fixtures.iter().filter(|fixture| ["A", "R"].contains(&fixture.layer.as_str())) {
            let is_valid = fixture.expected.is_empty() && !has_platform;
            let documents = documents(&fixture.document, &fixture.place).into_iter();
            inputs.extend(documents.map(|input| Input { is_valid, ..input }));
        }
    }
    inputs
}

fn shapes() -> Vec<Input> {
    let file = root().join("tests/cluster/indicators/shapes.yaml");
    documents(&std::fs::read_to_string(file).expect("the shapes should be there"), "a shape")
}

fn askers() -> Vec<Input> {
    let input = |object| Input { place: "what may be forbidden".to_owned(), object, is_valid: false };
    unpermitted::objects("anywhere").into_iter().map(input).collect()
}

fn generated() -> Vec<Input> {
    let (mut runner, specs) = (TestRunner::deterministic(), spec::spec());
    let mut next = || specs.new_tree(&mut runner).expect("a spec should be made").current();
    let input = |index| {
        let object = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {"name": format!("generated-{index}")}, "spec": next(),
        });
        Input { place: "a generated spec".to_owned(), object, is_valid: true }
    };
    (0..GENERATED).map(input).collect()
}

fn documents(text: &str, place: &str) -> Vec<Input> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{place} should parse: {error}"));
    let input = |object| Input { place: place.to_owned(), object, is_valid: true };
    documents.into_iter().filter(|document| !document.is_null()).map(input).collect()
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
