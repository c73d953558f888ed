//! A Prometheus that is not one, or is somebody's trap: it redirects, never ends, unpacks to far more than it
//! sends, or says in its errors what a tenant must not see.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentslo::api::v1alpha1::PrometheusEndpoint;
use agentslo::prometheus::{Connection, QueryError, Secrets};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_ENCODING, LOCATION};
use axum::http::{Response, StatusCode};
use axum::routing::any;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::scenarios::{self, Cluster};
use crate::support::FakeCluster;

/// What nobody may find anywhere.
const CANARY: &str = "canary-7f3a";
/// More than is ever taken of one answer.
const FAR_TOO_MUCH: usize = 64 * 1024 * 1024;

struct Trap {
    address: SocketAddr,
    /// Requests that went where a redirect leads.
    followed: Arc<AtomicUsize>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Trap {
    async fn start() -> Self {
        let followed = Arc::new(AtomicUsize::new(0));
        let routes = Router::new()
            .route("/elsewhere", any(elsewhere))
            .route("/{kind}/api/v1/{*rest}", any(answer))
            .with_state(followed.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
        let address = listener.local_addr().expect("a listener should have an address");
        let running = tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, followed, running }
    }

    fn url(&self, kind: &str) -> String {
        format!("http://{}/{kind}", self.address)
    }

    /// What comes of a query.
    async fn error(&self, kind: &str) -> QueryError {
        // Another test may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = PrometheusEndpoint { address: self.url(kind), ..PrometheusEndpoint::default() };
        let secrets = Secrets { token: Some("secret".to_owned()), ..Secrets::default() };
        let connection = Connection::open(&endpoint, &secrets).expect("the address should be right");
        connection.query("up").await.expect_err(kind)
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn elsewhere(State(followed): State<Arc<AtomicUsize>>) -> &'static str {
    followed.fetch_add(1, Ordering::SeqCst);
    r#"{"status": "success", "data": {"resultType": "vector", "result": []}}"#
}

async fn answer(Path((kind, _)): Path<(String, String)>) -> Response<Body> {
    let plain = |code: u16, body: Value| {
        let status = StatusCode::from_u16(code).expect("it should be a status");
        Response::builder().status(status).body(Body::from(body.to_string())).expect("it should be an answer")
    };
    let refusal = |kind: &str| json!({"status": "error", "errorType": kind, "error": CANARY});
    match kind.as_str() {
        "moved" => Response::builder().status(307).header(LOCATION, "/elsewhere").body(Body::empty()),
        "endless" => {
            let chunk = Bytes::from(vec![b' '; 1 << 20]);
            let chunks = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
            Response::builder().body(Body::from_stream(chunks))
        }
        "packed" => Response::builder().header(CONTENT_ENCODING, "gzip").body(Body::from(packed())),
        "page" => Response::builder().body(Body::from(format!("<html>{CANARY}</html>"))),
        "wrong" => Ok(plain(400, refusal("bad_data"))),
        "unknown" => Ok(plain(422, refusal(CANARY))),
        "broken" => Ok(plain(500, refusal("internal"))),
        _ => Ok(plain(200, json!({"status": CANARY}))),
    }
    .expect("it should be an answer")
}

fn packed() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..FAR_TOO_MUCH / spaces.len() {
        encoder.write_all(&spaces).expect("memory should take it");
    }
    encoder.finish().expect("memory should take it")
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let trap = Trap::start().await;
    assert_eq!(trap.error("moved").await, QueryError::Status(307));
    assert_eq!(trap.followed.load(Ordering::SeqCst), 0, "neither the query nor the token goes elsewhere");
}

#[tokio::test]
async fn an_answer_is_read_up_to_a_limit_however_it_comes() {
    let trap = Trap::start().await;
    for kind in ["endless", "packed"] {
        assert!(matches!(trap.error(kind).await, QueryError::TooLarge(_)), "{kind}");
    }
}

#[tokio::test]
async fn no_error_repeats_what_a_server_said() {
    let trap = Trap::start().await;
    for (kind, expected) in [
        ("page", QueryError::NotPrometheus),
        ("wrong", QueryError::Refused("bad_data".to_owned())),
        ("unknown", QueryError::Status(422)),
        ("broken", QueryError::Status(500)),
        ("odd", QueryError::NotPrometheus),
    ] {
        let error = trap.error(kind).await;
        assert_eq!(error, expected, "{kind}");
        assert!(!format!("{error} {error:?}").contains(CANARY), "{kind}: {error:?}");
    }
}

/// Statuses, Events and children are what a tenant reads.
#[tokio::test]
async fn nothing_in_the_cluster_repeats_what_a_server_said() {
    let trap = Trap::start().await;
    let cluster = FakeCluster::start().await;
    scenarios::given_slo(&cluster, "team-a", "one").await;
    for (kind, reason) in [("wrong", "QueryRejected"), ("page", "QueryFailed"), ("unknown", "QueryFailed")] {
        let platform = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform", "metadata": {"name": "default"},
            "spec": {"prometheus": {"address": trap.url(kind)}},
        });
        cluster.apply(&platform).await;
        cluster.wait_for("team-a", "one", ("DataAvailable", "Unknown", reason)).await;
        let everything = format!("{:?}", cluster.everything().await);
        assert!(!everything.contains(CANARY), "{kind}");
    }
}
