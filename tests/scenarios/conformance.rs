//! What the operator, and the faults of the hermetic tests, rely on in an API server. The one in memory and the
//! real one keep the same promises, each in a namespace of its own.

use bed::eventually;
use futures::TryStreamExt;
use k8s_openapi::jiff::Timestamp;
use kube::api::{
    DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams,
};
use kube::client::Body;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::{PATIENCE, success_slo};

/// AgentSLOs and ConfigMaps of a namespace.
pub(crate) struct Ground {
    namespace: String,
    slos: Api<DynamicObject>,
    maps: Api<DynamicObject>,
}

impl Ground {
    pub(crate) fn new(client: &Client, namespace: &str) -> Self {
        let kind = |group, version, kind| ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = |kind| Api::namespaced_with(client.clone(), namespace, &kind);
        let slos = api(kind("agentslo.dev", "v1alpha1", "AgentSLO"));
        Self { namespace: namespace.to_owned(), slos, maps: api(kind("", "v1", "ConfigMap")) }
    }

    fn slo(&self, name: &str, objective: &str) -> Value {
        let mut slo = success_slo(&self.namespace, name);
        slo["spec"]["objective"] = objective.into();
        slo
    }

    fn map(&self, name: &str, data: &Value) -> Value {
        let metadata = json!({"namespace": self.namespace, "name": name});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    }
}

async fn apply(api: &Api<DynamicObject>, manager: &str, object: &Value) -> Value {
    let applied = try_apply(api, &PatchParams::apply(manager).force(), object).await;
    applied.unwrap_or_else(|error| panic!("{object} should be applied: {error}"))
}

async fn try_apply(
    api: &Api<DynamicObject>,
    parameters: &PatchParams,
    object: &Value,
) -> Result<Value, kube::Error> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Ok(json(&api.patch(name, parameters, &Patch::Apply(object)).await?))
}

fn json(object: &DynamicObject) -> Value {
    serde_json::to_value(object).expect("an object should be JSON")
}

/// HTTP status of a refusal.
fn refused<T>(result: Result<T, kube::Error>) -> u16 {
    match result {
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("it should be refused by the server: {error}"),
        Ok(_) => panic!("it should be refused"),
    }
}

async fn is_gone(api: &Api<DynamicObject>, name: &str) {
    let gone = async || api.get_opt(name).await.expect("the server should answer").is_none().then_some(());
    eventually(PATIENCE, gone).await.unwrap_or_else(|| panic!("{name} should go"));
}

pub(crate) async fn a_generation_counts_edits_of_the_spec(ground: &Ground) {
    let first = apply(&ground.slos, "one", &ground.slo("generation", "99")).await;
    assert_eq!(first["metadata"]["generation"], 1);
    let same = apply(&ground.slos, "one", &ground.slo("generation", "99")).await;
    assert_eq!(same["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let mut labelled = ground.slo("generation", "99");
    labelled["metadata"]["labels"] = json!({"team": "one"});
    let labelled = apply(&ground.slos, "one", &labelled).await;
    assert_eq!(labelled["metadata"]["generation"], 1);
    assert_ne!(labelled["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let edited = apply(&ground.slos, "one", &ground.slo("generation", "95")).await;
    assert_eq!(edited["metadata"]["generation"], 2);
    assert_eq!(edited["metadata"]["uid"], first["metadata"]["uid"]);
}

pub(crate) async fn a_status_is_written_by_its_own_door(ground: &Ground) {
    let mut slo = ground.slo("status", "99");
    slo["status"] = json!({"observedGeneration": 7});
    let created: DynamicObject = serde_json::from_value(slo.clone()).expect("it should be an object");
    let created = ground.slos.create(&PostParams::default(), &created).await.expect("it should be created");
    assert_eq!(json(&created).get("status"), None, "a new object has none");
    let applied = apply(&ground.slos, "one", &slo).await;
    assert_eq!(applied.get("status"), None);
    slo["spec"]["objective"] = "95".into();
    let parameters = PatchParams::apply("one").force();
    let told = ground.slos.patch_status("status", &parameters, &Patch::Apply(&slo)).await;
    let told = json(&told.expect("the status should be applied"));
    assert_eq!(told["status"], json!({"observedGeneration": 7}));
    assert_eq!((&told["spec"]["objective"], &told["metadata"]["generation"]), (&json!("99"), &json!(1)));
}

pub(crate) async fn each_keeps_the_fields_that_it_applied(ground: &Ground) {
    apply(&ground.maps, "one", &ground.map("owned", &json!({"a": "1", "b": "1"}))).await;
    let both = apply(&ground.maps, "two", &ground.map("owned", &json!({"a": "1", "c": "2"}))).await;
    assert_eq!(both["data"], json!({"a": "1", "b": "1", "c": "2"}));
    // What both want is the same, so nobody objects until one of them changes it.
    let changed = ground.map("owned", &json!({"a": "2"}));
    assert_eq!(refused(try_apply(&ground.maps, &PatchParams::apply("one"), &changed).await), 409);
    let dropped = apply(&ground.maps, "one", &ground.map("owned", &json!({}))).await;
    assert_eq!(dropped["data"], json!({"a": "1", "c": "2"}), "what another wants as well stays");
    let forced = apply(&ground.maps, "one", &changed).await;
    assert_eq!(forced["data"], json!({"a": "2", "c": "2"}));
    let owners = forced["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let mut fields: Vec<Value> = owners
        .iter()
        .map(|entry| json!([entry["manager"], entry["operation"], entry["fieldsV1"]["f:data"]]))
        .collect();
    fields.sort_by_key(ToString::to_string);
    let expected = json!([["one", "Apply", {"f:a": {}}], ["two", "Apply", {"f:c": {}}]]);
    assert_eq!(Value::from(fields), expected);
}

pub(crate) async fn items_with_a_key_are_merged(ground: &Ground) {
    apply(&ground.slos, "one", &ground.slo("merged", "99")).await;
    for (manager, type_) in [("one", "Ready"), ("two", "Accepted")] {
        let condition = json!({
            "type": type_, "status": "True", "reason": "Valid", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let mut slo = ground.slo("merged", "99");
        slo["status"] = json!({"conditions": [condition]});
        let parameters = PatchParams::apply(manager).force();
        let told = ground.slos.patch_status("merged", &parameters, &Patch::Apply(&slo)).await;
        told.expect("the status should be applied");
    }
    let told = json(&ground.slos.get("merged").await.expect("it should be there"));
    let conditions = told["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let mut types: Vec<&Value> = conditions.iter().map(|condition| &condition["type"]).collect();
    types.sort_by_key(ToString::to_string);
    assert_eq!(types, ["Accepted", "Ready"]);
}

pub(crate) async fn what_has_changed_is_not_written_over_or_deleted(ground: &Ground) {
    let old = apply(&ground.maps, "one", &ground.map("guarded", &json!({"a": "1"}))).await;
    let new = apply(&ground.maps, "one", &ground.map("guarded", &json!({"a": "2"}))).await;
    let mut late = ground.map("guarded", &json!({"a": "3"}));
    late["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    assert_eq!(refused(try_apply(&ground.maps, &PatchParams::apply("one").force(), &late).await), 409);
    let text = |object: &Value, field: &str| object["metadata"][field].as_str().map(str::to_owned);
    let only = |uid: Option<String>, resource_version: Option<String>| DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version }),
        ..DeleteParams::default()
    };
    let another = only(Some("another".to_owned()), None);
    assert_eq!(refused(ground.maps.delete("guarded", &another).await), 409);
    let before = only(text(&new, "uid"), text(&old, "resourceVersion"));
    assert_eq!(refused(ground.maps.delete("guarded", &before).await), 409);
    let this = only(text(&new, "uid"), text(&new, "resourceVersion"));
    ground.maps.delete("guarded", &this).await.expect("it is the one that is meant");
    is_gone(&ground.maps, "guarded").await;
}

pub(crate) async fn a_uid_names_the_object_that_is_meant(ground: &Ground) {
    let parameters = PatchParams::apply("one").force();
    let first = apply(&ground.maps, "one", &ground.map("meant", &json!({"a": "1"}))).await;
    let mut meant = ground.map("meant", &json!({"a": "2"}));
    meant["metadata"]["uid"] = first["metadata"]["uid"].clone();
    assert_eq!(apply(&ground.maps, "one", &meant).await["data"], json!({"a": "2"}));
    ground.maps.delete("meant", &DeleteParams::default()).await.expect("it may be deleted");
    is_gone(&ground.maps, "meant").await;
    assert_eq!(refused(try_apply(&ground.maps, &parameters, &meant).await), 409, "it is there no more");
    apply(&ground.maps, "one", &ground.map("meant", &json!({"a": "3"}))).await;
    assert_eq!(refused(try_apply(&ground.maps, &parameters, &meant).await), 422, "it is another");
}

pub(crate) async fn what_has_a_finalizer_waits_for_it(ground: &Ground) {
    let mut slo = ground.slo("finalized", "99");
    slo["metadata"]["finalizers"] = json!(["example.com/wait"]);
    apply(&ground.slos, "one", &slo).await;
    ground.slos.delete("finalized", &DeleteParams::default()).await.expect("it may be deleted");
    let leaving = json(&ground.slos.get("finalized").await.expect("it should wait"));
    assert!(leaving["metadata"]["deletionTimestamp"].is_string(), "{leaving}");
    assert_eq!(leaving["metadata"]["generation"], 2);
    apply(&ground.slos, "one", &ground.slo("finalized", "99")).await;
    is_gone(&ground.slos, "finalized").await;
}

pub(crate) async fn what_nobody_owns_any_more_is_collected(ground: &Ground) {
    let owner = apply(&ground.slos, "one", &ground.slo("owner", "99")).await;
    let mut child = ground.map("child", &json!({}));
    child["metadata"]["ownerReferences"] = json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": "owner",
        "uid": owner["metadata"]["uid"], "controller": true,
    }]);
    apply(&ground.maps, "one", &child).await;
    ground.slos.delete("owner", &DeleteParams::default()).await.expect("it may be deleted");
    is_gone(&ground.slos, "owner").await;
    is_gone(&ground.maps, "child").await;
    apply(&ground.maps, "one", &child).await;
    // What comes too late does not stay.
    is_gone(&ground.maps, "child").await;
}

pub(crate) async fn a_watch_tells_what_came_after_a_version(ground: &Ground) {
    let known = apply(&ground.maps, "one", &ground.map("watched", &json!({"a": "1"}))).await;
    let version = ground.maps.list(&ListParams::default()).await.expect("it should be listed");
    let version = version.metadata.resource_version.expect("a list has a version");
    apply(&ground.maps, "one", &ground.map("watched", &json!({"a": "2"}))).await;
    ground.maps.delete("watched", &DeleteParams::default()).await.expect("it may be deleted");
    apply(&ground.maps, "one", &ground.map("watched", &json!({"a": "3"}))).await;
    let only = WatchParams::default().fields("metadata.name=watched").timeout(20);
    let mut events = Box::pin(ground.maps.watch(&only, &version).await.expect("it should be watched"));
    let mut told: Vec<(&str, String)> = Vec::new();
    let mut newest = known["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
    while told.len() < 3 {
        let event = events.try_next().await.expect("the watch should go on").expect("there are three events");
        let (what, object) = match event {
            WatchEvent::Added(object) => ("added", object),
            WatchEvent::Modified(object) => ("modified", object),
            WatchEvent::Deleted(object) => ("deleted", object),
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(error) => panic!("{error:?}"),
        };
        let version: Option<u64> = object.resource_version().and_then(|text| text.parse().ok());
        assert!(version > newest, "each event has a newer version: {version:?} after {newest:?}");
        newest = version;
        told.push((what, json(&object)["data"]["a"].as_str().unwrap_or_default().to_owned()));
    }
    let expected = [("modified", "2"), ("deleted", "2"), ("added", "3")];
    assert_eq!(told, expected.map(|(what, data)| (what, data.to_owned())));
}

/// The first version must be forgotten; a real server never knew that of a kind that was defined later.
pub(crate) async fn a_watch_from_what_is_forgotten_is_refused(ground: &Ground) {
    apply(&ground.slos, "one", &ground.slo("forgotten", "99")).await;
    let watched = ground.slos.watch(&WatchParams::default().timeout(20), "1").await;
    let mut events = Box::pin(watched.expect("it is the first event that says so"));
    let first = events.try_next().await.expect("the watch should begin");
    assert!(matches!(&first, Some(WatchEvent::Error(error)) if error.code == 410), "{first:?}");
}

pub(crate) async fn a_bookmark_tells_how_far_a_watch_has_come(ground: &Ground) {
    let applied = apply(&ground.maps, "one", &ground.map("marked", &json!({}))).await;
    let version = applied["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    let parameters = WatchParams::default().fields("metadata.name=none").timeout(200);
    let mut events = Box::pin(ground.maps.watch(&parameters, version).await.expect("it should be watched"));
    let first = events.try_next().await.expect("the watch should go on");
    let Some(WatchEvent::Bookmark(bookmark)) = first else { panic!("a bookmark should come: {first:?}") };
    let number = |text: &str| text.parse::<u64>().expect("a version should be a number");
    assert!(number(&bookmark.metadata.resource_version) >= number(version));
}

pub(crate) async fn a_dry_run_leaves_nothing(ground: &Ground) {
    let map = ground.map("dry", &json!({"a": "1"}));
    let dry = PatchParams { dry_run: true, ..PatchParams::apply("one") };
    let answered = try_apply(&ground.maps, &dry, &map).await.expect("it should be answered");
    assert_eq!(answered["data"]["a"], "1");
    assert!(ground.maps.get_opt("dry").await.expect("the server should answer").is_none());
}

pub(crate) async fn an_answer_is_dated_by_the_clock_that_stamps_objects(ground: &Ground) {
    let made = apply(&ground.maps, "one", &ground.map("dated", &json!({}))).await;
    let made = made["metadata"]["creationTimestamp"].as_str().and_then(|time| time.parse().ok());
    let made: Timestamp = made.expect("an object should be stamped");
    let path = format!("/api/v1/namespaces/{}/configmaps/dated", ground.namespace);
    let request = http::Request::get(path).body(Body::empty()).expect("a request should be built");
    let answer = ground.maps.clone().into_client().send(request).await.expect("it should be answered");
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = httpdate::parse_http_date(date.unwrap_or_default()).expect("the answer should be dated");
    let late = Timestamp::try_from(date).expect("a date is a time").duration_since(made);
    assert!((0..60).contains(&late.as_secs()), "{late}");
}

/// Hands all promises to a macro that keeps them, after what else it takes: none is kept by one server only.
macro_rules! every_promise {
    ($keep:ident $(, $besides:ident)?) => {
        $keep! {
            $($besides,)?
            a_generation_counts_edits_of_the_spec,
            a_status_is_written_by_its_own_door,
            each_keeps_the_fields_that_it_applied,
            items_with_a_key_are_merged,
            what_has_changed_is_not_written_over_or_deleted,
            a_uid_names_the_object_that_is_meant,
            what_has_a_finalizer_waits_for_it,
            what_nobody_owns_any_more_is_collected,
            a_watch_tells_what_came_after_a_version,
            a_watch_from_what_is_forgotten_is_refused,
            a_bookmark_tells_how_far_a_watch_has_come,
            a_dry_run_leaves_nothing,
            an_answer_is_dated_by_the_clock_that_stamps_objects,
        }
    };
}
pub(crate) use every_promise;
