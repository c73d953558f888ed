//! A receiver of OTLP over HTTP, as protobuf: it keeps what agents send.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// What has come so far.
#[derive(Clone, Default)]
pub(super) struct Received {
    pub(super) spans: Vec<Span>,
    pub(super) records: Vec<LogRecord>,
    /// The bodies as they came, for what nobody looks for in the fields.
    pub(super) bodies: Vec<u8>,
}

/// A sink; it ends with the runtime it was started on.
#[derive(Clone, Default)]
pub(super) struct Sink(Arc<Mutex<Received>>);

impl Sink {
    /// Starts it, and says its base URL.
    pub(super) async fn start() -> (Self, String) {
        let sink = Self::default();
        let routes = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/logs", post(logs))
            .with_state(sink.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port should be free");
        let address = listener.local_addr().expect("a listener should have an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (sink, format!("http://{address}"))
    }

    /// What has come so far.
    pub(super) fn received(&self) -> Received {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, body: &Bytes, into: impl FnOnce(&mut Received)) {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        received.bodies.extend_from_slice(body);
        into(&mut received);
    }
}

async fn traces(State(sink): State<Sink>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body.clone()).expect("traces should decode");
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    sink.keep(&body, |received| received.spans.extend(scopes.flat_map(|scope| scope.spans)));
}

async fn logs(State(sink): State<Sink>, body: Bytes) {
    let request = ExportLogsServiceRequest::decode(body.clone()).expect("logs should decode");
    let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
    sink.keep(&body, |received| received.records.extend(scopes.flat_map(|scope| scope.log_records)));
}
