//! Whether Prometheus answers, keeps samples for long enough, and evaluates the rules.

use std::collections::BTreeMap;

use super::super::text::counted;
use super::Check;
use crate::domain::names::SloKey;
use crate::domain::window::Window;

/// Oldest major version that the rules are made for.
const OLDEST_MAJOR: u32 = 3;
/// Most names that a line lists.
const MOST_NAMES: usize = 3;

/// What one Prometheus says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PrometheusFacts {
    /// Its version; none where it does not say, as of Mimir and its kin.
    pub version: Option<String>,
    /// How long it keeps samples, as far as anybody can tell.
    pub retention: Option<Window>,
    /// Every rule group that it has loaded, with the error of a rule that fails.
    pub groups: BTreeMap<String, Option<String>>,
}

/// Checks of one Prometheus, by what it is called; `slos` are those whose rules it should have, with their
/// windows and the names of their groups.
#[must_use]
pub fn prometheus(
    name: &str,
    facts: Result<&PrometheusFacts, &str>,
    slos: &BTreeMap<SloKey, (Window, Vec<String>)>,
) -> Vec<Check> {
    let facts = match facts {
        Ok(facts) => facts,
        Err(why) => {
            return vec![Check::unknown("Prometheus", format!("{name} was not asked"), why)];
        }
    };
    let mut checks = vec![version(name, facts)];
    checks.extend(retention(facts, slos));
    checks.extend(loaded(facts, slos));
    checks
}

fn version(name: &str, facts: &PrometheusFacts) -> Check {
    let about = "Prometheus";
    let Some(version) = &facts.version else { return Check::ok(about, format!("{name} answers")) };
    let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
    let found = format!("{name} answers, version {version}");
    if major.is_some_and(|major| major < OLDEST_MAJOR) {
        return Check::problem(about, found, format!("the rules need Prometheus {OLDEST_MAJOR} or later"));
    }
    Check::ok(about, found)
}

fn retention(facts: &PrometheusFacts, slos: &BTreeMap<SloKey, (Window, Vec<String>)>) -> Option<Check> {
    let about = "retention";
    let (key, (longest, _)) = slos.iter().max_by_key(|(_, (window, _))| *window)?;
    let Some(kept) = facts.retention else {
        let found = "Prometheus does not say how long it keeps samples";
        let fix = format!("see that it is at least {longest}, the window of {key}");
        return Some(Check::unknown(about, found, fix));
    };
    let found = format!("samples are kept for {kept}; the longest window is {longest}, of {key}");
    if kept < *longest {
        let fix = format!("keep samples for more than {longest}, or shorten the windows");
        return Some(Check::problem(about, found, fix));
    }
    Some(Check::ok(about, found))
}

fn loaded(facts: &PrometheusFacts, slos: &BTreeMap<SloKey, (Window, Vec<String>)>) -> Vec<Check> {
    let about = "rules";
    let is_missing = |(_, (_, groups)): &(&SloKey, &(Window, Vec<String>))| {
        groups.iter().any(|group| !facts.groups.contains_key(group))
    };
    let missing: Vec<String> = slos.iter().filter(is_missing).map(|(key, _)| key.to_string()).collect();
    let mut checks = Vec::new();
    if !missing.is_empty() {
        let listed = missing[..missing.len().min(MOST_NAMES)].join(", ");
        let found =
            format!("the rules of {} are not loaded, such as {listed}", counted(missing.len(), "AgentSLO"));
        let fix = "see `selection` above; prometheus-operator takes up to two minutes";
        checks.push(Check::problem(about, found, fix));
    }
    let own = slos.values().flat_map(|(_, groups)| groups);
    let failing = own.filter_map(|group| Some((group, facts.groups.get(group)?.as_ref()?)));
    checks.extend(failing.take(MOST_NAMES).map(|(group, error)| {
        let fix = "raise `limits.seriesPerRule` of the AgentPlatform if it is a limit, else look at the rule in Prometheus";
        Check::problem(about, format!("a rule of group {group} fails: {error}"), fix)
    }));
    if checks.is_empty() && !slos.is_empty() {
        checks.push(Check::ok(
            about,
            format!("the rules of {} are loaded, and none fails", counted(slos.len(), "AgentSLO")),
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok as Well, Problem, Unknown};
    use super::*;

    fn slos() -> BTreeMap<SloKey, (Window, Vec<String>)> {
        let key = SloKey { namespace: "team".to_owned(), name: "x".to_owned() };
        BTreeMap::from([(key, (Window::from_days(30), vec!["a".to_owned(), "b".to_owned()]))])
    }

    fn facts(version: &str, days: Option<u32>, groups: &[(&str, Option<&str>)]) -> PrometheusFacts {
        PrometheusFacts {
            version: Some(version.to_owned()),
            retention: days.map(Window::from_days),
            groups: groups
                .iter()
                .map(|(name, error)| ((*name).to_owned(), error.map(str::to_owned)))
                .collect(),
        }
    }

    #[test]
    fn each_fault_of_a_prometheus_is_found() {
        let groups = [("a", None), ("b", None)];
        let failing = [("a", None), ("b", Some("exceeded limit of 200 with 300 series"))];
        let cases = [
            (facts("3.15.1", Some(40), &groups), [Well, Well, Well]),
            (facts("2.55.0", Some(40), &groups), [Problem, Well, Well]),
            (facts("3.15.1", Some(15), &groups), [Well, Problem, Well]),
            (facts("3.15.1", None, &groups), [Well, Unknown, Well]),
            (facts("3.15.1", Some(40), &groups[..1]), [Well, Well, Problem]),
            (facts("3.15.1", Some(40), &failing), [Well, Well, Problem]),
        ];
        for (facts, expected) in cases {
            let checks = prometheus("it", Ok(&facts), &slos());
            let verdicts: Vec<_> = checks.iter().map(|check| check.verdict).collect();
            assert_eq!(verdicts, expected, "{facts:?}");
        }
    }

    #[test]
    fn one_that_does_not_answer_is_not_called_well() {
        let checks = prometheus("it", Err("forward its port"), &slos());
        assert_eq!(checks.iter().map(|check| check.verdict).collect::<Vec<_>>(), [Unknown]);
    }
}
