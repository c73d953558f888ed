//! Every configuration is one that the real Collector takes.

use std::path::Path;

use agentslo::domain::observability::Observability;
use bed::{Bed, Collector, Configuration, Options};
use serde_json::{Value, json};

use super::covering::pairwise;
use super::stand::{Stand, configuration, observability};

/// Text that would break out of a string, refer to the environment, or comment the rest away.
const HOSTILE: &str = r#"\$\{env:HOME\}"\) or true #x: \[y\] \\ \$\$ '%\{"#;

/// A class of characters, and a reference for whoever looks for one.
const REFERENCE: &str = "ZZ[${env:HOME}]{4}";

/// What one parameter may be: a path into `spec.pipeline`, and options.
fn parameters() -> Vec<(&'static str, Vec<Value>)> {
    let sampling = |more: Value| {
        let mut all = json!({"percentOfRest": "2.5", "decisionWait": "1m"});
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        all
    };
    vec![
        ("delivery", vec![json!("ConfigMap"), json!("OpenTelemetryCollector")]),
        ("collectorVersion", vec![json!("0.155"), json!("0.158"), json!("0.165"), json!("0.165")]),
        ("deriveMetrics", ["RunsFromSpans", "FromEvents", "FromSpans", "Off"].map(Value::from).to_vec()),
        ("redaction.contentCapture", ["None", "Redacted", "Full"].map(Value::from).to_vec()),
        ("redaction.sets", vec![Value::Null, json!(["Credentials"]), json!(["Personal"])]),
        ("redaction.patterns", vec![Value::Null, json!(["CUST-[0-9]{8}"]), json!([HOSTILE, REFERENCE])]),
        (
            "redaction.keyPatterns",
            vec![Value::Null, json!(["^customer[.]", ".*token.*"]), json!([HOSTILE, REFERENCE])],
        ),
        (
            "traces.backends",
            vec![
                json!([]),
                json!(["grpc"]),
                json!(["http", "honeycomb"]),
                json!(["sentry", "jaeger", "tempo", "zipkin"]),
            ],
        ),
        (
            "traces.sampling",
            vec![
                Value::Null,
                sampling(json!({})),
                sampling(json!({"errors": "Sample", "slowerThan": "250ms"})),
                sampling(json!({"costlierThanUSD": "0.5", "percentOfRest": "0"})),
                sampling(json!({"costlierThanUSD": "3", "slowerThan": "24h", "percentOfRest": "100"})),
            ],
        ),
        ("logs.backends", vec![json!([]), json!(["loki"]), json!(["http", "sentry"])]),
        ("logs.minLevel", ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"].map(Value::from).to_vec()),
        ("metrics.backends", vec![json!([]), json!(["write"]), json!(["grpc", "open"])]),
        ("platform.sharing", vec![json!("PerNamespace"), json!("Shared")]),
        ("platform.isolation", vec![json!("Enforced"), json!("Off")]),
    ]
}

fn platform(sharing: &Value, isolation: &Value, storage: &Path) -> Value {
    let secret = json!({"name": "secret", "key": "key"});
    let tenant = json!({"name": "X-Scope-OrgID", "value": "agents"});
    let tls = json!({"caSecret": {"name": "authority", "key": "ca.crt"}});
    json!({
        "collector": {"sharing": sharing, "storageDirectory": storage},
        "tenancy": {"isolation": isolation},
        "backends": [
            {"name": "grpc", "kind": "Otlp", "address": "http://otlp.monitoring:4317"},
            {"name": "http", "kind": "Otlp", "address": "https://otlp.monitoring/x", "protocol": "Http", "tls": tls, "credentialsSecret": secret},
            {"name": "tempo", "kind": "Tempo", "address": "http://tempo.monitoring"},
            {"name": "jaeger", "kind": "Jaeger", "address": "https://jaeger.monitoring", "tls": tls},
            {"name": "honeycomb", "kind": "Honeycomb", "address": "https://api.honeycomb.io", "credentialsSecret": secret},
            {"name": "sentry", "kind": "Sentry", "address": "https://o1.ingest.sentry.io/api/2/integration/otlp", "credentialsSecret": secret},
            {"name": "zipkin", "kind": "Zipkin", "address": "https://zipkin.monitoring:9411", "tls": tls, "credentialsSecret": secret},
            {"name": "loki", "kind": "Loki", "address": "http://loki.monitoring:3100", "tenantHeader": tenant},
            {"name": "write", "kind": "PrometheusRemoteWrite", "address": "https://mimir/api/v1/push", "tls": tls, "tenantHeader": tenant, "credentialsSecret": secret},
            {"name": "open", "kind": "PrometheusRemoteWrite", "address": "http://prometheus:9090"},
        ],
    })
}

/// The case's AgentObservability, and what it is made of.
fn made(case: &[usize], storage: &Path) -> (Value, Observability) {
    let mut written = json!({});
    for ((path, options), option) in parameters().iter().zip(case) {
        let mut place = &mut written;
        for step in path.split('.') {
            place = &mut place[step];
        }
        *place = options[*option].clone();
    }
    // Older releases are refused below `Full`, as a test of its own shows.
    if written["collectorVersion"] != "0.165" {
        written["redaction"]["contentCapture"] = Value::from("Full");
    }
    let for_platform = written.as_object_mut().expect("an object").remove("platform").expect("one was set");
    let spec = pruned(&written);
    let platform = platform(&for_platform["sharing"], &for_platform["isolation"], storage);
    (json!({"spec": &spec, "platform": &for_platform}), observability(&spec, &platform))
}

fn pruned(value: &Value) -> Value {
    let Some(entries) = value.as_object() else { return value.clone() };
    let set = entries.iter().filter(|(_, value)| !value.is_null());
    Value::Object(set.map(|(key, value)| (key.clone(), pruned(value))).collect())
}

fn cases() -> Vec<Vec<usize>> {
    let options: Vec<usize> = parameters().iter().map(|(_, options)| options.len()).collect();
    pairwise(&options)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_options_makes_a_valid_configuration() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let cases = cases();
    assert!(cases.len() > 20, "{} cases are few", cases.len());
    for (index, case) in cases.iter().enumerate() {
        let (spec, observability) = made(case, &bed.folder().join("queue"));
        let text = configuration(&observability);
        let configuration = Configuration::new(&format!("case-{index}"), &text);
        if let Err(error) = Collector::validate(&bed, &configuration).await {
            panic!("the Collector should take {spec:#}: {error}\n{text}");
        }
    }
}

/// What `validate` does not see, such as an extension that is missing, shows at the start.
#[tokio::test(flavor = "multi_thread")]
async fn a_valid_configuration_starts() {
    let bed = Bed::start(Options::nothing()).await.expect("a bed without servers should start");
    let mut started = 0;
    for (index, case) in cases().iter().enumerate() {
        let (spec, observability) = made(case, &bed.folder().join(format!("queue-{index}")));
        // Looking up pods needs an API server; `tenants.rs` has one.
        if spec["platform"]["sharing"] == "Shared" || index.is_multiple_of(3) {
            continue;
        }
        let address = || format!("127.0.0.1:{}", bed.port().expect("a port should be free"));
        let text = configuration(&observability);
        let over = json!({
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": address()}, "http": {"endpoint": address()}}}},
            "exporters": {"prometheus": {"endpoint": address()}},
        });
        let configuration = Configuration::new(&format!("start-{index}"), &text).over(over);
        if let Err(error) = Collector::start(&bed, &configuration).await {
            panic!("the Collector should start with {spec:#}: {error}\n{text}");
        }
        started += 1;
    }
    assert!(started >= 5, "only {started} were started");
}

/// A reference to the environment, quotes and brackets in a pattern are text to be found, nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_pattern_is_a_pattern() {
    let pipeline = json!({
        "redaction": {"contentCapture": "Redacted", "patterns": [HOSTILE, REFERENCE], "keyPatterns": ["^\\$\\{env:HOME\\}\"\\)"]},
        "logs": {"backends": ["sink"]},
    });
    let stand = Stand::start(&pipeline).await;
    let text = r#"before ${env:HOME}") or true #x: [y] \ $$ '%{ after"#;
    let class = "before ZZ$env after";
    let key = r#"${env:HOME}")"#;
    let record = bed::otlp::log(text, &json!({"note": text, "class": class, key: "customer", "kept": "yes"}));
    stand.agent().logs(vec![record]).await.expect("the record should be taken");
    let seen = bed::eventually(super::stand::SOON, async || stand.sink.logs().into_iter().next()).await;
    let seen = seen.expect("the record should arrive");
    assert_eq!(seen["body"]["stringValue"], "before **** after");
    assert_eq!(super::sink::attribute(&seen, "note"), Some(&json!({"stringValue": "before **** after"})));
    let class = super::sink::attribute(&seen, "class");
    assert_eq!(class, Some(&json!({"stringValue": "before **** after"})), "nothing is looked up");
    assert_eq!(super::sink::attribute(&seen, key), None);
    assert_eq!(super::sink::attribute(&seen, "kept"), Some(&json!({"stringValue": "yes"})));
}
