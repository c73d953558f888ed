//! What a real Prometheus says of the past: traffic, coverage, retention, and what a metric is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use agentslo::api::v1alpha1::PrometheusEndpoint;
use agentslo::domain::window::Window;
use agentslo::prometheus::{Connection, History, Secrets, SloKey, gauges, histories, retention};
use axum::Router;
use axum::routing::{get, post};
use bed::{Bed, Options, Part, Target, eventually};
use serde_json::json;

use crate::stage::now;
use crate::support::SOON;

const DAY: u64 = 24 * 3600;

/// A count that was recorded for a while: so many events in each five minutes.
struct Past {
    slo: &'static str,
    group: &'static str,
    /// Seconds ago at which it began and ended.
    time: (u64, u64),
    per_tile: f64,
}

const PASTS: [Past; 6] = [
    Past { slo: "steady", group: "", time: (3 * DAY, 0), per_tile: 5.0 },
    // A week and some ago it was busier.
    Past { slo: "calmed", group: "", time: (20 * DAY, 7 * DAY + 3600), per_tile: 50.0 },
    Past { slo: "calmed", group: "", time: (7 * DAY, 0), per_tile: 0.5 },
    Past { slo: "grouped", group: "busy", time: (2 * DAY, 0), per_tile: 2.0 },
    Past { slo: "grouped", group: "quiet", time: (2 * DAY, 0), per_tile: 1.0 },
    Past { slo: "young", group: "", time: (DAY / 4, 0), per_tile: 5.0 },
];

const EXPOSED: &str = "# TYPE queue_length gauge\nqueue_length 3\n# TYPE jobs_total counter\njobs_total 3\n\
    # TYPE run_seconds histogram\nrun_seconds_bucket{le=\"+Inf\"} 1\nrun_seconds_sum 1\nrun_seconds_count 1\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_read_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let file = folder.path().join("history.txt");
    write_history(&file);
    let target = Target::new("agent", serve().await);
    let options = Options::nothing().with(Part::Prometheus).history(&file).target(target);
    let bed = Bed::start(options).await.expect("the bed should start");
    let connection = connect(&bed.prometheus_url());
    traffic_and_coverage(&connection).await;
    assert_eq!(retention(&connection).await, Ok(Some(Window::from_days(100))), "as the bed sets it");
    types(&connection).await;
    bed.stop().await;
}

async fn traffic_and_coverage(connection: &Connection) {
    let windows = [("steady", 30), ("calmed", 7), ("grouped", 30), ("young", 1), ("unborn", 30)];
    let windows: BTreeMap<SloKey, Window> =
        windows.into_iter().map(|(name, days)| (key(name), Window::from_days(days))).collect();
    let found = histories(connection, &windows, Duration::from_mins(1)).await.expect("it should answer");
    let is = |name: &str, rate: Option<f64>, coverage: f64| {
        let History { events_per_hour, coverage: covered } = found[&key(name)];
        // The first and the last part may be cut.
        let near = |value: f64, wanted: f64| (value - wanted).abs() <= 0.03 * wanted;
        assert!(near(covered, coverage) || (covered - coverage).abs() < 0.005, "{name}: {covered}");
        assert_eq!(events_per_hour.is_some(), rate.is_some(), "{name}: {events_per_hour:?}");
        assert!(
            events_per_hour.zip(rate).is_none_or(|(rate, wanted)| near(rate, wanted)),
            "{name}: {events_per_hour:?}"
        );
    };
    is("steady", Some(60.0), 0.1);
    is("calmed", Some(6.0), 1.0);
    is("grouped", Some(24.0), 2.0 / 30.0);
    is("young", None, 0.25);
    is("unborn", None, 0.0);
}

/// A Prometheus that keeps so many bytes has kept fifteen days of a year.
#[tokio::test]
async fn retention_by_size_shows_in_the_oldest_sample() {
    let connection = |started: &'static str, retention: &'static str| async move {
        let info = json!({"status": "success", "data": {
            "startTime": started, "serverTime": "2026-01-01T00:00:00Z", "storageRetention": retention,
        }});
        let days = json!({"status": "success", "data": {
            "resultType": "vector", "result": [{"metric": {}, "value": [0, "15"]}],
        }});
        let routes = Router::new()
            .route("/api/v1/status/runtimeinfo", get(async move || info.to_string()))
            .route("/api/v1/query", post(async move || days.to_string()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        connect(&format!("http://{address}"))
    };
    let (last_year, yesterday) = ("2025-01-01T00:00:00Z", "2025-12-31T00:00:00Z");
    for (started, said, kept) in [
        (last_year, "50GiB", Some(15)),
        (last_year, "30d or 50GiB", Some(15)),
        (last_year, "10d or 50GiB", Some(10)),
        (last_year, "30d", Some(30)),
        // It may simply be young.
        (yesterday, "50GiB", None),
        (yesterday, "30d or 50GiB", Some(30)),
    ] {
        let kept = kept.map(Window::from_days);
        assert_eq!(retention(&connection(started, said).await).await, Ok(kept), "{said} since {started}");
    }
}

fn connect(address: &str) -> Connection {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint: PrometheusEndpoint =
        serde_json::from_value(json!({"address": address})).expect("an address should be an endpoint");
    Connection::open(&endpoint, &Secrets::default()).expect("it should be usable")
}

async fn types(connection: &Connection) {
    let names = ["queue_length", "jobs_total", "run_seconds", "unknown", "gen_ai.client.runs"];
    let names: BTreeSet<String> = names.map(str::to_owned).into();
    let found = async || {
        let gauges = gauges(connection, &names).await.expect("it should answer");
        (gauges.len() == 3).then_some(gauges)
    };
    let found = eventually(SOON, found).await.expect("the target should be scraped");
    let expected = [("jobs_total", false), ("queue_length", true), ("run_seconds", false)];
    assert_eq!(found, expected.map(|(name, is_gauge)| (name.to_owned(), is_gauge)).into());
}

fn key(name: &str) -> SloKey {
    SloKey { namespace: "team".to_owned(), name: name.to_owned() }
}

async fn serve() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port should be free");
    let port = listener.local_addr().expect("it listens").port();
    let routes = Router::new().route("/metrics", get(async || EXPOSED));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

fn write_history(file: &Path) {
    let now = now().expect("the clock should be past 1970");
    let mut text = String::new();
    for Past { slo, group, time: (begins, ends), per_tile } in PASTS {
        let group = if group.is_empty() { String::new() } else { format!(",model=\"{group}\"") };
        for at in (now - begins..=now - ends).step_by(150) {
            writeln!(
                text,
                "agentslo:total:increase5m{{namespace=\"team\",agentslo=\"{slo}\"{group}}} {per_tile} {at}"
            )
            .expect("text should grow");
        }
    }
    text.push_str("# EOF\n");
    std::fs::write(file, text).expect("the history should be written");
}
