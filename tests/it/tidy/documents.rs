//! Rules about what is written beside the code: documents tell of everything that others see, and
//! nothing that is not there.

use std::collections::BTreeSet;
use std::path::Path;

use agentslo::vocabulary::alert;

use crate::{example, workspace};

const MAP: &str = "ARCHITECTURE.md";

/// Every file that is written by hand and read by people or machines.
fn texts() -> Vec<String> {
    let folders =
        ["src", "ledger", "tests", "tools", "examples", "benches", "docs", "deploy", "charts", "crds"];
    let mut files: Vec<String> = folders.iter().flat_map(|folder| workspace::files(folder)).collect();
    let root = ["README.md", MAP, "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "Cargo.toml"];
    files.extend(root.iter().filter(|file| workspace::path(file).exists()).map(|file| (*file).to_owned()));
    let built = ["/target/", "/node_modules/", "/dist/", "/.venv/", "/__pycache__/"];
    files.retain(|file| !built.iter().any(|folder| file.contains(folder)) && !file.ends_with("go.sum"));
    files
}

#[test]
fn no_text_names_a_place_on_somebodys_machine() {
    let homes = ["home", "root", "Users", "work"].map(|folder| format!("/{folder}/"));
    let mut places = Vec::new();
    for file in texts().into_iter().filter(|file| file != "tests/it/tidy/documents.rs") {
        let Ok(text) = std::fs::read_to_string(workspace::path(&file)) else { continue };
        for line in text.lines().filter(|line| homes.iter().any(|home| names(line, home))) {
            places.push(format!("{file}: {}", line.trim()));
        }
    }
    assert!(places.is_empty(), "absolute paths: {places:#?}");
}

/// Whether a line has the folder at the root, and not within another path.
fn names(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(index, _)| {
        let before = line[..index].chars().next_back().unwrap_or(' ');
        !before.is_alphanumeric() && !"._-/}*)".contains(before)
    })
}

#[test]
fn every_example_is_exercised() {
    let of_slos = example::all().into_iter().map(|example| example.name);
    let of_observabilities = example::observabilities().into_iter().map(|(name, _)| name);
    let exercised: BTreeSet<String> = of_slos.chain(of_observabilities).collect();
    for folder in folders("examples") {
        let name = folder.trim_start_matches("examples/").to_owned();
        let mut entries = ["main.rs", "python/agent.py"].into_iter();
        let is_program = entries.any(|entry| workspace::path(format!("{folder}/{entry}")).exists());
        assert!(is_program || exercised.contains(&name), "{folder} has neither a resource nor a program");
        let rendered = workspace::path(format!("{folder}/rendered")).exists();
        assert!(is_program || rendered, "{folder} is not rendered; run `make bless`");
    }
}

#[test]
fn every_example_says_what_it_is_for() {
    let written = ["agentslo.yaml", "agentobservability.yaml"];
    for file in
        workspace::files("examples").iter().filter(|file| written.iter().any(|name| file.ends_with(name)))
    {
        assert!(workspace::read(file).starts_with("# "), "{file} starts with a comment");
    }
}

/// Direct subfolders that hold files.
fn folders(parent: &str) -> BTreeSet<String> {
    let files = workspace::files(parent);
    let below = files.iter().filter_map(|file| file.strip_prefix(parent)?.strip_prefix('/')?.split_once('/'));
    below.map(|(folder, _)| format!("{parent}/{folder}")).collect()
}

#[test]
fn the_map_and_the_tree_agree() {
    if !workspace::path(MAP).exists() {
        return;
    }
    let map = workspace::read(MAP);
    let named: BTreeSet<&str> =
        map.split('`').skip(1).step_by(2).filter_map(|name| name.strip_suffix('/')).collect();
    assert!(named.len() > 5, "the map should name folders");
    for folder in &named {
        assert!(workspace::path(folder).is_dir(), "{MAP} names {folder}/, which is not there");
    }
    let top = ["crds", "charts", "ledger", "dashboards", "deploy", "docs", "examples", "tools", "benches"];
    let top = top.into_iter().map(str::to_owned).filter(|folder| !workspace::files(folder).is_empty());
    // A property that fails leaves its seed there, for the next run on the same machine.
    let is_kept = |folder: &String| folder != "tests/proptest-regressions";
    for folder in folders("src").into_iter().chain(folders("tests")).filter(is_kept).chain(top) {
        assert!(named.contains(folder.as_str()), "{MAP} does not name {folder}/");
    }
}

#[test]
fn the_guide_for_agents_shows_what_the_examples_do() {
    let of = |folder: &str, extension: &str| -> Vec<String> {
        let files = workspace::files(folder).into_iter().filter(|file| file.ends_with(extension));
        let files = files.filter(|file| !file.contains("/node_modules/") && !file.contains("/.venv/"));
        files.map(workspace::read).collect()
    };
    let guide = workspace::read("docs/guides/instrument.md");
    for (language, extension) in [("python", ".py"), ("typescript", ".ts")] {
        let programs = of(&format!("examples/instrument/{language}"), extension);
        let fence = format!("```{language}\n");
        let snippets: Vec<&str> =
            guide.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
        assert!(snippets.len() > 1, "the guide should show {language}");
        for snippet in snippets {
            let is_there = programs.iter().any(|program| flat(program).contains(&flat(snippet)));
            assert!(is_there, "no example in {language} has\n{snippet}");
        }
    }
}

/// Lines without their indentation.
fn flat(text: &str) -> String {
    text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let mut numbers: Vec<usize> = workspace::files("docs/adr")
        .iter()
        .filter_map(|file| file.strip_prefix("docs/adr/")?.split_once('-')?.0.parse().ok())
        .collect();
    numbers.sort_unstable();
    let expected: Vec<usize> = (1..=numbers.len()).collect();
    assert_eq!(numbers, expected, "decisions count from 0001, each number once");
}

/// Text between back-ticks in all guides.
fn documented() -> BTreeSet<String> {
    let guides = workspace::files("docs/guides");
    assert!(!guides.is_empty(), "the guides should be found");
    guides
        .iter()
        .flat_map(|file| {
            let text = workspace::read(file);
            text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Values of the constants in one module of the vocabulary.
pub(crate) fn vocabulary(module: &str) -> Vec<String> {
    let text = workspace::read("src/vocabulary.rs");
    let start = format!("pub mod {module} {{");
    let body = text.split_once(&start).unwrap_or_else(|| panic!("the vocabulary should have {module}")).1;
    let body = body.split_once("\n}").expect("modules should end").0;
    let constants = body.lines().filter(|line| line.trim_start().starts_with("pub const"));
    let values: Vec<String> =
        constants.filter_map(|line| Some(line.split_once('"')?.1.split_once('"')?.0.to_owned())).collect();
    assert!(!values.is_empty(), "module {module} should have constants");
    values
}

#[test]
fn every_name_that_others_see_is_documented() {
    let documented = documented();
    for module in ["series", "alert", "annotation", "condition", "reason", "event"] {
        for name in vocabulary(module).into_iter().filter(|name| !name.ends_with(':')) {
            assert!(documented.contains(&name), "no guide tells of `{name}` ({module})");
        }
    }
}

/// Parts of a page about an alert.
const PARTS: [&str; 5] =
    ["## What it means", "## First look", "## Likely causes", "## What to do", "## How to silence it"];

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let page = |name: &str| format!("docs/guides/runbooks/{name}.md");
    let alerts = vocabulary("alert").into_iter().chain(alerts_about_the_operator());
    let expected: BTreeSet<String> = alerts.map(|name| page(&name)).collect();
    let pages: BTreeSet<String> = workspace::files("docs/guides/runbooks").into_iter().collect();
    assert_eq!(pages, expected);
    for page in &pages {
        let text = workspace::read(page);
        let at: Vec<Option<usize>> = PARTS.iter().map(|part| text.find(part)).collect();
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{page} has {PARTS:?}, in this order");
    }
}

/// Alerts of the chart, which are about the operator and not about an agent.
fn alerts_about_the_operator() -> Vec<String> {
    let template = workspace::read("charts/agentslo/templates/prometheusrule.yaml");
    let alerts: Vec<String> =
        template.lines().filter_map(|line| Some(line.split_once("- alert: ")?.1.to_owned())).collect();
    assert!(alerts.len() > 5, "the alerts should be found");
    alerts
}

#[test]
fn every_query_of_a_page_parses() {
    let mut queries = 0;
    for page in workspace::files("docs/guides/runbooks") {
        let text = workspace::read(&page);
        for block in text.split("```promql\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            for query in block.lines() {
                let parsed = promql_parser::parser::parse(query);
                assert!(parsed.is_ok(), "{page}: {query}: {parsed:?}");
                queries += 1;
            }
        }
    }
    assert!(queries > 30, "only {queries} queries were found");
}

/// An alert that is not among them is not routed to anybody.
#[test]
fn every_alert_is_one_that_routes_know() {
    let written: BTreeSet<String> = vocabulary("alert").into_iter().collect();
    assert_eq!(written, alert::ALL.into_iter().map(str::to_owned).collect());
}

#[test]
fn every_rule_of_validation_is_documented() {
    let documented = documented();
    let text = workspace::read("src/domain/violation.rs");
    let body = text.split_once("pub enum Rule {").expect("rules should be an enum").1;
    let body = body.split_once("\n}").expect("the enum should end").0;
    let variants: Vec<&str> = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.strip_suffix(','))
        .collect();
    assert!(variants.len() > 10, "the rules should be found");
    for variant in variants {
        assert!(documented.contains(variant), "no guide says what to do about `{variant}`");
    }
}

#[test]
fn every_metric_of_the_operator_is_documented() {
    if !workspace::path("src/metrics.rs").exists() {
        return;
    }
    let documented = documented();
    let text: String = workspace::read("src/metrics.rs").split_whitespace().collect();
    let names: Vec<&str> =
        text.split("registry.register(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect();
    assert!(names.len() > 5, "the metrics should be found");
    for name in names {
        let spellings = ["", "_total", "_info"].map(|suffix| format!("agentslo_{name}{suffix}"));
        assert!(spellings.iter().any(|name| documented.contains(name)), "no guide tells of agentslo_{name}");
    }
}

#[test]
fn every_kept_text_is_compared_by_a_test() {
    let of = |file: &str, test: &str| (workspace::files(file), workspace::read(test));
    let (snapshots, golden) = of("tests/it/snapshots", "tests/it/golden.rs");
    let (helps, cli) = of("tests/it/cli", "tests/it/cli.rs");
    let name = |file: &str| {
        let stem = Path::new(file).file_stem().expect("a kept text should have a name").to_string_lossy();
        stem.trim_start_matches("it__golden__").to_owned()
    };
    let unread: Vec<String> = snapshots
        .into_iter()
        .filter(|file| !golden.contains(&format!("fn {}()", name(file))))
        .chain(helps.into_iter().filter(|file| {
            workspace::has_extension(file, "txt") && !cli.contains(&format!("{}.txt", name(file)))
        }))
        .collect();
    assert_eq!(unread, Vec::<String>::new(), "texts that no test reads");
}
