//! What people read in the ledger: what was done, what it cost, and what somebody without the database can verify.

use bed::otlp;
use serde_json::{Value, json};

use super::{Ledger, agent, event, now, run_at};

/// A call of a model.
fn call(model: &str, session: &str, cost: Option<f64>) -> otlp::logs::v1::LogRecord {
    let mut attributes = json!({
        "model": model, "session.id": session, "input_tokens": 1000, "output_tokens": 100, "duration_ms": 900,
    });
    if let Some(cost) = cost {
        attributes["cost_usd"] = json!(cost);
    }
    let mut call = otlp::event("api_request", &attributes);
    call.time_unix_nano = now();
    call
}

#[tokio::test]
async fn an_auditor_without_the_database_verifies_a_session() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    agent(&url, "support").logs((0..20).map(event).collect()).await.expect("the events should be taken");
    let ((key, public), anchors) = (ledger.keys(), ledger.file("anchors.jsonl"));
    assert_eq!(ledger.run(&["anchor", "--key", &key, "--anchors", &anchors]).0, Some(0));
    let (code, export) = ledger.run(&["export", "--session", "session-3", "--anchors", &anchors]);
    assert_eq!(code, Some(0), "{export}");
    // Entries 4, 11 and 18 are of the session; the anchor is at 20.
    let disclosed = export.lines().filter(|line| line.contains("canonical")).count();
    assert_eq!((export.lines().count(), disclosed), (1 + 17 + 1, 3), "{export}");
    assert!(!export.contains("session-4"), "nothing of another session is disclosed: {export}");

    let file = ledger.file("session.jsonl");
    let verify = |text: &str| {
        std::fs::write(&file, text).expect("the export should be written");
        // Nobody listens there: no database is asked.
        run_at("postgres://127.0.0.1:1/none", &["verify", "--export", &file, "--public-key", &public])
    };
    let (code, said) = verify(&export);
    assert_eq!(code, Some(0), "{said}");
    let told =
        "team-a/support: entries 4 to 20, 3 of them disclosed, fit together; those up to 20 were there at 20";
    assert!(said.starts_with(told), "{said}");
    let (code, said) = verify(&export.replace("Bash", "Read"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("entry 4 was changed") && said.contains("entry 18 was changed"), "{said}");
    let (code, said) = verify(&export.replacen("\"sequence\":20", "\"sequence\":19", 2));
    assert_ne!(code, Some(0), "{said}");
    let (code, said) = ledger.run(&["export", "--session", "nobody"]);
    assert_eq!(code, Some(1), "{said}");
    // Nobody takes a name that was mistyped for a ledger without anchors.
    let (code, said) =
        ledger.run(&["verify", "--anchors", &ledger.file("mistyped"), "--public-key", &public]);
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = ledger.run(&["verify", "--anchors", &anchors]);
    assert_eq!((code, said.as_str()), (Some(2), "error: anchors prove nothing without --public-key\n"));
    sink.stop().await;
}

#[tokio::test]
async fn what_was_done_is_read_by_stream_and_by_session() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    for name in ["support", "billing"] {
        agent(&url, name).logs((0..10).map(event).collect()).await.expect("the events should be taken");
    }
    let (code, said) = ledger.run(&["tail", "--lines", "3", "team-a/support"]);
    assert_eq!((code, said.lines().count()), (Some(0), 3), "{said}");
    assert!(
        said.lines().last().is_some_and(|line| line.contains("team-a/support #10  tool_result")),
        "{said}"
    );
    let (code, said) = ledger.run(&["session", "session-2", "-o", "json"]);
    assert_eq!((code, said.lines().count()), (Some(0), 4), "{said}");
    let first: Value = serde_json::from_str(said.lines().next().unwrap_or_default()).expect("it is JSON");
    assert_eq!(
        (&first["entry"]["session"], &first["entry"]["event"]),
        (&json!("session-2"), &json!("tool_result"))
    );
    let (code, said) = ledger.run(&["session", "nobody"]);
    assert_eq!((code, said.as_str()), (Some(1), "error: nothing was entered of a session 'nobody'\n"));
    sink.stop().await;
}

#[tokio::test]
async fn what_was_spent_adds_up_to_the_millionth() {
    let ledger = Ledger::start().await;
    let prices = ledger.file("prices.yaml");
    let price = |model: &str, from: &str, input: &str| {
        format!(
            "- model: {model}\n  from: {from}\n  usdPerMillionTokens: \
             {{input: '{input}', output: '10', cacheRead: '0', cacheWrite: '0'}}\n"
        )
    };
    let text = price("small", "2020-01-01", "1")
        + &price("small", "2999-01-01", "9")
        + &price("s", "2020-01-01", "7");
    std::fs::write(&prices, text).expect("prices should be written");
    let (code, said) = ledger.run(&["prices", "--set", &prices]);
    assert_eq!((code, said.lines().count()), (Some(0), 4), "{said}");

    let (sink, url) = ledger.sink("sink").await;
    // A tenth and three millionths, forty times; and calls that say nothing, of a model with a price and of one without.
    let mut calls: Vec<_> =
        (0..40).map(|which| call("large", &format!("s-{which}"), Some(0.100_003))).collect();
    calls.extend([call("small-2026", "s-1", None), call("unknown", "s-1", None)]);
    agent(&url, "support").logs(calls).await.expect("the calls should be taken");
    let (code, said) = ledger.run(&["cost", "--by", "model", "-o", "json", "--budget", "5"]);
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&said).expect("it is JSON");
    let row = |model: &str| {
        let rows = report["rows"].as_array().expect("there are rows");
        rows.iter().find(|row| row["model"] == model).cloned().expect("the model is there")
    };
    assert_eq!(row("large")["micro_usd"], 40 * 100_003);
    // A thousand tokens at a dollar for a million, and a hundred at ten.
    assert_eq!((&row("small-2026")["micro_usd"], &row("small-2026")["estimated"]), (&json!(2000), &json!(1)));
    assert_eq!((&row("unknown")["micro_usd"], &row("unknown")["without_cost"]), (&json!(0), &json!(1)));
    assert_eq!(report["month"]["spentUSD"], "4.00");

    let (code, said) = ledger.run(&["cost", "--budget", "4"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("team-a/support") && said.contains("the budget of $4.00 is spent to 100%"),
        "{said}"
    );
    let (_, said) = ledger.run(&["cost", "--by", "day,session", "-o", "csv"]);
    assert_eq!(said.lines().count(), 41, "{said}");
    sink.stop().await;
}
