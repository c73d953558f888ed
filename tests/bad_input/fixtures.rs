//! Reads the catalogue of bad input.

#![allow(dead_code, reason = "two test binaries read it, and each uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

/// One document of the catalogue.
#[derive(Debug)]
pub(crate) struct Fixture {
    /// Where it is, for messages.
    pub(crate) place: String,
    /// First and last line in its file.
    pub(crate) lines: (usize, usize),
    /// Who refuses it: see the README of the folder.
    pub(crate) layer: String,
    /// Lines of `agentslo validate`, without file and line.
    pub(crate) expected: Vec<String>,
    /// What the API server's message contains.
    pub(crate) server: Vec<String>,
    /// What is known of the agent and of Prometheus, as `name value`.
    pub(crate) given: Vec<String>,
    /// What the status says then, as `Type=Status/Reason: message`.
    pub(crate) status: Vec<String>,
    /// The YAML.
    pub(crate) document: String,
}

/// The files, in the order of their names.
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_input");
    let entries = fs::read_dir(folder).expect("the catalogue should be a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder should be readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

/// The documents of a file.
pub(crate) fn read(file: &Path) -> Vec<Fixture> {
    let text = fs::read_to_string(file).expect("a fixture should be text");
    let mut first = 1;
    text.split("---\n")
        .map(|document| {
            let count = document.lines().count();
            let lines = (first, first + count);
            first += count + 1;
            let fixture = parse(file, lines, document);
            assert!(!fixture.layer.is_empty(), "{} has no layer", fixture.place);
            fixture
        })
        .collect()
}

fn parse(file: &Path, lines: (usize, usize), document: &str) -> Fixture {
    let notes = |key: &str| -> Vec<String> {
        let prefix = format!("# {key}: ");
        document.lines().filter_map(|line| Some(line.strip_prefix(&prefix)?.to_owned())).collect()
    };
    Fixture {
        place: format!("{}:{}", file.display(), lines.0),
        lines,
        layer: notes("layer").concat(),
        expected: notes("expect"),
        server: notes("server"),
        given: notes("given"),
        status: notes("status"),
        document: document.to_owned(),
    }
}
