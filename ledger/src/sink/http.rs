//! OTLP over HTTP: `POST /v1/logs` and `/v1/traces` with a body in protobuf or JSON. What is answered with 503 is to be
//! sent again.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_http::decompression::RequestDecompressionLayer;

use super::serve::LARGEST_REQUEST;
use super::take::{Sink, Telemetry};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// Seconds after which whoever found no place may come back.
const LATER: &str = "5";

/// The paths of OTLP.
pub(super) fn routes(sink: Sink) -> Router {
    Router::new()
        .route("/v1/logs", post(take::<ExportLogsServiceRequest>))
        .route("/v1/traces", post(take::<ExportTraceServiceRequest>))
        .layer((RequestDecompressionLayer::new(), DefaultBodyLimit::max(LARGEST_REQUEST)))
        .with_state(sink)
}

async fn take<T>(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> Response
where
    T: Telemetry + Message + Default + DeserializeOwned,
    T::Answer: Message + Serialize,
{
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = if content_type.starts_with(JSON) { JSON } else { PROTOBUF };
    let request: T = match parse(format, &body) {
        Ok(request) => request,
        Err(why) => return (StatusCode::BAD_REQUEST, why).into_response(),
    };
    match sink.take(&request).await {
        Ok(answer) => ([(CONTENT_TYPE, format)], encoded(format, &answer)).into_response(),
        Err(busy) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, LATER)], busy.to_string()).into_response()
        }
    }
}

fn parse<T: Message + Default + DeserializeOwned>(format: &str, body: &[u8]) -> Result<T, String> {
    if format == JSON {
        return serde_json::from_slice(body)
            .map_err(|error| format!("the body is not OTLP in JSON: {error}"));
    }
    T::decode(body).map_err(|error| format!("the body is not OTLP in protobuf: {error}"))
}

fn encoded(format: &str, answer: &(impl Message + Serialize)) -> Vec<u8> {
    if format == JSON {
        return serde_json::to_vec(answer).expect("an answer should be JSON");
    }
    answer.encode_to_vec()
}
