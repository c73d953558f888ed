//! `agentslo doctor`: looks for what keeps an installation from working.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use futures::{StreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::coordination::v1;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::cluster::{Cluster, Stop, Target, block_on};
use super::print::write_out;
use super::readings::{Platforms, Source, advice};
use super::terminal::{Look, width};
use crate::api::v1alpha1::{AgentPlatform, AgentSlo, ConditionStatus, custom_resource_definitions};
use crate::domain::names::SloKey;
use crate::domain::window::Window;
use crate::inspect::doctor::{
    self, Account, Check, Definition, Lease, Need, Operator, PrometheusFacts, RuleObject, RuleReader,
    Verdict, Workload, diagnosis,
};
use crate::prometheus::{Connection, GroupHealth, QueryError, retention, rule_groups, version};
use crate::render::ArtifactKind;
use crate::render::rules::group_names;
use crate::report::find_condition;
use crate::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE, condition};

const EXAMPLES: &str = "\
Examples:
  # Everything
  kubectl agentslo doctor

  # The AgentSLOs and rules of one namespace only
  kubectl agentslo doctor -n support

  # An operator that was installed under another ServiceAccount
  kubectl agentslo doctor --account observability/agentslo-operator

What you may not read is reported as unknown, never as ok.

Exit codes:
  0  no problem was found
  1  a problem was found
  2  usage
  3  the cluster could not be reached";

/// Label by which the operator's Deployment and pods are found.
const OPERATOR: &str = "app.kubernetes.io/name=agentslo";
/// Permissions that are asked for at once.
const AT_ONCE: usize = 8;

/// Look for what keeps an installation from working, and say what mends it.
///
/// Checks the kinds, the operator and its permissions, which Prometheus selects the rules, whether that
/// Prometheus answers, keeps samples for long enough and evaluates them, and every AgentSLO.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    look: Look,
    /// ServiceAccount of the operator; by default that of its Deployment, else `agentslo-system/agentslo`.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = parse_account)]
    account: Option<Account>,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    /// A table.
    #[default]
    Table,
    /// One JSON object.
    Json,
}

fn parse_account(text: &str) -> Result<Account, &'static str> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok(Account { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        _ => Err("must be NAMESPACE/NAME"),
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let cluster = arguments.target.open().await?;
        let version = cluster.client.apiserver_version().await;
        let version = version.map_err(|error| Stop::of("the API server", &error))?;
        let mut checks =
            vec![Check::ok("cluster", format!("the API server answers, {}", version.git_version))];
        let missing = examine(arguments, &cluster, &mut checks).await;
        print(arguments, &checks, missing.as_deref());
        let has_problem = checks.iter().any(|check| check.verdict == Verdict::Problem);
        Ok(if has_problem { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

fn print(arguments: &Arguments, checks: &[Check], missing: Option<&str>) {
    match arguments.output {
        Output::Json => {
            let all = json!({"checks": checks, "missingRules": missing});
            write_out(&format!("{all:#}\n"));
        }
        Output::Table => {
            let page = diagnosis(checks, missing);
            write_out(&(page.lines(arguments.look.paint(), width()).join("\n") + "\n"));
        }
    }
}

/// Makes all checks, and returns the permissions that are missing, as YAML.
async fn examine(arguments: &Arguments, cluster: &Cluster, checks: &mut Vec<Check>) -> Option<String> {
    let client = &cluster.client;
    checks.extend(definitions(client).await);
    let slos = slos(arguments, cluster).await;
    let (found, account) = operator(client, arguments.account.clone()).await;
    checks.extend(doctor::operator(&found, slos.as_deref().unwrap_or_default(), Timestamp::now()));
    let missing = missing(client, &account).await;
    checks.push(doctor::permissions(&account, missing.as_deref()));
    let platforms = Platforms::read(cluster).await;
    match (&slos, &platforms) {
        (Ok(slos), Ok(platforms)) => {
            checks.extend(doctor::slos(slos, &platforms.platforms));
            checks.extend(selection(arguments, cluster, platforms).await);
            checks.extend(prometheus(arguments, cluster, platforms, slos).await);
        }
        (Err(stop), _) | (_, Err(stop)) => {
            checks.push(Check::unknown(
                "AgentSLOs",
                stop.to_string(),
                "install the kinds, or ask for permission",
            ));
        }
    }
    missing.filter(|missing| !missing.is_empty()).map(|missing| doctor::missing_rules(&account, &missing))
}

async fn slos(arguments: &Arguments, cluster: &Cluster) -> Result<Vec<AgentSlo>, Stop> {
    let api: Api<AgentSlo> = scoped(arguments, cluster);
    let all = api.list(&ListParams::default()).await;
    all.map(|all| all.items).map_err(|error| Stop::of("AgentSLOs", &error))
}

/// All namespaces, unless one is named.
fn scoped<K>(arguments: &Arguments, cluster: &Cluster) -> Api<K>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    match &arguments.target.namespace {
        Some(namespace) => Api::namespaced(cluster.client.clone(), namespace),
        None => Api::all(cluster.client.clone()),
    }
}

async fn definitions(client: &Client) -> Vec<Check> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut found = Vec::new();
    for wanted in custom_resource_definitions() {
        match api.get_opt(&wanted.name_any()).await {
            Ok(live) => {
                let definition = Definition::of(&wanted, live.as_ref());
                found.push((wanted, definition));
            }
            Err(error) => {
                let why = Stop::of("CustomResourceDefinitions", &error).to_string();
                return vec![Check::unknown("kinds", why, "ask somebody who may read them to run this")];
            }
        }
    }
    let mut checks = doctor::definitions(&found);
    let mut installed = BTreeSet::new();
    for kind in ArtifactKind::ALL {
        let resource = kind.api_resource();
        let served = client.list_api_group_resources(&resource.api_version).await;
        let has = served.is_ok_and(|served| served.resources.iter().any(|each| each.name == resource.plural));
        if has {
            installed.insert(kind);
        }
    }
    checks.extend(doctor::foreign_kinds(&installed));
    checks
}

/// What runs the operator, and as whom. Of Deployments and pods only a few fields are read: their types would
/// be the largest part of the program.
async fn operator(client: &Client, account: Option<Account>) -> (Operator, Account) {
    let labelled = ListParams::default().labels(OPERATOR);
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::erase::<Deployment>(&()));
    let deployments = all.list(&labelled).await.ok();
    let mut accounts = Vec::new();
    let mut workloads = Vec::new();
    for deployment in deployments.iter().flatten() {
        let namespace = deployment.namespace().unwrap_or_default();
        let pods = ApiResource::erase::<Pod>(&());
        let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &pods);
        let pods = pods.list(&labelled).await.map(|pods| pods.items).unwrap_or_default();
        workloads.push(workload(deployment, &pods));
        let name = deployment.data.pointer("/spec/template/spec/serviceAccountName").and_then(Value::as_str);
        accounts.push(Account { namespace, name: name.unwrap_or("default").to_owned() });
    }
    let account = account.or_else(|| accounts.into_iter().next()).unwrap_or_else(Account::usual);
    let leases = leases(client, &account.namespace).await;
    (Operator { workloads: deployments.map(|_| workloads), leases }, account)
}

fn workload(deployment: &DynamicObject, pods: &[DynamicObject]) -> Workload {
    let number = |pointer: &str| {
        let number = deployment.data.pointer(pointer).and_then(Value::as_i64);
        number.and_then(|number| i32::try_from(number).ok())
    };
    Workload {
        name: format!("{}/{}", deployment.namespace().unwrap_or_default(), deployment.name_any()),
        wanted: number("/spec/replicas").unwrap_or(1),
        ready: number("/status/readyReplicas").unwrap_or_default(),
        trouble: pods.iter().filter_map(waits).collect(),
    }
}

/// What a pod waits for, if it does.
fn waits(pod: &DynamicObject) -> Option<String> {
    let statuses = pod.data.pointer("/status/containerStatuses")?.as_array()?;
    let waiting = statuses.iter().find_map(|status| status.pointer("/state/waiting"))?;
    let text = |name: &str| waiting.get(name).and_then(Value::as_str);
    let reason = text("reason").unwrap_or("waiting");
    let message = text("message").map(|message| format!(", {message}")).unwrap_or_default();
    Some(format!("{} {reason}{message}", pod.name_any()))
}

async fn leases(client: &Client, namespace: &str) -> Vec<Lease> {
    let api: Api<v1::Lease> = Api::namespaced(client.clone(), namespace);
    let all = api.list(&ListParams::default()).await.map(|all| all.items).unwrap_or_default();
    let own = all.into_iter().filter(|lease| lease.name_any().starts_with("agentslo"));
    own.map(|lease| {
        let name = format!("{namespace}/{}", lease.name_any());
        let spec = lease.spec.unwrap_or_default();
        Lease { name, holder: spec.holder_identity, renewed: spec.renew_time.map(|time| time.0) }
    })
    .collect()
}

/// What the account may not do; none where the API server does not tell.
async fn missing(client: &Client, account: &Account) -> Option<Vec<Need>> {
    let answers = stream::iter(doctor::needs())
        .map(|need| async move { is_granted(client, account, &need).await.map(|granted| (need, granted)) })
        .buffered(AT_ONCE)
        .collect::<Vec<Option<(Need, bool)>>>()
        .await;
    let answers: Option<Vec<(Need, bool)>> = answers.into_iter().collect();
    Some(answers?.into_iter().filter(|(_, granted)| !granted).map(|(need, _)| need).collect())
}

async fn is_granted(client: &Client, account: &Account, need: &Need) -> Option<bool> {
    let (resource, subresource) = match need.resource.split_once('/') {
        Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
        None => (need.resource.clone(), None),
    };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(account.user()),
            groups: Some(account.groups()),
            resource_attributes: Some(ResourceAttributes {
                group: Some(need.group.clone()),
                resource: Some(resource),
                subresource,
                verb: Some(need.verb.clone()),
                namespace: need.is_own_namespace.then(|| account.namespace.clone()),
                name: need.name.clone(),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let answer = api.create(&PostParams::default(), &review).await.ok()?;
    Some(answer.status?.allowed)
}

async fn selection(arguments: &Arguments, cluster: &Cluster, platforms: &Platforms) -> Vec<Check> {
    let Some(rules) = rules(arguments, cluster, platforms).await else { return Vec::new() };
    let mut readers: Option<Vec<RuleReader>> = None;
    for (kind, plural) in [("Prometheus", "prometheuses"), ("ThanosRuler", "thanosrulers")] {
        if let Some(found) = rule_readers(&cluster.client, kind, plural).await {
            readers.get_or_insert_default().extend(found);
        }
    }
    doctor::selection(&rules, readers.as_deref())
}

/// Our PrometheusRules; none where they may not be listed or their kind is not installed.
async fn rules(arguments: &Arguments, cluster: &Cluster, platforms: &Platforms) -> Option<Vec<RuleObject>> {
    let resource = ArtifactKind::PrometheusRule.api_resource();
    let api: Api<DynamicObject> = match &arguments.target.namespace {
        Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, &resource),
        None => Api::all_with(cluster.client.clone(), &resource),
    };
    let ours = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY_VALUE}"));
    let rules = api.list_metadata(&ours).await.ok()?.items;
    let rule = |rule: kube::core::PartialObjectMeta<DynamicObject>| {
        let namespace = rule.metadata.namespace.clone().unwrap_or_default();
        RuleObject {
            name: rule.name_any(),
            labels: rule.metadata.labels.clone().unwrap_or_default(),
            namespace_labels: platforms.labels_of(&namespace).cloned(),
            namespace,
        }
    };
    Some(rules.into_iter().map(rule).collect())
}

/// Those of a kind; none where they may not be listed or the kind is not installed.
async fn rule_readers(client: &Client, kind: &str, plural: &str) -> Option<Vec<RuleReader>> {
    let kind_of = GroupVersionKind::gvk("monitoring.coreos.com", "v1", kind);
    let api: Api<DynamicObject> =
        Api::all_with(client.clone(), &ApiResource::from_gvk_with_plural(&kind_of, plural));
    let found = api.list(&ListParams::default()).await.ok()?.items;
    let reader = |object: DynamicObject| {
        let selector = |field: &str| {
            let value: &Value = object.data.pointer(&format!("/spec/{field}"))?;
            serde_json::from_value(value.clone()).ok()
        };
        let namespace = object.namespace().unwrap_or_default();
        RuleReader {
            name: format!("{kind} {namespace}/{}", object.name_any()),
            rules: selector("ruleSelector"),
            namespaces: selector("ruleNamespaceSelector"),
            namespace,
        }
    };
    Some(found.into_iter().map(reader).collect())
}

async fn prometheus(
    arguments: &Arguments,
    cluster: &Cluster,
    platforms: &Platforms,
    slos: &[AgentSlo],
) -> Vec<Check> {
    let mut checks = Vec::new();
    for platform in platforms.platforms.iter().filter(|platform| platform.spec.prometheus.is_some()) {
        let name = format!("the Prometheus of AgentPlatform '{}'", platform.name_any());
        let governed = governed(slos, platform, platforms);
        let facts = match arguments.source.connect(&cluster.client, Some(platform)) {
            Ok(connection) => facts(&connection).await.map_err(|error| advice(&error)),
            Err(why) => Err(why),
        };
        checks.extend(doctor::prometheus(&name, facts.as_ref().map_err(String::as_str), &governed));
    }
    checks
}

async fn facts(connection: &Connection) -> Result<PrometheusFacts, QueryError> {
    let version = version(connection).await?;
    let groups = rule_groups(connection).await?.into_iter().map(|(name, health)| {
        let error = match health {
            GroupHealth::Healthy => None,
            GroupHealth::Failing { rule, error } => Some(format!("{rule}: {error}")),
        };
        (name, error)
    });
    Ok(PrometheusFacts { version, groups: groups.collect(), retention: retention(connection).await? })
}

/// The AgentSLOs whose rules a platform's Prometheus should have, with their windows and groups.
fn governed(
    slos: &[AgentSlo],
    platform: &AgentPlatform,
    platforms: &Platforms,
) -> BTreeMap<SloKey, (Window, Vec<String>)> {
    let is_applied = |slo: &&AgentSlo| {
        let status = slo.status.as_ref();
        let applied = status.and_then(|status| find_condition(&status.conditions, condition::RULES_APPLIED));
        applied.is_some_and(|applied| applied.status == ConditionStatus::True)
    };
    let is_governed = |key: &SloKey| {
        platforms.governing(&key.namespace).is_some_and(|own| own.name_any() == platform.name_any())
    };
    slos.iter()
        .filter(is_applied)
        .filter_map(|slo| Some((SloKey::of(slo), Window::parse(slo.status.as_ref()?.window.as_deref()?)?)))
        .filter(|(key, _)| is_governed(key))
        .map(|(key, window)| {
            let groups = group_names(&key.namespace, &key.name).to_vec();
            (key, (window, groups))
        })
        .collect()
}
