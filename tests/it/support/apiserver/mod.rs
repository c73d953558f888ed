//! A Kubernetes API server with its state in memory: get, list, watch, server-side apply, status, create,
//! merge, delete with what the object owns, discovery, and faults on demand or at random. It checks no
//! schema; that is the business of the tests on real servers. Every request is one line of a log.

mod call;
mod clock;
mod faults;
mod fields;
mod place;
mod store;
mod watches;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{DATE, RETRY_AFTER};
use kube::Client;
use kube::client::Body as RequestBody;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::BoxError;

use self::call::{Call, Deed, Form};
use self::clock::Clock;
pub(crate) use self::faults::{Ending, Moment};
use self::faults::{Fault, Faults};
use self::fields::Wish;
use self::place::{KINDS, Place};
use self::store::{Answer, Part, Selection, Store, failure, missing};
use self::watches::Watch;
use self::weather::Weather;
use crate::scenarios::Request;

/// Who the operator is to the API server.
pub(crate) const OPERATOR: &str = "operator";

/// Who operators are where there is more than one.
pub(crate) const OPERATORS: [&str; 2] = [OPERATOR, "second operator"];

/// The API server; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct ApiServer {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    clock: Clock,
    store: Store,
    /// Plurals of the kinds that are not installed.
    missing: BTreeSet<String>,
    faults: Faults,
    /// Users who are kept waiting, and until when.
    held: BTreeMap<&'static str, tokio::time::Instant>,
    /// Plurals of which nobody sees anything newer than a version.
    frozen: BTreeMap<String, usize>,
    /// How the watches of a kind end that began before a moment of the log.
    ended: BTreeMap<String, (u64, Ending)>,
    watches: u64,
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

    /// Sets the clock by which answers are dated.
    pub(crate) fn set_clock(&self, time: &str) {
        self.state().clock = Clock::set(time);
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

    /// From now on requests of operators go wrong at random, or no longer.
    pub(crate) fn set_weather(&self, seed: Option<u64>) {
        self.state().faults.weather = seed.map(Weather::new);
    }

    /// Nothing that a user asks for is answered for a while, and no watch tells it anything.
    pub(crate) fn hold(&self, user: &'static str, duration: Duration) {
        self.state().held.insert(user, tokio::time::Instant::now() + duration);
    }

    /// From now on nobody sees what changes in a kind after a version: lists of all and watches are that far
    /// behind.
    pub(crate) fn freeze(&self, plural: &str, version: usize) {
        self.state().frozen.insert(plural.to_owned(), version);
    }

    /// Everybody sees everything again.
    pub(crate) fn thaw(&self) {
        self.state().frozen.clear();
        self.changed.send_replace(());
    }

    /// Ends the watches of a kind that are under way.
    pub(crate) fn end_watches(&self, plural: &str, ending: Ending) {
        let mut state = self.state();
        let until = state.watches;
        state.ended.insert(plural.to_owned(), (until, ending));
        drop(state);
        self.changed.send_replace(());
    }

    /// How many changes there were.
    pub(crate) fn version(&self) -> usize {
        self.state().store.version()
    }

    /// Every object of every kind at a version.
    pub(crate) fn everything_at(&self, version: usize) -> Vec<Value> {
        let state = self.state();
        let of_kind = |kind: &place::Kind| {
            let (group_version, plural) = (kind.group_version.to_owned(), kind.plural.to_owned());
            let collection = Place { group_version, plural, ..Place::default() };
            state.store.list(&Selection { collection, labels: Vec::new(), name: None }, version)
        };
        KINDS.iter().flat_map(of_kind).collect()
    }

    /// From now on the garbage collector waits to be told to work, or no longer.
    pub(crate) fn set_littered(&self, is_littered: bool) {
        self.state().store.is_littered = is_littered;
    }

    /// Lets the garbage collector work.
    pub(crate) fn collect_garbage(&self) {
        self.state().store.collect_garbage();
        self.changed.send_replace(());
    }

    /// Forgets every change so far: watches can begin only from now on.
    pub(crate) fn compact(&self) {
        self.state().store.compact(0);
        self.changed.send_replace(());
    }

    /// Forgets all but about so many changes from now on, so that it does not outgrow the machine.
    #[allow(dead_code, reason = "only the benchmark has so many objects")]
    pub(crate) fn remember(&self, changes: usize) {
        self.state().store.memory = Some(changes);
    }

    /// Takes a kind away. Its objects go with it, as those of a CustomResourceDefinition do.
    pub(crate) fn uninstall(&self, plural: &str) {
        let mut state = self.state();
        state.missing.insert(plural.to_owned());
        state.store.remove_kind(plural);
        drop(state);
        self.changed.send_replace(());
    }

    pub(crate) fn install(&self, plural: &str) {
        self.state().missing.remove(plural);
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Logged> {
        self.log_since(0)
    }

    /// Every request after the first ones.
    pub(crate) fn log_since(&self, start: usize) -> Vec<Logged> {
        self.state().log[start..].to_vec()
    }

    /// How many requests there were so far.
    pub(crate) fn logged(&self) -> usize {
        self.state().log.len()
    }

    /// Answers the next request of this kind with an error.
    pub(crate) fn fail_once(&self, verb: &str, path: &str, code: u16) {
        self.state().faults.befall_once(verb, path, Fault::Refused(code));
    }

    /// Carries out the next request of this kind, and keeps the answer back for a while.
    pub(crate) fn delay_once(&self, verb: &str, path: &str, pause: Duration) {
        self.state().faults.befall_once(verb, path, Fault::Late(Moment::After, pause));
    }

    /// Has whoever asks for this next panic.
    pub(crate) fn panic_once(&self, verb: &str, path: &str) {
        self.state().faults.befall_once(verb, path, Fault::Panic);
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
        self.changed.send_replace(());
        applied
    }

    /// Changes an object as somebody who knows nothing of apply, without a request.
    pub(crate) fn edit_now(&self, object: &Value, patch: &Value) {
        let place = Place::of(object).expect("the kind should be known");
        let (code, answer) = self.state().store.merge(&place, patch);
        assert_eq!(code, 200, "{answer}");
        self.changed.send_replace(());
    }

    /// Deletes an object, without a request.
    pub(crate) fn delete_now(&self, object: &Value) {
        let place = Place::of(object).expect("the kind should be known");
        let (code, answer) = self.state().store.delete(&place, &Value::Null);
        assert_eq!(code, 200, "{answer}");
        self.changed.send_replace(());
    }

    /// Every object of a kind.
    pub(crate) fn all(&self, group_version: &str, plural: &str) -> Vec<Value> {
        let (group_version, plural) = (group_version.to_owned(), plural.to_owned());
        let collection = Place { group_version, plural, ..Place::default() };
        let state = self.state();
        let selection = Selection { collection, labels: Vec::new(), name: None };
        state.store.list(&selection, state.store.version())
    }

    /// Every object.
    pub(crate) fn everything(&self) -> Vec<Value> {
        self.everything_at(self.version())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test should panic while it holds the state")
    }

    /// Waits for as long as a user is held.
    async fn let_pass(&self, user: &str) {
        loop {
            let until = self.state().held.get(user).copied();
            match until.filter(|until| *until > tokio::time::Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }

    /// Answers a request of a user.
    pub(crate) async fn answer(
        &self,
        user: &'static str,
        request: axum::http::Request<RequestBody>,
    ) -> Result<Response<Body>, BoxError> {
        let call = Call::read(request).await?;
        self.let_pass(user).await;
        let request = call.request(user);
        let fault = self.state().faults.strike(&request, &call.path);
        if let Some(Fault::Late(Moment::Before, pause)) = fault {
            tokio::time::sleep(pause).await;
        }
        let (answer, date, is_news) = {
            let mut state = self.state();
            let before = state.store.version();
            let answer = state.suffer(&call, fault);
            (answer, state.clock.date(), state.store.version() != before)
        };
        let request = Request { code: answer.0, ..request };
        self.state().log.push(Logged { at: Instant::now(), path: call.path.clone(), request });
        if is_news {
            self.changed.send_replace(());
        }
        if let Some(Fault::Late(Moment::After, pause)) = fault {
            tokio::time::sleep(pause).await;
        }
        self.let_pass(user).await;
        let mut response = match (fault, call.deed) {
            (Some(Fault::Broken(_)), _) => return Err("the connection broke".into()),
            (Some(Fault::Panic), _) => panic!("a fault of the test"),
            (fault, Deed::Watch { selection, since, mut pace }) if answer.0 == 200 => {
                let mut ending = Ending::Closed;
                if let Some(Fault::Ends(how, after)) = fault {
                    (ending, pace.lasts) = (how, after);
                }
                self.watch(Watch { user, selection, since, form: call.form, pace, ending })
            }
            _ => response(answer, call.form)?,
        };
        response.headers_mut().insert(DATE, date.parse()?);
        Ok(response)
    }
}

fn response((code, body): Answer, form: Form) -> Result<Response<Body>, BoxError> {
    let mut response = Response::builder().status(code);
    if code == 429 {
        response = response.header(RETRY_AFTER, "1");
    }
    Ok(response.body(Body::from(form.shape(body).to_string()))?)
}

impl State {
    /// Carries out a request as far as the fault that befalls it lets it.
    fn suffer(&mut self, call: &Call, fault: Option<Fault>) -> Answer {
        match fault {
            Some(Fault::Broken(Moment::Before) | Fault::Panic) => (0, Value::Null),
            Some(Fault::Refused(code)) => failure(code, "a fault of the test"),
            Some(Fault::Behind(changes)) => {
                let version = self.store.version().saturating_sub(changes);
                self.carry_out(call, version)
            }
            Some(Fault::Broken(Moment::After) | Fault::Late(..) | Fault::Ends(..)) | None => {
                self.carry_out(call, self.store.version())
            }
        }
    }

    /// Carries out a request; what it reads is as it was at a version.
    fn carry_out(&mut self, call: &Call, version: usize) -> Answer {
        let before = call.is_dry.then(|| self.store.clone());
        let answer = self.do_what_is_asked(call, version);
        self.store = before.unwrap_or_else(|| std::mem::take(&mut self.store));
        answer
    }

    fn do_what_is_asked(&mut self, call: &Call, version: usize) -> Answer {
        let place = &call.place;
        if place.plural.is_empty() {
            return self.discover(&place.group_version);
        }
        if place.kind().is_none() || self.missing.contains(&place.plural) {
            return missing(place);
        }
        match &call.deed {
            Deed::Get => self.store.get(place, version),
            // One object is read where it is stored, and not from what a replica has heard of.
            Deed::List { selection } if selection.name.is_some() => (200, self.list(selection, version)),
            Deed::List { selection } => (200, self.list(selection, self.visible(&place.plural, version))),
            Deed::Watch { .. } => (200, Value::Null),
            Deed::Create => self.store.create(place, call.body.clone()),
            Deed::Replace => self.store.replace(place, call.body.clone()),
            Deed::Merge => self.store.merge(place, &call.body),
            Deed::Mangled => failure(400, "yaml: control characters are not allowed"),
            Deed::Delete => self.store.delete(place, &call.body["preconditions"]),
            Deed::Apply { part, owner, forced } => {
                let wish = Wish { owner, fields: &call.body, forced: *forced };
                self.store.apply(place, *part, wish)
            }
        }
    }

    /// The newest version of a kind that anybody sees.
    fn visible(&self, plural: &str, version: usize) -> usize {
        self.frozen.get(plural).map_or(version, |frozen| version.min(*frozen))
    }

    fn list(&self, selection: &Selection, version: usize) -> Value {
        json!({
            "kind": "List",
            "apiVersion": selection.collection.group_version,
            "metadata": {"resourceVersion": version.to_string()},
            "items": self.store.list(selection, version),
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
