//! `agentslo redact` leaves of samples what the real Collector leaves of them.

use std::io::Write;
use std::process::{Command, Stdio};

use bed::otlp;
use bed::{Bed, Options, eventually};
use serde_json::{Map, Value, json};

use super::secrets::{CREDENTIALS, PERSONAL};
use super::sink::Sink;
use super::stand::{Given, NAMESPACE, SOON, Stand};
use crate::support::program;

/// Lines of text, and each planted secret in a sentence.
fn texts() -> Vec<String> {
    let plain = [
        "nothing to see, 12 of 13 runs, 2026-11-24T10:00:00Z",
        "CUST-20261124",
        "two: a@b.example, c@d.example and CUST-20261124CUST-20261125",
        "whole line 7",
        "whole line ٧",
        "naïve\u{a0}bearer\u{a0}abcdefghijklmnop and bearer abcdefghijklmnop",
        "é4111111111111111é 4111-1111-1111-1111",
        "{not json, password: hunter2}",
        "42",
    ];
    let secrets = CREDENTIALS.iter().chain(&PERSONAL);
    let planted = secrets.map(|secret| format!("it said {} and ended", secret.planted.replace('\n', " ")));
    plain.into_iter().map(str::to_owned).chain(planted).collect()
}

/// Objects and lists, and each planted secret as a value, below, and as a key.
fn bodies() -> Vec<Value> {
    let mut all = vec![
        json!({"event": "step", "n": 12, "f": 0.5, "truth": true, "nothing": null, "empty": {}, "list": []}),
        json!({"card": 4_111_111_111_111_111_i64, "as_float": 4_111_111_111_111_111.0, "tiny": 1.5e-7}),
        json!({"customer.id": "C-1", "token": "t", "gen_ai.usage.input_tokens": 12, "cache_tokens": 1}),
        json!({"a": {"b": {"customer.id": "C-1", "kept": 1}, "input_tokens": 5, "list": [[1, {"token": 2}], 3]}}),
        json!({"headers": {"Authorization": "opaque", "accept": "*/*"}, "db.password": {"x": 1}, "api_key": 7}),
        json!({"prompt": "what the user wrote", "deep": {"prompt": "passes"}, "output_preview": "x"}),
        json!({"a": {"authorization": ["opaque", {"x": 1}]}, "customer": {"id": 1}, "kept": [1]}),
        json!([{"customer.id": "C-1"}, "a@b.example", [1]]),
        json!(["a@b.example", {"authorization": "opaque"}, 2]),
    ];
    for secret in CREDENTIALS.iter().chain(&PERSONAL) {
        let planted = secret.planted;
        all.push(json!({"note": planted, "deep": [{"er": format!("<{planted}>")}]}));
        all.push(json!({planted: "first", "beside": 1}));
        all.push(json!({"deep": {planted: "below"}}));
    }
    all
}

/// What `agentslo redact` leaves of each line.
fn left_by_program(pipeline: &Value, lines: &[String]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    let manifest = folder.path().join("observability.json");
    let written = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"name": "support-agent", "namespace": NAMESPACE},
        "spec": {"agent": "support-agent", "pipeline": {"redaction": pipeline["redaction"]}},
    });
    std::fs::write(&manifest, written.to_string()).expect("a file should be writable");
    let mut command = Command::new(program());
    command.args(["redact", "-f"]).arg(&manifest).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program should run");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(lines.join("\n").as_bytes()).expect("the program should read");
    drop(input);
    let output = child.wait_with_output().expect("the program should end");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("the program should print text");
    text.lines().map(str::to_owned).collect()
}

/// A value of OTLP as JSON writes it, with numbers of one kind.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|entries| entries.iter().next()) else {
        return Value::Null;
    };
    let items = |key: &str| inner[key].as_array().cloned().unwrap_or_default();
    match kind.as_str() {
        "intValue" => number(inner.as_str().and_then(|text| text.parse().ok())),
        "doubleValue" => number(inner.as_f64()),
        "arrayValue" => items("values").iter().map(plain).collect(),
        "kvlistValue" => {
            let entry = |entry: &Value| {
                (entry["key"].as_str().unwrap_or_default().to_owned(), plain(&entry["value"]))
            };
            Value::Object(items("values").iter().map(entry).collect::<Map<_, _>>())
        }
        _ => inner.clone(),
    }
}

fn number(float: Option<f64>) -> Value {
    json!(float.expect("a number should be one"))
}

/// A line of the program in the same form.
#[allow(clippy::wildcard_enum_match_arm, reason = "an enum of JSON")]
fn read(line: &str) -> Value {
    fn floats(value: Value) -> Value {
        match value {
            Value::Number(it) => number(it.as_f64()),
            Value::Array(items) => items.into_iter().map(floats).collect(),
            Value::Object(entries) => {
                Value::Object(entries.into_iter().map(|(key, value)| (key, floats(value))).collect())
            }
            other => other,
        }
    }
    match serde_json::from_str(line) {
        Ok(body @ (Value::Object(_) | Value::Array(_))) => floats(body),
        _ => Value::from(line),
    }
}

async fn the_same_is_left(content: &str, sets: Value, objects_as_text: bool) {
    let pipeline = json!({
        "redaction": {
            "contentCapture": content, "sets": sets,
            "patterns": ["CUST-[0-9]{8}", r"^whole line \d$", r"\bstep\b"],
            "keyPatterns": ["^customer[.]", "(?i).*token.*"],
        },
        "logs": {"backends": ["sink"], "minLevel": "Trace"},
    });
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let given = Given { pipeline: pipeline.clone(), ..Given::default() };
    let stand = Stand::on(bed, Sink::start().await, given).await;
    let (texts, bodies) = (texts(), bodies());
    let lines: Vec<String> = texts.into_iter().chain(bodies.iter().map(Value::to_string)).collect();
    let records = lines.iter().map(|line| {
        let mut record = otlp::log(line, &json!({}));
        match serde_json::from_str(line) {
            Ok(body @ Value::Object(_)) if !objects_as_text => record.body = Some(otlp::value(&body)),
            Ok(body @ Value::Array(_)) => record.body = Some(otlp::value(&body)),
            _ => {}
        }
        record
    });
    stand.agent().logs(records.collect()).await.expect("the records should be taken");
    let arrived = eventually(SOON, async || {
        let logs = stand.sink.logs();
        (logs.len() == lines.len()).then_some(logs)
    });
    let arrived = arrived.await.expect("all records should arrive");
    let left = left_by_program(&pipeline, &lines);
    assert_eq!(left.len(), lines.len());
    for ((line, left), record) in lines.iter().zip(&left).zip(&arrived) {
        assert_eq!(read(left), plain(&record["body"]), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_leaves_what_the_collector_leaves_without_content() {
    the_same_is_left("None", json!(["Credentials", "Personal"]), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_leaves_what_the_collector_leaves_of_redacted_content() {
    the_same_is_left("Redacted", json!(["Credentials"]), false).await;
}
