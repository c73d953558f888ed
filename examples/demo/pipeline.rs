//! The pipeline of the demo: the Collector with the configuration that the operator wrote, and a back end
//! that keeps what it last received.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use bed::{Bed, Collector, Configuration, Target, eventually};
use serde_json::{Value, json};

use crate::stage::Result;

/// Longest wait for what passes through the Collector.
const SOON: Duration = Duration::from_mins(1);

/// A log store that keeps the last tool call.
#[derive(Clone, Default)]
pub(crate) struct Store(Arc<Mutex<Option<Value>>>);

impl Store {
    /// Receives OTLP's JSON; returns where.
    pub(crate) async fn start() -> Result<(Self, String)> {
        let store = Self::default();
        let routes = Router::new().route("/v1/logs", post(receive)).with_state(store.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok((store, url))
    }

    /// The attributes of the last tool call, one to a line.
    pub(crate) async fn last_tool_call(&self) -> Result<Vec<String>> {
        let received = async || self.0.lock().ok()?.clone();
        let record = eventually(SOON, received).await.ok_or("nothing came through the Collector")?;
        let attributes = record["attributes"].as_array().into_iter().flatten();
        let line = |attribute: &Value| {
            let value = attribute["value"].as_object()?.values().next()?;
            Some(format!("{}: {value}", attribute["key"].as_str()?))
        };
        Ok(attributes.filter_map(line).collect())
    }
}

async fn receive(State(store): State<Store>, body: Bytes) -> axum::Json<Value> {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let scopes = |resource: &Value| resource["scopeLogs"].as_array().cloned().unwrap_or_default();
    let resources = request["resourceLogs"].as_array().into_iter().flatten();
    let mut records = resources
        .flat_map(scopes)
        .flat_map(|scope| scope["logRecords"].as_array().cloned().unwrap_or_default());
    let is_tool = |record: &Value| record["attributes"].to_string().contains("tool_result");
    if let (Some(record), Ok(mut last)) = (records.rfind(is_tool), store.0.lock()) {
        *last = Some(record);
    }
    axum::Json(json!({}))
}

/// The store as a back end, and a place for the Collector's queues.
pub(crate) fn platform(bed: &Bed, store: &str) -> Value {
    json!({
        "backends": [{"name": "store", "kind": "Otlp", "protocol": "Http", "address": store}],
        "collector": {"storageDirectory": bed.folder().join("queue")},
    })
}

/// Runs the Collector as a platform team would, on this machine's ports; returns where agents send.
pub(crate) async fn run(bed: &Bed, namespace: &str) -> Result<(Collector, String)> {
    let written = async || {
        let path = "jsonpath={.data.collector\\.yaml}";
        let text = bed.kubectl(&["get", "configmap", "support-collector", "-n", namespace, "-o", path]).await;
        text.ok().filter(|text| !text.is_empty())
    };
    let text = eventually(SOON, written).await.ok_or("the operator wrote no configuration")?;
    let (grpc, http, metrics) = (bed.port()?, bed.port()?, bed.port()?);
    let address = |port: u16| format!("127.0.0.1:{port}");
    let here = json!({
        "receivers": {"otlp": {"protocols": {
            "grpc": {"endpoint": address(grpc)}, "http": {"endpoint": address(http)},
        }}},
        "exporters": {
            "prometheus": {"endpoint": address(metrics)},
            "otlp_http/store": {"encoding": "json", "compression": "none"},
        },
    });
    let collector = Collector::start(bed, &Configuration::new("support", &text).over(here)).await?;
    bed.scrape(&Target::new("support-collector", metrics).label("namespace", namespace))?;
    Ok((collector, format!("http://{}", address(http))))
}
