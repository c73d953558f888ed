//! `/livez`, `/readyz` and `/metrics` of whatever runs until it is told to stop.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// What probes and Prometheus ask for.
pub(crate) trait Status: Clone + Send + Sync + 'static {
    /// Why nobody should be sent here, where nobody should.
    fn unready(&self) -> Option<&'static str>;

    /// All metrics.
    fn registry(&self) -> &Registry;
}

/// The three paths.
pub(crate) fn routes<S: Status>(status: S) -> Router {
    Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(readyz::<S>))
        .route("/metrics", get(expose::<S>))
        .with_state(status)
}

async fn readyz<S: Status>(State(status): State<S>) -> impl IntoResponse {
    status.unready().map_or((StatusCode::OK, "ok"), |why| (StatusCode::SERVICE_UNAVAILABLE, why))
}

async fn expose<S: Status>(State(status): State<S>) -> impl IntoResponse {
    let mut text = String::new();
    encode(&mut text, status.registry()).expect("writing to a string should not fail");
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
