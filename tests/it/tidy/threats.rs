//! Rules about the page of threats: each is held by a test that there is, or is said to be open.

use std::collections::BTreeSet;

use crate::workspace;

const PAGE: &str = "docs/threats.md";
/// What a gap begins with.
const OPEN: &str = "Not covered: ";

/// Number and last cell of each row of the table.
fn rows(page: &str) -> Vec<(usize, String)> {
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let number = cells[0].parse().ok()?;
        assert_eq!(cells.len(), 4, "{line}");
        Some((number, cells[3].to_owned()))
    });
    rows.collect()
}

/// Names of the tests in a cell.
fn tests(cell: &str) -> Vec<&str> {
    let held = cell.split(OPEN).next().unwrap_or_default();
    held.split('`').skip(1).step_by(2).collect()
}

/// Names of all functions of tests, and of what tests call.
fn functions() -> BTreeSet<String> {
    let files = ["src", "tests", "tools/bed"].into_iter().flat_map(workspace::files);
    let mut found = BTreeSet::new();
    for file in files.filter(|file| workspace::has_extension(file, "rs")) {
        let text = workspace::read(&file);
        let is_test = file.starts_with("tests/");
        let of_tests = if is_test { &text } else { text.split_once("#[cfg(test)]").unwrap_or_default().1 };
        let names = of_tests.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
        found.extend(names.map(|(name, _)| name.split('<').next().unwrap_or_default().to_owned()));
    }
    found
}

#[test]
fn every_threat_is_held_by_a_test_or_said_to_be_open() {
    let rows = rows(&workspace::read(PAGE));
    let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
    assert!(numbers.len() > 26, "the threats should be found");
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "threats count from 1");
    let functions = functions();
    for (number, cell) in &rows {
        let gap = cell.split_once(OPEN).map(|(_, gap)| gap);
        assert!(gap.is_none_or(|gap| gap.len() > 20), "threat {number} says why it is open");
        assert!(gap.is_some() || !tests(cell).is_empty(), "threat {number} has neither a test nor a gap");
        for test in tests(cell) {
            assert!(functions.contains(test), "threat {number}: there is no test {test}");
        }
    }
}
