//! Answers of Prometheus, or of what stands where Prometheus should: whatever comes, a reader returns.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentslo::api::v1alpha1::PrometheusEndpoint;
use agentslo::discover::{self, Scope};
use agentslo::domain::observability::Observability;
use agentslo::domain::reading::Observation;
use agentslo::domain::slo::Slo;
use agentslo::domain::window::Window;
use agentslo::prometheus::{self, Connection, Secrets, SloKey};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use proptest::prelude::*;
use tokio::net::TcpListener;

use super::changes::changed;
use super::{Input, fuzz, statuses};
use crate::example;

pub(super) const TARGET: &str = "answers";

/// What a sound Prometheus answers, by a part of the path.
const SOUND: [(&str, &str); 7] = [
    (
        "/query_range",
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"namespace":"team-a","agentslo":"checkout"},"values":[[1767225600,"0.5"],[1767225900,"NaN"]]}]}}"#,
    ),
    (
        "/query",
        r#"{"status":"success","warnings":["w"],"data":{"resultType":"vector","result":[{"metric":{"__name__":"agent_queries_total","namespace":"team-a","agentslo":"checkout","agent_name":"a","le":"0.5","part":"runs","window":"1h","alertname":"AgentSLOBudgetBurn","urgency":"page"},"value":[1767225600.5,"3"]},{"metric":{"le":"+Inf"},"value":[1767225600,"-Inf"]}]}}"#,
    ),
    (
        "/label/",
        r#"{"status":"success","data":["agent_queries_total","agent_query_duration_seconds_bucket","agent_query_duration_seconds_count","up"]}"#,
    ),
    (
        "/metadata",
        r#"{"status":"success","data":{"agent_queries_total":[{"type":"counter","help":"","unit":""}],"up":[]}}"#,
    ),
    (
        "/rules",
        r#"{"status":"success","data":{"groups":[{"name":"agentslo","file":"f","rules":[{"name":"r","query":"1","health":"err","lastError":"bad","type":"recording"}]}]}}"#,
    ),
    (
        "/runtimeinfo",
        r#"{"status":"success","data":{"startTime":"2026-01-01T00:00:00Z","serverTime":"2026-01-09T00:00:00Z","storageRetention":"15d or 50GiB"}}"#,
    ),
    ("/buildinfo", r#"{"status":"success","data":{"version":"3.15.1"}}"#),
];
/// What else may be answered there.
const ALSO: [&str; 7] = [
    r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"agentslo:slo:info","namespace":"a","agentslo":"b"},"values":[[1767225600,"1"]]},{"metric":{"__name__":"agentslo:total:count30d","namespace":"a","agentslo":"b","model":"m"},"values":[[1767225600,"2000"]]},{"metric":{"__name__":"agentslo:bad:count30d","namespace":"a","agentslo":"b","model":"m"},"values":[[1767225600,"15"]]},{"metric":{"__name__":"agentslo:burn:rate","namespace":"a","agentslo":"b","model":"m","window":"1h"},"values":[[1767225600,"0.7"]]},{"metric":{"__name__":"ALERTS","namespace":"a","agentslo":"b","alertname":"AgentSLOBudgetBurn","urgency":"page","alertstate":"firing"},"values":[[1767225600,"1"]]}]}}"#,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"part":"tiles"},"value":[1767225600,"576"]},{"metric":{"part":"spend24h"},"value":[1767225600,"4.25"]},{"metric":{"part":"spend7d"},"value":[1767225600,"9"]},{"metric":{"part":"runs"},"value":[1767225600,"12"]}]}}"#,
    r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"agentslo:slo:info","namespace":"a","agentslo":"b"},"values":[[1767225600,"1"]],"histograms":[]}]}}"#,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x"},"histogram":[1767225600,{"count":"7","sum":"1.5","buckets":[[0,"0.1","0.2","7"]]}]}]}}"#,
    r#"{"status":"success","data":{"resultType":"scalar","result":[1767225600,"1e309"]}}"#,
    r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples"}"#,
    "<html>502 Bad Gateway</html>",
];

/// An answer in one place; in the others Prometheus is sound.
#[derive(Clone, Debug)]
struct Answer {
    place: String,
    status: u16,
    body: Vec<u8>,
}

impl Input for Answer {
    fn from_bytes(bytes: &[u8]) -> Self {
        let end =
            bytes.iter().position(|byte| *byte == b'\n').expect("a kept answer should have a first line");
        let first = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let (place, status) = first.split_once(' ').expect("its first line should have a place and a status");
        let status = status.parse().expect("the status should be a number");
        Self { place: place.to_owned(), status, body: bytes[end + 1..].to_vec() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        [format!("{} {}\n", self.place, self.status).as_bytes(), &self.body].concat()
    }
}

fn answer() -> impl Strategy<Value = Answer> {
    let place = prop::sample::select(SOUND.map(|(place, _)| place).to_vec());
    place.prop_flat_map(|place| {
        let sound = SOUND.iter().filter(move |(known, _)| *known == place).map(|(_, body)| *body);
        let seeds = sound.chain(ALSO).map(|body| body.as_bytes().to_vec()).collect();
        let status = prop_oneof![6 => Just(200_u16), 1 => Just(422), 1 => Just(503)];
        (changed(seeds, 6), status).prop_map(move |(body, status)| Answer {
            place: place.to_owned(),
            status,
            body,
        })
    })
}

type Present = Arc<Mutex<Option<Answer>>>;

async fn serve(State(present): State<Present>, uri: Uri) -> impl IntoResponse {
    let (place, sound) = SOUND.iter().find(|(place, _)| uri.path().contains(place)).unwrap_or(&SOUND[1]);
    let present = present.lock().expect("nobody should panic with it").clone();
    let (status, body) = match present.filter(|answer| answer.place == *place) {
        Some(answer) => (answer.status, answer.body),
        None => (200, sound.as_bytes().to_vec()),
    };
    (StatusCode::from_u16(status).unwrap_or_default(), [(CONTENT_TYPE, "application/json")], body)
}

#[test]
fn whatever_prometheus_answers_a_reader_returns() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime should be possible");
    let present: Present = Arc::default();
    let (address, server) = runtime.block_on(async {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(free).await.expect("a port should be free");
        let address = listener.local_addr().expect("a listener should have an address");
        let routes = axum::Router::new().fallback(serve).with_state(present.clone());
        (address, tokio::spawn(async move { axum::serve(listener, routes).await }))
    });
    let endpoint = PrometheusEndpoint {
        address: format!("http://{address}"),
        tls: None,
        credentials: None,
        tenant_header: None,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let slos: Vec<Slo> = example::all().into_iter().map(|example| example.slo).collect();
    let observabilities: Vec<Observability> =
        example::observabilities().into_iter().map(|(_, it)| it).collect();
    let connection = Connection::open(&endpoint, &Secrets::default()).expect("the address should be one");
    fuzz(TARGET, 100, &answer(), |answer| {
        *present.lock().expect("nobody should panic with it") = Some(answer.clone());
        runtime.block_on(read_everything(&connection, &slos, &observabilities))
    });
    server.abort();
}

/// Asks all that the program ever asks; an error is an answer, too. What is read can be told in a status.
async fn read_everything(
    connection: &Connection,
    slos: &[Slo],
    observabilities: &[Observability],
) -> Result<(), String> {
    let offset = Duration::from_mins(1);
    let key = SloKey { namespace: "team-a".to_owned(), name: "checkout".to_owned() };
    let window = Window::from_hours(24);
    let names = ["agent_queries_total".to_owned()].into();
    let budgets = prometheus::budgets(connection, offset).await;
    let _ = prometheus::burns(connection, window, 16, 1_767_225_600).await;
    let _ = prometheus::histories(connection, &BTreeMap::from([(key, window)]), offset).await;
    let _ = prometheus::gauges(connection, &names).await;
    let _ = prometheus::rule_groups(connection).await;
    let seen = prometheus::sighting(connection, "up").await;
    let _ = prometheus::retention(connection).await;
    let _ = prometheus::version(connection).await;
    let _ = prometheus::month(connection, 1_767_225_600, 86_400).await;
    if let Ok(facts) = prometheus::inventory(connection).await {
        let _ = discover::propose(&facts, &Scope::default());
    }
    if let Some(slo) = slos.first() {
        let _ = prometheus::recent(connection, slo).await;
    }
    let observation: Option<Observation> = budgets.ok().and_then(|all| all.into_values().next());
    for (slo, observation) in slos.iter().zip(observation.iter().cycle()) {
        let _ = prometheus::diagnose(connection, slo, observation).await;
        statuses::check_slo(slo, observation)?;
    }
    for (observability, seen) in observabilities.iter().zip(seen.iter().cycle()) {
        statuses::check_observability(observability, seen)?;
    }
    Ok(())
}
