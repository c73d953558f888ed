//! Where telemetry goes: back ends that the AgentPlatform knows, each behind a queue on disk that outlives
//! the process, retried without end. A credential is a reference to a variable and nothing else.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::escape::{environment, literal};
use super::receivers::{METRICS_PORT, address};
use super::service::Plan;
use crate::api::v1alpha1::{Backend, BackendKind, OtlpProtocol, SecretKey};
use crate::collector_versions::Release;
use crate::domain::pipeline::Pipeline;

/// The extension that keeps queues.
pub(super) const STORAGE: &str = "file_storage/queue";

/// Every back end that the pipeline names, once each, and the sink of the ledger.
pub(super) fn backends<'a>(plan: &'a Plan<'_>) -> BTreeMap<&'a str, &'a Backend> {
    let Pipeline { traces, logs, metrics, .. } = plan.pipeline;
    let all = [traces, logs, metrics].into_iter().flatten().chain(&plan.ledger);
    all.map(|backend| (backend.name.as_str(), backend)).collect()
}

/// Variables that the Collector's container needs, each with the key of a Secret that holds its value.
pub(super) fn variables(plan: &Plan<'_>) -> Vec<(String, SecretKey)> {
    let backends = backends(plan).into_values();
    let of_one = |backend: &Backend| {
        let credentials = backend.credentials_secret.clone().map(|secret| (variable(backend), secret));
        let authority = authority(backend).cloned().map(|secret| (authority_variable(backend), secret));
        credentials.into_iter().chain(authority)
    };
    backends.flat_map(of_one).collect()
}

/// Whose certificates are trusted besides the usual.
fn authority(backend: &Backend) -> Option<&SecretKey> {
    backend.tls.as_ref()?.ca_secret.as_ref()
}

fn variable(backend: &Backend) -> String {
    format!("AGENTSLO_BACKEND_{}", in_capitals(backend))
}

fn authority_variable(backend: &Backend) -> String {
    format!("AGENTSLO_CA_{}", in_capitals(backend))
}

fn in_capitals(backend: &Backend) -> String {
    backend.name.to_uppercase().replace('-', "_")
}

/// The exporters, ready to be written.
pub(super) fn exporters(plan: &Plan<'_>) -> Value {
    let release = plan.release;
    let mut exporters: Map<String, Value> = backends(plan)
        .into_values()
        .map(|backend| (id(backend, release), exporter(backend, release)))
        .collect();
    exporters.insert("prometheus".to_owned(), scraped(plan.pipeline));
    Value::Object(exporters)
}

/// Derived series are kept as long as the longest window that somebody may look back at.
fn scraped(pipeline: &Pipeline) -> Value {
    json!({
        "endpoint": format!("{}:{METRICS_PORT}", address(pipeline)),
        "metric_expiration": "720h",
        "without_scope_info": true,
    })
}

/// The exporters that there are.
#[derive(Clone, Copy)]
enum Form {
    OtlpGrpc,
    OtlpHttp,
    Elasticsearch,
    Zipkin,
    RemoteWrite,
}

fn form(backend: &Backend) -> Form {
    match (backend.kind, backend.protocol) {
        (BackendKind::Otlp | BackendKind::Tempo | BackendKind::Jaeger, None | Some(OtlpProtocol::Grpc))
        | (BackendKind::Elasticsearch, Some(OtlpProtocol::Grpc)) => Form::OtlpGrpc,
        (BackendKind::Elasticsearch, None) => Form::Elasticsearch,
        (BackendKind::Zipkin, _) => Form::Zipkin,
        (BackendKind::PrometheusRemoteWrite, _) => Form::RemoteWrite,
        (
            BackendKind::Otlp
            | BackendKind::Tempo
            | BackendKind::Jaeger
            | BackendKind::Elasticsearch
            | BackendKind::Loki
            | BackendKind::Honeycomb
            | BackendKind::Sentry
            | BackendKind::Postgres,
            _,
        ) => Form::OtlpHttp,
    }
}

/// The id of a back end's exporter.
pub(super) fn id(backend: &Backend, release: &Release) -> String {
    let components = &release.components;
    let component = match form(backend) {
        Form::OtlpGrpc => &components.otlp_grpc,
        Form::OtlpHttp => &components.otlp_http,
        Form::Elasticsearch => &components.elasticsearch,
        Form::Zipkin => &components.zipkin,
        Form::RemoteWrite => &components.prometheus_remote_write,
    };
    format!("{component}/{}", backend.name)
}

fn exporter(backend: &Backend, release: &Release) -> Value {
    match form(backend) {
        Form::OtlpGrpc => queued(grpc(backend)),
        Form::OtlpHttp | Form::Zipkin => queued(http(backend)),
        Form::Elasticsearch => elasticsearch(backend),
        Form::RemoteWrite => remote_write(backend, release),
    }
}

/// Host and port, as gRPC wants it.
fn grpc(backend: &Backend) -> Value {
    let (scheme, rest) = backend.address.split_once("://").unwrap_or(("https", &backend.address));
    let authority = rest.split('/').next().unwrap_or_default();
    let port = if scheme == "http" { 4317 } else { 443 };
    let authority =
        if authority.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") };
    let mut exporter = literal(json!({"endpoint": authority, "tls": {"insecure": scheme == "http"}}));
    exporter["headers"] = headers(backend);
    trusting(exporter, backend)
}

fn http(backend: &Backend) -> Value {
    let mut exporter = literal(json!({"endpoint": endpoint(backend)}));
    exporter["headers"] = headers(backend);
    trusting(exporter, backend)
}

/// With whom it trusts besides the usual, where there is somebody.
fn trusting(mut exporter: Value, backend: &Backend) -> Value {
    if authority(backend).is_some() {
        exporter["tls"]["ca_pem"] = Value::from(environment(&authority_variable(backend)));
        exporter["tls"]["include_system_ca_certs_pool"] = Value::from(true);
    }
    exporter
}

/// The base URL of the kind's API, where the platform named only the server.
fn endpoint(backend: &Backend) -> String {
    let address = backend.address.trim_end_matches('/');
    let path = match backend.kind {
        BackendKind::Loki => "/otlp",
        BackendKind::Zipkin => "/api/v2/spans",
        BackendKind::PrometheusRemoteWrite => "/api/v1/write",
        BackendKind::Otlp
        | BackendKind::Tempo
        | BackendKind::Jaeger
        | BackendKind::Honeycomb
        | BackendKind::Sentry
        | BackendKind::Elasticsearch
        | BackendKind::Postgres => "",
    };
    let names_server_only = address.matches('/').count() == 2;
    if names_server_only { format!("{address}{path}") } else { address.to_owned() }
}

/// The tenant, and who we are, in the form that the kind wants. Honeycomb:
/// <https://docs.honeycomb.io/send-data/opentelemetry/collector/exporters>, where the tenant may be its
/// dataset. Sentry: <https://docs.sentry.io/concepts/otlp/forwarding/pipelines/collector/>, whose combined
/// endpoint, `https://ORG.ingest.sentry.io/api/PROJECT/integration/otlp`, only the platform can know. Elastic,
/// by OTLP: <https://www.elastic.co/guide/en/serverless/current/collect-data-with-native-otlp.html>.
fn headers(backend: &Backend) -> Value {
    let tenant = backend.tenant_header.iter().map(|header| (header.name.clone(), json!(header.value)));
    let mut headers = literal(Value::Object(tenant.collect()));
    if backend.credentials_secret.is_some() {
        let secret = environment(&variable(backend));
        let (name, value) = match backend.kind {
            BackendKind::Honeycomb => ("x-honeycomb-team", secret),
            BackendKind::Sentry => ("x-sentry-auth", format!("sentry sentry_key={secret}")),
            BackendKind::Elasticsearch => ("Authorization", format!("ApiKey {secret}")),
            BackendKind::Otlp
            | BackendKind::Loki
            | BackendKind::Tempo
            | BackendKind::Jaeger
            | BackendKind::Zipkin
            | BackendKind::PrometheusRemoteWrite
            | BackendKind::Postgres => ("Authorization", format!("Bearer {secret}")),
        };
        headers[name] = Value::from(value);
    }
    headers
}

/// With a queue on disk, and no end to trying.
fn queued(mut exporter: Value) -> Value {
    exporter["retry_on_failure"] = json!({"enabled": true, "max_elapsed_time": "0s"});
    exporter["sending_queue"] = json!({
        "enabled": true,
        "storage": STORAGE,
        "sizer": "items",
        "queue_size": 100_000,
        "batch": {"flush_timeout": "1s", "min_size": 500, "max_size": 2000, "sizer": "items"},
    });
    exporter
}

/// Its retries are its own, and as many as a week has minutes.
fn elasticsearch(backend: &Backend) -> Value {
    let mut exporter = trusting(queued(literal(json!({"endpoints": [endpoint(backend)]}))), backend);
    exporter["retry"] = json!({"enabled": true, "max_retries": 10_080, "max_interval": "1m"});
    exporter.as_object_mut().expect("an exporter should be an object").remove("retry_on_failure");
    if backend.credentials_secret.is_some() {
        exporter["api_key"] = Value::from(environment(&variable(backend)));
    }
    exporter
}

/// It has no queue on disk and needs none: totals are sent again every half minute, so what is lost while
/// the store is away are points between, not counts. In order, or the store refuses what is older.
fn remote_write(backend: &Backend, release: &Release) -> Value {
    let client = http(backend);
    let mut exporter = if release.remote_write_under_http { json!({"http": client}) } else { client };
    exporter["disable_scope_info"] = Value::from(true);
    exporter["max_batch_request_parallelism"] = Value::from(1);
    exporter["retry_on_failure"] = json!({"enabled": true, "max_elapsed_time": "0s"});
    exporter
}
