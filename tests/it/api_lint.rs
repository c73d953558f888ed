//! House rules for the API, over the generated CRDs: bounded, documented, without floats or phases.

use serde_json::Value;

use crate::crd::{self, Field};

/// Booleans cannot grow a third value, so each one needs a reason to be here.
const BOOLEANS: [&str; 3] = [
    "AgentObservability.spec.suspend", // as CronJob spells it
    "AgentSLO.spec.suspend",           // the same
    "AgentSLO.status.alerts[].firing", // an alert fires or does not
];

/// Integers that have no upper bound because Kubernetes or a clock counts them.
const COUNTERS: [&str; 3] = ["observedGeneration", "slos", "rules"];

/// Widest table that does not wrap in a terminal.
const WIDTH: usize = 80;

/// A table that people look at less often, and with more to tell.
const WIDE: (&str, usize) = ("AgentObservability", 93);

/// Asserts a claim about each field of each kind, and says which fields break it.
fn check(claim: &str, holds: impl Fn(&Field<'_>) -> bool) {
    let mut broken = Vec::new();
    let mut seen = 0;
    for crd in &crd::all() {
        crd::root(crd).walk(&mut |field| {
            seen += 1;
            if !holds(field) {
                broken.push(field.path.clone());
            }
        });
    }
    assert!(seen > 100, "the fields should be found");
    assert!(broken.is_empty(), "{claim}: {broken:#?}");
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Items of lists and values of maps are described by their field.
fn is_item(field: &Field<'_>) -> bool {
    field.path.ends_with("[]") || field.path.ends_with(".*")
}

#[test]
fn no_field_is_a_float() {
    check("no field may be a number, write a decimal string", |field| field.kind() != "number");
}

#[test]
fn every_field_has_a_type() {
    check("a field without a type is free-form", |field| {
        !field.kind().is_empty() && field.schema.get("x-kubernetes-preserve-unknown-fields").is_none()
    });
}

#[test]
fn every_field_is_described_in_sentences() {
    check("a description is a sentence with a full stop", |field| {
        let description = field.description();
        is_item(field) || (description.len() > 10 && description.ends_with(['.', '`']))
    });
}

#[test]
fn every_string_is_bounded() {
    check("a string has a longest length, an enum or a format", |field| {
        let bounds = ["maxLength", "enum", "format"];
        field.kind() != "string" || bounds.iter().any(|bound| field.schema.get(bound).is_some())
    });
}

#[test]
fn every_list_is_bounded_and_says_how_it_merges() {
    check("a list has a longest length and a list type", |field| {
        let list_type = field.schema["x-kubernetes-list-type"].as_str().unwrap_or_default();
        let keys = field.schema.get("x-kubernetes-list-map-keys").is_some();
        let merges = ["atomic", "set", "map"].contains(&list_type) && (list_type == "map") == keys;
        field.kind() != "array" || (field.schema.get("maxItems").is_some() && merges)
    });
}

#[test]
fn every_map_is_bounded() {
    check("a map has a largest number of entries", |field| {
        field.schema.get("additionalProperties").is_none() || field.schema.get("maxProperties").is_some()
    });
}

#[test]
fn every_integer_that_people_write_is_bounded() {
    check("an integer of a spec has both bounds", |field| {
        let is_bounded = field.schema.get("minimum").is_some() && field.schema.get("maximum").is_some();
        field.kind() != "integer"
            || is_bounded
            || (!field.is_spec() && COUNTERS.contains(&last(&field.path)))
            || field.path.contains(".status.")
    });
}

#[test]
fn booleans_are_few() {
    check("a boolean has its reason in the list, an enum says more", |field| {
        field.kind() != "boolean" || BOOLEANS.contains(&field.path.as_str())
    });
}

#[test]
fn no_state_is_called_phase() {
    check("conditions say more than a phase", |field| last(&field.path).to_lowercase() != "phase");
}

#[test]
fn every_leaf_that_people_write_names_a_default_or_an_example() {
    check("a leaf of a spec names its default or an example", |field| {
        let is_leaf = field.schema.get("properties").is_none();
        let description = field.description();
        let named = description.contains("Default: ") || description.contains("Example: ");
        !field.is_spec() || !is_leaf || is_item(field) || named
    });
}

#[test]
fn what_is_not_required_names_its_default() {
    check("an optional field of a spec names its default, unless it is one of an either-or", |field| {
        let is_alternative = field.description().contains("Set this or ")
            || field.path.contains("indicator.")
            || field.path == "AgentPlatform.spec"
            || field.path == "AgentSLO.spec";
        !field.is_spec() || field.is_required || is_alternative || field.description().contains("Default: ")
    });
}

#[test]
fn a_default_in_the_schema_is_the_one_in_the_words() {
    check("the documented default is the schema's", |field| {
        let Some(default) = field.schema.get("default").filter(|_| field.is_spec()) else { return true };
        let written = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        field.description().contains(&format!("Default: `{written}`"))
    });
}

#[test]
fn every_rule_says_what_would_be_right_and_where() {
    check("a CEL rule has a message, and a field path unless it is about the whole object", |field| {
        let rules = field.schema["x-kubernetes-validations"].as_array();
        rules.into_iter().flatten().all(|rule| {
            let message = rule["message"].as_str().unwrap_or_default();
            let several = fields_of(rule["rule"].as_str().unwrap_or_default()).len() > 1;
            message.len() > 20 && (several || rule["fieldPath"].is_string())
        })
    });
}

/// The fields of `self` that a rule reads.
fn fields_of(rule: &str) -> std::collections::BTreeSet<String> {
    let after = rule.split("self.").skip(1);
    after.map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect()).collect()
}

#[test]
fn field_paths_of_rules_exist() {
    check("the field path of a rule names a field", |field| {
        let rules = field.schema["x-kubernetes-validations"].as_array();
        rules.into_iter().flatten().filter_map(|rule| rule["fieldPath"].as_str()).all(|path| {
            let mut schema = field.schema;
            path.trim_start_matches('.').split('.').for_each(|name| schema = &schema["properties"][name]);
            schema.is_object()
        })
    });
}

#[test]
fn every_status_has_conditions_by_type() {
    for crd in crd::all() {
        let conditions = &crd::schema(&crd)["properties"]["status"]["properties"]["conditions"];
        assert_eq!(
            conditions["x-kubernetes-list-map-keys"],
            serde_json::json!(["type"]),
            "{}",
            crd::kind_of(&crd)
        );
        for field in ["type", "status", "reason", "message", "lastTransitionTime", "observedGeneration"] {
            assert!(conditions["items"]["properties"][field].is_object(), "{} {field}", crd::kind_of(&crd));
        }
    }
}

#[test]
fn every_kind_has_a_status_that_is_written_apart() {
    for crd in crd::all() {
        assert!(crd["spec"]["versions"][0]["subresources"]["status"].is_object(), "{}", crd::kind_of(&crd));
    }
}

/// What a usual table holds, by column.
const SAMPLES: [(&str, &str); 15] = [
    ("Agent", "support-agent"),
    ("Profile", "AgentMetrics"),
    ("Pipeline", "0.165"),
    ("Signals", "LMT"),
    ("Spend24h", "112.40"),
    ("Name", "support-success"),
    ("Objective", "99.9%"),
    ("SLI", "99.97%"),
    ("Budget", "41%"),
    ("Burn", "SlowBurn"),
    ("State", "AtRisk"),
    ("Ready", "True"),
    ("Age", "120d"),
    ("Prometheus", "http://prometheus.monitoring:9090"),
    ("SLOs", "1500"),
];

#[test]
fn columns_fit_into_a_terminal() {
    for crd in crd::all() {
        let columns = crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array().cloned();
        let columns = columns.expect("kinds should have columns");
        let shown = columns.iter().filter(|column| column["priority"].as_i64().unwrap_or(0) == 0);
        let names = shown.map(|column| column["name"].as_str().expect("columns should have a name"));
        // kubectl separates columns by three spaces.
        let width: usize = std::iter::once("Name").chain(names).map(|name| width(name) + 3).sum();
        let most = if crd::kind_of(&crd) == WIDE.0 { WIDE.1 } else { WIDTH };
        assert!(width - 3 <= most, "columns of {} take {}", crd::kind_of(&crd), width - 3);
    }
}

fn width(column: &str) -> usize {
    let sample = SAMPLES.iter().find(|(name, _)| *name == column);
    let (name, value) = sample.unwrap_or_else(|| panic!("column {column} should have a sample value"));
    name.len().max(value.len())
}

#[test]
fn every_column_reads_a_field_that_exists() {
    for crd in crd::all() {
        for column in crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array().into_iter().flatten()
        {
            let path = column["jsonPath"].as_str().unwrap_or_default();
            assert!(path.starts_with(".metadata.") || exists(crd::schema(&crd), path), "{path}");
        }
    }
}

fn exists(schema: &Value, path: &str) -> bool {
    // A condition is looked up by its type.
    let condition = ".status.conditions[?(@.type==\"";
    if let Some(rest) = path.strip_prefix(condition) {
        return rest.ends_with("\")].status") || rest.ends_with("\")].reason");
    }
    let mut schema = schema;
    path.trim_start_matches('.').split('.').for_each(|name| schema = &schema["properties"][name]);
    schema.is_object()
}
