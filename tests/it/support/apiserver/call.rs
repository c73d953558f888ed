//! One request, read: what is to be done to which object.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use kube::client::Body;
use serde_json::{Value, json};
use tower::BoxError;

use super::place::Place;
use super::store::{Part, Selection};
use crate::scenarios::Request;

/// Seconds after which a watch ends if nobody says otherwise.
const LONGEST_WATCH: u64 = 1800;

/// A request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) place: Place,
    subresource: String,
    pub(super) deed: Deed,
    pub(super) body: Value,
    pub(super) form: Form,
    /// Whether only the answer is wanted.
    pub(super) is_dry: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Deed {
    Get,
    List {
        selection: Selection,
    },
    Watch {
        selection: Selection,
        since: usize,
        pace: Pace,
    },
    Create,
    Replace,
    Merge,
    Apply {
        part: Part,
        owner: String,
        forced: bool,
    },
    /// An apply of text that would not arrive as it was sent.
    Mangled,
    Delete,
}

const APPLY: &str = "application/apply-patch+yaml";

/// Whether an API server, which reads an apply as YAML 1.1, refuses a character or folds it like a line break.
fn is_not_kept_by_yaml(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// How long a watch goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) lasts: Duration,
    /// Whether it is told how far it has come when nothing happens.
    pub(super) has_bookmarks: bool,
}

/// How much of an object is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Whole,
    Metadata,
}

impl Form {
    /// An object or a list of them in this form.
    pub(super) fn shape(self, mut object: Value) -> Value {
        if self == Self::Whole || object["kind"] == "Status" {
            return object;
        }
        if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
            for item in items.iter_mut() {
                *item = self.shape(item.take());
            }
            return object;
        }
        json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": object["metadata"],
        })
    }
}

type Query = BTreeMap<String, String>;

impl Call {
    pub(super) async fn read(request: axum::http::Request<Body>) -> Result<Self, BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        let is_apply = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == APPLY);
        let is_mangled = is_apply && std::str::from_utf8(&body)?.contains(is_not_kept_by_yaml);
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        let url = reqwest::Url::parse("http://localhost")?.join(&head.uri.to_string())?;
        let query: Query = url.query_pairs().into_owned().collect();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (mut place, subresource) = Place::parse(url.path()).ok_or("no such path")?;
        if head.method == Method::POST {
            body["metadata"]["name"].as_str().unwrap_or_default().clone_into(&mut place.name);
        }
        let part = if subresource == "status" { Part::Status } else { Part::Main };
        let deed = match head.method {
            Method::GET => look(&place, &query),
            Method::POST => Deed::Create,
            Method::PUT => Deed::Replace,
            Method::DELETE => Deed::Delete,
            Method::PATCH if is_mangled => Deed::Mangled,
            Method::PATCH if is_apply => apply(part, &query),
            Method::PATCH => Deed::Merge,
            other => return Err(format!("no test needs {other}").into()),
        };
        let form =
            if header(ACCEPT).contains("as=PartialObjectMetadata") { Form::Metadata } else { Form::Whole };
        let is_dry = query.get("dryRun").is_some_and(|which| which == "All");
        Ok(Self { path: url.path().to_owned(), place, subresource, deed, body, form, is_dry })
    }

    /// The request as it is logged, but for the answer.
    pub(super) fn request(&self, user: &str) -> Request {
        let verb = match self.deed {
            Deed::Get => "get",
            Deed::List { .. } => "list",
            Deed::Watch { .. } => "watch",
            Deed::Create => "create",
            Deed::Replace => "update",
            Deed::Merge | Deed::Apply { .. } | Deed::Mangled => "patch",
            Deed::Delete => "delete",
        };
        let resource = match self.subresource.as_str() {
            "" => self.place.plural.clone(),
            subresource => format!("{}/{subresource}", self.place.plural),
        };
        Request {
            user: user.to_owned(),
            verb: verb.to_owned(),
            resource,
            namespace: self.place.namespace.clone(),
            name: self.place.name.clone(),
            code: 0,
        }
    }
}

fn look(place: &Place, query: &Query) -> Deed {
    if place.plural.is_empty() || !place.name.is_empty() {
        return Deed::Get;
    }
    let text = |name: &str| query.get(name).map_or("", String::as_str);
    let labels = text("labelSelector").split(',').filter_map(|label| label.split_once('='));
    let selection = Selection {
        collection: place.clone(),
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        name: text("fieldSelector").strip_prefix("metadata.name=").map(str::to_owned),
    };
    let pace = Pace {
        lasts: Duration::from_secs(text("timeoutSeconds").parse().unwrap_or(LONGEST_WATCH)),
        has_bookmarks: text("allowWatchBookmarks") == "true",
    };
    match text("watch") {
        "true" => Deed::Watch { selection, since: text("resourceVersion").parse().unwrap_or_default(), pace },
        _ => Deed::List { selection },
    }
}

fn apply(part: Part, query: &Query) -> Deed {
    let text = |name: &str| query.get(name).cloned().unwrap_or_default();
    Deed::Apply { part, owner: text("fieldManager"), forced: text("force") == "true" }
}
