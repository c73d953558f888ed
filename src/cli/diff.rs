//! `agentslo diff`: what files would do to what is in force in a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check::Finding;
use super::cluster::{Cluster, Stop, Target, block_on};
use super::files;
use super::policy::Policy;
use super::print::{escaped, write_note, write_out};
use super::readings::Platforms;
use super::terminal::Look;
use super::written::{Written, WrittenFiles};
use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use crate::domain::violation::Violations;
use crate::inspect::text::counted;
use crate::inspect::{Difference, consequences, difference};
use crate::render::{self, ArtifactKind, Artifacts};
use crate::validate;
use crate::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};

const EXAMPLES: &str = "\
Examples:
  # What an edit would do, before it is applied
  kubectl agentslo diff -f agentslo.yaml

  # A repository, against another cluster
  kubectl agentslo diff -f slos/ --context production

  # What a new policy would do to every AgentSLO that it governs
  kubectl agentslo diff -f platform.yaml

+ comes, - goes, ~ changes. Resources that are in the cluster and not in the
files are left alone, as `kubectl apply` leaves them.

Exit codes:
  0  nothing would change
  1  something would change
  2  a file cannot be read, or what it says is not valid
  3  the cluster could not be reached";

/// Show what files would do to rules, thresholds and cost in a cluster.
///
/// Judges them as the operator would: under the AgentPlatform that governs the namespace, at the traffic
/// that was measured.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// File, directory (all YAML and JSON files in it), or `-` for standard input; repeatable.
    #[arg(short = 'f', long = "filename", required = true, value_name = "PATH")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    look: Look,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let written = read(arguments)?;
        let cluster = arguments.target.open().await?;
        let platforms = Platforms::read(&cluster).await?;
        let wanted = Wanted::of(written, &cluster, &platforms).await?;
        wanted.compare(arguments, &cluster, &platforms).await
    })
}

fn read(arguments: &Arguments) -> Result<WrittenFiles, Stop> {
    let mut written = WrittenFiles::default();
    written.add(files::read_all(&arguments.files).map_err(Stop::Usage)?);
    if written.resources == 0 && written.findings.is_empty() {
        return Err(Stop::Usage("there is no AgentSLO, AgentObservability or AgentPlatform".to_owned()));
    }
    Ok(written)
}

/// What is asked for, and the findings about it.
struct Wanted {
    platforms: Platforms,
    slos: Vec<(AgentSlo, Option<Written<AgentSlo>>)>,
    observabilities: Vec<(AgentObservability, Option<Written<AgentObservability>>)>,
    findings: Vec<Finding>,
}

impl Wanted {
    /// The resources of the files; and those of the cluster that an AgentPlatform or AgentObservability
    /// among them changes.
    async fn of(written: WrittenFiles, cluster: &Cluster, platforms: &Platforms) -> Result<Self, Stop> {
        let mut findings = written.findings;
        let policies: Vec<AgentPlatform> = written
            .platforms
            .iter()
            .filter_map(|platform| judged_platform(platform, &mut findings))
            .collect();
        let slos = resources(written.slos, &cluster.namespace, &mut findings);
        let observabilities = resources(written.observabilities, &cluster.namespace, &mut findings);
        let mut wanted = Self { platforms: platforms.replaced(&policies), slos, observabilities, findings };
        wanted.add_changed(&policies, cluster, platforms).await?;
        Ok(wanted)
    }

    async fn add_changed(
        &mut self,
        policies: &[AgentPlatform],
        cluster: &Cluster,
        before: &Platforms,
    ) -> Result<(), Stop> {
        if policies.is_empty() && self.observabilities.is_empty() {
            return Ok(());
        }
        let changed: Vec<String> = policies.iter().map(ResourceExt::name_any).collect();
        let is_governed = |namespace: &str| {
            let of = |platforms: &Platforms| platforms.governing(namespace).map(ResourceExt::name_any);
            [of(before), of(&self.platforms)].into_iter().flatten().any(|name| changed.contains(&name))
        };
        let refers = |slo: &AgentSlo| {
            let reference = slo.spec.observability_ref.as_ref().map(|reference| reference.name.clone());
            let is_meant = |other: &AgentObservability| {
                other.namespace() == slo.namespace() && Some(other.name_any()) == reference
            };
            self.observabilities.iter().any(|(other, _)| is_meant(other))
        };
        let slos: Vec<AgentSlo> = all(cluster, "AgentSLOs").await?;
        let concerns = |slo: &AgentSlo| is_governed(&slo.namespace().unwrap_or_default()) || refers(slo);
        let more = others(&self.slos, slos, concerns);
        let of_policies =
            if policies.is_empty() { Vec::new() } else { all(cluster, "AgentObservabilities").await? };
        let concerns = |other: &AgentObservability| is_governed(&other.namespace().unwrap_or_default());
        let more_observabilities = others(&self.observabilities, of_policies, concerns);
        self.slos.extend(more);
        self.observabilities.extend(more_observabilities);
        Ok(())
    }

    async fn compare(
        mut self,
        arguments: &Arguments,
        cluster: &Cluster,
        before: &Platforms,
    ) -> Result<ExitCode, Stop> {
        let referred = self.observabilities.iter().map(|(referred, _)| referred.clone()).collect();
        let after = Policy { cluster, platforms: &self.platforms, referred };
        let before = Policy { cluster, platforms: before, referred: Vec::new() };
        let mut differences = Vec::new();
        for (slo, written) in &self.slos {
            match compared_slo(slo, &before, &after).await? {
                Ok(difference) => differences.push((named(slo), difference)),
                Err(violations) => self.findings.extend(findings(slo, written.as_ref(), &violations)),
            }
        }
        for (resource, written) in &self.observabilities {
            match compared_observability(resource, &after).await? {
                Ok(difference) => differences.push((named(resource), difference)),
                Err(violations) => self.findings.extend(findings(resource, written.as_ref(), &violations)),
            }
        }
        for note in self.doubts() {
            write_note(&escaped(&note));
        }
        Ok(self.report(arguments, &differences))
    }

    /// Why the operator might judge otherwise.
    fn doubts(&self) -> BTreeSet<String> {
        let of_slos = self.slos.iter().filter_map(|(slo, _)| slo.namespace());
        let of_others = self.observabilities.iter().filter_map(|(resource, _)| resource.namespace());
        let namespaces: BTreeSet<String> = of_slos.chain(of_others).collect();
        namespaces.iter().filter_map(|namespace| self.platforms.doubt(namespace)).collect()
    }

    fn report(mut self, arguments: &Arguments, differences: &[(String, Difference)]) -> ExitCode {
        let changed: Vec<&(String, Difference)> =
            differences.iter().filter(|(_, difference)| !difference.0.is_empty()).collect();
        for (name, difference) in &changed {
            write_out(&(difference.lines(name, arguments.look.paint()).join("\n") + "\n"));
        }
        self.findings.sort();
        for finding in &self.findings {
            write_note(&finding.print());
        }
        let same = differences.len() - changed.len();
        write_note(&format!("{} would change, {same} would not", counted(changed.len(), "resource")));
        match (self.findings.is_empty(), changed.is_empty()) {
            (false, _) => ExitCode::from(2),
            (true, true) => ExitCode::SUCCESS,
            (true, false) => ExitCode::FAILURE,
        }
    }
}

/// `AgentSLO team/checkout`.
fn named<K: Resource<DynamicType = ()>>(resource: &K) -> String {
    format!("{} {}/{}", K::kind(&()), resource.namespace().unwrap_or_default(), resource.name_any())
}

async fn compared_slo(
    slo: &AgentSlo,
    before: &Policy<'_>,
    after: &Policy<'_>,
) -> Result<Result<Difference, Violations>, Stop> {
    let cluster = after.cluster;
    let live: Option<AgentSlo> = live(slo, cluster).await?;
    let new = match after.slo(slo, live.as_ref()).await {
        Ok(new) => new,
        Err(violations) => return Ok(Err(violations)),
    };
    let old = match &live {
        Some(live) => before.slo(live, Some(live)).await.ok(),
        None => None,
    };
    let mut difference = objects(render::slo(&new), live.as_ref(), cluster).await?;
    difference.0.extend(consequences(old.as_ref(), &new));
    Ok(Ok(difference))
}

async fn compared_observability(
    resource: &AgentObservability,
    after: &Policy<'_>,
) -> Result<Result<Difference, Violations>, Stop> {
    let live: Option<AgentObservability> = live(resource, after.cluster).await?;
    let new = match after.observability(resource, live.as_ref()) {
        Ok(new) => new,
        Err(violations) => return Ok(Err(violations)),
    };
    let artifacts = render::observability(&new).into_values().flat_map(|part| part.0).collect();
    Ok(Ok(objects(Artifacts(artifacts), live.as_ref(), after.cluster).await?))
}

/// An AgentPlatform that is valid.
fn judged_platform(written: &Written<AgentPlatform>, findings: &mut Vec<Finding>) -> Option<AgentPlatform> {
    let judged = written.structure.resource.as_ref().map(validate::platform);
    let meaning: Vec<_> = judged
        .iter()
        .filter_map(|judged| judged.as_ref().err())
        .flat_map(Violations::iter)
        .cloned()
        .collect();
    let found = written.findings(&meaning);
    let is_valid = found.is_empty();
    findings.extend(found);
    written.structure.resource.clone().filter(|_| is_valid)
}

/// Resources of sound structure, in a namespace.
fn resources<K: Resource + Clone>(
    written: Vec<Written<K>>,
    namespace: &str,
    findings: &mut Vec<Finding>,
) -> Vec<(K, Option<Written<K>>)> {
    let mut sound = Vec::new();
    for written in written {
        let found = written.findings(&[]);
        match written.structure.resource.clone() {
            Some(mut resource) if found.is_empty() => {
                resource.meta_mut().namespace.get_or_insert_with(|| namespace.to_owned());
                sound.push((resource, Some(written)));
            }
            _ => findings.extend(found),
        }
    }
    sound
}

/// Resources of the cluster that are not in the files, and that a change concerns.
fn others<K: Resource>(
    written: &[(K, Option<Written<K>>)],
    live: Vec<K>,
    concerns: impl Fn(&K) -> bool,
) -> Vec<(K, Option<Written<K>>)> {
    let key = |resource: &K| (resource.namespace(), resource.name_any());
    let is_written = |resource: &K| written.iter().any(|(other, _)| key(other) == key(resource));
    live.into_iter()
        .filter(|resource| concerns(resource) && !is_written(resource))
        .map(|resource| (resource, None))
        .collect()
}

/// What is wrong, where it was written, or in which resource of the cluster.
fn findings<K: Resource<DynamicType = ()> + Clone>(
    resource: &K,
    written: Option<&Written<K>>,
    violations: &Violations,
) -> Vec<Finding> {
    let all: Vec<_> = violations.iter().cloned().collect();
    if let Some(written) = written {
        return written.findings(&all);
    }
    let name = named(resource);
    let finding = |violation: &crate::domain::violation::Violation| Finding {
        file: usize::MAX,
        line: 0,
        path: violation.path.clone(),
        message: violation.message.clone(),
        name: name.clone(),
    };
    all.iter().map(finding).collect()
}

async fn all<K>(cluster: &Cluster, what: &str) -> Result<Vec<K>, Stop>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::all(cluster.client.clone());
    let all = api.list(&ListParams::default()).await;
    all.map(|all| all.items).map_err(|error| Stop::of(what, &error))
}

/// What the cluster has of a resource.
async fn live<K>(resource: &K, cluster: &Cluster) -> Result<Option<K>, Stop>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::namespaced(cluster.client.clone(), &resource.namespace().unwrap_or_default());
    let name = resource.name_any();
    api.get_opt(&name).await.map_err(|error| Stop::of(&K::kind(&()), &error))
}

/// The artifacts against what is in their place, and the children that are no longer asked for.
async fn objects<K: Resource<DynamicType = ()>>(
    artifacts: Artifacts,
    owner: Option<&K>,
    cluster: &Cluster,
) -> Result<Difference, Stop> {
    let mut children = children(owner, cluster).await?;
    let artifacts = match owner {
        Some(owner) => artifacts.owned_by(owner),
        None => artifacts,
    };
    let mut compared = Vec::new();
    for artifact in artifacts.0 {
        let live = children.remove(&format!("{} {}", artifact.kind().name(), artifact.name()));
        compared.push((artifact, live));
    }
    let orphans: Vec<String> = children.into_keys().collect();
    Ok(difference(&compared, &orphans))
}

/// Everything that an object of the cluster owns, by kind and name.
async fn children<K: Resource>(
    owner: Option<&K>,
    cluster: &Cluster,
) -> Result<BTreeMap<String, Value>, Stop> {
    let mut children = BTreeMap::new();
    let Some(uid) = owner.and_then(|owner| owner.meta().uid.clone()) else { return Ok(children) };
    let namespace = owner.and_then(|owner| owner.meta().namespace.clone()).unwrap_or_default();
    let ours = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY_VALUE}"));
    for kind in ArtifactKind::ALL {
        let api: Api<DynamicObject> =
            Api::namespaced_with(cluster.client.clone(), &namespace, &kind.api_resource());
        let found = match api.list(&ours).await {
            Ok(found) => found.items,
            // Kinds of others may not be installed.
            Err(kube::Error::Api(status)) if status.code == 404 => continue,
            Err(error) => return Err(Stop::of(kind.name(), &error)),
        };
        let is_own = |child: &DynamicObject| child.owner_references().iter().any(|owner| owner.uid == uid);
        for child in found.into_iter().filter(is_own) {
            let name = format!("{} {}", kind.name(), child.name_any());
            let value = serde_json::to_value(child).expect("an object that was read should serialise");
            children.insert(name, value);
        }
    }
    Ok(children)
}
