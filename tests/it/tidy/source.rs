//! Rules about Rust files: purity, headers, reachability, words.

use std::collections::BTreeSet;

use crate::workspace;

/// Rooms that know no IO, no clock and no waiting.
const PURE: [&str; 21] = [
    "ledger/src/anchor.rs",
    "ledger/src/chain.rs",
    "ledger/src/entry.rs",
    "ledger/src/hash.rs",
    "ledger/src/intake/",
    "ledger/src/verify.rs",
    "src/api/",
    "src/discover/",
    "src/domain/",
    "src/exposition/",
    "src/foreign/",
    "src/inspect/",
    "src/preview/",
    "src/profiles/",
    "src/render/",
    "src/report/",
    "src/simulate/",
    "src/validate/",
    "src/plan.rs",
    "src/report.rs",
    "src/vocabulary.rs",
];

/// What a pure room may not mention.
const EFFECTS: [&str; 14] = [
    "async ",
    ".await",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "tokio",
    "reqwest",
    "kube::Client",
];

/// Words that say nothing about what a thing does.
const BANNED: [&str; 9] =
    ["manager", "helper", "util", "utils", "common", "misc", "handler", "processor", "wrapper"];

/// Words of Kubernetes and Prometheus.
const OTHERS_WORDS: [&str; 5] =
    ["alertmanager", "field_manager", "controller_manager", "fieldmanager", "controllermanager"];

/// Rust files below these folders.
fn rust_files(folders: &[&str]) -> Vec<String> {
    let files = folders.iter().flat_map(|folder| workspace::files(folder));
    let files: Vec<String> =
        files.filter(|file| workspace::has_extension(file, "rs") && !file.contains("/target/")).collect();
    assert!(files.len() > 10, "Rust files should be found in {folders:?}");
    files
}

fn all_rust_files() -> Vec<String> {
    rust_files(&["src", "ledger", "tests", "tools", "examples", "benches"])
}

/// Lines of code, numbered from one; comments are not code.
fn code(file: &str) -> Vec<(usize, String)> {
    let text = workspace::read(file);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.map(|(index, line)| (index + 1, line.to_owned())).collect()
}

/// Fails with every place in code that breaks a rule.
fn check(rule: &str, files: &[String], breaks: impl Fn(&str, &str) -> bool) {
    let mut places = Vec::new();
    for file in files {
        let broken = code(file).into_iter().filter(|(_, line)| breaks(file, line));
        places.extend(broken.map(|(number, line)| format!("{file}:{number}: {}", line.trim())));
    }
    assert!(places.is_empty(), "{rule}:\n{}", places.join("\n"));
}

#[test]
fn pure_rooms_stay_pure() {
    let mut files = rust_files(&["src", "ledger"]);
    files.retain(|file| PURE.iter().any(|room| file.starts_with(room)));
    check("pure rooms do no IO, do not wait and read no clock", &files, |_, line| {
        EFFECTS.iter().any(|effect| line.contains(effect))
    });
}

#[test]
fn rendering_cannot_fail() {
    let mut files = rust_files(&["src"]);
    files.retain(|file| file.starts_with("src/render/"));
    check("render has no Result", &files, |_, line| line.contains("Result<"));
}

#[test]
fn every_file_says_what_lives_in_it() {
    let silent: Vec<String> =
        all_rust_files().into_iter().filter(|file| !workspace::read(file).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "every file starts with a `//!` header: {silent:?}");
}

#[test]
fn no_test_is_skipped_or_hopes_for_a_panic() {
    let attributes = ["ignore", "should_panic"].map(|name| format!("#[{name}"));
    check("tests neither skip nor hope", &all_rust_files(), |_, line| {
        attributes.iter().any(|attribute| line.trim_start().starts_with(attribute.as_str()))
    });
}

#[test]
fn only_validation_builds_an_slo() {
    let files = rust_files(&["src"]);
    check("SloParts is the door of validate", &files, |file, line| {
        let allowed = file.starts_with("src/validate/") || file == "src/domain/slo.rs";
        !allowed && (line.contains("SloParts") || line.contains("Slo::from_parts"))
    });
}

#[test]
fn every_file_is_reachable_from_a_mod() {
    let roots = [
        "src/lib.rs",
        "src/main.rs",
        "ledger/src/lib.rs",
        "tests/it/main.rs",
        "tests/cluster/main.rs",
        "tools/bed/src/lib.rs",
    ];
    let mut reached = BTreeSet::new();
    for root in roots.into_iter().filter(|root| workspace::path(root).exists()) {
        reach(root, &mut reached);
    }
    let orphans: Vec<String> =
        rust_files(&["src", "ledger/src", "tests/it", "tests/cluster", "tools/bed/src"])
            .into_iter()
            .filter(|file| !reached.contains(file))
            .collect();
    assert!(orphans.is_empty(), "no mod names {orphans:?}");
}

/// Notes a file and those that its `mod` lines name.
fn reach(file: &str, reached: &mut BTreeSet<String>) {
    if !reached.insert(file.to_owned()) {
        return;
    }
    let folder = folder_of_modules(file);
    for (_, line) in code(file) {
        let line = line.trim();
        let Some(name) = line.strip_suffix(';').and_then(|line| line.rsplit_once("mod ")) else { continue };
        if !name.0.is_empty() && !name.0.starts_with("pub") {
            continue;
        }
        let candidates = [format!("{folder}/{}.rs", name.1), format!("{folder}/{}/mod.rs", name.1)];
        for candidate in candidates.iter().filter(|candidate| workspace::path(candidate).exists()) {
            reach(candidate, reached);
        }
    }
}

fn folder_of_modules(file: &str) -> String {
    let stem = file.strip_suffix(".rs").expect("modules should be Rust files");
    let is_root = ["/lib", "/main", "/mod"].into_iter().find_map(|end| stem.strip_suffix(end));
    is_root.unwrap_or(stem).to_owned()
}

#[test]
fn names_say_what_a_thing_does() {
    check("a banned word is no name", &all_rust_files(), |_, line| {
        declared(line).is_some_and(|name| is_banned(&name))
    });
    let files: Vec<String> = all_rust_files().into_iter().filter(|file| is_banned(file)).collect();
    assert!(files.is_empty(), "a banned word is no file name: {files:?}");
}

/// The name that a line declares.
fn declared(line: &str) -> Option<String> {
    let keywords =
        ["fn ", "struct ", "enum ", "trait ", "mod ", "const ", "static ", "type ", "let mut ", "let "];
    let after = keywords.iter().find_map(|keyword| {
        let (before, after) = line.split_once(keyword)?;
        let is_declaration = before.trim().is_empty() || before.trim_start().starts_with("pub");
        is_declaration.then_some(after)
    })?;
    Some(after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

fn is_banned(name: &str) -> bool {
    let lower = OTHERS_WORDS.iter().fold(name.to_lowercase(), |name, word| name.replace(word, ""));
    let words = lower.split(|letter: char| !letter.is_alphanumeric());
    let last_of_type = BANNED.iter().any(|word| word.len() > 4 && lower.ends_with(word));
    last_of_type || words.into_iter().any(|word| BANNED.contains(&word))
}

#[test]
fn maps_are_ordered() {
    check("order differs from run to run", &rust_files(&["src", "ledger"]), |_, line| {
        line.contains("collections::HashMap") || line.contains("collections::HashSet")
    });
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["TODO", "FIXME", "XXX", "HACK"];
    let mut places = Vec::new();
    for file in all_rust_files() {
        let text = workspace::read(&file);
        let comments = text.lines().filter(|line| line.contains("//"));
        places.extend(
            comments
                .filter(|line| marks.iter().any(|mark| line.contains(&format!("// {mark}"))))
                .map(str::to_owned),
        );
    }
    assert!(places.is_empty(), "what is left to do belongs elsewhere: {places:#?}");
}
