//! `/livez`, `/readyz` and `/metrics`.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::metrics::Metrics;

/// What people and probes ask of a sink.
pub(super) fn routes(metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(expose))
        .with_state(metrics)
}

/// A sink that cannot commit says so, and a Service sends nobody there.
async fn readyz(State(metrics): State<Metrics>) -> impl IntoResponse {
    if metrics.is_connected() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database takes nothing")
    }
}

async fn expose(State(metrics): State<Metrics>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], metrics.encode())
}
