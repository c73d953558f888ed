//! Files that are made from the code and kept in the checkout: the CRDs and the chart's copies of them, pages of
//! the book, the chart's page, what the examples are rendered to. `BLESS=1` writes them; otherwise a stale one is
//! a failing test.

mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use agentslo::render::{self, Artifact};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::crd::{self, Field};
use crate::{example, workspace};

/// Largest CRD that `kubectl apply` takes without server-side apply: it keeps a copy in an annotation.
const CRD_LIMIT: usize = 256 * 1024;

/// Why writing to a text cannot fail.
const INTO_MEMORY: &str = "writing into memory should not fail";

#[test]
fn generated_files_are_fresh() {
    let pages = vec![reference(), pages::command_line(), pages::examples(), pages::runbooks()];
    let expected = [crds(), crds_of_the_chart(), values_of_the_chart(), health(), rendered(), pages];
    let expected: BTreeMap<String, String> = expected.concat().into_iter().collect();
    let stale: Vec<String> = expected
        .iter()
        .filter(|(file, text)| fs::read_to_string(workspace::path(file)).ok().as_ref() != Some(*text))
        .map(|(file, _)| file.clone())
        .collect();
    let orphans: Vec<String> = existing().into_iter().filter(|file| !expected.contains_key(file)).collect();
    if std::env::var_os("BLESS").is_some() {
        bless(&expected, &stale, &orphans);
        return;
    }
    assert!(
        stale.is_empty() && orphans.is_empty(),
        "generated files are stale: {stale:?}, or left over: {orphans:?}; run `make bless` and read the diff"
    );
}

fn bless(expected: &BTreeMap<String, String>, stale: &[String], orphans: &[String]) {
    for file in stale {
        let path = workspace::path(file);
        let folder = path.parent().expect("generated files should be in a folder");
        fs::create_dir_all(folder)
            .unwrap_or_else(|error| panic!("failed to create {}: {error}", folder.display()));
        fs::write(&path, &expected[file]).unwrap_or_else(|error| panic!("failed to write {file}: {error}"));
    }
    for file in orphans {
        fs::remove_file(workspace::path(file))
            .unwrap_or_else(|error| panic!("failed to remove {file}: {error}"));
    }
}

/// Files in the folders that hold nothing but generated ones.
fn existing() -> BTreeSet<String> {
    let rendered = workspace::files("examples").into_iter().filter(|file| file.contains("/rendered/"));
    let of_chart = workspace::files(CRDS_OF_CHART).into_iter().filter(|file| !file.contains("kustomization"));
    rendered.chain(workspace::files("crds")).chain(of_chart).collect()
}

#[test]
fn every_crd_fits_into_an_annotation() {
    for (file, text) in crds() {
        assert!(text.len() < CRD_LIMIT, "{file} has {} bytes", text.len());
    }
}

fn crds() -> Vec<(String, String)> {
    let definitions = agentslo::api::v1alpha1::custom_resource_definitions();
    definitions
        .into_iter()
        .map(|crd| {
            let name = crd.metadata.name.clone().expect("CRDs should have a name");
            (format!("crds/{name}.yaml"), yaml(&crd))
        })
        .collect()
}

/// Where the chart has its copies: templates read them, and kubectl applies them.
const CRDS_OF_CHART: &str = "charts/agentslo/files/crds";

fn crds_of_the_chart() -> Vec<(String, String)> {
    let copy = |(file, text): (String, String)| (file.replacen("crds", CRDS_OF_CHART, 1), text);
    crds().into_iter().map(copy).collect()
}

/// The health script of Argo CD, where those who contribute it to Argo CD and those who configure theirs
/// want it. One script serves all kinds.
fn health() -> Vec<(String, String)> {
    let folder = "deploy/argocd";
    let script = workspace::read(format!("{folder}/health.lua"));
    let mut fragment = String::from(
        "# To be merged into the ConfigMap of that name, made from health.lua by `make bless`.\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n  namespace: argocd\ndata:\n",
    );
    let mut files = Vec::new();
    for kind in crd::all().iter().map(crd::kind_of) {
        writeln!(fragment, "  resource.customizations.health.agentslo.dev_{kind}: |").expect(INTO_MEMORY);
        for line in script.lines() {
            writeln!(fragment, "{}", format!("    {line}").trim_end()).expect(INTO_MEMORY);
        }
        files.push((
            format!("{folder}/resource_customizations/agentslo.dev/{kind}/health.lua"),
            script.clone(),
        ));
    }
    files.push((format!("{folder}/argocd-cm.yaml"), fragment));
    files
}

/// The chart's page, and the book's about it: what is known of each value from its schema and its default.
fn values_of_the_chart() -> Vec<(String, String)> {
    let chart = "charts/agentslo";
    let schema: Value = serde_json::from_str(&workspace::read(format!("{chart}/values.schema.json")))
        .expect("the schema should be JSON");
    let defaults: Value = serde_saphyr::from_str(&workspace::read(format!("{chart}/values.yaml")))
        .expect("the values should be YAML");
    let mut values = String::from(
        "Made from `values.schema.json` and `values.yaml` by `make bless`.\n\n| value | default | what it does \
         |\n| --- | --- | --- |\n",
    );
    describe_values(&schema, &defaults, "", &mut values);
    let of_chart = format!(
        "# Chart agentslo\n\nInstalls the operator: `helm install agentslo charts/agentslo --namespace \
         agentslo-system --create-namespace`. How to choose between the ways of installing it, how to harden \
         and how to upgrade it: `docs/guides/install.md`.\n\n## Values\n\n{values}"
    );
    let of_book = format!(
        "# Values of the chart\n\n[install.md](../guides/install.md) says which of them matter when. A value that \
         is not here is refused.\n\n{values}"
    );
    vec![(format!("{chart}/README.md"), of_chart), ("docs/reference/chart.md".to_owned(), of_book)]
}

/// A line for each value whose shape is ours to say; what has another's shape is one value.
fn describe_values(schema: &Value, defaults: &Value, prefix: &str, text: &mut String) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let default = &defaults[name];
        let words = field["description"].as_str();
        let words = words.unwrap_or_else(|| panic!("value {path} has no description"));
        assert!(!default.is_null() || path == "global", "value {path} is not in values.yaml");
        if field["properties"].is_object() {
            let closed = field["additionalProperties"] == false;
            assert!(closed, "value {path} takes what it does not know");
            describe_values(field, default, &format!("{path}."), text);
        } else if path != "global" {
            writeln!(text, "| `{path}` | `{default}` | {} |", words.replace('|', "\\|")).expect(INTO_MEMORY);
        }
    }
    for name in defaults.as_object().into_iter().flatten().map(|(name, _)| name) {
        let is_known = schema["properties"].get(name).is_some();
        assert!(is_known, "value {prefix}{name} is not in the schema");
    }
}

/// One file for each artifact, named after its kind.
fn rendered() -> Vec<(String, String)> {
    let of_slos = example::all().into_iter().flat_map(|example| {
        let folder = example.name.clone();
        let file = move |artifact: &Artifact| rendered_file(&folder, &kind_of(artifact));
        example.artifacts().0.into_iter().map(move |artifact| (file(&artifact), artifact))
    });
    let of_observabilities = example::observabilities().into_iter().flat_map(|(folder, observability)| {
        // Several objects of one kind; their names say what they are for.
        let file = move |artifact: &Artifact| {
            rendered_file(&folder, &format!("{}-{}", kind_of(artifact), artifact.name()))
        };
        let artifacts = render::observability(&observability).into_values().flat_map(|part| part.0);
        artifacts.map(move |artifact| (file(&artifact), artifact))
    });
    let files: Vec<(String, String)> = of_slos
        .chain(of_observabilities)
        .map(|(file, artifact)| (file, yaml(&artifact.to_value())))
        .collect();
    let names: BTreeSet<&String> = files.iter().map(|(file, _)| file).collect();
    assert_eq!(names.len(), files.len(), "two artifacts of one example would share a file");
    files
}

fn rendered_file(example: &str, name: &str) -> String {
    format!("examples/{example}/rendered/{name}.yaml")
}

fn kind_of(artifact: &Artifact) -> String {
    artifact.kind().name().to_lowercase()
}

/// YAML that reads back as what it was made from.
fn yaml<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> String {
    let text = serde_saphyr::to_string(value).expect("generated objects should have only string keys");
    let again: T = serde_saphyr::from_str(&text).expect("generated YAML should parse");
    assert!(again == *value, "YAML should read back as it was:\n{text}");
    text
}

fn reference() -> (String, String) {
    let mut text = String::from(
        "# Reference\n\nEvery field of every kind of `agentslo.dev/v1alpha1`. Generated from the CRDs by \
         `make bless`; the words come from the doc comments in `src/api`.\n",
    );
    for crd in &crd::all() {
        describe(&crd::root(crd), &mut text);
        describe_columns(crd, &mut text);
    }
    ("docs/reference.md".to_owned(), text)
}

/// A section for a kind, then one for each object in it.
fn describe(root: &Field<'_>, text: &mut String) {
    root.walk(&mut |field| {
        let children: Vec<Field<'_>> = field.children();
        let is_object = field.schema["properties"].is_object();
        if !is_object || children.is_empty() {
            return;
        }
        let level = if field.path.contains('.') { "###" } else { "##" };
        write!(text, "\n{level} {}\n\n{}\n\n", field.path, field.description()).expect(INTO_MEMORY);
        text.push_str("| field | type | bounds | default | what it is |\n| --- | --- | --- | --- | --- |\n");
        for child in children {
            text.push_str(&row(&child));
        }
        text.push_str(&rules(field));
    });
}

fn row(field: &Field<'_>) -> String {
    let name = field.path.rsplit('.').next().unwrap_or_default();
    let documentation = Documentation::of(field);
    let default = if field.is_required { "**required**" } else { &documentation.default };
    let cells = [
        format!("`{name}`"),
        type_of(field),
        bounds(field.schema),
        default.to_owned(),
        documentation.what + &documentation.example,
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// A doc comment in its three parts.
struct Documentation {
    what: String,
    default: String,
    example: String,
}

impl Documentation {
    fn of(field: &Field<'_>) -> Self {
        let description = field.description();
        let (description, example) = description.split_once(" Example: ").unwrap_or((&description, ""));
        let (what, default) = description.split_once(" Default: ").unwrap_or((description, ""));
        Self {
            what: what.to_owned(),
            default: default.trim_end_matches('.').to_owned(),
            example: if example.is_empty() { String::new() } else { format!(" Example: {example}") },
        }
    }
}

/// The type, with a link where it has a section of its own.
fn type_of(field: &Field<'_>) -> String {
    let link = |path: &str, what: &str| {
        let anchor: String =
            path.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        format!("[{what}](#{anchor})")
    };
    let items = &field.schema["items"];
    match field.kind() {
        "array" if items["properties"].is_object() => link(&format!("{}[]", field.path), "list of objects"),
        "array" => format!("list of {}s", items["type"].as_str().unwrap_or("value")),
        "object" if field.schema["additionalProperties"].is_object() => "map of strings".to_owned(),
        "object" if field.schema["properties"].is_object() => link(&field.path, "object"),
        "string" if field.schema["enum"].is_array() => values(field.schema),
        other => other.to_owned(),
    }
}

fn values(schema: &Value) -> String {
    let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    values.map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

fn bounds(schema: &Value) -> String {
    // The bounds of integers are kept as fractions, such as `1.0`.
    let part = |key: &str, words: &str| {
        let bound = schema.get(key).filter(|value| !value.is_object())?;
        Some(format!("{words} {}", bound.to_string().trim_end_matches(".0")))
    };
    let own = [
        part("minimum", "at least"),
        part("maximum", "at most"),
        part("minLength", "length from"),
        part("maxLength", "length to"),
        part("minItems", "items from"),
        part("maxItems", "items to"),
        part("maxProperties", "entries to"),
        schema["pattern"].as_str().map(|pattern| format!("`{pattern}`")),
    ];
    let of_items = ["items", "additionalProperties"]
        .into_iter()
        .filter(|key| schema[*key]["type"] == "string")
        .map(|key| format!("each: {}", bounds(&schema[key])));
    own.into_iter().flatten().chain(of_items).collect::<Vec<_>>().join(", ")
}

fn rules(field: &Field<'_>) -> String {
    let rules = field.schema["x-kubernetes-validations"].as_array();
    let lines: Vec<String> = rules
        .into_iter()
        .flatten()
        .map(|rule| {
            let place = rule["fieldPath"].as_str().unwrap_or("").trim_start_matches('.');
            let place = if place.is_empty() { String::new() } else { format!("`{place}` ") };
            format!("- {place}{}\n", rule["message"].as_str().unwrap_or_default())
        })
        .collect();
    if lines.is_empty() { String::new() } else { format!("\nRules:\n\n{}", lines.concat()) }
}

fn describe_columns(crd: &Value, text: &mut String) {
    let columns = crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array();
    write!(
        text,
        "\n### Columns of {}\n\n| column | from | when | what it is |\n| --- | --- | --- | --- |\n",
        crd::kind_of(crd)
    )
    .expect(INTO_MEMORY);
    for column in columns.into_iter().flatten() {
        let when = if column["priority"] == 1 { "`-o wide`" } else { "always" };
        let cell = |key: &str| column[key].as_str().unwrap_or_default().replace('|', "\\|");
        writeln!(text, "| {} | `{}` | {when} | {} |", cell("name"), cell("jsonPath"), cell("description"))
            .expect(INTO_MEMORY);
    }
}
