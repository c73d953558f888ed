//! What a keeper takes out or lets go leaves a trace and a chain that is whole; what anybody else does shows.

use std::time::Duration;

use bed::otlp;
use serde_json::json;

use agentslo_ledger::store::{Access, Credentials};

use super::{Ledger, agent, event, now};

/// Who keeps the ledger in these tests.
const KEEPER: &str = "keeper";

async fn with_keeper() -> Ledger {
    let ledger = Ledger::start().await;
    let keeper = format!("CREATE ROLE {KEEPER} LOGIN IN ROLE ledger_keeper");
    ledger.admin.batch_execute(&keeper).await.expect("a keeper should be made");
    ledger
}

/// A call of a model, in a session, so long ago.
fn call(session: &str, ago: Duration) -> otlp::logs::v1::LogRecord {
    let attributes = json!({
        "model": "large", "session.id": session, "user.id": "alice", "cost_usd": 0.25, "input_tokens": 10,
        "output_tokens": 20,
    });
    let mut call = otlp::event("api_request", &attributes);
    call.time_unix_nano = now() - u64::try_from(ago.as_nanos()).expect("it is not long ago");
    call
}

#[tokio::test]
async fn what_is_erased_is_gone_and_the_chain_is_whole() {
    let ledger = with_keeper().await;
    let (sink, url) = ledger.sink("sink").await;
    let agent = agent(&url, "support");
    let calls = ["theirs", "others", "theirs"].map(|session| call(session, Duration::ZERO));
    agent.logs(calls.to_vec()).await.expect("the calls should be taken");
    agent.logs((0..3).map(event).collect()).await.expect("the events should be taken");

    let erase = ["erase", "--session", "theirs", "--reason", "request 4711"];
    for who in [super::WRITER, "nobody"] {
        let (code, said) = ledger.run_as(who, &erase);
        assert_ne!(code, Some(0), "{who}: {said}");
    }
    let (code, said) = ledger.run_as(KEEPER, &erase);
    assert_eq!((code, said.as_str()), (Some(0), "team-a/support: 2 entries were erased\n"));
    let (code, said) = ledger.run_as(KEEPER, &erase);
    assert_eq!(code, Some(1), "nothing is left to erase: {said}");
    let traces = "SELECT (SELECT count(*) FROM ledger.entry WHERE canonical LIKE '%theirs%' OR event_id IS NULL \
                  AND canonical IS NOT NULL), (SELECT count(*) FROM ledger.charge WHERE session = 'theirs'), \
                  (SELECT sum(micro_usd)::bigint FROM ledger.charge)";
    let row = ledger.admin.query_one(traces, &[]).await.expect("it should be read");
    let (entries, charges, spent): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((entries, charges, spent), (0, 0, 750_000), "what it cost is still counted, and names nobody");
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: 7 entries, 2 of them erased, intact"), "{said}");
    let (_, told) = ledger.run(&["tail", "--lines", "1"]);
    assert!(told.contains("ledger.erased") && told.contains("request 4711"), "{told}");

    // The same by a superuser, without a word.
    let attack = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL; \
                  UPDATE ledger.entry SET salt = NULL, canonical = NULL, event_id = NULL WHERE sequence = 2";
    ledger.admin.batch_execute(attack).await.expect("a superuser may do anything");
    let (code, said) = ledger.run(&["verify"]);
    let untold = "team-a/support: the content of entry 2 was taken out, and no entry tells of it\n";
    assert_eq!((code, said.as_str()), (Some(1), untold));
    sink.stop().await;
}

/// The functions of a keeper do what they are for, and nothing else.
#[tokio::test]
async fn a_keeper_changes_nothing_else() {
    let ledger = with_keeper().await;
    let (sink, url) = ledger.sink("sink").await;
    agent(&url, "support").logs((0..3).map(event).collect()).await.expect("the events should be taken");
    let access = Access::new(&ledger.postgres.url(KEEPER, "ledger"), Credentials::default(), None);
    let keeper = access.expect("the URL should do").connect().await.expect("it should let them in");
    let forbidden = [
        "UPDATE ledger.entry SET canonical = '{}'",
        "SET ledger.permit = 'keeper'; UPDATE ledger.entry SET canonical = NULL, salt = NULL, event_id = NULL",
        "SET ledger.permit = 'keeper'; DELETE FROM ledger.entry",
        "TRUNCATE ledger.entry",
        "DELETE FROM ledger.price",
        "SET ROLE ledger_owner",
    ];
    for statement in forbidden {
        assert!(keeper.batch_execute(statement).await.is_err(), "{statement}");
    }
    // The owner with the permit, as nobody can be: a link stays what it is.
    let as_owner =
        "SET ROLE ledger_owner; SET ledger.permit = 'keeper'; UPDATE ledger.entry SET sequence = 9";
    let refused = ledger.admin.batch_execute(as_owner).await.expect_err("a link is never changed");
    let refused = refused.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default();
    assert!(refused.contains("nothing else of it can be changed"), "{refused}");
    ledger.admin.batch_execute("RESET ROLE; RESET ledger.permit").await.expect("the role is given back");
    assert_eq!(ledger.count().await, 3);
    sink.stop().await;
}

#[tokio::test]
async fn what_is_old_is_let_go_and_the_chain_begins_later() {
    let ledger = with_keeper().await;
    let (sink, url) = ledger.sink("sink").await;
    let agent = agent(&url, "support");
    let months = [90, 35, 0].map(|days| call("s", Duration::from_hours(24 * days)));
    agent.logs(months.to_vec()).await.expect("the calls should be taken");
    agent.logs((0..3).map(event).collect()).await.expect("the events should be taken");
    let ((key, public), anchors) = (ledger.keys(), ledger.file("anchors.jsonl"));
    let anchor = ["anchor", "--key", &key, "--anchors", &anchors];
    assert_eq!(ledger.run(&anchor).0, Some(0));
    // Four of the six were entered long ago.
    let aged = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL; \
                UPDATE ledger.entry SET entered_at = entered_at - interval '40 days' WHERE sequence <= 4; \
                ALTER TABLE ledger.entry ENABLE TRIGGER ALL";
    ledger.admin.batch_execute(aged).await.expect("a superuser may do anything");

    let retain = ["retain", "--audit", "30d", "--cost", "60d"];
    assert_ne!(ledger.run_as(super::WRITER, &retain).0, Some(0), "a writer is no keeper");
    let (code, said) = ledger.run_as(KEEPER, &retain);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: entries up to 4 were let go\ncosts of 20"), "{said}");
    assert_eq!(ledger.run_as(KEEPER, &retain), (Some(0), String::new()), "nothing older is left");
    let row = ledger.admin.query_one("SELECT count(*) FROM ledger.charge", &[]).await.expect("it counts");
    assert!((1..=2).contains(&row.get::<_, i64>(0)), "only whole months go");
    let beside = ["verify", "--anchors", &anchors, "--public-key", &public];
    let (code, said) = ledger.run(&beside);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: 3 entries from 5 on, intact"), "{said}");
    agent.logs(vec![event(7)]).await.expect("the chain goes on");
    assert_eq!(ledger.run(&anchor).0, Some(0));

    let attack = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL; DELETE FROM ledger.entry WHERE sequence <= 5";
    ledger.admin.batch_execute(attack).await.expect("a superuser may do anything");
    let (code, said) = ledger.run(&beside);
    assert_eq!((code, said.as_str()), (Some(1), "team-a/support: entries 1 to 5 are missing\n"));
    sink.stop().await;
}
