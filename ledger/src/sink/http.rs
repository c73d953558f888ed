//! OTLP over HTTP: `POST /v1/logs` with a body in protobuf or JSON. What is answered with 503 is to be sent again.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use prost::Message;
use tower_http::decompression::RequestDecompressionLayer;

use super::queue::Queue;
use super::serve::LARGEST_REQUEST;
use crate::intake::{self, Intake, Policy};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// Seconds after which whoever found no place may come back.
const LATER: &str = "5";

/// What a request needs.
#[derive(Clone)]
struct Sink {
    queue: Queue,
    policy: Arc<Policy>,
}

/// The paths of OTLP.
pub(super) fn routes(queue: Queue, policy: Arc<Policy>) -> Router {
    Router::new()
        .route("/v1/logs", post(logs))
        .layer((RequestDecompressionLayer::new(), DefaultBodyLimit::max(LARGEST_REQUEST)))
        .with_state(Sink { queue, policy })
}

async fn logs(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = if content_type.starts_with(JSON) { JSON } else { PROTOBUF };
    let request = match parse(format, &body) {
        Ok(request) => request,
        Err(why) => return (StatusCode::BAD_REQUEST, why).into_response(),
    };
    let intake = intake::logs(&request, &sink.policy, now());
    let answer = answer(&intake);
    match sink.queue.enter(intake.received).await {
        Ok(()) => ([(CONTENT_TYPE, format)], encoded(format, &answer)).into_response(),
        Err(busy) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, LATER)], busy.to_string()).into_response()
        }
    }
}

fn parse(format: &str, body: &[u8]) -> Result<ExportLogsServiceRequest, String> {
    if format == JSON {
        return serde_json::from_slice(body)
            .map_err(|error| format!("the body is not OTLP in JSON: {error}"));
    }
    ExportLogsServiceRequest::decode(body)
        .map_err(|error| format!("the body is not OTLP in protobuf: {error}"))
}

/// Nanoseconds since the epoch.
#[allow(clippy::disallowed_methods, reason = "a sink is part of the shell")]
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Says what could not be entered; the rest was.
pub(super) fn answer(intake: &Intake) -> ExportLogsServiceResponse {
    let partial_success = intake.refused.first().map(|first| ExportLogsPartialSuccess {
        rejected_log_records: i64::try_from(intake.refused.len()).unwrap_or(i64::MAX),
        error_message: first.clone(),
    });
    ExportLogsServiceResponse { partial_success }
}

fn encoded(format: &str, answer: &ExportLogsServiceResponse) -> Vec<u8> {
    if format == JSON {
        return serde_json::to_vec(answer).expect("an answer should be JSON");
    }
    answer.encode_to_vec()
}
