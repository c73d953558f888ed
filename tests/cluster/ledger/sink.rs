//! The sink: every form of OTLP, what it says of itself, and its end.

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bed::{Authority, Bed, Identity, Options, eventually, otlp};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{Ledger, Sink, agent, event, now};
use crate::pipeline::sink::Sink as BackEnd;
use crate::pipeline::stand::{Given, Stand};

/// The value of a metric of a sink.
async fn metric(sink: &Sink, name: &str) -> Option<f64> {
    let text = get(&format!("{}/metrics", sink.status)).await.1;
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Status and text of an answer; 0 where there is none.
async fn get(url: &str) -> (u16, String) {
    let Ok(answer) = reqwest::get(url).await else { return (0, String::new()) };
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

/// A request in OTLP's JSON.
fn body(agent: &str) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let record = json!({
        "timeUnixNano": now().to_string(), "attributes": [text("event.name", "tool_result")], "traceId":
        "5b8efff798038103d269b633813fc60c", "severityNumber": 9,
    });
    json!({"resourceLogs": [{
        "resource": {"attributes": [text("service.name", agent)]}, "scopeLogs": [{"logRecords": [record, {}]}],
    }]})
}

#[tokio::test]
async fn a_body_may_be_json_and_compressed() {
    let ledger = Ledger::start().await;
    let sink = ledger.sink_of_many_ways("sink").await;
    let post = async |body: Vec<u8>, encoding: &str| {
        let request = reqwest::Client::new().post(format!("{}/v1/logs", sink.http)).body(body);
        let request = request.header("content-type", "application/json").header("content-encoding", encoding);
        let answer = request.send().await.expect("it should answer");
        (answer.status().as_u16(), answer.text().await.expect("it should say something"))
    };
    let plain = body("plain").to_string();
    assert_eq!(
        post(plain.clone().into_bytes(), "identity").await,
        (200, r#"{"partialSuccess":null}"#.to_owned())
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body("zipped").to_string().as_bytes()).expect("it should be compressed");
    assert_eq!(post(gzip.finish().expect("it ends"), "gzip").await.0, 200);
    let (code, said) =
        post(plain.replace("resourceLogs", "resource_logs").replace("[{", "{").into_bytes(), "identity")
            .await;
    assert_eq!(code, 400, "{said}");
    assert!(said.contains("OTLP in JSON"), "{said}");
    let statement = "SELECT name, canonical::jsonb ->> 'trace' FROM ledger.entry JOIN ledger.stream ON id = stream ORDER BY 1";
    let rows = ledger.admin.query(statement, &[]).await.expect("it should be read");
    let rows: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let trace = "5b8efff798038103d269b633813fc60c".to_owned();
    assert_eq!(rows, [("-/plain".to_owned(), trace.clone()), ("-/zipped".to_owned(), trace)]);
    assert_eq!(metric(&sink, "agentslo_ledger_events_total{result=\"passed_over\"}").await, Some(2.0));
    sink.process.stop().await;
}

#[tokio::test]
async fn a_sink_that_cannot_commit_says_so() {
    let ledger = Ledger::start().await;
    let sink = ledger.sink_of_many_ways("sink").await;
    let agent = agent(&sink.http, "support");
    for _ in 0..2 {
        agent.logs((0..5).map(numbered).collect()).await.expect("the events should be taken");
    }
    let entered = "agentslo_ledger_events_total{result=\"entered\"}";
    assert_eq!(metric(&sink, entered).await, Some(5.0));
    assert_eq!(metric(&sink, "agentslo_ledger_events_total{result=\"known\"}").await, Some(5.0));
    assert_eq!(metric(&sink, "agentslo_ledger_transaction_duration_seconds_count").await, Some(2.0));

    ledger.postgres.process().kill9();
    let refused = agent.logs(vec![event(9)]).await;
    assert!(refused.is_err(), "nothing is answered that is not committed");
    assert_eq!(get(&format!("{}/readyz", sink.status)).await.0, 503);
    assert_eq!(metric(&sink, "agentslo_ledger_transactions_failed_total").await, Some(3.0));
    assert_eq!(metric(&sink, "agentslo_ledger_requests_busy_total").await, Some(1.0));
    assert_eq!(get(&format!("{}/livez", sink.status)).await.0, 200, "a start would help nobody");
    let started = async || ledger.postgres.process().start().await.ok();
    eventually(Duration::from_mins(2), started).await.expect("PostgreSQL should start again");
    let ready = async || (get(&format!("{}/readyz", sink.status)).await.0 == 200).then_some(());
    eventually(Duration::from_mins(1), ready).await.expect("it should find back without being asked");
    agent.logs(vec![event(9)]).await.expect("the event should be taken");
    sink.process.stop().await;
}

/// The same event for the same number.
fn numbered(number: usize) -> bed::otlp::logs::v1::LogRecord {
    let mut numbered = event(number);
    // A day has passed since midnight at most, and the number tells them apart.
    numbered.time_unix_nano = now() / DAY * DAY + number as u64;
    numbered
}

const DAY: u64 = 24 * 3600 * 1_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_before_the_end_is_committed() {
    let ledger = Ledger::start().await;
    let sink = ledger.sink_of_many_ways("sink").await;
    let taken = AtomicI64::new(0);
    let send = async |sender: usize| {
        let agent = agent(&sink.http, "support");
        for number in 0..10_000 {
            match agent.logs(vec![event(sender * 10_000 + number)]).await {
                Ok(()) => taken.fetch_add(1, Ordering::Relaxed),
                Err(_) => break,
            };
        }
    };
    let senders = join_all((0..8).map(send));
    let stop = async {
        let many = async || (taken.load(Ordering::Relaxed) > 200).then_some(());
        eventually(Duration::from_mins(1), many).await.expect("events should be taken");
        sink.process.stop().await;
    };
    tokio::join!(senders, stop);
    let entered = ledger.count().await;
    assert_eq!(entered, taken.into_inner(), "what it answered is there, and nothing besides");
}

/// Gives a sink a certificate of an authority.
fn give(files: &[String; 2], authority: &Authority) {
    let Identity { certificate, key } = authority.identify("sink").expect("a certificate should be made");
    for (file, text) in files.iter().zip([certificate, key]) {
        fs::write(file, text).expect("it should be written");
    }
}

/// What a sink answers to whoever trusts an authority and nobody else; none where they do not trust the sink.
async fn answer_to_who_trusts(authority: &Authority, url: &str) -> Option<u16> {
    let root = reqwest::Certificate::from_pem(authority.root().as_bytes()).expect("it should be PEM");
    let client = reqwest::Client::builder().tls_certs_only([root]).build().expect("it should be built");
    let request = client.post(format!("{url}/v1/logs")).header("content-type", "application/json");
    let answer = request.body(body("trusting").to_string()).send().await.ok()?;
    Some(answer.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_collectors_send_is_encrypted_and_a_renewed_certificate_is_shown() {
    let ledger = Ledger::start().await;
    let [first, second] = [(); 2].map(|()| Authority::new().expect("an authority should be made"));
    let files = ["tls.crt", "tls.key"].map(|name| ledger.file(name));
    give(&files, &first);
    let args = ["--accounts", "spans", "--tls-cert-file", &files[0], "--tls-private-key-file", &files[1]];
    let sink = ledger.sink_with("sink", &args).await;
    let https = sink.http.replace("http://", "https://");
    let backend = |name: &str, protocol: &str, address: &str| {
        let tls = json!({"caSecret": {"name": "ledger-sink", "key": "ca.crt"}});
        json!({"name": name, "kind": "Otlp", "protocol": protocol, "address": address, "tls": tls})
    };
    let given = Given {
        pipeline: json!({"logs": {"backends": ["over-http"]}, "traces": {"backends": ["over-grpc"]}}),
        backends: json!([
            backend("over-http", "Http", &https),
            backend("over-grpc", "Grpc", &format!("https://{}", sink.grpc)),
        ]),
        environment: vec![("AGENTSLO_CA_OVER_HTTP", first.root()), ("AGENTSLO_CA_OVER_GRPC", first.root())],
        ..Given::default()
    };
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let stand = Stand::on(bed, BackEnd::start().await, given).await;
    stand.agent().logs(vec![event(1)]).await.expect("the record should be taken");
    let run = json!({"gen_ai.operation.name": "invoke_agent"});
    let span = otlp::span("invoke_agent", Duration::from_secs(1), &run);
    stand.agent().spans(vec![span]).await.expect("the span should be taken");
    let both = async || (ledger.count().await == 2).then_some(());
    eventually(Duration::from_mins(1), both).await.expect("what came over HTTP and gRPC should be entered");

    assert!(
        agent(&sink.http, "support").logs(vec![event(2)]).await.is_err(),
        "nothing is taken in plain text"
    );
    assert_eq!(answer_to_who_trusts(&first, &https).await, Some(200));
    assert_eq!(answer_to_who_trusts(&second, &https).await, None);
    give(&files, &second);
    let renewed = async || answer_to_who_trusts(&second, &https).await;
    assert_eq!(eventually(Duration::from_mins(1), renewed).await, Some(200));
    assert_eq!(answer_to_who_trusts(&first, &https).await, None);
    fs::write(&files[1], "no key").expect("it should be written");
    let told = async || {
        let log = fs::read_to_string(ledger.file("sink.log")).ok()?;
        log.contains("the certificate that was read before is still shown").then_some(())
    };
    eventually(Duration::from_mins(1), told).await.expect("the log should say that the key is none");
    assert_eq!(answer_to_who_trusts(&second, &https).await, Some(200));
    sink.process.stop().await;
}
