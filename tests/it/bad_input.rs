//! The catalogue of bad input against `agentslo validate`.

use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};

use crate::fixtures::{self, Fixture};

#[test]
fn validate_says_what_the_catalogue_says() {
    let wrong: Vec<String> = fixtures::files().iter().flat_map(|file| differences(file)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(file: &Path) -> Vec<String> {
    let fixtures = fixtures::read(file);
    let output = Command::new(cargo_bin!("agentslo"))
        .args(["validate", "-f"])
        .arg(file)
        .output()
        .expect("agentslo should run");
    let said = String::from_utf8(output.stdout).expect("what is printed should be text");
    let said: Vec<(usize, &str)> = said.lines().map(|line| split(line, file)).collect();
    let mut wrong: Vec<String> = fixtures.iter().filter_map(|fixture| difference(fixture, &said)).collect();
    let expects_any = fixtures.iter().any(|fixture| !fixture.expected.is_empty());
    if output.status.code() != Some(i32::from(expects_any)) {
        wrong.push(format!("{}: exit code {:?}", file.display(), output.status.code()));
    }
    wrong
}

/// Line and the rest of `file:line: path: message`.
fn split<'a>(line: &'a str, file: &Path) -> (usize, &'a str) {
    let rest = line.strip_prefix(&format!("{}:", file.display())).expect("a line should start with the file");
    let (number, rest) = rest.split_once(": ").expect("a line should have a number");
    (number.parse().expect("the number of a line should be a number"), rest)
}

fn difference(fixture: &Fixture, said: &[(usize, &str)]) -> Option<String> {
    let (first, last) = fixture.lines;
    let here = said.iter().filter(|(line, _)| (first..=last).contains(line));
    let mut here: Vec<&str> = here.map(|(_, message)| *message).collect();
    let mut expected: Vec<&str> = fixture.expected.iter().map(String::as_str).collect();
    here.sort_unstable();
    expected.sort_unstable();
    (here != expected).then(|| format!("{}\n  expected {expected:#?}\n  said {here:#?}", fixture.place))
}
