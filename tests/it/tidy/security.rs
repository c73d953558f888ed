//! Rules about what the operator may do, shows and is made of.

use std::collections::BTreeSet;

use crate::workspace;

/// Resources with which somebody who has the operator's token could get further.
const OUT_OF_REACH: [&str; 16] = [
    "pods",
    "nodes",
    "serviceaccounts",
    "roles",
    "rolebindings",
    "clusterroles",
    "clusterrolebindings",
    "customresourcedefinitions",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "deployments",
    "daemonsets",
    "jobs",
    "certificatesigningrequests",
    "tokenreviews",
];

/// Those of them that an operator needs that makes the pods of ledgers.
const OF_LEDGERS: [&str; 4] = ["deployments", "rolebindings", "roles", "serviceaccounts"];
/// What such an operator is granted.
const LEDGER: &str = "deploy/overlays/ledger";

/// Rules of every role in `deploy/` but those for ledgers, with the kind of the role.
fn rules() -> Vec<(String, serde_json::Value)> {
    let files = ["deploy/base", "deploy/overlays"].into_iter().flat_map(workspace::files);
    rules_of(files.filter(|file| !file.starts_with(LEDGER)))
}

fn rules_of(files: impl IntoIterator<Item = String>) -> Vec<(String, serde_json::Value)> {
    let mut found = Vec::new();
    for file in files {
        let documents: Vec<serde_json::Value> =
            serde_saphyr::from_multiple(&workspace::read(&file)).expect("manifests should parse");
        for role in documents.iter().filter(|document| document["rules"].is_array()) {
            let kind = role["kind"].as_str().unwrap_or_default().to_owned();
            let rules = role["rules"].as_array().into_iter().flatten();
            found.extend(rules.map(|rule| (kind.clone(), rule.clone())));
        }
    }
    assert!(found.len() > 8, "the rules should be found, not only {}", found.len());
    found
}

#[test]
fn no_permission_of_the_operator_leads_further() {
    let texts = |rule: &serde_json::Value, key: &str| -> Vec<String> {
        serde_json::from_value(rule[key].clone()).unwrap_or_else(|_| panic!("{rule} should have {key}"))
    };
    for (kind, rule) in rules() {
        let (resources, verbs) = (texts(&rule, "resources"), texts(&rule, "verbs"));
        for resource in &resources {
            let name = resource.split('/').next().unwrap_or_default();
            assert!(!OUT_OF_REACH.contains(&name) && name != "*", "{rule}");
            let is_written = name.starts_with("agent") && !resource.ends_with("/status");
            assert!(!is_written || verbs == ["list", "watch"], "what people write is read only: {rule}");
        }
        for verb in ["*", "escalate", "bind", "impersonate", "approve", "deletecollection"] {
            assert!(!verbs.iter().any(|granted| granted == verb), "{rule}");
        }
        if resources.iter().any(|resource| resource == "secrets") {
            assert!(kind == "Role" && verbs == ["get"], "Secrets are read by name, in one namespace: {rule}");
        }
    }
}

/// Whoever makes pods reaches the Secrets of their namespaces: only an operator that is asked to is granted that, and
/// nothing besides.
#[test]
fn only_an_operator_that_makes_ledgers_reaches_further() {
    let granted = |rules: Vec<(String, serde_json::Value)>| -> BTreeSet<String> {
        let each = |rule: serde_json::Value| -> Vec<(String, String)> {
            let of = |key: &str| serde_json::from_value::<Vec<String>>(rule[key].clone()).unwrap_or_default();
            let (resources, verbs) = (of("resources"), of("verbs"));
            resources.iter().flat_map(|it| verbs.iter().map(|verb| (it.clone(), verb.clone()))).collect()
        };
        let pairs = rules.into_iter().flat_map(|(_, rule)| each(rule));
        pairs.map(|(resource, verb)| format!("{verb} {resource}")).collect()
    };
    let with = granted(rules_of(workspace::files(LEDGER)));
    let besides: BTreeSet<String> = with.difference(&granted(rules())).cloned().collect();
    let reached = |verb: &str| {
        let names = besides.iter().filter_map(|granted| granted.strip_prefix(verb));
        names.filter(|name| OUT_OF_REACH.contains(name)).map(str::to_owned).collect::<Vec<_>>()
    };
    for verb in ["get ", "list ", "watch ", "create ", "patch ", "delete "] {
        assert_eq!(reached(verb), OF_LEDGERS, "{verb}");
    }
    for verb in ["update ", "escalate ", "bind ", "impersonate ", "* "] {
        assert_eq!(reached(verb), Vec::<String>::new(), "{verb}");
    }
    assert!(besides.contains("update configmaps"), "what it lets others do it must hold itself: {besides:?}");
}

/// Whoever reads the metrics learns no name of a namespace, an agent or an object.
#[test]
fn no_metric_has_a_label_of_free_text() {
    let text = workspace::read("src/metrics.rs");
    let mut labels = 0;
    for labelled in text.split("EncodeLabelSet,").skip(1) {
        let body = labelled.split_once('{').and_then(|(_, rest)| rest.split_once("\n}"));
        let (fields, _) = body.expect("a set of labels should be a struct");
        for field in fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")) {
            let (_, type_) =
                field.trim_end_matches(',').split_once(": ").expect("a field should have a type");
            assert!(["&'static str", "u16", "usize"].contains(&type_), "{field}");
            labels += 1;
        }
    }
    assert!(labels > 8, "only {labels} labels were found");
}

#[test]
fn no_crate_of_ours_may_hold_unsafe_code() {
    assert!(workspace::read("Cargo.toml").contains("\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    for manifest in ["Cargo.toml", "ledger/Cargo.toml", "tools/bed/Cargo.toml"] {
        let text = workspace::read(manifest);
        assert!(text.contains("\n[lints]\nworkspace = true\n"), "{manifest} should take the lints of all");
    }
    let members = workspace::read("Cargo.toml");
    assert!(
        members.contains("\nmembers = [\"ledger\", \"tools/bed\"]\n"),
        "another member is to be looked at here"
    );
}

/// `make check` has cargo-deny look at what there is; these are the lines that it must not lose.
#[test]
fn what_may_be_depended_on_is_limited() {
    let rules = workspace::read("deny.toml");
    for line in
        ["yanked = \"deny\"", "wildcards = \"deny\"", "unknown-registry = \"deny\"", "unknown-git = \"deny\""]
    {
        assert!(rules.lines().any(|written| written == line), "deny.toml should have {line}");
    }
    assert!(!rules.contains("GPL"), "a licence that binds whoever distributes the binary");
    let lock = workspace::read("Cargo.lock");
    let sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert!(sources.len() > 200, "the packages should be found");
    assert!(sources.iter().all(|source| source.contains("registry+")), "only packages of a registry");
    let checksums = lock.lines().filter(|line| line.starts_with("checksum = ")).count();
    assert_eq!(checksums, sources.len(), "each with its checksum");
}
