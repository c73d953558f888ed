//! The SQL of the dashboard of a ledger, asked of a real database.

use std::collections::BTreeMap;

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::render::{self, Artifact, Part};
use agentslo::validate::{self, ObservabilityFacts};
use bed::otlp;
use regex::Regex;
use serde_json::{Value, json};

use super::{Ledger, agent, now};
use crate::scenarios::unpermitted;

/// A name that ends literals, and names variables of Grafana's.
const HOSTILE: &str = "o'brien \\ $agent [[x]] é";

/// The panels of its dashboard that ask the database: title and SQL.
fn panels() -> BTreeMap<String, String> {
    let platform = unpermitted::judged(&unpermitted::everything()).expect("the platform should be valid");
    let written: AgentObservability = serde_json::from_value(json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"name": "support", "namespace": "team-a"},
        "spec": {"agent": HOSTILE, "pipeline": {}, "dashboards": {}, "ledger": {}},
    }))
    .expect("it should have the shape");
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    let observability = validate::observability(&written, &facts).expect("it should be valid");
    let artifacts = render::observability(&observability).remove(&Part::Dashboards).unwrap_or_default().0;
    let ledger = artifacts.into_iter().find(|artifact| artifact.name().contains("ledger-dashboard"));
    let Some(Artifact::ConfigMap(map)) = ledger else { panic!("there should be a dashboard of the ledger") };
    let json = map.data.unwrap_or_default().into_values().next().expect("it should have JSON");
    let json: Value = serde_json::from_str(&json).expect("it should be JSON");
    let panels = json["panels"].as_array().cloned().unwrap_or_default().into_iter();
    let asked = panels.filter_map(|panel| {
        let sql = panel["targets"][0]["rawSql"].as_str()?;
        Some((panel["title"].as_str()?.to_owned(), filled(sql)))
    });
    asked.collect()
}

/// As Grafana sends it for the last thirty days.
fn filled(sql: &str) -> String {
    let macros = Regex::new(r"\$__timeFilter\(([a-z.]+)\)").expect("it should compile");
    macros.replace_all(sql, "$1 BETWEEN now() - interval '30 days' AND now()").into_owned()
}

fn call(number: u64, days_ago: u64, outcome: Option<&str>) -> otlp::logs::v1::LogRecord {
    let name = if outcome.is_some() { "api_error" } else { "api_request" };
    let attributes = json!({
        "model": "large", "cost_usd": 0.5, "input_tokens": 100, "output_tokens": 7, "session.id": "s-1",
        "number": number, "status_code": outcome,
    });
    let mut call = otlp::event(name, &attributes);
    call.time_unix_nano = now() - days_ago * 24 * 3600 * 1_000_000_000;
    call
}

fn run(cost: f64) -> otlp::logs::v1::LogRecord {
    let attributes = json!({"duration_seconds": 90, "turns": 4, "cost_usd": cost, "session.id": "s-1"});
    let mut run = otlp::event("query_completed", &attributes);
    run.time_unix_nano = now();
    run
}

#[tokio::test]
async fn every_panel_asks_for_what_is_there_and_for_nothing_of_others() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    let own = vec![call(1, 0, None), call(2, 3, None), call(3, 0, Some("500")), run(0.25)];
    agent(&url, HOSTILE).logs(own).await.expect("the events should be taken");
    agent(&url, "other").logs(vec![call(9, 0, None), run(100.0)]).await.expect("the events should be taken");

    let rows = async |sql: &str| {
        let wrapped = format!("SELECT to_jsonb(panel)::text FROM ({sql}) AS panel");
        let rows = ledger.admin.query(&wrapped, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let json = rows.iter().map(|row| serde_json::from_str(row.get(0)).expect("it is JSON"));
        json.collect::<Vec<Value>>()
    };
    let mut shown = BTreeMap::new();
    for (title, sql) in panels() {
        shown.insert(title, rows(&sql).await);
    }
    let number = |title: &str, field: &str| shown[title][0][field].as_f64().expect("it is a number");
    let days: f64 = shown["Cost by model"].iter().filter_map(|row| row["value"].as_f64()).sum();
    assert!((days - 1.75).abs() < 1e-9, "{:?}", shown["Cost by model"]);
    assert!((number("Cost of a run", "usd") - 0.25).abs() < 1e-9);
    assert!(number("Spent this month", "usd") > 0.74, "{:?}", shown["Spent this month"]);
    assert!(number("Month, projected", "usd") >= number("Spent this month", "usd"));
    assert!((number("Spent on what failed", "usd") - 0.5).abs() < 1e-9);
    assert_eq!(shown["Runs"].len(), 1);
    assert_eq!((&shown["Runs"][0]["turns"], &shown["Runs"][0]["session"]), (&json!(4), &json!("s-1")));
    assert_eq!(shown["Last entries"].len(), 4);
    let calls: f64 = shown["Calls by model"].iter().filter_map(|row| row["calls"].as_f64()).sum();
    assert!((calls - 3.0).abs() < 1e-9, "{:?}", shown["Calls by model"]);
    assert_eq!(shown.len(), 8, "{:?}", shown.keys());
    sink.stop().await;
}
