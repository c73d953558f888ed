//! What keeps an installation from working: each check says whether it is well, and if not, what mends it.
//! What nobody could find out is neither.

mod definitions;
mod operator;
mod permissions;
mod prometheus;
mod selection;
mod slos;

use serde::Serialize;

use super::page::{Body, Page};
use super::table::{Cell, Table, Tone};
use super::text::counted;

pub use definitions::{Definition, definitions, foreign_kinds};
pub use operator::{Lease, Operator, Workload, operator};
pub use permissions::{Account, Need, missing_rules, needs, permissions};
pub use prometheus::{PrometheusFacts, prometheus};
pub use selection::{RuleObject, RuleReader, selection};
pub use slos::slos;

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// Nobody could find out.
    Unknown,
    /// Something must be done.
    Problem,
}

/// One check.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub about: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    /// All is well.
    #[must_use]
    pub fn ok(about: &str, found: impl Into<String>) -> Self {
        Self { about: about.to_owned(), verdict: Verdict::Ok, found: found.into(), fix: None }
    }

    /// Something must be done.
    #[must_use]
    pub fn problem(about: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into());
        Self { about: about.to_owned(), verdict: Verdict::Problem, found: found.into(), fix }
    }

    /// Nobody could find out.
    #[must_use]
    pub fn unknown(about: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into());
        Self { about: about.to_owned(), verdict: Verdict::Unknown, found: found.into(), fix }
    }
}

/// The checks, a line each, what mends them below, and the permissions that are missing as YAML.
#[must_use]
pub fn diagnosis(checks: &[Check], missing_rules: Option<&str>) -> Page {
    let mut page = Page::default();
    let mut table = Table::new(vec!["CHECK", "RESULT", "FOUND"]);
    for check in checks {
        let (word, tone) = match check.verdict {
            Verdict::Ok => ("ok", Tone::Good),
            Verdict::Unknown => ("unknown", Tone::Warning),
            Verdict::Problem => ("problem", Tone::Bad),
        };
        let plain = |text: &str| Cell::new(text, Tone::Plain);
        table.push(vec![plain(&check.about), Cell::new(word, tone), plain(&check.found)]);
    }
    page.add(None, vec![Body::Table(table)]);
    let fixes = checks.iter().filter_map(|check| Some((check, check.fix.as_ref()?)));
    let fixes = fixes.map(|(check, fix)| Body::Sentence(format!("{}: {fix}.", check.about), Tone::Plain));
    page.add(Some("WHAT TO DO"), fixes.collect());
    let rules = missing_rules.into_iter().flat_map(str::lines);
    page.add(Some("ADD (kubectl apply -f -)"), rules.map(|line| Body::Command(line.to_owned())).collect());
    page.add(None, vec![Body::Sentence(summary(checks), Tone::Strong)]);
    page
}

fn summary(checks: &[Check]) -> String {
    let number = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (problems, unknown) = (number(Verdict::Problem), number(Verdict::Unknown));
    let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} could not be told") };
    format!("{}: {}{unknown}", counted(checks.len(), "check"), counted(problems, "problem"))
}

#[cfg(test)]
mod tests {
    use super::super::table::Paint;
    use super::*;

    #[test]
    fn what_could_not_be_told_is_not_counted_as_well() {
        let checks = [
            Check::ok("kinds", "3 are installed"),
            Check::problem("Prometheus", "it selects nothing", "set `ruleLabels`"),
            Check::unknown("operator", "no pod was found", "say where it runs"),
        ];
        let expected = "\
CHECK        RESULT    FOUND
kinds        ok        3 are installed
Prometheus   problem   it selects nothing
operator     unknown   no pod was found

WHAT TO DO
  Prometheus: set `ruleLabels`.
  operator: say where it runs.

3 checks: 1 problem, 1 could not be told";
        assert_eq!(diagnosis(&checks, None).lines(Paint::Bare, None).join("\n"), expected);
    }
}
