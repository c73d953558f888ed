//! Every rendered rule is proven by promtool: it does in each incident what the simulation says, and a
//! fault in the rules makes the proof fail.

use std::collections::BTreeMap;
use std::path::Path;

use agentslo::api::v1alpha1::{AgentPlatform, AgentSlo};
use agentslo::domain::slo::Slo;
use agentslo::domain::traffic::Traffic;
use agentslo::foreign::{PrometheusRuleSpec, Rule};
use agentslo::simulate::{Form, Incident, forms, proof, rule_test};
use agentslo::validate::{self, SloFacts};

use crate::promtool::{Trial, failures, yaml};

/// Incidents in which every rule has something to do.
const SHORT: [Incident; 3] =
    [Incident::BirthAtFirstFailure, Incident::CounterReset, Incident::BudgetExhausted];
/// Incidents that take more than ten hours.
const LONG: [Incident; 2] = [Incident::TotalOutage, Incident::OutageAfterBusyMorning];
/// Examples that go through every incident: counters, histograms of both forms, groups, hours.
const THOROUGH: [&str; 4] = ["success", "latency", "group-by", "cost-hourly-mean"];

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn valid(text: &str, facts: &SloFacts) -> Vec<Slo> {
    let written: Vec<AgentSlo> = serde_saphyr::from_multiple(text).expect("the AgentSLOs should parse");
    let valid = |slo: &AgentSlo| {
        validate::slo(slo, facts)
            .unwrap_or_else(|violations| panic!("{:?}: {:?}", slo.metadata.name, violations.first()))
    };
    written.iter().map(valid).collect()
}

/// An example, with the AgentPlatform beside it.
fn example(folder: &Path) -> Option<Slo> {
    let file = folder.join("agentslo.yaml");
    let platform = folder.join("platform.yaml");
    let mut facts = SloFacts::default();
    if platform.exists() {
        let platform: AgentPlatform =
            serde_saphyr::from_str(&read(&platform)).expect("the platform should parse");
        facts.platform = validate::platform(&platform).expect("the platform should be valid");
    }
    file.exists().then(|| valid(&read(&file), &facts).remove(0))
}

fn examples() -> BTreeMap<String, Slo> {
    let folders = std::fs::read_dir(root().join("examples")).expect("there should be examples");
    let folders = folders.map(|entry| entry.expect("the folder should be readable"));
    let examples: BTreeMap<String, Slo> = folders
        .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), example(&entry.path())?)))
        .collect();
    assert!(examples.len() > 20, "only {:?}", examples.keys());
    examples
}

/// AgentSLOs that no example shows: every estimator, other windows, both kinds of ratio, hostile text.
fn shapes() -> Vec<Slo> {
    let shapes = valid(&read(&root().join("tests/cluster/indicators/shapes.yaml")), &SloFacts::default());
    assert!(shapes.len() > 8, "only {} shapes", shapes.len());
    shapes
}

/// The first example.
pub(crate) fn success() -> Slo {
    named("success")
}

/// The AgentSLO of an example.
pub(crate) fn named(name: &str) -> Slo {
    example(&root().join("examples").join(name)).expect("the example should be there")
}

fn trials(name: &str, slo: &Slo, incidents: &[Incident]) -> Vec<Trial> {
    let proof = proof(slo, incidents).unwrap_or_else(|reason| panic!("{name}: {}", reason.0));
    let trial = |case: &agentslo::simulate::Case| Trial {
        name: format!("{name}.{}", case.name()),
        rules: proof.rules.clone(),
        test: yaml(&case.test),
    };
    proof.cases.iter().map(trial).collect()
}

fn assert_proven(trials: Vec<Trial>) {
    let failures = failures(trials);
    let complaints: Vec<String> = failures.iter().map(|(name, said)| format!("{name}:\n{said}")).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_example_is_proven() {
    let trials = examples()
        .iter()
        .filter(|(name, _)| !THOROUGH.contains(&name.as_str()))
        .flat_map(|(name, slo)| trials(name, slo, &SHORT))
        .collect();
    assert_proven(trials);
}

#[test]
fn every_incident_is_proven() {
    let examples = examples();
    // The two longest incidents are about windows, which are the same for every indicator.
    let shorter: Vec<Incident> =
        Incident::ALL.into_iter().filter(|incident| !LONG.contains(incident)).collect();
    let others = THOROUGH[1..].iter().flat_map(|name| trials(name, &examples[*name], &shorter));
    let first = trials(THOROUGH[0], &examples[THOROUGH[0]], &Incident::ALL);
    assert_proven(first.into_iter().chain(others).collect());
}

/// The same promises hold for windows that are fitted to few events.
#[test]
fn rules_for_few_events_are_proven() {
    let incidents = [
        Incident::TotalOutage,
        Incident::QuarterFailing,
        Incident::OneFailureInFiveRuns,
        Incident::IdleNight,
        Incident::BirthAtFirstFailure,
        Incident::BudgetExhausted,
    ];
    let text = read(&root().join("examples/success/agentslo.yaml"));
    let trials = [16.0, 4.0, 1.0, 0.25].into_iter().flat_map(|rate| {
        let facts = SloFacts { traffic: Traffic::nearest(rate), ..SloFacts::default() };
        trials(&format!("{rate} an hour"), &valid(&text, &facts)[0], &incidents)
    });
    assert_proven(trials.collect());
}

#[test]
fn every_shape_is_proven() {
    assert_proven(shapes().iter().flat_map(|slo| trials(slo.name(), slo, &SHORT)).collect());
}

/// A fault in the rules, and an incident in which it shows.
struct Fault {
    name: &'static str,
    example: &'static str,
    incident: Incident,
    put_in: fn(&mut PrometheusRuleSpec),
}

fn rules(spec: &mut PrometheusRuleSpec) -> impl Iterator<Item = &mut Rule> {
    spec.groups.iter_mut().flat_map(|group| &mut group.rules)
}

/// Another text in the expression of every rule.
fn replace(spec: &mut PrometheusRuleSpec, old: &str, new: &str) {
    for rule in rules(spec) {
        rule.expr = rule.expr.replace(old, new);
    }
}

/// Removes from a text on up to, and not including, another one.
fn cut(spec: &mut PrometheusRuleSpec, name: &str, from: &str, until: &str) {
    for rule in
        rules(spec).filter(|rule| rule.record.as_deref() == Some(name) || rule.alert.as_deref() == Some(name))
    {
        let Some(start) = rule.expr.find(from) else { continue };
        let end = rule.expr[start..].find(until).map_or(rule.expr.len(), |end| start + end);
        rule.expr.replace_range(start..end, "");
    }
}

fn swap(spec: &mut PrometheusRuleSpec, one: &str, other: &str) {
    replace(spec, one, "\u{0}");
    replace(spec, other, one);
    replace(spec, "\u{0}", other);
}

const FAULTS: [Fault; 20] = [
    Fault {
        name: "a factor ten times too high",
        example: "success",
        incident: Incident::OutageAfterBusyMorning,
        put_in: |spec| replace(spec, "0.144 *", "1.44 *"),
    },
    Fault {
        name: "a factor of a ticket too high",
        example: "success",
        incident: Incident::OutageAfterBusyMorning,
        put_in: |spec| replace(spec, "0.03 *", "0.05 *"),
    },
    Fault {
        name: "too early a report of absence",
        example: "success",
        incident: Incident::TelemetryGone,
        put_in: |spec| rules(spec).for_each(|rule| rule.for_ = None),
    },
    Fault {
        name: "a slightly lower factor",
        example: "success",
        incident: Incident::QuarterFailing,
        put_in: |spec| replace(spec, "0.06 *", "0.05 *"),
    },
    Fault {
        name: "bad and valid events swapped",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| swap(spec, "agentslo:bad:increase5m{", "agentslo:total:increase5m{"),
    },
    Fault {
        name: "good instead of bad events",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| replace(spec, "status!=\"success\"", "status=\"success\""),
    },
    Fault {
        name: "no guard against nothing divided by nothing",
        example: "success",
        incident: Incident::OneFailureInFiveRuns,
        put_in: |spec| replace(spec, " > 0)", ")"),
    },
    Fault {
        name: "no zero where nothing failed",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| cut(spec, "agentslo:bad:increase5m", "\nor\n0 *", "never"),
    },
    Fault {
        name: "a zero beside the count",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| replace(spec, "0 * sum (", "0 * ("),
    },
    Fault {
        name: "another long window",
        example: "success",
        incident: Incident::OutageAfterBusyMorning,
        put_in: |spec| replace(spec, "[1h]) / 5", "[50m]) / 5"),
    },
    Fault {
        name: "no short window",
        example: "success",
        incident: Incident::OutageAfterBusyMorning,
        put_in: |spec| cut(spec, "AgentSLOBudgetBurn", "\n  and\n", "\n)"),
    },
    Fault {
        name: "no births",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| {
            cut(spec, "agentslo:total:increase5m", "  or\n  ((max_over_time", "  or\n  increase");
            cut(spec, "agentslo:bad:increase5m", "  or\n  ((max_over_time", "  or\n  increase");
        },
    },
    Fault {
        name: "births without a bound",
        example: "success",
        incident: Incident::TelemetryGone,
        put_in: |spec| replace(spec, "(20 + 0.01 *", "(1e9 + 0.01 *"),
    },
    Fault {
        name: "no resets",
        example: "success",
        incident: Incident::CounterReset,
        put_in: |spec| {
            cut(spec, "agentslo:total:increase5m", "  or\n  increase", "\n)");
            cut(spec, "agentslo:bad:increase5m", "  or\n  increase", "\n)");
        },
    },
    Fault {
        name: "the fence is down",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| {
            replace(
                spec,
                "agent_name=\"support-agent\",namespace=\"support\"",
                "agent_name=\"support-agent\"",
            );
        },
    },
    Fault {
        name: "another agent's runs",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| replace(spec, "agent_name=\"support-agent\",", ""),
    },
    Fault {
        name: "cancelled runs count",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| replace(spec, "status!=\"cancelled\"", "status!=\"\""),
    },
    Fault {
        name: "an alert without its severity",
        example: "success",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| rules(spec).for_each(|rule| drop(rule.labels.remove("severity"))),
    },
    Fault {
        name: "an alert that is not kept",
        example: "success",
        incident: Incident::TwoReplicas,
        put_in: |spec| rules(spec).for_each(|rule| rule.keep_firing_for = None),
    },
    Fault {
        name: "the bucket of everything",
        example: "latency",
        incident: Incident::BirthAtFirstFailure,
        put_in: |spec| replace(spec, "le=~\"60(\\\\.0)?\"", "le=\"+Inf\""),
    },
];

#[test]
fn every_fault_in_the_rules_is_found() {
    let examples = examples();
    let trials = FAULTS.iter().map(|fault| {
        let slo = &examples[fault.example];
        let proof = proof(slo, &[]).expect("the example should be provable");
        let mut rules = proof.rules.clone();
        (fault.put_in)(&mut rules);
        assert_ne!(rules, proof.rules, "{}: the rules should be different", fault.name);
        let form = forms(slo)[0];
        assert_ne!(form, Form::Native);
        let test = rule_test(slo, fault.incident, form, agentslo::simulate::RULE_FILE);
        Trial {
            name: fault.name.to_owned(),
            rules,
            test: yaml(&test.expect("the example should be provable")),
        }
    });
    let found = failures(trials.collect());
    let missed: Vec<&str> =
        FAULTS.iter().map(|fault| fault.name).filter(|name| !found.contains_key(*name)).collect();
    assert_eq!(missed, Vec::<&str>::new(), "these faults went unnoticed");
    // A rule that does not parse would be found for the wrong reason.
    let unread: Vec<&String> =
        found.iter().filter(|(_, said)| said.contains("parse error")).map(|(name, _)| name).collect();
    assert_eq!(unread, Vec::<&String>::new(), "these faults were no valid rules");
}
