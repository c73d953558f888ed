//! What pages tell people to write and to run: resources are valid, and commands take what they are given.

use clap::error::ErrorKind;
use snapbox::cmd::{Command, cargo_bin};

use super::is_page;
use crate::workspace;

/// Pages with blocks for people to copy.
fn pages() -> Vec<(String, String)> {
    let docs = workspace::files("docs").into_iter().filter(|file| is_page(file));
    docs.chain(["README.md".to_owned()]).map(|page| (page.clone(), workspace::read(&page))).collect()
}

/// What is between the fences of a page.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("\n```").skip(1).step_by(2).filter_map(|block| Some(block.split_once('\n')?.1))
}

#[test]
fn every_resource_of_a_page_is_valid_under_the_policy_beside_it() {
    let mut checked = 0;
    for (page, text) in pages().into_iter().filter(|(page, _)| !page.ends_with("/examples.md")) {
        let resources: Vec<&str> = blocks(&text).filter_map(resource).collect();
        if resources.is_empty() {
            continue;
        }
        let output = Command::new(cargo_bin!("agentslo"))
            .args(["validate", "-f", "-"])
            .stdin(resources.join("\n---\n"))
            .output()
            .expect("agentslo should run");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{page}:\n{said}");
        checked += resources.len();
    }
    assert!(checked > 8, "only {checked} resources were found");
}

/// A resource of ours in a block, which may be what a command reads.
fn resource(block: &str) -> Option<&str> {
    let start = block.find("apiVersion: agentslo.dev/")?;
    let is_whole = start == 0 || block[..start].ends_with('\n');
    is_whole.then(|| block[start..].split("\nEOF").next().unwrap_or_default())
}

#[test]
fn every_command_of_a_page_is_one_that_there_is() {
    let mut checked = 0;
    for (page, text) in pages() {
        for line in blocks(&text).flat_map(str::lines).filter_map(arguments) {
            let words = std::iter::once("agentslo").chain(line.split_whitespace());
            if let Err(error) = agentslo::cli::command().try_get_matches_from(words) {
                assert!(is_help(error.kind()), "{page}: {line}: {error}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} commands were found");
}

fn is_help(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// What a line gives to `agentslo`, without what the shell keeps for itself. A line of usage is no command.
fn arguments(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("$ ");
    let programs = ["agentslo ", "kubectl agentslo ", "cargo run -- "];
    let rest = programs.iter().find_map(|program| line.strip_prefix(program))?;
    let end = rest.find(['|', '<', '>', '#', '&', '\\', ';']).unwrap_or(rest.len());
    let is_placeholder = |word: &str| word.starts_with(['[', '<']) && word.len() > 1;
    (!rest.split_whitespace().any(is_placeholder)).then(|| rest[..end].trim())
}
