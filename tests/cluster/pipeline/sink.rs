//! A back end that keeps every byte: OTLP over HTTP, as JSON.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use serde_json::Value;
use tokio::net::TcpListener;

/// What arrived so far.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    requests: Arc<Mutex<Vec<Arrived>>>,
    address: String,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Sink {
    /// Listens on a free port.
    pub(crate) async fn start() -> Self {
        Self::on("127.0.0.1:0").await
    }

    /// Listens on an address; ends with the test's runtime.
    pub(crate) async fn on(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("the address should be free");
        let address = listener.local_addr().expect("a listener should have an address").to_string();
        let sink = Self { address, ..Self::default() };
        let router = Router::new().fallback(take).with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        sink
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Arrived> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything as one text, headers too.
    pub(crate) fn text(&self) -> String {
        let requests = self.requests().into_iter();
        let texts: Vec<String> = requests.flat_map(|it| [it.path, it.headers, it.body]).collect();
        texts.join("\n")
    }

    /// Every log record, with the attributes of its resource under `resource`.
    pub(crate) fn logs(&self) -> Vec<Value> {
        self.items("/v1/logs", ["resourceLogs", "scopeLogs", "logRecords"])
    }

    /// Every span, in the same form.
    pub(crate) fn spans(&self) -> Vec<Value> {
        self.items("/v1/traces", ["resourceSpans", "scopeSpans", "spans"])
    }

    fn items(&self, path: &str, [resources, scopes, items]: [&str; 3]) -> Vec<Value> {
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let mut found = Vec::new();
        for request in self.requests().iter().filter(|request| request.path == path) {
            let body: Value = serde_json::from_str(&request.body).expect("the Collector should send JSON");
            for of_resource in list(&body, resources) {
                for of_scope in list(&of_resource, scopes) {
                    found.extend(list(&of_scope, items).into_iter().map(|mut item| {
                        item["resource"] = of_resource["resource"]["attributes"].clone();
                        item
                    }));
                }
            }
        }
        found
    }
}

async fn take(State(sink): State<Sink>, request: Request) -> &'static str {
    let path = request.uri().path().to_owned();
    let headers = format!("{:?}", request.headers());
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.expect("a body should arrive");
    let body = String::from_utf8_lossy(&body).into_owned();
    sink.requests.lock().unwrap_or_else(PoisonError::into_inner).push(Arrived { path, headers, body });
    "{}"
}

/// The attribute of an item, as OTLP's JSON has it: `{"stringValue": …}`.
pub(crate) fn attribute<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    let attributes = item["attributes"].as_array()?;
    attributes.iter().find(|attribute| attribute["key"] == key).map(|attribute| &attribute["value"])
}
