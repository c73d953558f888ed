//! Every kind of back end gets what is its own: at its path, with its credentials, and counted right.

use std::time::Duration;

use bed::otlp::{self, Temporality};
use bed::{Bed, Jaeger, Options, Part, eventually};
use serde_json::{Value, json};

use super::sink::{Arrived, Sink};
use super::stand::{Given, SOON, Stand};

/// What no back end may see.
const PLANTED: &str = "sk-ant-api03-Zk9pQ2xhdWRlS2V5MDE";
const CORE: &str = "Zk9pQ2xhdWRlS2V5MDE";

async fn nothing() -> Bed {
    Bed::start(Options::nothing()).await.expect("a bed without servers should start")
}

/// A run with a secret in its attributes.
fn run() -> otlp::trace::v1::Span {
    let attributes = json!({"note": PLANTED, "kept": "yes", "count": 3});
    otlp::failed(otlp::span("invoke_agent support-agent", Duration::from_secs(5), &attributes), "no answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_a_store_that_speaks_zipkin() {
    let bed = nothing().await;
    let jaeger = Jaeger::start(&bed).await.expect("Jaeger should start");
    let backends = json!([{"name": "zipkin", "kind": "Zipkin", "address": jaeger.zipkin_url()}]);
    let pipeline = json!({"traces": {"backends": ["zipkin"]}});
    let stand = Stand::on(bed, Sink::start().await, Given { pipeline, backends, ..Given::default() }).await;
    let parent = run();
    let child = otlp::within(&parent, otlp::span("chat opus", Duration::from_secs(1), &json!({})));
    let id = otlp::trace_id(&parent);
    stand.agent().spans(vec![parent, child]).await.expect("spans should be taken");
    let trace =
        eventually(SOON, async || jaeger.trace(&id).await.ok()?).await.expect("a trace should arrive");
    let text = trace.to_string();
    // Zipkin writes names in small letters and values as text.
    for part in ["invoke_agent support-agent", "chat opus", "support-agent", "no answer", "kept", "yes"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains(CORE), "{text}");
}

/// A back end of its own sink.
struct Vendor {
    sink: Sink,
    name: &'static str,
    exporter: &'static str,
    backend: Value,
    /// What the Secret holds.
    secret: &'static str,
    /// Paths of its requests.
    paths: &'static [&'static str],
    /// What the headers must have, as Rust writes them.
    headers: &'static [&'static str],
}

/// As the vendors' guides to the Collector ask for it; `exporters.rs` says which.
async fn vendors() -> Vec<Vendor> {
    vec![
        Vendor {
            sink: Sink::start().await,
            name: "honeycomb",
            exporter: "otlp_http/honeycomb",
            backend: json!({"kind": "Honeycomb", "tenantHeader": {"name": "X-Honeycomb-Dataset", "value": "agents"}}),
            // A dollar is doubled in the Secret.
            secret: "hcaik_01$$x",
            paths: &["/v1/traces", "/v1/logs", "/v1/metrics"],
            headers: &[r#""x-honeycomb-team": "hcaik_01$x""#, r#""x-honeycomb-dataset": "agents""#],
        },
        Vendor {
            sink: Sink::start().await,
            name: "sentry",
            exporter: "otlp_http/sentry",
            backend: json!({"kind": "Sentry", "address": "/api/2/integration/otlp"}),
            secret: "b70a31b3510c4cf793964a185cfe1fd0",
            paths: &["/api/2/integration/otlp/v1/traces", "/api/2/integration/otlp/v1/logs"],
            headers: &[r#""x-sentry-auth": "sentry sentry_key=b70a31b3510c4cf793964a185cfe1fd0""#],
        },
        Vendor {
            sink: Sink::start().await,
            name: "mimir",
            exporter: "prometheus_remote_write/mimir",
            backend: json!({
                "kind": "PrometheusRemoteWrite", "address": "/api/v1/push",
                "tenantHeader": {"name": "X-Scope-OrgID", "value": "tenant-1"},
            }),
            secret: "glc_mimir",
            paths: &["/api/v1/push"],
            headers: &[r#""authorization": "Bearer glc_mimir""#, r#""x-scope-orgid": "tenant-1""#],
        },
        Vendor {
            sink: Sink::start().await,
            name: "zipkin",
            exporter: "zipkin/zipkin",
            backend: json!({"kind": "Zipkin"}),
            secret: "zipkin-token",
            paths: &["/api/v2/spans"],
            headers: &[r#""authorization": "Bearer zipkin-token""#, r#""content-type": "application/json""#],
        },
        Vendor {
            sink: Sink::start().await,
            name: "elastic",
            exporter: "otlp_http/elastic",
            backend: json!({"kind": "Elasticsearch", "protocol": "Http"}),
            secret: "elastic-key",
            paths: &["/v1/traces", "/v1/logs", "/v1/metrics"],
            headers: &[r#""authorization": "ApiKey elastic-key""#],
        },
    ]
}

impl Vendor {
    fn written(&self) -> Value {
        let mut backend = self.backend.clone();
        let path = backend["address"].as_str().unwrap_or_default();
        backend["address"] = format!("{}{path}", self.sink.url()).into();
        backend["name"] = self.name.into();
        backend["credentialsSecret"] = json!({"name": "credentials", "key": self.name});
        backend
    }

    async fn expect_all(&self, others: &[Vendor]) {
        let arrived = |path: &str| self.sink.requests().into_iter().find(|request| request.path == path);
        for path in self.paths {
            let request = eventually(SOON, async || arrived(path)).await;
            self.expect(&request.unwrap_or_else(|| panic!("{} should get {path}", self.name)));
        }
        let all = self.sink.requests();
        let strange: Vec<&String> =
            all.iter().map(|it| &it.path).filter(|path| !self.paths.contains(&path.as_str())).collect();
        assert!(strange.is_empty(), "{} got {strange:?}", self.name);
        let text = self.sink.text();
        assert!(!text.contains(CORE), "{} got the planted secret", self.name);
        for other in others.iter().filter(|other| other.name != self.name) {
            assert!(!text.contains(other.secret), "{} got what is {}'s", self.name, other.name);
        }
    }

    fn expect(&self, request: &Arrived) {
        for header in self.headers {
            assert!(request.headers.contains(header), "{header} in {} {}", request.path, request.headers);
        }
        assert!(!request.body.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_vendor_is_asked_at_its_path_and_with_its_own_credentials() {
    let vendors = vendors().await;
    let mut over = json!({});
    for vendor in vendors.iter().filter(|vendor| vendor.exporter.starts_with("otlp_http/")) {
        over["exporters"][vendor.exporter] = json!({"encoding": "json", "compression": "none"});
    }
    let given = Given {
        pipeline: json!({
            "traces": {"backends": ["honeycomb", "sentry", "zipkin", "elastic"]},
            "logs": {"backends": ["honeycomb", "sentry", "elastic"]},
            "metrics": {"backends": ["honeycomb", "mimir", "elastic"]},
        }),
        backends: vendors.iter().map(Vendor::written).collect(),
        over,
        environment: vec![
            ("AGENTSLO_BACKEND_HONEYCOMB", vendors[0].secret.to_owned()),
            ("AGENTSLO_BACKEND_SENTRY", vendors[1].secret.to_owned()),
            ("AGENTSLO_BACKEND_MIMIR", vendors[2].secret.to_owned()),
            ("AGENTSLO_BACKEND_ZIPKIN", vendors[3].secret.to_owned()),
            ("AGENTSLO_BACKEND_ELASTIC", vendors[4].secret.to_owned()),
        ],
        ..Given::default()
    };
    let stand = Stand::on(nothing().await, Sink::start().await, given).await;
    let record = otlp::event("tool_result", &json!({"tool_name": "Bash", "success": true, "note": PLANTED}));
    stand.agent().spans(vec![run()]).await.expect("the span should be taken");
    stand.agent().logs(vec![record]).await.expect("the record should be taken");
    for vendor in &vendors {
        vendor.expect_all(&vendors).await;
    }
}

/// A store of metrics that is pushed to.
struct Store {
    url: String,
    stand: Stand,
}

impl Store {
    /// Starts it, and a Collector that listens on an address.
    async fn start(options: Options, backend: Value, path: &str, listen: &str) -> Self {
        let bed = Bed::start(options.with(Part::Prometheus)).await.expect("Prometheus should start");
        let url = bed.prometheus_url();
        let mut backend = backend;
        backend["name"] = "store".into();
        backend["address"] = format!("{url}{path}").into();
        let given = Given {
            pipeline: json!({"metrics": {"backends": ["store"]}}),
            backends: json!([backend]),
            environment: vec![("AGENTSLO_LISTEN", listen.to_owned())],
            ..Given::default()
        };
        Self { url, stand: Stand::on(bed, Sink::start().await, given).await }
    }

    /// What a query yields now: labels and a value for each series.
    async fn query(&self, query: &str) -> Vec<(Value, f64)> {
        let url = format!("{}/api/v1/query", self.url);
        let answer = reqwest::Client::new().get(url).query(&[("query", query)]).send().await;
        let text = answer.expect("Prometheus should answer").text().await.expect("an answer is text");
        let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
        let series = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{query}: {text}"));
        let number = |one: &Value| one["value"][1].as_str().and_then(|number| number.parse().ok());
        series.iter().map(|one| (one["metric"].clone(), number(one).expect("a number"))).collect()
    }

    /// Waits until a query yields one series with this value.
    async fn wait_for(&self, query: &str, wanted: f64) {
        let reached = eventually(SOON, async || {
            let found = self.query(query).await;
            (found.len() == 1 && (found[0].1 - wanted).abs() < 1e-9).then_some(())
        });
        let reached = reached.await.is_some();
        assert!(reached, "{query} should be {wanted}: {:?}", self.query(query).await);
    }

    /// What the profile selects by, and counts that are exact, in whatever order requests came.
    async fn expect_counts(&self) {
        let tool = |index: usize| {
            let tool = ["Bash", "Read"][index % 2];
            otlp::event("tool_result", &json!({"tool_name": tool, "success": !index.is_multiple_of(5)}))
        };
        let request = |cost: f64| otlp::event("api_request", &json!({"model": "opus", "cost_usd": cost}));
        let own = |total: f64| {
            otlp::counter("app.requests", Temporality::Cumulative, total, &json!({"route": "chat"}))
        };
        let cost = |dollars: f64| {
            let labels = json!({"model": "opus", "session.id": format!("{dollars}")});
            otlp::counter("claude_code.cost.usage", Temporality::Delta, dollars, &labels)
        };
        let agent = self.stand.agent();
        for (round, total) in [3.0, 7.0, 40.0].into_iter().enumerate() {
            let records = (0..10).map(tool).chain([request(0.25), request(0.05)]).collect();
            agent.logs(records).await.expect("records should be taken");
            let spans = (0..=round).map(|_| otlp::span("invoke_agent x", SOON, &json!({}))).collect();
            agent.spans(spans).await.expect("spans should be taken");
            agent.metrics(vec![own(total), cost(0.5 + total)]).await.expect("metrics should be taken");
        }
        let mine = r#"namespace="support",agent_name="support-agent""#;
        self.wait_for(&format!("sum(agent_tool_calls_total{{{mine}}})"), 30.0).await;
        let failed = format!(r#"agent_tool_calls_total{{{mine},outcome="error",tool_name="Bash"}}"#);
        self.wait_for(&failed, 3.0).await;
        self.wait_for(&format!(r#"agent_runs_total{{{mine},outcome="ok"}}"#), 6.0).await;
        self.wait_for(&format!(r#"agent_cost_usd_total{{{mine},model="opus"}}"#), 0.9).await;
        self.wait_for(&format!(r#"agent_run_duration_seconds_bucket{{{mine},le="60"}}"#), 6.0).await;
        self.wait_for(r#"app_requests_total{namespace="support",job="support-agent",route="chat"}"#, 40.0)
            .await;
        self.wait_for(r#"sum(claude_code_cost_usage_USD_total{namespace="support"})"#, 51.5).await;
    }

    /// Totals come again and again while nothing happens, and never move.
    async fn expect_repeats(&self) {
        for series in [r#"agent_runs_total{outcome="ok"}"#, "app_requests_total"] {
            let repeated = eventually(SOON, async || {
                let found = self.query(&format!("count_over_time({series}[20s])")).await;
                (found.len() == 1 && found[0].1 >= 6.0).then_some(())
            });
            repeated.await.unwrap_or_else(|| panic!("{series} should come again"));
            let samples = self.query(&format!("resets({series}[5m])")).await;
            let resets: f64 = samples.iter().map(|(_, resets)| *resets).sum();
            assert!(resets < 0.5, "{series} should only grow");
        }
        let scrape = self.query(r#"{__name__=~"up|scrape_.+"}"#).await;
        assert!(scrape.is_empty(), "the scrape of itself is nobody's: {scrape:?}");
    }

    /// No session, no process, no clock of a sender.
    async fn expect_our_own_labels(&self) {
        let allowed = ["__name__", "agent_name", "instance", "job", "namespace", "outcome", "tool_name"];
        let series = self.query("agent_tool_calls_total").await;
        assert_eq!(series.len(), 4, "{series:?}");
        for (labels, _) in series {
            let labels = labels.as_object().expect("labels are an object");
            assert!(labels.keys().all(|label| allowed.contains(&label.as_str())), "{labels:?}");
            assert_eq!(labels["job"], "support-agent");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_pushed_by_remote_write_are_exact_and_come_again() {
    let options = Options::nothing().prometheus_arg("--web.enable-remote-write-receiver");
    let store = Store::start(options, json!({"kind": "PrometheusRemoteWrite"}), "", "127.0.0.2").await;
    store.expect_counts().await;
    store.expect_repeats().await;
    store.expect_our_own_labels().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_pushed_by_otlp_are_exact_and_come_again() {
    let options = Options::nothing().otlp("UnderscoreEscapingWithSuffixes");
    let backend = json!({"kind": "Otlp", "protocol": "Http"});
    let store = Store::start(options, backend, "/api/v1/otlp", "0.0.0.0").await;
    store.expect_counts().await;
    store.expect_repeats().await;
    store.expect_our_own_labels().await;
}
