//! The model that Claude Code asks, played: it calls the tool that the prompt names, and is then done. Only
//! the model is played, so that nobody needs an account; the program is the real one.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Tokens of every answer.
pub(super) const INPUT: u32 = 100;
/// Tokens of every answer.
pub(super) const OUTPUT: u32 = 14;
/// Tokens of every answer.
pub(super) const CACHE_READ: u32 = 1000;

/// A prompt on which the tool succeeds.
pub(super) const GOOD: &str = "prompt-text good";
/// A prompt on which the tool fails.
pub(super) const BAD: &str = "prompt-text bad";
/// A prompt on which a tool is called that is not allowed.
pub(super) const DENIED: &str = "prompt-text denied";
/// A prompt that the model refuses.
pub(super) const REFUSED: &str = "prompt-text refused";

/// Listens on a free port and tells its address; ends with the test's runtime.
pub(super) async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let address = listener.local_addr().expect("a listener should have an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("http://{address}")
}

async fn answer(request: Request) -> Response {
    if !request.uri().path().ends_with("/v1/messages") {
        return axum::Json(json!({})).into_response();
    }
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let messages = asked["messages"].to_string();
    let tool =
        |name: &str, input: Value| json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": input});
    let run = |command: &str| tool("Bash", json!({"command": command, "description": "tool-input-text"}));
    let block = match messages {
        said if said.contains(REFUSED) => return refusal(),
        said if said.contains("tool_result") => json!({"type": "text", "text": "answer-text"}),
        said if said.contains(GOOD) => run("echo tool-output-text"),
        said if said.contains(BAD) => run("echo error-text; false"),
        said if said.contains(DENIED) => {
            tool("WebFetch", json!({"url": "https://example.com", "prompt": "x"}))
        }
        _ => json!({"type": "text", "text": "answer-text"}),
    };
    ([(CONTENT_TYPE, "text/event-stream")], events(&asked["model"], &block)).into_response()
}

fn refusal() -> Response {
    let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "error-text"}});
    (StatusCode::BAD_REQUEST, axum::Json(error)).into_response()
}

/// A whole answer as server-sent events.
fn events(model: &Value, block: &Value) -> String {
    let usage = json!({
        "input_tokens": INPUT, "output_tokens": OUTPUT, "cache_read_input_tokens": CACHE_READ,
        "cache_creation_input_tokens": 0,
    });
    let (mut opened, delta, reason) = if block["type"] == "text" {
        (
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": block["text"]}),
            "end_turn",
        )
    } else {
        let input = json!({"type": "input_json_delta", "partial_json": block["input"].to_string()});
        (block.clone(), input, "tool_use")
    };
    if opened.get("input").is_some() {
        opened["input"] = json!({});
    }
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage,
    });
    let all = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": opened}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": usage}),
        json!({"type": "message_stop"}),
    ];
    let sent =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
    all.iter().map(sent).collect::<Vec<String>>().concat()
}
