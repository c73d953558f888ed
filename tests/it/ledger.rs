//! What an AgentObservability with a ledger becomes, and what is said where it asks for what cannot be.

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::domain::violation::Violations;
use agentslo::render::{self, Artifact, ArtifactKind, Part};
use agentslo::validate::{self, ObservabilityFacts};
use serde_json::{Value, json};

use crate::scenarios::unpermitted;

fn offering() -> Value {
    unpermitted::everything()
}

fn validated(name: &str, spec: &Value, platform: Platform) -> Result<Observability, Violations> {
    let written: AgentObservability = serde_json::from_value(json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"name": name, "namespace": "team-a"}, "spec": spec,
    }))
    .expect("it should have the shape");
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    validate::observability(&written, &facts)
}

fn named(name: &str, spec: &Value, platform: &Value) -> Observability {
    let platform = unpermitted::judged(platform).expect("the platform should be valid");
    validated(name, spec, platform).unwrap_or_else(|wrong| panic!("{spec}: {:?}", wrong.first()))
}

fn ledger_of(observability: &Observability) -> Vec<Artifact> {
    render::observability(observability).remove(&Part::Ledger).unwrap_or_default().0
}

fn objects(observability: &Observability, kind: ArtifactKind) -> Vec<Value> {
    let all = ledger_of(observability).into_iter().filter(|artifact| artifact.kind() == kind);
    all.map(|artifact| artifact.to_value()).collect()
}

fn configuration(observability: &Observability) -> Value {
    let parts = render::observability(observability).remove(&Part::Pipeline).unwrap_or_default().0;
    let map = parts.iter().map(Artifact::to_value).find(|value| value["data"]["collector.yaml"].is_string());
    let text = map.expect("there should be a pipeline")["data"]["collector.yaml"].clone();
    serde_saphyr::from_str(text.as_str().unwrap_or_default()).expect("it should be YAML")
}

/// Place, reason and sentence of each.
fn lines(violations: &Violations) -> String {
    let lines = violations.iter().map(|it| format!("{} [{:?}]\n  {}", it.path, it.rule, it.message));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is said of ledgers that cannot be.
pub(crate) fn everything_wrong() -> String {
    let spec = json!({
        "agent": "support-agent",
        "pipeline": {},
        "ledger": {"audit": "Contents", "retention": {"audit": "4000d", "cost": "30h"}},
    });
    let offered = validated("support", &spec, unpermitted::judged(&offering()).expect("it is valid"));
    let none = validated("support", &json!({"agent": "a", "ledger": {}}), Platform::default());
    let mut forgets_nothing = offering();
    forgets_nothing["ledger"]["keeperSecret"] = Value::Null;
    let forgets_nothing = unpermitted::judged(&forgets_nothing).expect("it is valid");
    let lets_go = json!({"agent": "a", "pipeline": {}, "ledger": {"retention": {"audit": "30d"}}});
    let kept = validated("support", &lets_go, forgets_nothing);
    let said = [offered.map(drop), none.map(drop), kept.map(drop)];
    said.map(|result| lines(&result.expect_err("it should be refused"))).join("\n\n")
}

/// What is said of platforms that offer one without a database, or with credentials in the wrong place.
pub(crate) fn everything_wrong_with_its_database() -> String {
    let mut unknown = offering();
    unknown["ledger"]["database"] = "loki".into();
    let mut guarded = offering();
    let backends = guarded["backends"].as_array_mut().expect("there are back ends");
    let database = backends.iter_mut().find(|backend| backend["kind"] == "Postgres").expect("there is one");
    database["credentialsSecret"] = json!({"name": "postgres", "key": "password"});
    database["address"] = "http://db.databases.svc".into();
    [unknown, guarded]
        .map(|spec| lines(&unpermitted::judged(&spec).expect_err("it should be refused")))
        .join("\n\n")
}

/// What is sampled, or has a low level, was done all the same.
#[test]
fn what_is_entered_passes_redaction_and_no_filter() {
    let pipeline = json!({
        "deriveMetrics": "FromSpans", "logs": {"backends": ["loki"], "minLevel": "Error"},
        "traces": {"backends": ["tempo"], "sampling": {"percentOfRest": "1"}},
    });
    let spec = json!({"agent": "support-agent", "pipeline": pipeline, "ledger": {}});
    let configuration = configuration(&named("support", &spec, &offering()));
    for signal in ["logs", "traces"] {
        let entered = &configuration["service"]["pipelines"][format!("{signal}/ledger")];
        assert_eq!(entered["receivers"], json!([format!("forward/{signal}")]));
        assert_eq!(entered["processors"], json!([]));
        assert_eq!(entered["exporters"], json!(["otlp_http/agentslo_ledger"]));
        let first = configuration["service"]["pipelines"][format!("{signal}/in")]["processors"].to_string();
        assert!(first.contains("redaction"), "{first}");
    }
    let exporter = &configuration["exporters"]["otlp_http/agentslo_ledger"];
    assert_eq!(exporter["endpoint"], "http://support-ledger.team-a.svc:4318");
    assert_eq!(exporter["sending_queue"]["storage"], "file_storage/queue");
    let events = json!({"agent": "support-agent", "pipeline": {}, "ledger": {}});
    let configuration = self::configuration(&named("support", &events, &offering()));
    assert!(configuration["service"]["pipelines"]["traces/ledger"].is_null(), "events tell of everything");
}

#[test]
fn every_pod_of_a_ledger_may_use_a_registry_of_ones_own() {
    let mut offering = offering();
    offering["ledger"]["imagePullSecrets"] = json!(["registry", "mirror"]);
    let spec = json!({"agent": "a", "pipeline": {}, "ledger": {"retention": {"audit": "30d"}}});
    let observability = named("support", &spec, &offering);
    let pods: Vec<Value> = [
        (ArtifactKind::Deployment, "/spec/template/spec/imagePullSecrets"),
        (ArtifactKind::CronJob, "/spec/jobTemplate/spec/template/spec/imagePullSecrets"),
    ]
    .into_iter()
    .flat_map(|(kind, path)| {
        let objects = objects(&observability, kind);
        objects.into_iter().map(move |object| object.pointer(path).cloned().unwrap_or_default())
    })
    .collect();
    assert_eq!(pods, vec![json!([{"name": "registry"}, {"name": "mirror"}]); 3]);
}

#[test]
fn a_sink_with_a_certificate_is_sent_to_over_tls_alone() {
    let mut offering = offering();
    offering["ledger"]["sinkCertificateSecret"] = "ledger-sink".into();
    let spec = json!({"agent": "support-agent", "pipeline": {}, "ledger": {}});
    let observability = named("support", &spec, &offering);
    let exporter = &configuration(&observability)["exporters"]["otlp_http/agentslo_ledger"];
    assert_eq!(exporter["endpoint"], "https://support-ledger.team-a.svc:4318");
    assert_eq!(exporter["tls"]["ca_pem"], "${env:AGENTSLO_CA_AGENTSLO_LEDGER}");
    let sink = objects(&observability, ArtifactKind::Deployment)
        .into_iter()
        .find(|deployment| deployment["metadata"]["name"] == "support-ledger")
        .expect("there should be a sink");
    let args = sink.pointer("/spec/template/spec/containers/0/args").expect("it has arguments").to_string();
    for part in [
        "--tls-cert-file=/var/run/agentslo/tls-cert/tls-cert",
        "--tls-private-key-file=/var/run/agentslo/tls-private-key/tls-private-key",
    ] {
        assert!(args.contains(part), "{args}");
    }
}

#[test]
fn no_text_of_an_agent_is_a_variable_of_a_pod() {
    let spec = json!({"agent": "$(AGENTSLO_DATABASE_URL) --help", "pipeline": {}, "ledger": {}});
    for deployment in objects(&named("support", &spec, &offering()), ArtifactKind::Deployment) {
        let args = deployment
            .pointer("/spec/template/spec/containers/0/args")
            .expect("it has arguments")
            .to_string();
        assert!(args.contains("$$(AGENTSLO_DATABASE_URL) --help"), "{args}");
    }
}

#[test]
fn names_are_ones_that_kubernetes_takes() {
    let spec = json!({"agent": "a", "pipeline": {}, "ledger": {"retention": {"cost": "30d"}}});
    let long = "x".repeat(253);
    let mut seen = std::collections::BTreeSet::new();
    for name in ["support", "support.agent", "1st", "1st-agent", &long] {
        for artifact in ledger_of(&named(name, &spec, &offering())) {
            let its = artifact.name().to_owned();
            let is_label =
                its.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            assert!(
                is_label && its.len() <= 52 && its.starts_with(|it: char| it.is_ascii_lowercase()),
                "{its}"
            );
            assert!(seen.insert((artifact.kind(), its.clone())), "{its} is there twice");
        }
    }
}

#[test]
fn a_collector_that_namespaces_share_may_reach_the_sink_from_anywhere() {
    let spec = json!({"agent": "a", "pipeline": {}, "ledger": {}});
    let from = |sharing: &str| {
        let mut platform = offering();
        platform["collector"] = json!({"sharing": sharing});
        let policies = objects(&named("support", &spec, &platform), ArtifactKind::NetworkPolicy);
        policies[0].pointer("/spec/ingress/0/from").cloned().expect("somebody may reach it")
    };
    let own = json!([{"podSelector": {"matchLabels": {"agentslo.dev/pipeline": "support"}}}]);
    assert_eq!(from("PerNamespace"), own);
    assert_eq!(from("Shared"), json!([{"namespaceSelector": {}}]));
}
