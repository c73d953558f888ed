//! Roles that are bound to namespaces: each sees and enters what is its own, and lets go no more than that.

use agentslo_ledger::store::{Access, Client, Credentials};
use bed::otlp::{self, Sender};
use bed::{Launch, Probe, Process};
use serde_json::json;

use super::{Ledger, event, now};
use crate::support::program;

/// Two tenants, each with a role for everything.
const ROLES: &str =
    "CREATE ROLE writes_a LOGIN IN ROLE ledger_writer; CREATE ROLE writes_b LOGIN IN ROLE ledger_writer;
    CREATE ROLE reads_a LOGIN IN ROLE ledger_reader; CREATE ROLE keeps_a LOGIN IN ROLE ledger_keeper;
    INSERT INTO ledger.tenant VALUES ('writes_a', 'team-a'), ('writes_b', 'team-b'), ('reads_a', 'team-a'),
        ('keeps_a', 'team-a')";

async fn connect(ledger: &Ledger, user: &str) -> Client {
    let access = Access::new(&ledger.postgres.url(user, "ledger"), Credentials::default(), None);
    access.expect("the URL should do").connect().await.expect("it should let them in")
}

/// A sink with a role of its own, and where it takes OTLP.
async fn sink(ledger: &Ledger, user: &str) -> (Process, String) {
    let address = || format!("127.0.0.1:{}", ledger.bed.port().expect("a port should be free"));
    let (http, grpc, status) = (address(), address(), address());
    let log = ledger.bed.logs().join(format!("{user}.log"));
    let launch = Launch::new(user, program(), &log, Probe::Url(format!("http://{status}/readyz")))
        .args(["ledger", "serve", "--otlp-http", &http, "--otlp-grpc", &grpc, "--listen", &status])
        .env("AGENTSLO_DATABASE_URL", ledger.postgres.url(user, "ledger"));
    (Process::launch(launch).await.expect("the sink should start"), format!("http://{http}"))
}

fn agent(url: &str, namespace: &str) -> Sender {
    Sender::to(url).resource(&json!({"service.name": "support", "k8s.namespace.name": namespace}))
}

/// A call of a model, so many days ago.
fn call(days: u64) -> otlp::logs::v1::LogRecord {
    let mut call =
        otlp::event("api_request", &json!({"model": "large", "cost_usd": 0.5, "session.id": "s-1"}));
    call.time_unix_nano = now() - days * 24 * 3600 * 1_000_000_000;
    call
}

async fn count(client: &Client, table: &str) -> i64 {
    let row = client.query_one(&format!("SELECT count(*) FROM ledger.{table}"), &[]).await;
    row.unwrap_or_else(|error| panic!("{table}: {error:?}")).get(0)
}

#[tokio::test]
async fn a_tenant_sees_enters_and_lets_go_what_is_its_own() {
    let ledger = Ledger::start().await;
    ledger.admin.batch_execute(ROLES).await.expect("roles should be made");
    let (of_a, of_b) = (sink(&ledger, "writes_a").await, sink(&ledger, "writes_b").await);
    agent(&of_a.1, "team-a").logs(vec![call(100), call(0), event(1)]).await.expect("they should be taken");
    agent(&of_b.1, "team-b").logs(vec![call(100), event(2)]).await.expect("they should be taken");
    let foreign = agent(&of_a.1, "team-b").logs(vec![event(3)]).await;
    assert!(foreign.is_err(), "a tenant enters nothing in the name of another");
    assert_eq!(ledger.count().await, 5);

    let (reader, keeper) = (connect(&ledger, "reads_a").await, connect(&ledger, "keeps_a").await);
    for (table, seen) in [("stream", 1), ("entry", 3), ("charge", 2), ("spend", 2), ("runs", 0)] {
        assert_eq!(count(&reader, table).await, seen, "{table}");
    }
    assert!(
        reader.query("SELECT * FROM ledger.tenant", &[]).await.is_err(),
        "who is bound to what is nobody's"
    );
    let bind = "INSERT INTO ledger.tenant VALUES ('keeps_a', 'team-b')";
    assert!(keeper.batch_execute(bind).await.is_err(), "nobody binds themselves");

    let row = ledger.admin.query_one("SELECT id FROM ledger.stream WHERE name = 'team-b/support'", &[]).await;
    let other: i64 = row.expect("it should be there").get(0);
    for statement in [
        format!("SELECT ledger.take_out({other}, ARRAY[1])"),
        format!("SELECT ledger.let_go({other}, 1)"),
        "SELECT ledger.let_costs_go(now())".to_owned(),
        "SELECT ledger.let_costs_of_streams_go(ARRAY['team-b/support'], now())".to_owned(),
        "INSERT INTO ledger.price VALUES ('large', now(), 1, 1, 1, 1)".to_owned(),
    ] {
        assert!(keeper.query(&statement, &[]).await.is_err(), "{statement}");
    }
    let (code, said) = ledger.run_as("keeps_a", &["erase", "--session", "s-1", "--reason", "request-1"]);
    assert_eq!((code, said.contains("team-b")), (Some(0), false), "{said}");
    let retain = ["retain", "--audit", "30d", "--cost", "30d", "team-a/support"];
    let (code, said) = ledger.run_as("keeps_a", &retain);
    assert_eq!(code, Some(0), "{said}");
    let old = |namespace: &str| {
        format!(
            "SELECT count(*) FROM ledger.spend WHERE at < now() - interval '60 days' AND namespace = '{namespace}'"
        )
    };
    for (namespace, left) in [("team-a", 0_i64), ("team-b", 1)] {
        let row = ledger.admin.query_one(&old(namespace), &[]).await.expect("it should be counted");
        assert_eq!(row.get::<_, i64>(0), left, "{namespace}");
    }
    let months = "SELECT count(*) FROM pg_class WHERE relname ~ '^charge_'";
    let months =
        async || -> i64 { ledger.admin.query_one(months, &[]).await.expect("it should be counted").get(0) };
    let before = months().await;
    let (code, said) = ledger.run(&["retain", "--cost", "30d", "team-b/support"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(months().await < before, "a month of which nothing is left goes with its partitions");
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    of_a.0.stop().await;
    of_b.0.stop().await;
}
