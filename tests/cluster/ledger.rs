//! The ledger on a real PostgreSQL: what is entered, that nothing is entered twice or lost, who may do what, and that
//! whatever somebody does to the tables shows.

use std::process::Command;
use std::time::{Duration, SystemTime};

use agentslo_ledger::store::{Access, Client};
use bed::otlp::{self, Sender};
use bed::{Bed, Launch, Options, Postgres, Probe, Process, eventually};
use futures::future::join_all;
use serde_json::json;

use crate::support::program;

/// A ledger of its own: a database with its tables, and a sink.
struct Ledger {
    bed: Bed,
    postgres: Postgres,
    admin: Client,
}

/// Who writes in these tests.
const WRITER: &str = "sink";

impl Ledger {
    async fn start() -> Self {
        let bed = Bed::start(Options::nothing()).await.expect("the bed should start");
        let postgres = Postgres::start(&bed).await.expect("PostgreSQL should start");
        let connect = async |database: &str| {
            let access =
                Access::new(&postgres.superuser_url(database), None, None).expect("the URL should do");
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
        let mut command = Command::new(program());
        command.arg("ledger").args(args).env("AGENTSLO_DATABASE_URL", self.postgres.superuser_url("ledger"));
        let output = command.output().expect("the program should run");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// A sink, and where it takes OTLP over HTTP.
    async fn sink(&self, name: &str) -> (Process, String) {
        let port = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port should be free");
            listener.local_addr().expect("it should have an address").port()
        };
        let (http, grpc) = (port(), port());
        let log = self.bed.logs().join(format!("{name}.log"));
        let launch = Launch::new(name, program(), &log, Probe::Port(http))
            .args(["ledger", "serve", "--otlp-http", &format!("127.0.0.1:{http}")])
            .args(["--otlp-grpc", &format!("127.0.0.1:{grpc}")])
            .env("AGENTSLO_DATABASE_URL", self.postgres.url(WRITER, "ledger"));
        let process = Process::launch(launch).await.expect("the sink should start");
        (process, format!("http://127.0.0.1:{http}"))
    }

    async fn count(&self) -> i64 {
        let row = self.admin.query_one("SELECT count(*) FROM ledger.entry", &[]).await;
        row.expect("entries should be counted").get(0)
    }
}

fn agent(url: &str, name: &str) -> Sender {
    Sender::to(url).resource(&json!({"service.name": name, "k8s.namespace.name": "team-a"}))
}

/// An event that no other is the same as.
#[allow(clippy::disallowed_methods, reason = "a sink takes no event of another year")]
fn event(number: usize) -> otlp::logs::v1::LogRecord {
    let attributes = json!({
        "session.id": format!("session-{}", number % 7), "tool_name": "Bash", "success": "true",
        "duration_ms": number, "prompt": "a secret", "event.sequence": number,
    });
    let mut event = otlp::event("tool_result", &attributes);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    event.time_unix_nano = u64::try_from(now.as_nanos()).expect("it is earlier than 2554");
    event
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
        let access =
            Access::new(&ledger.postgres.url(user, "ledger"), None, None).expect("the URL should do");
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

/// What was answered is there, whoever dies.
#[tokio::test]
async fn nothing_is_lost_or_entered_twice_when_sink_and_database_die() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    let send = async |number: usize| {
        let agent = agent(&url, "support");
        let events: Vec<_> = (0..10).map(|which| event(number * 10 + which)).collect();
        let taken = async || agent.logs(events.clone()).await.ok();
        eventually(Duration::from_mins(2), taken).await.expect("the events should be taken at last");
    };
    let deaths = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(700)).await;
            sink.kill9();
            sink.start().await.expect("the sink should start again");
            tokio::time::sleep(Duration::from_millis(700)).await;
            ledger.postgres.process().kill9();
            // Those who served connections end after it, and until then it does not start.
            let started = async || ledger.postgres.process().start().await.ok();
            eventually(Duration::from_secs(30), started).await.expect("PostgreSQL should start again");
        }
    };
    let senders = async {
        for round in 0..30 {
            join_all((0..8).map(|sender| send(round * 8 + sender))).await;
        }
    };
    tokio::join!(senders, deaths);
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: 2400 entries, intact"), "{said}");
    sink.stop().await;
}
