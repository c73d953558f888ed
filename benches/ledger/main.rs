//! What the ledger takes and gives in a second, on a real PostgreSQL, beside the same rows without a chain.
//!
//! ```text
//!  plain ──────► chained ──────► through the sink ──────► verified
//!  the same      lock, head,     OTLP over HTTP from      by as many connections
//!  rows, no      hashes          sixteen senders          as there are cores
//!  chain
//! ```
//!
//! How many it is depends on the machine, so what a chain costs is told as a ratio to rows without one in the same run.

// What a benchmark measures it prints.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use agentslo_ledger::content::hash_of;
use agentslo_ledger::hash::Sha256;
use agentslo_ledger::intake::{self, Accounts, Contents, Policy, Received};
use agentslo_ledger::sink::{self, Addresses};
use agentslo_ledger::store::{self, Access, Chain, Client, Credentials, Ledger};
use bed::otlp::{self, Sender};
use bed::{Bed, Options, Postgres, eventually};
use futures::future::try_join_all;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use regex::Regex;
use serde_json::json;
use tokio::sync::oneshot;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events of each measurement by default.
const EVENTS: usize = 200_000;
/// Events of a transaction: what the sink puts into one when many wait.
const BATCH: usize = 2_000;
/// Events of a request, as a Collector sends them.
const REQUEST: usize = 500;
const SENDERS: usize = 16;
/// What this machine should commit and verify in a second.
const COMMITTED: f64 = 5_000.0;
const VERIFIED: f64 = 500_000.0;
const STREAMS: usize = 4;
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // `cargo test --all-targets` runs benchmarks too, without this argument. This one takes minutes.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not run: only `cargo bench` runs this benchmark");
        return Ok(ExitCode::SUCCESS);
    }
    let events = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(EVENTS);
    let bed = Bed::start(Options::nothing()).await?;
    let postgres = Postgres::start(&bed).await?;
    let access = database(&postgres).await?;
    let client = access.connect().await?;

    let plain = plain(&client, events).await?;
    println!("{plain:>10.0} rows a second without a chain, in batches of {BATCH}");
    let chained = chained(&access, events).await?;
    println!("{chained:>10.0} entries a second chained, in the same batches: {:.2} of that", chained / plain);
    let sunk = through_the_sink(&bed, &access, events).await?;
    report(
        sunk,
        COMMITTED,
        "events a second through the sink, committed",
        sunk / plain,
        "of rows without a chain",
    );
    let (entries, size) = size(&client).await?;
    println!("{:>10.0} bytes an entry, with its indexes and what it cost", size / entries);
    let verified = verified(&access).await?;
    report(verified, VERIFIED, "entries a second verified", verified / chained, "times what is chained");
    bed.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn report(measured: f64, wanted: f64, what: &str, ratio: f64, of: &str) {
    let verdict = if measured >= wanted { "met" } else { "not met" };
    println!("{measured:>10.0} {what}: {ratio:.2} {of}; {wanted:.0} are wanted: {verdict}");
}

/// A database with the tables of the ledger.
async fn database(postgres: &Postgres) -> Result<Access> {
    let root = Access::new(&postgres.superuser_url("postgres"), Credentials::default(), None)?;
    let ready = eventually(Duration::from_mins(1), async || root.connect().await.ok()).await;
    let root = ready.ok_or("PostgreSQL lets nobody in")?;
    root.batch_execute("CREATE DATABASE ledger").await?;
    let access = Access::new(&postgres.superuser_url("ledger"), Credentials::default(), None)?;
    store::migrate(&mut access.connect().await?).await?;
    Ok(access)
}

/// Rows a second of the same size, with the same indexes, that depend on nothing.
async fn plain(client: &Client, events: usize) -> Result<f64> {
    client.batch_execute("CREATE TABLE plain (LIKE ledger.entry INCLUDING ALL)").await?;
    let rows = received("plain", events);
    let contents: Vec<Sha256> =
        rows.iter().map(|received| hash_of([7; 16].into(), &received.canonical)).collect();
    let begin = Instant::now();
    for (number, batch) in rows.chunks(BATCH).enumerate() {
        let from = number * BATCH;
        let sequences: Vec<i64> = (from..from + batch.len()).map(|place| whole(place) + 1).collect();
        let hashes: Vec<&[u8]> =
            contents[from..from + batch.len()].iter().map(|hash| hash.bytes().as_slice()).collect();
        let salts = vec![[7_u8; 16].as_slice(); batch.len()];
        let texts: Vec<&str> = batch.iter().map(|received| received.canonical.as_str()).collect();
        let statement = "INSERT INTO plain (stream, sequence, previous, hash, content_hash, salt, event_id, canonical) \
                         SELECT 1, sequence, hash, hash, hash, salt, hash, canonical FROM \
                         unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[]) AS row (sequence, hash, salt, canonical)";
        client.execute(statement, &[&sequences, &hashes, &salts, &texts]).await?;
    }
    let rate = rate(events, begin.elapsed());
    client.batch_execute("DROP TABLE plain").await?;
    Ok(rate)
}

/// Entries a second by the store alone.
async fn chained(access: &Access, events: usize) -> Result<f64> {
    let mut ledger = Ledger::new(access.connect().await?);
    let rows = received("chained", events);
    let begin = Instant::now();
    for batch in rows.chunks(BATCH) {
        ledger.append(batch).await?;
    }
    Ok(rate(events, begin.elapsed()))
}

/// Events a second from senders that wait for their answers.
async fn through_the_sink(bed: &Bed, access: &Access, events: usize) -> Result<f64> {
    let address = || Ok::<_, bed::Error>(SocketAddr::from(([127, 0, 0, 1], bed.port()?)));
    let addresses = Addresses { http: address()?, grpc: address()?, status: address()?, certificate: None };
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async move { drop(stopped.await) };
    let http = addresses.http;
    let sink = tokio::spawn(sink::serve(addresses, policy()?, access.clone(), until));
    let url = format!("http://{http}");
    let open = async || tokio::net::TcpStream::connect(http).await.ok();
    eventually(Duration::from_secs(10), open).await.ok_or("the sink does not listen")?;
    let begin = Instant::now();
    let senders = (0..SENDERS).map(|sender| {
        let url = url.clone();
        tokio::spawn(async move {
            let agent = format!("agent-{}", sender % STREAMS);
            let sender_of = Sender::to(&url).resource(&json!({"service.name": agent}));
            for request in 0..events / SENDERS / REQUEST {
                let first = (sender * events + request * REQUEST) as u64;
                let events = (first..first + REQUEST as u64).map(event).collect();
                sender_of.logs(events).await.map_err(|error| error.to_string())?;
            }
            Ok::<_, String>(events / SENDERS / REQUEST * REQUEST)
        })
    });
    let mut sent = 0;
    for of_one in try_join_all(senders).await? {
        sent += of_one?;
    }
    let rate = rate(sent, begin.elapsed());
    let _ = stop.send(());
    sink.await??;
    Ok(rate)
}

/// Entries, and bytes of the tables and indexes.
async fn size(client: &Client) -> Result<(f64, f64)> {
    let statement = "SELECT (SELECT count(*) FROM ledger.entry)::float8, (pg_total_relation_size('ledger.entry') + \
                     (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits \
                     WHERE inhparent = 'ledger.charge'::regclass))::float8";
    let row = client.query_one(statement, &[]).await?;
    Ok((row.get(0), row.get(1)))
}

/// Entries a second that are read and hashed again.
async fn verified(access: &Access) -> Result<f64> {
    let client = access.connect().await?;
    let streams = store::streams(&client).await?;
    let chains = streams.iter().map(|stream| Chain::whole(stream, BTreeMap::new())).collect();
    let jobs = std::thread::available_parallelism()?.get();
    let begin = Instant::now();
    let verdicts = store::verify(access, chains, jobs, Arc::new(|_| {})).await?;
    let took = begin.elapsed();
    let broken = verdicts.iter().find(|(_, verdict)| !verdict.findings.is_empty());
    if let Some((stream, verdict)) = broken {
        return Err(format!("{stream}: {:?}", verdict.findings).into());
    }
    let entries: u64 = verdicts.iter().map(|(_, verdict)| verdict.links).sum();
    Ok(rate(usize::try_from(entries)?, took))
}

fn policy() -> Result<Policy> {
    Ok(Policy {
        contents: Contents::Drop,
        content_keys: Regex::new("^prompt$")?,
        pseudonyms: None,
        stream: None,
        accounts: Accounts::Events,
    })
}

/// How many in a second.
fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

fn whole(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// What Claude Code says of a call of a model, and of every fourth event that of a tool.
fn event(number: u64) -> otlp::logs::v1::LogRecord {
    let mut event = if number.is_multiple_of(4) {
        let attributes = json!({
            "tool_name": "Bash", "success": "true", "duration_ms": 812, "session.id": format!("session-{}", number / 50),
            "user.id": "a3f1", "terminal.type": "xterm", "organization.id": "o-1", "decision": "accept",
        });
        otlp::event("tool_result", &attributes)
    } else {
        let attributes = json!({
            "model": "claude-example-1", "cost_usd": 0.012_345, "duration_ms": 2345, "input_tokens": 12,
            "output_tokens": 345, "cache_read_tokens": 45678, "cache_creation_tokens": 901,
            "session.id": format!("session-{}", number / 50), "user.id": "a3f1", "terminal.type": "xterm",
        });
        otlp::event("api_request", &attributes)
    };
    // No two are the same, whatever second it is.
    event.time_unix_nano = now() / SECOND * SECOND + number % SECOND;
    event
}

fn received(agent: &str, events: usize) -> Vec<Received> {
    let pairs = otlp::attributes(&json!({"service.name": agent}));
    let resource = Some(Resource { attributes: pairs, ..Resource::default() });
    let log_records = (0..events as u64).map(event).collect();
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
    let policy = policy().expect("the pattern should do");
    let intake = intake::logs(&ExportLogsServiceRequest { resource_logs }, &policy, now());
    assert_eq!(intake.received.len(), events, "{:?}", intake.refused.first());
    intake.received
}

/// Nanoseconds since the epoch.
#[allow(clippy::disallowed_methods, reason = "a sink takes no event of another year")]
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    u64::try_from(now.as_nanos()).expect("it is earlier than 2554")
}
