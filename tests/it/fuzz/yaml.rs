//! Files for `agentslo validate` and `render`: whatever is in them, each is read or refused, with a line for
//! each finding. The program itself reads them, many at a time.

use std::fmt;
use std::path::Path;

use proptest::collection::vec;
use snapbox::cmd::{Command, cargo_bin};

use super::changes::changed;
use super::{Input, LARGEST_OUTPUT, fuzz};
use crate::workspace;

pub(super) const TARGET: &str = "files";

/// How many files the program reads at once.
const AT_ONCE: usize = 150;

/// Files that are read together.
struct Files(Vec<Vec<u8>>);

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} files", self.0.len())
    }
}

impl Input for Files {
    fn from_bytes(bytes: &[u8]) -> Self {
        Self(vec![bytes.to_vec()])
    }

    /// The first that fails alone; all of them where none does.
    fn to_bytes(&self) -> Vec<u8> {
        let alone = |file: &&Vec<u8>| check(&Self::from_bytes(file)).is_err();
        self.0.iter().find(alone).cloned().unwrap_or_else(|| self.0.concat())
    }
}

/// Examples and mistakes of all kinds.
fn seeds() -> Vec<Vec<u8>> {
    let files = workspace::files("examples").into_iter().chain(workspace::files("tests/bad_input"));
    let written = files.filter(|file| workspace::has_extension(file, "yaml") && !file.contains("/rendered/"));
    written.map(|file| workspace::read(file).into_bytes()).collect()
}

#[test]
fn whatever_is_in_a_file_is_read_or_refused_with_its_line() {
    use proptest::strategy::Strategy;
    let files = vec(changed(seeds(), 6), AT_ONCE).prop_map(Files);
    fuzz(TARGET, 2, &files, check);
}

fn check(files: &Files) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    for (index, file) in files.0.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{index}.yaml")), file).expect("a file should be possible");
    }
    let platform = workspace::path("examples/pipeline/platform.yaml");
    let said = run(&["validate"], folder.path(), &platform)?;
    for line in said.lines() {
        let place = line.strip_prefix(&format!("{}/", folder.path().display())).unwrap_or_default();
        let (file, rest) =
            place.split_once(".yaml:").ok_or_else(|| format!("a line names no file: {line}"))?;
        let number = rest.split_once(": ").and_then(|(number, _)| number.parse::<u64>().ok());
        if file.parse::<usize>().is_err() || number.is_none_or(|number| number == 0) {
            return Err(format!("a line names no line: {line}"));
        }
    }
    run(&["render", "--output", "json"], folder.path(), &platform).map(drop)
}

/// What the program prints, if it ends as it should.
fn run(command: &[&str], folder: &Path, platform: &Path) -> Result<String, String> {
    let output = Command::new(cargo_bin!("agentslo"))
        .args(command)
        .arg("-f")
        .arg(folder)
        .arg("--platform")
        .arg(platform)
        .output()
        .map_err(|error| error.to_string())?;
    let complained = String::from_utf8_lossy(&output.stderr);
    if !matches!(output.status.code(), Some(0..=2)) || complained.contains("panicked") {
        return Err(format!("{} ended with {}: {complained}", command[0], output.status));
    }
    if output.stdout.len() > LARGEST_OUTPUT * AT_ONCE {
        return Err(format!("{} printed {} bytes", command[0], output.stdout.len()));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
