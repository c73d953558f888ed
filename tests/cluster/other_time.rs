//! A real Prometheus at another time: as if its clock were wrong, or as it will be after a while in which nothing
//! is recorded.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, DATE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// At which time Prometheus seems to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Time {
    /// At its own.
    True,
    /// Its clock is so many seconds ahead, and so is everything that it has recorded.
    Ahead(f64),
    /// So many seconds have passed without anything being recorded.
    Later(f64),
}

/// What stands before a Prometheus; dropped, it is gone.
pub(crate) struct OtherTime {
    port: u16,
    time: watch::Sender<Time>,
    served: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Front {
    prometheus: String,
    time: watch::Receiver<Time>,
}

impl OtherTime {
    /// Stands before a Prometheus, at its own time.
    pub(crate) async fn before(prometheus: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there should be a port");
        let port = listener.local_addr().expect("a listener should have an address").port();
        let time = watch::Sender::new(Time::True);
        let front = Front { prometheus, time: time.subscribe() };
        let routes = Router::new().fallback(forward).with_state(front);
        let served = tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { port, time, served }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, time: Time) {
        self.time.send_replace(time);
    }
}

impl Drop for OtherTime {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn forward(
    State(front): State<Front>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let time = *front.time.borrow();
    let url = format!("{}{uri}", front.prometheus);
    let mut question = reqwest::Client::new().request(method, url).body(asked_at(time, &uri, &body));
    if let Some(form) = headers.get(CONTENT_TYPE) {
        question = question.header(CONTENT_TYPE, form);
    }
    let Ok(answer) = question.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let code = answer.status();
    let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    (code, [(DATE, date(time))], dated(time, &body)).into_response()
}

/// A question; what is asked later is about a later time.
fn asked_at(time: Time, uri: &Uri, body: &[u8]) -> Vec<u8> {
    match time {
        Time::Later(seconds) if uri.path().ends_with("/query") => {
            [body, format!("&time={}", now().as_secs_f64() + seconds).as_bytes()].concat()
        }
        Time::True | Time::Ahead(_) | Time::Later(_) => body.to_vec(),
    }
}

/// The date of an answer.
fn date(time: Time) -> String {
    let seconds = match time {
        Time::True => 0.0,
        Time::Ahead(seconds) | Time::Later(seconds) => seconds,
    };
    let at = Duration::from_secs_f64(now().as_secs_f64() + seconds);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + at)
}

/// An answer; what is ahead has samples that are.
fn dated(time: Time, body: &[u8]) -> Vec<u8> {
    let Time::Ahead(seconds) = time else { return body.to_vec() };
    let mut answer: Value = serde_json::from_slice(body).expect("Prometheus should speak JSON");
    let result = answer.pointer_mut("/data/result").and_then(Value::as_array_mut);
    for series in result.into_iter().flatten() {
        let many = series.get_mut("values").and_then(Value::as_array_mut);
        many.into_iter().flatten().for_each(|sample| shift(sample, seconds));
        series.get_mut("value").into_iter().for_each(|sample| shift(sample, seconds));
    }
    answer.to_string().into_bytes()
}

fn shift(sample: &mut Value, seconds: f64) {
    let at = sample[0].as_f64().expect("a sample should have a time");
    sample[0] = (at + seconds).into();
}

// Both it and Prometheus run by the clock of this machine.
#[allow(clippy::disallowed_methods)]
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock should be past 1970")
}
