//! `agentslo check-metrics` on what servers answer.

use std::process::Output;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;

use crate::support::program;

const GOOD: &str = include_str!("../it/cli/metrics/good.prom");
/// What is asked for, and the code with what is said.
const ANSWERS: [(&str, i32, &str); 4] = [
    ("metrics", 0, "4 metrics checked against AgentMetrics, 0 findings"),
    ("moved", 2, "it answers with HTTP status 302"),
    ("large", 2, "it is larger than 32 MiB"),
    ("nowhere", 2, "it answers with HTTP status 404"),
];

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_asked_once_and_within_limits() {
    let asked_for_text = |headers: HeaderMap| {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok().map(str::to_owned));
        accept.is_some_and(|accept| accept.contains("openmetrics-text"))
    };
    let routes = Router::new()
        .route(
            "/metrics",
            get(async move |headers: HeaderMap| if asked_for_text(headers) { GOOD } else { "" }),
        )
        .route("/moved", get(async || (StatusCode::FOUND, [(header::LOCATION, "/metrics")])))
        .route("/large", get(async || "# comment\n".repeat(4 * 1024 * 1024)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let address = listener.local_addr().expect("it listens");
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    for (path, code, said) in ANSWERS {
        let output = check(&format!("http://{address}/{path}")).await;
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && report.contains(said), "{path}: {report}");
    }
    server.abort();
    let gone = check("http://127.0.0.1:1/metrics").await;
    assert_eq!(gone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("the connection failed"));
}

async fn check(url: &str) -> Output {
    let mut command = tokio::process::Command::new(program());
    command.args(["check-metrics", url]).output().await.expect("the program should run")
}
