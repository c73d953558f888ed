//! `/livez`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What the probes look at.
#[derive(Clone)]
pub struct Probes {
    /// Whether everything was seen.
    pub readiness: Readiness,
    /// Whether the operator still does what it is there for.
    pub is_alive: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Whether the operator has seen every object that it decides about.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on the operator is ready.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Served {
    metrics: Metrics,
    probes: Probes,
}

/// Serves until the future is dropped.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn serve(address: SocketAddr, metrics: Metrics, probes: Probes) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let routes = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(expose))
        .with_state(Served { metrics, probes });
    axum::serve(listener, routes).await
}

async fn livez(State(served): State<Served>) -> impl IntoResponse {
    if (served.probes.is_alive)() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "nobody has seen to the Lease for a minute")
    }
}

async fn readyz(State(served): State<Served>) -> impl IntoResponse {
    if served.probes.readiness.is_set() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "waiting for the first lists of the API server")
    }
}

async fn expose(State(served): State<Served>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], served.metrics.encode())
}
