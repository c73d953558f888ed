//! A Kubernetes API server with its state in memory: get, list, watch, server-side apply, status, create,
//! merge, delete with what the object owns, discovery, and faults on demand. It checks no schema; that is
//! the business of the tests on real servers. Every request is one line of a log.

mod call;
mod faults;
mod fields;
mod place;
mod store;
mod watches;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use axum::body::Body;
use axum::http::Response;
use kube::Client;
use kube::client::Body as RequestBody;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::BoxError;

use self::call::{Call, Deed};
pub(crate) use self::faults::Moment;
use self::faults::{Fault, Faults};
use self::fields::Wish;
use self::place::{KINDS, Place};
use self::store::{Answer, Part, Selection, Store, failure, missing};
use crate::scenarios::Request;

/// Who the operator is to the API server.
pub(crate) const OPERATOR: &str = "operator";

/// The API server; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct ApiServer {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    store: Store,
    /// Plurals of the kinds that are not installed.
    missing: BTreeSet<String>,
    faults: Faults,
    log: Vec<Logged>,
}

/// A line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) request: Request,
}

impl Default for ApiServer {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiServer {
    /// Knows every kind and holds no object.
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), changed: watch::channel(()).0 }
    }

    /// A client of a user.
    pub(crate) fn client(&self, user: &'static str) -> Client {
        let server = self.clone();
        let answer = move |request| {
            let server = server.clone();
            async move { server.answer(user, request).await }
        };
        Client::new(tower::service_fn(answer), "default")
    }

    pub(crate) fn uninstall(&self, plural: &str) {
        self.state().missing.insert(plural.to_owned());
    }

    pub(crate) fn install(&self, plural: &str) {
        self.state().missing.remove(plural);
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    /// Answers the next request of this kind with an error.
    pub(crate) fn fail_once(&self, verb: &str, path: &str, code: u16) {
        self.state().faults.fail_once(verb, path, code);
    }

    pub(crate) fn forbid(&self, verb: &str, resource: &str) {
        self.state().faults.forbid(verb, resource);
    }

    pub(crate) fn permit(&self, verb: &str, resource: &str) {
        self.state().faults.permit(verb, resource);
    }

    /// Breaks the operator's connection at a write, counted from one; the receiver learns of it.
    pub(crate) fn cut(&self, write: usize, moment: Moment) -> watch::Receiver<bool> {
        self.state().faults.cut(OPERATOR, write, moment)
    }

    /// Lets the operator connect again.
    pub(crate) fn mend(&self) {
        self.state().faults.mend();
    }

    /// Applies an object by force, without a request.
    pub(crate) fn apply_now(&self, owner: &str, object: &Value) -> Value {
        let place = Place::of(object).expect("the kind should be known");
        let wish = Wish { owner, fields: object, forced: true };
        let (code, applied) = self.state().store.apply(&place, Part::Main, wish);
        assert_eq!(code, 200, "{applied}");
        applied
    }

    /// Deletes an object, without a request.
    pub(crate) fn delete_now(&self, object: &Value) {
        let place = Place::of(object).expect("the kind should be known");
        let (code, answer) = self.state().store.delete(&place, &Value::Null);
        assert_eq!(code, 200, "{answer}");
    }

    /// Every object of a kind.
    pub(crate) fn all(&self, group_version: &str, plural: &str) -> Vec<Value> {
        let (group_version, plural) = (group_version.to_owned(), plural.to_owned());
        let collection = Place { group_version, plural, ..Place::default() };
        self.state().store.list(&Selection { collection, labels: Vec::new() })
    }

    /// Every object.
    pub(crate) fn everything(&self) -> Vec<Value> {
        self.state().store.everything()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test should panic while it holds the state")
    }

    /// Answers a request of a user.
    pub(crate) async fn answer(
        &self,
        user: &'static str,
        request: axum::http::Request<RequestBody>,
    ) -> Result<Response<Body>, BoxError> {
        let call = Call::read(request).await?;
        let mut state = self.state();
        let request = call.request(user);
        let fault = state.faults.strike(&request, &call.path);
        let answer = match fault {
            Some(Fault::Broken(Moment::Before)) => (0, Value::Null),
            Some(Fault::Refused(code)) => failure(code, "a fault of the test"),
            Some(Fault::Broken(Moment::After)) | None => state.carry_out(&call),
        };
        let request = Request { code: answer.0, ..request };
        state.log.push(Logged { at: Instant::now(), path: call.path.clone(), request });
        drop(state);
        self.changed.send_replace(());
        match (fault, &call.deed) {
            (Some(Fault::Broken(_)), _) => Err("the connection broke".into()),
            (None, Deed::Watch { selection, since }) if answer.0 == 200 => {
                Ok(self.watch(selection.clone(), *since, call.form))
            }
            _ => Ok(Response::builder()
                .status(answer.0)
                .body(Body::from(call.form.shape(answer.1).to_string()))?),
        }
    }
}

impl State {
    fn carry_out(&mut self, call: &Call) -> Answer {
        let place = &call.place;
        if place.plural.is_empty() {
            return self.discover(&place.group_version);
        }
        if place.kind().is_none() || self.missing.contains(&place.plural) {
            return missing(place);
        }
        match &call.deed {
            Deed::Get => self.store.get(place),
            Deed::List { selection } => (200, self.list(selection)),
            Deed::Watch { .. } => (200, Value::Null),
            Deed::Create => self.store.create(place, call.body.clone()),
            Deed::Merge => self.store.merge(place, &call.body),
            Deed::Mangled => failure(400, "yaml: control characters are not allowed"),
            Deed::Delete => self.store.delete(place, &call.body["preconditions"]),
            Deed::Apply { part, owner, forced } => {
                let wish = Wish { owner, fields: &call.body, forced: *forced };
                self.store.apply(place, *part, wish)
            }
        }
    }

    fn list(&self, selection: &Selection) -> Value {
        json!({
            "kind": "List",
            "apiVersion": selection.collection.group_version,
            "metadata": {"resourceVersion": self.store.version().to_string()},
            "items": self.store.list(selection),
        })
    }

    fn discover(&self, group_version: &str) -> Answer {
        let served = KINDS
            .iter()
            .filter(|kind| kind.group_version == group_version && !self.missing.contains(kind.plural));
        let resources: Vec<Value> = served
            .map(|kind| {
                json!({"name": kind.plural, "singularName": "", "kind": kind.name, "namespaced": true, "verbs": []})
            })
            .collect();
        if resources.is_empty() {
            return failure(404, "the server could not find the requested resource");
        }
        let list = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources});
        (200, list)
    }
}
