//! The ledger on a real PostgreSQL: what is entered, that nothing is entered twice or lost, who may do what, and that
//! whatever somebody does to the tables shows.

mod keeping;
mod panels;
mod pipeline;
mod reading;
mod rendered;
mod sink;
mod storm;
mod tenants;
mod upgraded;
mod watching;

use std::process::Command;
use std::time::{Duration, SystemTime};

use agentslo_ledger::chain::Head;
use agentslo_ledger::content::hash_of;
use agentslo_ledger::store::{Access, Client, Credentials};
use bed::otlp::{self, Sender};
use bed::{Bed, Collector, Configuration, Launch, Options, Postgres, Probe, Process, eventually};
use futures::future::join_all;
use serde_json::json;

use crate::support::program;

/// A ledger of its own: a database with its tables, and a sink.
struct Ledger {
    bed: Bed,
    postgres: Postgres,
    admin: Client,
}

/// A sink, and where it listens.
struct Sink {
    process: Process,
    http: String,
    grpc: String,
    status: String,
}

/// Who writes in these tests.
const WRITER: &str = "sink";

impl Ledger {
    async fn start() -> Self {
        Self::on(Bed::start(Options::nothing()).await.expect("the bed should start")).await
    }

    async fn on(bed: Bed) -> Self {
        let postgres = Postgres::start(&bed).await.expect("PostgreSQL should start");
        let connect = async |database: &str| {
            let access = Access::new(&postgres.superuser_url(database), Credentials::default(), None)
                .expect("the URL should do");
            access.connect().await
        };
        let ready = eventually(Duration::from_mins(1), async || connect("postgres").await.ok()).await;
        let root = ready.expect("PostgreSQL should let somebody in");
        root.batch_execute("CREATE DATABASE ledger").await.expect("a database should be made");
        let admin = connect("ledger").await.expect("it should let somebody in");
        let ledger = Self { bed, postgres, admin };
        for _ in 0..2 {
            let (code, said) = ledger.run(&["migrate"]);
            assert_eq!(code, Some(0), "{said}");
        }
        let writer = format!("CREATE ROLE {WRITER} LOGIN IN ROLE ledger_writer");
        ledger.admin.batch_execute(&writer).await.expect("a writer should be made");
        ledger
    }

    /// What a command of the ledger says, as whoever may do everything.
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        run_at(&self.postgres.superuser_url("ledger"), args)
    }

    /// The same as a member of a role.
    fn run_as(&self, user: &str, args: &[&str]) -> (Option<i32>, String) {
        run_at(&self.postgres.url(user, "ledger"), args)
    }

    /// A sink, and where it takes OTLP over HTTP.
    async fn sink(&self, name: &str) -> (Process, String) {
        let sink = self.sink_of_many_ways(name).await;
        (sink.process, sink.http)
    }

    async fn sink_of_many_ways(&self, name: &str) -> Sink {
        self.sink_with(name, &[]).await
    }

    /// A sink with further arguments.
    async fn sink_with(&self, name: &str, args: &[&str]) -> Sink {
        let address = || format!("127.0.0.1:{}", self.bed.port().expect("a port should be free"));
        let (http, grpc, status) = (address(), address(), address());
        let log = self.bed.logs().join(format!("{name}.log"));
        let ready = Probe::Url(format!("http://{status}/readyz"));
        let launch = Launch::new(name, program(), &log, ready)
            .args(["ledger", "serve", "--otlp-http", &http, "--otlp-grpc", &grpc, "--listen", &status])
            .args(args.iter().copied())
            .env("AGENTSLO_DATABASE_URL", self.postgres.url(WRITER, "ledger"));
        let process = Process::launch(launch).await.expect("the sink should start");
        Sink { process, http: format!("http://{http}"), grpc, status: format!("http://{status}") }
    }

    /// A file in the folder of the logs.
    fn file(&self, name: &str) -> String {
        self.bed.logs().join(name).display().to_string()
    }

    /// Files with the two halves of a key for anchors.
    fn keys(&self) -> (String, String) {
        let keys = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key should be made");
        let (key, public) = (self.file("anchor.key"), self.file("anchor.pub"));
        std::fs::write(&key, keys.serialize_pem()).expect("the key should be written");
        std::fs::write(&public, keys.public_key_pem()).expect("the public key should be written");
        (key, public)
    }

    async fn count(&self) -> i64 {
        let row = self.admin.query_one("SELECT count(*) FROM ledger.entry", &[]).await;
        row.expect("entries should be counted").get(0)
    }
}

/// What a command of the ledger says, with a database.
fn run_at(url: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program());
    command.arg("ledger").args(args).env("AGENTSLO_DATABASE_URL", url);
    let output = command.output().expect("the program should run");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn agent(url: &str, name: &str) -> Sender {
    Sender::to(url).resource(&json!({"service.name": name, "k8s.namespace.name": "team-a"}))
}

/// An event that no other is the same as.
fn event(number: usize) -> otlp::logs::v1::LogRecord {
    let attributes = json!({
        "session.id": format!("session-{}", number % 7), "tool_name": "Bash", "success": "true",
        "duration_ms": number, "prompt": "a secret", "event.sequence": number,
    });
    let mut event = otlp::event("tool_result", &attributes);
    event.time_unix_nano = now();
    event
}

/// Nanoseconds since the epoch.
#[allow(clippy::disallowed_methods, reason = "a sink takes no event of another year")]
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    u64::try_from(now.as_nanos()).expect("it is earlier than 2554")
}

/// E-39: writers at once form one chain, and what is sent again is entered once.
#[tokio::test]
async fn many_writers_make_one_chain_and_nothing_is_entered_twice() {
    let ledger = Ledger::start().await;
    let (first, url) = ledger.sink("first").await;
    let (second, other_url) = ledger.sink("second").await;
    let send = async |number: usize| {
        let url = if number.is_multiple_of(2) { &url } else { &other_url };
        let agent = agent(url, "support");
        let events: Vec<_> = (0..20).map(|which| event(number * 20 + which)).collect();
        for _ in 0..2 {
            agent.logs(events.clone()).await.expect("the events should be taken");
        }
    };
    join_all((0..32).map(send)).await;
    assert_eq!(ledger.count().await, 32 * 20);
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: 640 entries, intact, head "), "{said}");
    let row = ledger.admin.query_one("SELECT canonical FROM ledger.entry WHERE sequence = 1", &[]).await;
    let text: String = row.expect("there should be a first").get(0);
    assert!(!text.contains("a secret") && text.contains("tool_result"), "{text}");
    first.stop().await;
    second.stop().await;
}

/// E-38, E-40: whoever writes may insert and read, and nobody may change anything, not even the owner.
#[tokio::test]
async fn nobody_changes_an_entry_by_the_rights_that_they_have() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    agent(&url, "support").logs(vec![event(1)]).await.expect("the event should be taken");
    let connect = async |user: &str| {
        let access = Access::new(&ledger.postgres.url(user, "ledger"), Credentials::default(), None)
            .expect("the URL should do");
        access.connect().await.expect("it should let them in")
    };
    ledger.admin.batch_execute("CREATE ROLE reader LOGIN IN ROLE ledger_reader").await.expect("a reader");
    let (writer, reader) = (connect(WRITER).await, connect("reader").await);
    for client in [&writer, &reader] {
        let rows = client.query("SELECT hash FROM ledger.entry", &[]).await.expect("they may read");
        assert_eq!(rows.len(), 1, "row-level security lets them see it");
    }
    let forbidden = [
        "UPDATE ledger.entry SET canonical = '{}'",
        "DELETE FROM ledger.entry",
        "TRUNCATE ledger.entry",
        "TRUNCATE ledger.stream CASCADE",
        "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
        "ALTER TABLE ledger.entry DISABLE ROW LEVEL SECURITY",
        "DROP TABLE ledger.entry",
        "SET ROLE ledger_owner",
    ];
    for statement in forbidden {
        for (who, client) in [("writer", &writer), ("reader", &reader)] {
            assert!(client.batch_execute(statement).await.is_err(), "{who}: {statement}");
        }
    }
    let inserted = "INSERT INTO ledger.stream (name) VALUES ('team-a/other')";
    assert!(reader.batch_execute(inserted).await.is_err(), "a reader may not insert");
    for statement in ["UPDATE ledger.entry SET canonical = '{}'", "DELETE FROM ledger.entry"] {
        let as_owner = format!("SET ROLE ledger_owner; {statement}");
        let _ = ledger.admin.batch_execute(&as_owner).await;
        ledger.admin.batch_execute("RESET ROLE").await.expect("the role should be given back");
    }
    assert_eq!(ledger.count().await, 1);
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    sink.stop().await;
}

/// E-41, E-42: what is hashed is what is stored, however many digits a cost has, and the order is that in which it was
/// entered, whatever the clocks of agents say.
#[tokio::test]
async fn what_is_stored_is_what_was_hashed_in_the_order_in_which_it_was_entered() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    let (late, hour) = (now(), 3600 * 1_000_000_000);
    let calls = [(late, 0.1), (late - hour, 0.012_345_678_9), (late - hour, 1e-7), (late, 10.0 / 3.0)];
    for (at, cost) in calls {
        let mut call = otlp::event("api_request", &json!({"model": "large", "cost_usd": cost}));
        call.time_unix_nano = at;
        agent(&url, "support").logs(vec![call]).await.expect("the event should be taken");
    }
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    let statement = "SELECT canonical::jsonb ->> 'at', micro_usd, \
                     content_hash = sha256(convert_to(encode(salt, 'hex') || E'\\n' || canonical, 'UTF8')) \
                     FROM ledger.entry JOIN ledger.charge USING (stream, sequence) ORDER BY sequence";
    let rows = ledger.admin.query(statement, &[]).await.expect("it should be read");
    let rows: Vec<(String, i64, bool)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let millionths = [100_000, 12_346, 0, 3_333_333];
    let expected = calls.iter().zip(millionths).map(|((at, _), cost)| (at.to_string(), cost, true));
    assert_eq!(rows, expected.collect::<Vec<_>>());
    sink.stop().await;
}

/// E-43: whatever a superuser does to the rows shows.
#[tokio::test]
async fn whatever_a_superuser_does_to_the_rows_shows() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    let unguard = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL";
    ledger.admin.batch_execute(unguard).await.expect("a superuser may do anything");
    let change = "UPDATE ledger.entry SET canonical = replace(canonical, 'Bash', 'Read') WHERE sequence = 2 AND stream = $";
    let swap = "UPDATE ledger.entry SET sequence = -sequence WHERE sequence IN (2, 3) AND stream = $";
    let attacks = [
        ("changed", change, "entry 2 was changed"),
        ("deleted", "DELETE FROM ledger.entry WHERE sequence = 2 AND stream = $", "entry 2 is missing"),
        (
            "emptied",
            "DELETE FROM ledger.entry WHERE sequence < 3 AND stream = $",
            "entries 1 to 2 are missing",
        ),
        ("moved", swap, ""),
    ];
    ledger
        .admin
        .batch_execute("ALTER TABLE ledger.entry DROP CONSTRAINT entry_sequence_check")
        .await
        .expect("a superuser may do anything");
    for (name, attack, finding) in attacks {
        agent(&url, name).logs((0..5).map(event).collect()).await.expect("the events should be taken");
        let stream = format!("team-a/{name}");
        let row = ledger.admin.query_one("SELECT id FROM ledger.stream WHERE name = $1", &[&stream]).await;
        let id: i64 = row.expect("the stream should be there").get(0);
        ledger.admin.batch_execute(&attack.replace('$', &id.to_string())).await.expect("a superuser may");
        if finding.is_empty() {
            let back = format!(
                "UPDATE ledger.entry SET sequence = 5 + sequence WHERE sequence < 0 AND stream = {id}"
            );
            ledger.admin.batch_execute(&back).await.expect("a superuser may");
        }
        let (code, said) = ledger.run(&["verify", &stream]);
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains(finding) && said.contains("entr"), "{name}: {said}");
    }
    sink.stop().await;
}

/// E-43: what a superuser does who knows how chains are made shows beside an anchor, and only there.
#[tokio::test]
async fn what_was_anchored_can_neither_be_written_anew_nor_cut_off() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    let ((key, public), anchors) = (ledger.keys(), ledger.file("anchors.jsonl"));
    for name in ["rewritten", "cut-off", "dropped", "intact"] {
        agent(&url, name).logs((0..5).map(event).collect()).await.expect("the events should be taken");
    }
    let (code, said) = ledger.run(&["anchor", "--key", &key, "--anchors", &anchors]);
    assert_eq!(code, Some(0), "{said}");
    agent(&url, "intact").logs((5..9).map(event).collect()).await.expect("the events should be taken");
    let beside_anchors = ["verify", "--anchors", &anchors, "--public-key", &public];
    let (code, said) = ledger.run(&beside_anchors);
    assert_eq!((code, said.matches("intact, head").count()), (Some(0), 4), "{said}");

    let attack =
        "ALTER TABLE ledger.entry DISABLE TRIGGER ALL; ALTER TABLE ledger.stream DISABLE TRIGGER ALL;
        DELETE FROM ledger.entry USING ledger.stream WHERE stream = id AND
            (name = 'team-a/cut-off' AND sequence > 3 OR name = 'team-a/dropped');
        DELETE FROM ledger.stream WHERE name = 'team-a/dropped'";
    ledger.admin.batch_execute(attack).await.expect("a superuser may do anything");
    write_anew(&ledger.admin, "team-a/rewritten").await;
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "the rows fit together: {said}");
    let (code, said) = ledger.run(&beside_anchors);
    assert_eq!(code, Some(1), "{said}");
    for finding in [
        "team-a/rewritten: entry 5 is not the one that was anchored",
        "team-a/cut-off: the chain ends with entry 3, and entry 5 was anchored",
        "team-a/dropped: the chain ends with entry 0, and entry 5 was anchored",
        "team-a/intact: 9 entries, intact",
    ] {
        assert!(said.contains(finding), "{finding}: {said}");
    }

    let forged = std::fs::read_to_string(&anchors).expect("the anchors should be there");
    std::fs::write(&anchors, forged.replace("\"sequence\":5", "\"sequence\":3"))
        .expect("it should be written");
    let (code, said) = ledger.run(&beside_anchors);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("line 1: the signature of the anchor of"), "{said}");
    sink.stop().await;
}

/// Changes an entry of a chain, and makes every hash from there on anew.
async fn write_anew(admin: &Client, stream: &str) {
    let rows = "SELECT stream, sequence, canonical, salt FROM ledger.entry JOIN ledger.stream ON stream = id \
                WHERE name = $1 ORDER BY sequence";
    let mut head = Head::of_empty(stream);
    for row in admin.query(rows, &[&stream]).await.expect("the chain should be read") {
        let (id, sequence): (i64, i64) = (row.get(0), row.get(1));
        let canonical = row.get::<_, String>(2).replace("Bash", "Read");
        let salt: [u8; 16] = row.get::<_, &[u8]>(3).try_into().expect("a salt has 16 bytes");
        let content_hash = hash_of(salt.into(), &canonical);
        let next = head.followed_by(stream, content_hash);
        let update = "UPDATE ledger.entry SET canonical = $3, previous = $4, hash = $5, content_hash = $6 \
                      WHERE stream = $1 AND sequence = $2";
        let [previous, hash, content_hash] =
            [head.hash, next.hash, content_hash].map(|hash| hash.bytes().to_vec());
        let changed =
            admin.execute(update, &[&id, &sequence, &canonical, &previous, &hash, &content_hash]).await;
        assert_eq!(changed.expect("a superuser may do anything"), 1);
        head = next;
    }
}

/// A Collector keeps on disk what was not answered, and sends it over gRPC until it is.
const COLLECTOR: &str = "
extensions: {file_storage: {directory: OVERLAID, create_directory: true}}
receivers: {otlp: {protocols: {http: {endpoint: OVERLAID}}}}
exporters:
  otlp_grpc/ledger:
    endpoint: OVERLAID
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, max_elapsed_time: 0s}
    sending_queue: {storage: file_storage}
service:
  extensions: [file_storage]
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_grpc/ledger]}}
";

/// At least once from the queue of a Collector, and once in the table.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_collector_has_taken_is_entered_once_whoever_dies() {
    let ledger = Ledger::start().await;
    let Sink { process: sink, grpc, .. } = ledger.sink_of_many_ways("sink").await;
    let http = format!("127.0.0.1:{}", ledger.bed.port().expect("a port should be free"));
    let configuration = Configuration::new("collector", COLLECTOR).over(json!({
        "extensions": {"file_storage": {"directory": ledger.bed.logs().join("queue")}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": &http}}}},
        "exporters": {"otlp_grpc/ledger": {"endpoint": grpc}},
    }));
    let collector = Collector::start(&ledger.bed, &configuration).await.expect("the Collector should start");
    let agent = agent(&format!("http://{http}"), "support");
    for round in 0..20 {
        let events = (0..10).map(|which| event(round * 10 + which)).collect();
        agent.logs(events).await.expect("the Collector should take it");
        match round {
            5 => sink.kill9(),
            10 => {
                collector.process().kill9();
                collector.process().start().await.expect("the Collector should start again");
            }
            15 => sink.start().await.expect("the sink should start again"),
            _ => {}
        }
    }
    let all = async || (ledger.count().await >= 200).then_some(());
    eventually(Duration::from_mins(1), all).await.expect("all should be entered");
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: 200 entries, intact"), "{said}");
    sink.stop().await;
}
