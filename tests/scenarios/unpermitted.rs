//! What an AgentPlatform may forbid: platforms, objects that ask for what some of them forbid, and what the
//! operator's own validation says. Admission policies must say the same, word for word.

use std::collections::BTreeMap;

use agentslo::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo};
use agentslo::domain::governance;
use agentslo::domain::platform::Platform;
use agentslo::domain::violation::{Rule, Violations};
use agentslo::validate::{self, ObservabilityFacts, SloFacts};
use serde_json::{Value, json};

/// Labels of the namespace that the objects are in.
pub(crate) const NAMESPACE_LABELS: [(&str, &str); 2] = [("tier", "agents"), ("team", "a")];

/// AgentPlatforms, by what is odd about them.
pub(crate) fn platforms() -> Vec<(&'static str, Value)> {
    let selecting =
        |expressions: Value| platform(&json!({"namespaceSelector": {"matchExpressions": expressions}}));
    let labels = |labels: Value| platform(&json!({"namespaceSelector": {"matchLabels": labels}}));
    vec![
        ("nothing", platform(&json!({}))),
        ("everything", platform(&everything())),
        ("other things", platform(&other_things())),
        ("selected by labels", labels(json!({"tier": "agents", "team": "a"}))),
        ("not selected by a label", labels(json!({"tier": "agents", "team": "b"}))),
        ("not selected without the label", labels(json!({"missing": "agents"}))),
        ("in", selecting(json!([{"key": "tier", "operator": "In", "values": ["web", "agents"]}]))),
        ("in nothing", selecting(json!([{"key": "tier", "operator": "In"}]))),
        ("not in", selecting(json!([{"key": "tier", "operator": "NotIn", "values": ["agents"]}]))),
        ("not in others", selecting(json!([{"key": "missing", "operator": "NotIn", "values": ["agents"]}]))),
        ("exists", selecting(json!([{"key": "tier", "operator": "Exists"}]))),
        ("does not exist", selecting(json!([{"key": "tier", "operator": "DoesNotExist"}]))),
        (
            "one of two conditions",
            selecting(
                json!([{"key": "tier", "operator": "Exists"}, {"key": "team", "operator": "DoesNotExist"}]),
            ),
        ),
        ("an empty selector", platform(&json!({"namespaceSelector": {}}))),
    ]
}

/// What a platform can permit.
pub(crate) fn everything() -> Value {
    let kinds = [
        "Otlp",
        "Loki",
        "Elasticsearch",
        "Tempo",
        "Jaeger",
        "Zipkin",
        "Honeycomb",
        "Sentry",
        "PrometheusRemoteWrite",
        "Postgres",
    ];
    let backends = kinds.map(|kind| {
        let scheme = if kind == "Postgres" { "postgres" } else { "http" };
        let address = format!("{scheme}://backend.monitoring.svc:4317");
        json!({"name": kind.to_lowercase(), "kind": kind, "address": address})
    });
    json!({
        "tenancy": {"rawQueries": "Allowed"},
        "backends": backends,
        "defaults": {"allowedSeverities": ["critical", "warning", "info"]},
        "dashboards": {"allowedFolders": ["Agents", "Night"]},
        "mail": {"smarthost": "smtp.example.com:587", "from": "alerts@example.com"},
        "ledger": ledger(Some("ledger-keeper")),
    })
}

/// A ledger of a platform, with or without somebody who lets go what is old.
fn ledger(keeper: Option<&str>) -> Value {
    let mut ledger = json!({
        "database": "postgres", "image": "registry.example/agentslo-ledger:0.1.0",
        "caSecret": {"name": "ledger-ca", "key": "ca.crt"}, "writerSecret": "ledger-writer",
        "readerSecret": "ledger-reader", "anchorKeySecret": {"name": "ledger-anchors", "key": "key.pem"},
    });
    if let Some(keeper) = keeper {
        ledger["keeperSecret"] = keeper.into();
    }
    ledger
}

fn other_things() -> Value {
    json!({
        "tenancy": {"groupByDenyList": ["user_id", "model"]},
        "backends": [
            {"name": "tempo", "kind": "Tempo", "address": "http://tempo.monitoring.svc:4317"},
            {"name": "postgres", "kind": "Postgres", "address": "postgres://db.databases.svc/ledger"},
        ],
        "defaults": {"allowedSeverities": ["p1"]},
        "dashboards": {"allowedFolders": ["Web"]},
        "ledger": ledger(None),
    })
}

/// The AgentPlatform `default` of a spec.
pub(crate) fn platform(spec: &Value) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform",
        "metadata": {"name": "default"}, "spec": spec,
    })
}

/// The AgentPlatform of a spec, as the operator takes it.
pub(crate) fn judged(spec: &Value) -> Result<Platform, Violations> {
    let platform = serde_json::from_value(platform(spec)).expect("the platform should have the shape");
    validate::platform(&platform)
}

/// Objects in a namespace that are valid where everything is permitted, each with a name of its own.
pub(crate) fn objects(namespace: &str) -> Vec<Value> {
    let specs = slos().into_iter().map(|spec| ("AgentSLO", spec));
    let specs = specs.chain(observabilities().into_iter().map(|spec| ("AgentObservability", spec)));
    let object = |(index, (kind, spec)): (usize, (&str, Value))| {
        json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": kind,
            "metadata": {"name": format!("asks-{index}"), "namespace": namespace}, "spec": spec,
        })
    };
    specs.enumerate().map(object).collect()
}

fn slos() -> Vec<Value> {
    let success = json!({"success": {}});
    let raw = json!({"raw": {"bad": "sum(increase(errors_total[$window]))", "total": "sum(increase(requests_total[$window]))"}});
    let severities = json!({
        "page": {"severity": "critical"}, "ticket": {"severity": "p1"}, "noData": {"severity": "p2"},
    });
    let with = |indicator: &Value, fields: Value| {
        let mut spec = json!({"agent": "support-agent", "objective": "99", "indicator": indicator});
        for (name, value) in fields.as_object().expect("fields should be an object") {
            spec[name] = value.clone();
        }
        spec
    };
    vec![
        with(&success, json!({})),
        with(&raw, json!({})),
        with(&success, json!({"groupBy": ["trace_id"]})),
        with(&success, json!({"groupBy": ["model", "trace.id", "user_id", "pod_uid"]})),
        with(&success, json!({"alerting": {"minFailures": 2}})),
        with(&success, json!({"alerting": severities})),
        with(&raw, json!({"groupBy": ["run_id"], "alerting": severities})),
    ]
}

fn observabilities() -> Vec<Value> {
    let all = ["otlp", "loki", "elasticsearch", "tempo", "jaeger", "zipkin", "honeycomb", "sentry"];
    let guards = [
        ("activity", json!({"expectedEvery": "6h"})),
        ("cardinalityOverflow", json!({})),
        ("pipelineLoss", json!({})),
        ("queue", json!({"maxDepth": 10})),
        ("slowShare", json!({"slowerThan": "60s", "percent": "5"})),
        ("spendBudget", json!({"amountUSD": "50", "period": "24h"})),
        ("spendRate", json!({"maxUSDPerHour": "5"})),
        ("stuck", json!({"after": "45m"})),
        ("telemetryMissing", json!({"after": "15m"})),
        ("toolFailure", json!({"percent": "20"})),
    ];
    let guards: BTreeMap<&str, Value> = guards
        .into_iter()
        .map(|(name, mut guard)| {
            guard["severity"] = "info".into();
            (name, guard)
        })
        .collect();
    let email = |name: &str| json!({"name": name, "email": {"to": "agents@example.com"}});
    let webhook = json!({"name": "hook", "webhook": {"url": {"secret": "hook", "key": "url"}}});
    let routing = json!({
        "page": ["hook", "second"], "ticket": ["first"],
        "receivers": [email("first"), webhook, email("second")],
    });
    let pipeline = |logs: &[&str], metrics: &[&str], traces: &[&str]| json!({"logs": {"backends": logs}, "metrics": {"backends": metrics}, "traces": {"backends": traces}});
    let mine = pipeline(&["mine"], &["mine"], &["tempo", "mine"]);
    let of = |fields: Value| {
        let mut spec = json!({"agent": "support-agent"});
        for (name, value) in fields.as_object().expect("fields should be an object") {
            spec[name] = value.clone();
        }
        spec
    };
    vec![
        of(json!({})),
        of(json!({"pipeline": {}})),
        of(json!({"pipeline": pipeline(&all, &all, &all)})),
        of(
            json!({"pipeline": pipeline(&["prometheusremotewrite", "postgres"], &["prometheusremotewrite", "postgres"], &["prometheusremotewrite", "postgres"])}),
        ),
        of(json!({"dashboards": {}})),
        of(json!({"dashboards": {"folder": "Agents"}})),
        of(json!({"guards": guards})),
        of(json!({"routing": routing})),
        of(json!({"pipeline": {}, "ledger": {}})),
        of(json!({"pipeline": {}, "ledger": {"retention": {}}})),
        of(json!({"pipeline": {}, "ledger": {"retention": {"audit": "30d"}}})),
        of(json!({"dashboards": {"folder": "None"}, "guards": guards, "pipeline": mine, "routing": routing})),
    ]
}

/// What the operator says of an object to which nothing else is wrong, as its condition says it; nothing
/// where the AgentPlatform permits it, or does not govern the namespace.
pub(crate) fn verdict(platform: &Value, object: &Value) -> Option<String> {
    let written: AgentPlatform = parsed(platform);
    let labels = NAMESPACE_LABELS.map(|(key, value)| (key.to_owned(), value.to_owned()));
    governance::governing([&written], &labels.into())?;
    let platform = validate::platform(&written).expect("the platforms should be valid");
    let refused = if object["kind"] == "AgentSLO" {
        let facts = SloFacts { platform, ..SloFacts::default() };
        validate::slo(&parsed::<AgentSlo>(object), &facts).err()
    } else {
        let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
        validate::observability(&parsed::<AgentObservability>(object), &facts).err()
    };
    refused.map(|violations| sentences(&violations))
}

fn sentences(violations: &Violations) -> String {
    let sentences = violations.iter().map(|violation| {
        assert_eq!(violation.rule, Rule::NotPermitted, "{violation}");
        violation.to_string()
    });
    sentences.collect::<Vec<_>>().join("; ")
}

fn parsed<K: serde::de::DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone())
        .unwrap_or_else(|error| panic!("{object} should have its shape: {error}"))
}
