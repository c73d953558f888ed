//! A Prometheus that evaluates every rule at once and knows no agent: of each AgentSLO whose rules are in
//! force it has the info series, and no counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentslo::vocabulary::series;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, DATE};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Its time, which stands still: that of `DATE_OF_ANSWERS`.
const NOW: u32 = 1_767_225_600;
const DATE_OF_ANSWERS: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// The rule groups that are in force.
pub(crate) type Groups = Arc<dyn Fn() -> Vec<Value> + Send + Sync>;

/// A Prometheus that may be stopped and started.
pub(crate) struct FakePrometheus {
    address: SocketAddr,
    served: Served,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

#[derive(Clone)]
struct Served {
    groups: Groups,
    queries: Arc<AtomicUsize>,
}

impl FakePrometheus {
    /// Starts it on a free port.
    pub(crate) async fn start(groups: Groups) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let served = Served { groups, queries: Arc::default() };
        let mut prometheus = Self { address, served, running: None };
        prometheus.resume().await;
        prometheus
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Queries that were answered.
    pub(crate) fn queries(&self) -> usize {
        self.served.queries.load(Ordering::SeqCst)
    }

    /// From now on nobody listens on its port.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// Starts it again, on the same port.
    pub(crate) async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its port should be free");
        self.address = listener.local_addr().expect("a listener should have an address");
        let routes = axum::Router::new()
            .route("/api/v1/query", post(query))
            .route("/api/v1/rules", get(rules))
            .with_state(self.served.clone());
        self.running = Some(tokio::spawn(async move { axum::serve(listener, routes).await }));
    }
}

impl Drop for FakePrometheus {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

async fn query(State(served): State<Served>, query: String) -> impl IntoResponse {
    served.queries.fetch_add(1, Ordering::SeqCst);
    let data = if query.contains("__name__") {
        json!({"resultType": "matrix", "result": info_series(&(served.groups)())})
    } else {
        json!({"resultType": "vector", "result": []})
    };
    answer(&data)
}

async fn rules(State(served): State<Served>) -> impl IntoResponse {
    let groups: Vec<Value> =
        (served.groups)().iter().map(|group| json!({"name": group["name"], "rules": []})).collect();
    answer(&json!({"groups": groups}))
}

fn answer(data: &Value) -> impl IntoResponse + use<> {
    let body = json!({"status": "success", "data": data}).to_string();
    ([(CONTENT_TYPE, "application/json"), (DATE, DATE_OF_ANSWERS)], body)
}

fn info_series(groups: &[Value]) -> Vec<Value> {
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let infos = rules.filter(|rule| rule["record"] == series::INFO);
    infos
        .map(|rule| {
            let mut labels = rule["labels"].clone();
            labels["__name__"] = series::INFO.into();
            json!({"metric": labels, "values": [[NOW, "1"]]})
        })
        .collect()
}
