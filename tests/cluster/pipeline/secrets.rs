//! No secret leaves the Collector, whatever it is and wherever it stands; no content where none may pass.

use bed::{Bed, Options, eventually, otlp};
use serde_json::{Value, json};

use super::corpus::{self, BODIES, KEPT, base64};
use super::sink::{Sink, attribute};
use super::stand::{Given, SOON, Stand};

/// A text that is planted, and the part of it that nobody may see.
pub(crate) struct Secret {
    pub(crate) planted: &'static str,
    core: &'static str,
}

pub(crate) const CREDENTIALS: [Secret; 11] = [
    Secret { planted: "sk-ant-api03-Zk9pQ2xhdWRlS2V5MDE", core: "Zk9pQ2xhdWRlS2V5MDE" },
    Secret { planted: "ghp_Qm9keU9mVGhlVG9rZW5PZkdpdEh1YjA", core: "Qm9keU9mVGhlVG9rZW5PZkdpdEh1YjA" },
    Secret { planted: "xoxb-7261-SlackBotTokenOfSupport", core: "SlackBotTokenOfSupport" },
    Secret { planted: "AKIAIOSFODNN7EXAMPLQ", core: "IOSFODNN7EXAMPLQ" },
    Secret {
        planted: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlT2ZUaGVUb2tlbg",
        core: "c2lnbmF0dXJlT2ZUaGVUb2tlbg",
    },
    Secret { planted: "Bearer bm90LWEtand0LWJ1dC1hLXRva2Vu", core: "bm90LWEtand0LWJ1dC1hLXRva2Vu" },
    Secret { planted: "password=Tr0ub4dorHorse", core: "Tr0ub4dorHorse" },
    Secret { planted: r#"{"api_key": "c0rrectBattery"}"#, core: "c0rrectBattery" },
    Secret { planted: "postgres://agent:St4pleQueue@db.internal/x", core: "St4pleQueue" },
    Secret {
        planted: "-----BEGIN RSA PRIVATE KEY-----\nTUlJRXBBSUJBQUtDQVFFQQ==\n-----END RSA PRIVATE KEY-----",
        core: "TUlJRXBBSUJBQUtDQVFFQQ",
    },
    Secret { planted: "CUST-20261124", core: "CUST-20261124" },
];

pub(crate) const PERSONAL: [Secret; 2] = [
    Secret { planted: "jane.doe+bot@customer.example", core: "jane.doe+bot@customer" },
    Secret { planted: "4111 1111 1111 1111", core: "1111 1111 1111" },
];

/// Keys whose values are secret whatever they look like.
const SECRET_KEYS: [&str; 5] =
    ["http.request.header.authorization", "db.password", "api_key", "refreshToken", "Cookie"];

/// Every form in which a secret may come out.
fn forms(secret: &Secret) -> Vec<String> {
    let core = secret.core;
    let escaped = json!(core).to_string();
    // Bytes in base64; the last letters depend on what comes after.
    let planted = base64(secret.planted.as_bytes());
    let planted = planted[..planted.len() - 4].to_owned();
    let underscored: String = core.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    vec![core.to_owned(), escaped.trim_matches('"').to_owned(), underscored, base64(core.as_bytes()), planted]
}

/// A pipeline whose every exporter is the sink or the scrape.
async fn given(content: &str) -> Stand {
    let pipeline = json!({
        "redaction": {
            "contentCapture": content,
            "patterns": ["CUST-[0-9]{8}"],
            "keyPatterns": ["^customer[.]", "(?i).*token.*"],
        },
        "traces": {"backends": ["sink"]},
        "logs": {"backends": ["sink"], "minLevel": "Trace"},
    });
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    // What metric back ends get comes by the scrape; this sees more, such as exemplars and metadata.
    let exporters = ["forward/metrics", "signal_to_metrics/native", "otlp_http/sink"];
    let over = json!({"service": {"pipelines": {"metrics/in": {"exporters": exporters}}}});
    Stand::on(bed, Sink::start().await, Given { pipeline, over, ..Given::default() }).await
}

/// Everything that came out: by exporters, by scrape, and into the Collector's own log.
async fn outcome(stand: &Stand) -> String {
    let log = std::fs::read_to_string(stand.collector.process().log()).expect("there should be a log");
    format!("{}\n{}\n{log}", stand.sink.text(), stand.scraped().await)
}

async fn send_all<'a>(stand: &Stand, secrets: impl Iterator<Item = &'a Secret>) -> usize {
    let mut count = 0;
    for secret in secrets {
        stand.post("logs", &corpus::logs(secret.planted)).await;
        stand.post("traces", &corpus::traces(secret.planted)).await;
        stand.post("metrics", &corpus::metrics(secret.planted)).await;
        count += 1;
    }
    let arrived = eventually(SOON, async || {
        let (logs, spans) = (stand.sink.logs().len(), stand.sink.spans().len());
        let metrics = stand.sink.text().matches("\"app.summary\"").count();
        (logs == BODIES * count && spans == count && metrics == count).then_some(())
    });
    assert!(
        arrived.await.is_some(),
        "{} logs, {} spans arrived",
        stand.sink.logs().len(),
        stand.sink.spans().len()
    );
    count
}

fn expect_absent(text: &str, secret: &Secret) {
    for form in forms(secret) {
        let Some((before, after)) = text.split_once(&form) else { continue };
        let before: String = before.chars().rev().take(200).collect();
        let before: String = before.chars().rev().collect();
        let after: String = after.chars().take(60).collect();
        panic!("{} came out: …{before}>>>{form}<<<{after}…", secret.planted);
    }
}

async fn nothing_secret_comes_out(content: &str) {
    let stand = given(content).await;
    let count = send_all(&stand, CREDENTIALS.iter().chain(&PERSONAL)).await;
    let text = outcome(&stand).await;
    for secret in CREDENTIALS.iter().chain(&PERSONAL) {
        expect_absent(&text, secret);
    }
    // Ten places beside them in a log record's surroundings alone: nothing was dropped to be safe.
    let kept = text.matches(KEPT).count();
    assert!(kept >= count * 15, "{kept} neighbours arrived");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_out_without_content() {
    nothing_secret_comes_out("None").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_out_with_redacted_content() {
    nothing_secret_comes_out("Redacted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_content_still_has_no_credentials() {
    let stand = given("Full").await;
    send_all(&stand, CREDENTIALS.iter().chain(&PERSONAL)).await;
    let text = outcome(&stand).await;
    for secret in &CREDENTIALS {
        expect_absent(&text, secret);
    }
    assert!(PERSONAL.iter().all(|secret| text.contains(secret.core)), "content should pass as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_tell_secrets_apart_from_counts() {
    let stand = given("None").await;
    let mut attributes = json!({
        "customer.id": "C-100", "token": "opaque-of-token", "card": 4_111_111_111_111_111_i64,
        "gen_ai.usage.input_tokens": 1234, "cache_read_tokens": 56, "kept": "yes",
    });
    for key in SECRET_KEYS {
        attributes[key] = Value::from("opaque-by-key");
    }
    let record = otlp::log("a line", &attributes);
    let span = otlp::span("work", std::time::Duration::from_secs(1), &attributes);
    stand.agent().logs(vec![record]).await.expect("the record should be taken");
    stand.agent().spans(vec![span]).await.expect("the span should be taken");
    for items in [Sink::logs, Sink::spans] {
        let seen = eventually(SOON, async || items(&stand.sink).into_iter().next()).await;
        let seen = seen.expect("it should arrive");
        for key in ["customer.id", "token"] {
            assert_eq!(attribute(&seen, key), None, "{key} is named by a pattern");
        }
        for key in SECRET_KEYS {
            let masked = attribute(&seen, key).is_none_or(|value| value["stringValue"] == "****");
            assert!(masked, "{key}: {:?}", attribute(&seen, key));
        }
        assert_eq!(attribute(&seen, "card"), Some(&json!({"stringValue": "****"})));
        assert_eq!(attribute(&seen, "gen_ai.usage.input_tokens"), Some(&json!({"intValue": "1234"})));
        assert_eq!(attribute(&seen, "cache_read_tokens"), Some(&json!({"intValue": "56"})));
        assert_eq!(attribute(&seen, "kept"), Some(&json!({"stringValue": "yes"})));
    }
    assert!(!stand.sink.text().contains("opaque"), "a value behind a secret key came out");
}

/// An object whose secrets are known by their keys alone, two levels deep and in a list, beside counts and
/// a neighbour.
fn deep() -> Value {
    json!({"call": {
        "by": {"customer.id": "opaque-of-user", "Token": {"raw": "opaque-of-user"}, "kept": "yes"},
        "headers": [{"authorization": "opaque-built-in"}, {"X-API-Key": ["opaque-built-in"]}],
        "usage": {"input_tokens": 1234},
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_found_however_deep_they_are() {
    let stand = given("Redacted").await;
    let mut record = otlp::log("", &deep());
    record.body = Some(otlp::value(&deep()));
    let mut listed = otlp::log("", &json!({}));
    listed.body = Some(otlp::value(&json!([deep()])));
    let mut span = otlp::span("work", std::time::Duration::from_secs(1), &deep());
    span.events.push(otlp::trace::v1::span::Event {
        name: "step".to_owned(),
        attributes: otlp::attributes(&deep()),
        ..Default::default()
    });
    stand.agent().logs(vec![record, listed]).await.expect("the records should be taken");
    stand.agent().spans(vec![span]).await.expect("the span should be taken");
    let arrived = eventually(SOON, async || {
        (stand.sink.logs().len() == 2 && stand.sink.spans().len() == 1).then_some(())
    });
    arrived.await.expect("all of it should arrive");
    let text = stand.sink.text();
    let left: Vec<&str> =
        text.match_indices("opaque").map(|(at, _)| &text[at.saturating_sub(80)..at + 16]).collect();
    assert!(left.is_empty(), "values behind secret keys came out: {left:#?}");
    // Attributes and body of the record, body of the list, the span and its event.
    for kept in [r#""stringValue":"yes""#, r#""intValue":"1234""#] {
        assert_eq!(text.matches(kept).count(), 5, "{kept}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_without_secrets_and_neighbours_of_bytes_stay_as_they_are() {
    let stand = given("Redacted").await;
    let inner =
        corpus::list(&[json!({"intValue": "1"}), corpus::object(&[("d", json!({"boolValue": true}))])]);
    let outer = corpus::object(&[("c", inner), ("e", corpus::text("text"))]);
    let numbers = [("n", json!({"intValue": "12"})), ("f", json!({"doubleValue": 0.5}))];
    let plain = [("a.b", outer.clone()), numbers[0].clone(), numbers[1].clone()];
    let beside = [numbers[0].clone(), ("raw", corpus::raw("x")), numbers[1].clone()];
    let entries = |all: &[(&str, Value)]| corpus::object(all)["kvlistValue"]["values"].clone();
    let records = [
        json!({"timeUnixNano": "1", "body": outer, "attributes": entries(&plain)}),
        json!({"timeUnixNano": "2", "body": corpus::text("beside"), "attributes": entries(&beside)}),
    ];
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
    stand.post("logs", &logs).await;
    let arrived = eventually(SOON, async || {
        let logs = stand.sink.logs();
        (logs.len() == 2).then_some(logs)
    });
    let arrived = arrived.await.expect("both should arrive");
    let attributes = |record: &Value| {
        let mut all = record["attributes"].as_array().cloned().unwrap_or_default();
        all.sort_by_key(|one| one["key"].to_string());
        Value::Array(all)
    };
    let mut sorted = [plain.to_vec(), numbers.to_vec()];
    for all in &mut sorted {
        all.sort_by_key(|(key, _)| (*key).to_owned());
    }
    assert_eq!(attributes(&arrived[0]), entries(&sorted[0]));
    assert_eq!(arrived[0]["body"], records[0]["body"]);
    assert_eq!(attributes(&arrived[1]), entries(&sorted[1]));
    assert_eq!(arrived[1]["body"], records[1]["body"]);
}

/// Where agents put prompts, answers, inputs and outputs.
const CONTENT_KEYS: [&str; 26] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.completion",
    "gen_ai.completion.0.content",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "prompt",
    "response",
    "user_prompt",
    "new_context",
    "tool_input",
    "tool_parameters",
    "tool_result",
    "tool.output",
    "prompt.preview",
    "input_preview",
    "output_preview",
    "llm.prompts",
    "traceloop.entity.input",
    "input.value",
    "ai.prompt.messages",
    "content",
];

/// What only sounds like content.
const MEASURES: [&str; 6] = [
    "prompt.length",
    "prompt.id",
    "gen_ai.usage.output_tokens",
    "output_bytes",
    "ai.response.model",
    "tool_name",
];

/// Records and a span full of content, each piece with a number of its own.
async fn send_content(stand: &Stand) {
    let mut attributes = json!({});
    for (index, key) in CONTENT_KEYS.into_iter().enumerate() {
        attributes[key] = Value::from(format!("SENTINEL-{index} what the user wrote"));
    }
    for key in MEASURES {
        attributes[key] = Value::from("MEASURE");
    }
    let object =
        json!({"event": "tool_called", "input_preview": "SENTINEL-body", "tool": "Bash"}).to_string();
    let claude = otlp::event("user_prompt", &attributes);
    let mut convention = otlp::log("SENTINEL-convention", &json!({}));
    "gen_ai.user.message".clone_into(&mut convention.event_name);
    let mut choice = otlp::log("", &json!({}));
    "gen_ai.choice".clone_into(&mut choice.event_name);
    choice.body = Some(otlp::value(&json!({"index": 0, "message": {"content": "SENTINEL-choice"}})));
    let line = otlp::log(&object, &json!({}));
    stand.agent().logs(vec![claude, convention, choice, line]).await.expect("records should be taken");
    let mut span = otlp::span("chat model", std::time::Duration::from_secs(1), &attributes);
    span.events.push(otlp::trace::v1::span::Event {
        name: "gen_ai.content.prompt".to_owned(),
        attributes: otlp::attributes(&attributes),
        ..Default::default()
    });
    stand.agent().spans(vec![span]).await.expect("the span should be taken");
    let arrived = eventually(SOON, async || {
        (stand.sink.logs().len() == 4 && stand.sink.spans().len() == 1).then_some(())
    });
    arrived.await.expect("all of it should arrive");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_dropped_everywhere() {
    let stand = given("None").await;
    send_content(&stand).await;
    let text = outcome(&stand).await;
    let left: Vec<&str> =
        text.match_indices("SENTINEL").map(|(at, _)| &text[at.saturating_sub(80)..at + 30]).collect();
    assert!(left.is_empty(), "content came out: {left:#?}");
    // In the record, the span and the span's event.
    assert_eq!(
        stand.sink.text().matches("MEASURE").count(),
        MEASURES.len() * 3,
        "measures of content are kept"
    );
    assert!(text.contains("Bash"), "what is not content in a body is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn redacted_content_passes() {
    let stand = given("Redacted").await;
    send_content(&stand).await;
    let text = outcome(&stand).await;
    for (index, key) in CONTENT_KEYS.iter().enumerate() {
        let found = text.matches(&format!("SENTINEL-{index} ")).count();
        assert_eq!(found, 3, "{key}");
    }
    assert!(text.contains("SENTINEL-convention") && text.contains("SENTINEL-choice"));
}
