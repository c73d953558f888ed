//! A ledger that an older version made is brought up to date where it stands, while it is entered into.

use refinery::Target;

use super::{Ledger, agent, event};

mod embedded {
    refinery::embed_migrations!("ledger/src/store/migrations");
}

#[tokio::test]
async fn what_was_entered_before_an_upgrade_stays_and_is_added_to() {
    let mut ledger = Ledger::start().await;
    let nothing = "DROP SCHEMA ledger CASCADE; DROP TABLE refinery_schema_history";
    ledger.admin.batch_execute(nothing).await.expect("the tables should go");
    let first = embedded::migrations::runner().set_target(Target::Version(1));
    first.run_async(&mut ledger.admin).await.expect("the tables of the first version should be made");
    let bound = "SELECT to_regclass('ledger.tenant') IS NOT NULL";
    let row = ledger.admin.query_one(bound, &[]).await.expect("it should be known");
    assert!(!row.get::<_, bool>(0), "nobody is bound to namespaces yet");

    let (sink, url) = ledger.sink("sink").await;
    let agent = agent(&url, "support");
    agent.logs((0..50).map(event).collect()).await.expect("the events should be taken");
    let (code, said) = ledger.run(&["migrate"]);
    assert_eq!(code, Some(0), "{said}");
    agent.logs((50..80).map(event).collect()).await.expect("the sink should not notice");
    let (code, said) = ledger.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("team-a/support: 80 entries, intact"), "{said}");
    let row = ledger.admin.query_one(bound, &[]).await.expect("it should be known");
    assert!(row.get::<_, bool>(0), "roles can be bound to namespaces");
    sink.stop().await;
}
