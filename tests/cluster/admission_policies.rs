//! The admission policies on a real API server: they refuse what the AgentPlatform does not permit in the
//! words of the condition, they lock nobody out, and the API server finds no fault in their types.

use bed::{Bed, Options, Part, eventually};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::scenarios::unpermitted::{self, NAMESPACE_LABELS, verdict};
use crate::stage;
use crate::support::SOON;

const POLICIES: &str = include_str!("../../deploy/admission/policies.yaml");
/// What the chart makes of values with two AgentPlatforms: `agents` for namespaces that are labelled so, and
/// `default` for the others.
const TWO_PLATFORMS: &str = include_str!("install/rendered/everything.yaml");
const NAMESPACE: &str = "team-a";

struct Cluster {
    bed: Bed,
    client: Client,
}

impl Cluster {
    async fn start(policies: &str) -> Self {
        let options = Options::nothing().with(Part::ControllerManager);
        let bed = Bed::start(options).await.expect("the bed should start");
        stage::install(&bed, "elsewhere").await.expect("the CRDs should install");
        let metadata =
            json!({"name": NAMESPACE, "labels": std::collections::BTreeMap::from(NAMESPACE_LABELS)});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        bed.apply_yaml(&namespace.to_string()).await.expect("the namespace should be made");
        bed.apply_yaml(policies).await.expect("the policies should be accepted");
        let client = bed.client("admin").expect("the bed should know its admin");
        Self { bed, client }
    }

    fn api(&self, object: &Value) -> Api<DynamicObject> {
        let kind = object["kind"].as_str().expect("objects should have a kind");
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("agentslo.dev", "v1alpha1", kind));
        match object["metadata"]["namespace"].as_str() {
            None => Api::all_with(self.client.clone(), &resource),
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
        }
    }

    async fn apply(&self, object: &Value) {
        self.bed.apply_yaml(&object.to_string()).await.expect("the object should be accepted");
    }

    /// A server-side apply would leave null where a selector becomes empty.
    async fn replace(&self, platform: &Value) {
        let name = platform["metadata"]["name"].as_str().expect("platforms should have a name");
        if let Err(error) = self.api(platform).delete(name, &DeleteParams::default()).await {
            assert!(matches!(&error, kube::Error::Api(status) if status.code == 404), "{error}");
        }
        self.apply(platform).await;
    }

    /// What the policies say to an object that is new; whatever else is said is a failure.
    async fn refusal(&self, object: &Value) -> Option<String> {
        let parameters = PostParams { dry_run: true, ..PostParams::default() };
        let new = serde_json::from_value(object.clone()).expect("objects should have metadata");
        denial(self.api(object).create(&parameters, &new).await)
    }

    async fn eventually_refuses(&self, object: &Value, expected: Option<&str>) {
        let agrees = async || (self.refusal(object).await.as_deref() == expected).then_some(());
        if eventually(SOON, agrees).await.is_none() {
            assert_eq!(self.refusal(object).await.as_deref(), expected, "{object}");
        }
    }
}

/// The words of a policy, without those of the API server.
fn denial<T>(answer: Result<T, kube::Error>) -> Option<String> {
    match answer {
        Ok(_) => None,
        Err(kube::Error::Api(status)) => {
            let words = status.message.split_once(" denied request: ");
            let (before, words) = words.unwrap_or_else(|| panic!("not a policy's: {}", status.message));
            assert!(before.contains("ValidatingAdmissionPolicy"), "{before}");
            assert_eq!(status.code, 403, "{before}");
            Some(words.to_owned())
        }
        Err(error) => panic!("the API server should answer: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_say_what_the_condition_says_on_a_real_api_server() {
    let cluster = Cluster::start(POLICIES).await;
    types_are_right(&cluster).await;
    for (name, platform) in unpermitted::platforms() {
        eprintln!("platform {name}");
        cluster.replace(&platform).await;
        for object in unpermitted::objects(NAMESPACE) {
            cluster.eventually_refuses(&object, verdict(&platform, &object).as_deref()).await;
        }
    }
    without_the_platform_nobody_is_locked_out(&cluster).await;
    what_is_there_can_be_labelled_and_deleted(&cluster).await;
    cluster.bed.stop().await;
}

async fn types_are_right(cluster: &Cluster) {
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(cluster.client.clone());
    let checked = async || {
        let list = policies.list(&kube::api::ListParams::default()).await.expect("policies should list");
        let all: Option<Vec<_>> = list.into_iter().map(|policy| policy.status?.type_checking).collect();
        all.filter(|all| all.len() == 2)
    };
    let checked = eventually(SOON, checked).await.expect("the API server should check the types");
    for types in checked {
        assert_eq!(types.expression_warnings.unwrap_or_default(), []);
    }
}

/// A platform that becomes stricter does not hold on to what was permitted before.
async fn what_is_there_can_be_labelled_and_deleted(cluster: &Cluster) {
    let lenient = unpermitted::platform(&json!({"tenancy": {"rawQueries": "Allowed"}}));
    let strict = unpermitted::platform(&json!({"tenancy": {"rawQueries": "Forbidden"}}));
    let mut raw = unpermitted::objects(NAMESPACE).remove(1);
    cluster.apply(&lenient).await;
    cluster.eventually_refuses(&raw, None).await;
    cluster.apply(&raw).await;
    let mut other = raw.clone();
    other["metadata"]["name"] = "other".into();
    cluster.apply(&strict).await;
    cluster.eventually_refuses(&other, verdict(&strict, &other).as_deref()).await;

    let api = cluster.api(&raw);
    let name = raw["metadata"]["name"].as_str().expect("objects should have a name").to_owned();
    let merge = async |patch: Value| api.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await;
    assert_eq!(denial(merge(json!({"metadata": {"labels": {"a": "b"}}})).await), None);
    raw["spec"]["objective"] = "95".into();
    let edited = denial(merge(json!({"spec": {"objective": "95"}})).await);
    assert_eq!(edited, verdict(&strict, &raw));
    assert_eq!(denial(api.delete(&name, &DeleteParams::default()).await), None);
}

async fn without_the_platform_nobody_is_locked_out(cluster: &Cluster) {
    let platform = unpermitted::platform(&json!({}));
    cluster.api(&platform).delete("default", &DeleteParams::default()).await.expect("it should be there");
    for object in unpermitted::objects(NAMESPACE) {
        cluster.eventually_refuses(&object, None).await;
    }
}

/// The guide's way to enforce more than one: each is enforced where it governs, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn each_of_two_platforms_is_enforced_where_it_governs() {
    let documents: Vec<Value> = serde_saphyr::from_multiple(TWO_PLATFORMS).expect("the texts should parse");
    let is_policy = |document: &&Value| {
        document["kind"].as_str().is_some_and(|kind| kind.starts_with("ValidatingAdmissionPolicy"))
    };
    let policies: Vec<String> = documents.iter().filter(is_policy).map(Value::to_string).collect();
    assert_eq!(policies.len(), 6, "two policies, each bound for two platforms");
    let cluster = Cluster::start(&policies.join("\n---\n")).await;
    let strict = unpermitted::platform(&json!({}));
    let mut lenient = unpermitted::platform(
        &json!({"tenancy": {"rawQueries": "Allowed"}, "namespaceSelector": {"matchLabels": {"tier": "agents"}}}),
    );
    lenient["metadata"]["name"] = "agents".into();
    cluster.apply(&strict).await;
    cluster.apply(&lenient).await;

    let (raw, grouped) = (1, 2);
    let here = unpermitted::objects(NAMESPACE);
    let there = unpermitted::objects("elsewhere");
    let of_default = verdict(&strict, &there[raw]).expect("raw queries should not be permitted");
    cluster.eventually_refuses(&there[raw], Some(&of_default)).await;
    let of_agents = verdict(&lenient, &here[grouped]).expect("ids should never be permitted");
    assert!(of_agents.contains("AgentPlatform 'agents'"), "{of_agents}");
    cluster.eventually_refuses(&here[grouped], Some(&of_agents)).await;
    assert_eq!(cluster.refusal(&here[raw]).await, None, "permitted by the one that governs");
    cluster.bed.stop().await;
}
