//! From files to what they say: the valid resources, and a line for each violation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use kube::{Resource, ResourceExt};

use super::files;
use super::print::escaped;
use super::written::{Written, WrittenFiles};
use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use crate::domain::observability::Observability;
use crate::domain::platform::Platform;
use crate::domain::slo::Slo;
use crate::domain::traffic::Traffic;
use crate::domain::violation::{Rule, Violation, Violations};
use crate::validate::{self, ObservabilityFacts, Referred, SloFacts};

/// Which files are read, and what holds besides them.
#[derive(Args, Debug)]
pub(super) struct Input {
    /// File, directory (all YAML and JSON files in it), or `-` for standard input; repeatable.
    #[arg(short = 'f', long = "filename", required = true, value_name = "PATH")]
    files: Vec<PathBuf>,
    /// File with the AgentPlatform that holds.
    ///
    /// Without it, an AgentPlatform among the files holds: the only one, or of several the one without
    /// `namespaceSelector`, since labels of namespaces are not known here. Without any, the safe defaults
    /// hold.
    #[arg(long, value_name = "FILE")]
    platform: Option<PathBuf>,
    /// Namespace of resources that name none.
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

impl Input {
    /// These files, under the policy among them or the defaults.
    pub(super) fn of(files: Vec<PathBuf>) -> Self {
        Self { files, platform: None, namespace: "default".to_owned() }
    }

    /// The same, under the policy in this file.
    pub(super) fn under(self, platform: Option<PathBuf>) -> Self {
        Self { platform, ..self }
    }
}

/// What the windows of alerts are fitted to.
#[derive(Args, Debug)]
pub(super) struct Fitting {
    /// Valid events an hour, to which the windows of alerts are fitted.
    ///
    /// The controller measures it and writes what it goes by into `status.traffic.used`. Without it the
    /// windows are those of the catalogue, as they are for a new AgentSLO.
    #[arg(long = "traffic-per-hour", value_name = "NUMBER", value_parser = parse_traffic)]
    pub(super) traffic: Option<Traffic>,
}

fn parse_traffic(text: &str) -> Result<Traffic, &'static str> {
    let number = text.parse().map_err(|_| "must be a number")?;
    Traffic::nearest(number).ok_or("must be greater than 0")
}

/// What the files say.
#[derive(Default)]
pub(super) struct Checked {
    /// The valid AgentSLOs, in the order in which they were written.
    pub(super) slos: Vec<Slo>,
    /// The valid AgentObservabilities, in the order in which they were written.
    pub(super) observabilities: Vec<Observability>,
    /// Every violation, in the order of files and lines.
    pub(super) findings: Vec<Finding>,
    /// Number of documents of our kinds.
    pub(super) resources: usize,
    /// Number of documents of other kinds, which are not ours to judge.
    pub(super) others: usize,
}

/// One violation and where it was written.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Finding {
    /// Number of the file, in the order of reading.
    pub(super) file: usize,
    /// Line in it, from 1.
    pub(super) line: u64,
    /// Path in the document; empty for the whole of it.
    pub(super) path: String,
    /// What is wrong, and what would be right.
    pub(super) message: String,
    /// How the file is called.
    pub(super) name: String,
}

impl Finding {
    /// `file:line: path: message`.
    pub(super) fn print(&self) -> String {
        let Self { name, line, path, message, .. } = self;
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        escaped(&format!("{name}:{line}: {place}{message}"))
    }
}

/// The policy under which AgentSLOs are judged.
enum Policy {
    /// This one.
    Known(Box<Platform>),
    /// The AgentPlatform that was written is not valid, so nobody knows what it permits.
    Unknown,
}

/// Checks every document of the input.
///
/// # Errors
/// A sentence, if a file cannot be opened.
pub(super) fn check(input: &Input, traffic: Option<Traffic>) -> Result<Checked, String> {
    let mut written = WrittenFiles::default();
    written.add(files::read_all(&input.files)?);
    let mut checked = Checked::default();
    let policies = judge_platforms(&written.platforms, &mut checked);
    let policy = match &input.platform {
        None => choose(policies),
        Some(path) => {
            let mut given = WrittenFiles::after(&written);
            given.add(files::read_all(std::slice::from_ref(path))?);
            if given.platforms.is_empty() && given.findings.is_empty() {
                return Err(format!("'{}' has no AgentPlatform", path.display()));
            }
            checked.findings.append(&mut given.findings);
            choose(judge_platforms(&given.platforms, &mut checked))
        }
    };
    let referred = referred(&written.observabilities, &input.namespace);
    for slo in &written.slos {
        let judge = |slo: &AgentSlo, platform| {
            let reference = slo.spec.observability_ref.as_ref().map(|reference| reference.name.clone());
            let observability = reference.and_then(|name| referred.get(&(namespace_of(slo), name)).cloned());
            validate::slo(slo, &SloFacts { platform, observability, traffic, ..SloFacts::default() })
        };
        let valid = judge_resource(slo, &policy, &input.namespace, judge, &mut checked.findings);
        checked.slos.extend(valid);
    }
    for observability in &written.observabilities {
        let judge = |observability: &AgentObservability, platform| {
            let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
            validate::observability(observability, &facts)
        };
        let valid = judge_resource(observability, &policy, &input.namespace, judge, &mut checked.findings);
        checked.observabilities.extend(valid);
    }
    checked.findings.append(&mut written.findings);
    checked.findings.sort();
    checked.findings.dedup();
    checked.resources = written.resources;
    checked.others = written.others;
    Ok(checked)
}

/// The AgentPlatforms of a file, every one of them valid.
///
/// # Errors
/// A line for each finding, or a sentence if the file cannot be opened or has none.
pub(super) fn valid_platforms(path: &Path) -> Result<Vec<AgentPlatform>, String> {
    let mut written = WrittenFiles::default();
    written.add(files::read_all(&[path.to_owned()])?);
    let mut checked = Checked { findings: std::mem::take(&mut written.findings), ..Checked::default() };
    judge_platforms(&written.platforms, &mut checked);
    if !checked.findings.is_empty() {
        let lines: Vec<String> = checked.findings.iter().map(Finding::print).collect();
        return Err(lines.join("\n"));
    }
    if written.platforms.is_empty() {
        return Err(format!("'{}' has no AgentPlatform", path.display()));
    }
    Ok(written.platforms.into_iter().filter_map(|platform| platform.structure.resource).collect())
}

/// Each policy, and whether it is for selected namespaces only.
fn judge_platforms(written: &[Written<AgentPlatform>], checked: &mut Checked) -> Vec<(bool, Policy)> {
    written.iter().map(|platform| judge_platform(platform, checked)).collect()
}

fn judge_platform(written: &Written<AgentPlatform>, checked: &mut Checked) -> (bool, Policy) {
    let resource = written.structure.resource.as_ref();
    let is_selective = resource.is_some_and(|platform| platform.spec.namespace_selector.is_some());
    let judged = resource.map(validate::platform);
    let meaning: Vec<Violation> = judged
        .iter()
        .filter_map(|judged| judged.as_ref().err())
        .flat_map(|found| found.iter().cloned())
        .collect();
    let is_sound = written.structure.violations.is_empty();
    checked.findings.extend(written.findings(&meaning));
    match judged {
        Some(Ok(platform)) if is_sound => (is_selective, Policy::Known(Box::new(platform))),
        _ => (is_selective, Policy::Unknown),
    }
}

/// The policy that holds, of those that were written.
fn choose(mut policies: Vec<(bool, Policy)>) -> Policy {
    let general = policies.iter().position(|(is_selective, _)| !is_selective);
    let only = (policies.len() == 1).then_some(0);
    match general.or(only) {
        Some(index) => policies.swap_remove(index).1,
        None => Policy::Known(Box::default()),
    }
}

/// What each AgentObservability has to give, by namespace and name, to the AgentSLOs that refer to it.
fn referred(
    written: &[Written<AgentObservability>],
    namespace: &str,
) -> BTreeMap<(String, String), Referred> {
    let resources = written.iter().filter_map(|written| written.structure.resource.clone());
    resources
        .map(|mut resource| {
            resource.meta_mut().namespace.get_or_insert_with(|| namespace.to_owned());
            let key = (namespace_of(&resource), resource.name_any());
            (key, Referred::of(&resource.spec))
        })
        .collect()
}

fn namespace_of(resource: &impl Resource) -> String {
    resource.meta().namespace.clone().unwrap_or_default()
}

/// The valid form of a resource; none where violations were found.
fn judge_resource<K: Resource + Clone, V>(
    written: &Written<K>,
    policy: &Policy,
    namespace: &str,
    judge: impl Fn(&K, Platform) -> Result<V, Violations>,
    findings: &mut Vec<Finding>,
) -> Option<V> {
    let Some(mut resource) = written.structure.resource.clone() else {
        findings.extend(written.findings(&[]));
        return None;
    };
    resource.meta_mut().namespace.get_or_insert_with(|| namespace.to_owned());
    let platform = match policy {
        Policy::Known(platform) => platform.as_ref().clone(),
        Policy::Unknown => Platform::default(),
    };
    let meaning: Vec<Violation> = match judge(&resource, platform) {
        Ok(valid) if written.structure.violations.is_empty() && matches!(policy, Policy::Known(_)) => {
            return Some(valid);
        }
        Ok(_) => Vec::new(),
        Err(violations) => {
            violations.iter().filter(|violation| is_certain(violation, policy)).cloned().collect()
        }
    };
    findings.extend(written.findings(&meaning));
    None
}

/// Without a valid policy nobody knows what is permitted.
fn is_certain(violation: &Violation, policy: &Policy) -> bool {
    match policy {
        Policy::Known(_) => true,
        Policy::Unknown => violation.rule != Rule::NotPermitted,
    }
}
