//! The real Jaeger, in one process and in memory: traces in by OTLP or Zipkin, out by id or service.
//!
//! It keeps spans as they came, links and nested values too; of a resource it keeps the attributes and
//! not the schema URL.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Bed, Error, Probe, Process, ask::find, site::write};

/// The name of its binary, its log and its data folder.
const NAME: &str = "jaeger";

/// How many traces it keeps; it wants a search to be for fewer.
const CAPACITY: u32 = 100_000;

/// A Jaeger that ends when dropped, and forgets.
#[derive(Debug)]
pub struct Jaeger {
    process: Process,
    ports: Ports,
}

#[derive(Debug)]
struct Ports {
    otlp_http: u16,
    otlp_grpc: u16,
    zipkin: u16,
    query_http: u16,
    query_grpc: u16,
    health: u16,
}

impl Jaeger {
    /// Starts the bed's Jaeger: one per bed.
    ///
    /// # Errors
    /// As [`Process::launch`].
    pub async fn start(bed: &Bed) -> Result<Self, Error> {
        let site = &bed.site;
        let ports = Ports {
            otlp_http: site.port()?,
            otlp_grpc: site.port()?,
            zipkin: site.port()?,
            query_http: site.port()?,
            query_grpc: site.port()?,
            health: site.port()?,
        };
        let file = site.data(NAME)?.join("jaeger.yaml");
        write(&file, format!("{:#}", configuration(&ports)))?;
        let launch = site
            .launch(NAME, Probe::Url(format!("http://127.0.0.1:{}/status", ports.health)))?
            .arg(format!("--config=file:{}", file.display()))
            // Or it traces itself, to port 4317 of this machine, and when asked to end it waits ten
            // seconds for someone there to take the last of it.
            .env("OTEL_TRACES_SAMPLER", "always_off")
            .grace(Duration::from_secs(2));
        Ok(Self { process: Process::launch(launch).await?, ports })
    }

    /// Its process, to stop, freeze, kill and restart it. Its traces go with it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where it answers, up or down.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.query_http)
    }

    /// Where it takes traces: the base URL of an OTLP exporter over HTTP.
    #[must_use]
    pub fn otlp_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.otlp_http)
    }

    /// The same for an exporter over gRPC, as host and port.
    #[must_use]
    pub fn otlp_grpc(&self) -> String {
        format!("127.0.0.1:{}", self.ports.otlp_grpc)
    }

    /// Where it takes traces as Zipkin does.
    #[must_use]
    pub fn zipkin_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.zipkin)
    }

    /// The trace of this id as OTLP's JSON, `{"resourceSpans": [...]}`; none while it is not there.
    ///
    /// # Errors
    /// With Jaeger's reason if it refuses, or if it cannot be reached.
    pub async fn trace(&self, id: &str) -> Result<Option<Value>, Error> {
        // Raw: without the adjustments that it makes for people's eyes.
        self.ask(&format!("traces/{id}"), &[("raw_traces", "true")]).await
    }

    /// All traces of a service in one, in the form of [`Jaeger::trace`]; none while it has none.
    ///
    /// # Errors
    /// As [`Jaeger::trace`].
    pub async fn traces(&self, service: &str) -> Result<Option<Value>, Error> {
        let limit = (CAPACITY - 1).to_string();
        let parameters = [
            ("query.service_name", service),
            // Required: all of time.
            ("query.start_time_min", "2000-01-01T00:00:00Z"),
            ("query.start_time_max", "2100-01-01T00:00:00Z"),
            ("query.num_traces", limit.as_str()),
            ("query.raw_traces", "true"),
        ];
        self.ask("traces", &parameters).await
    }

    async fn ask(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Option<Value>, Error> {
        let answer = find(&format!("{}/api/v3/{what}", self.url()), parameters).await?;
        Ok(answer.map(|answer| answer["result"].clone()))
    }
}

/// JSON, which is YAML. Jaeger is a Collector with a store.
fn configuration(ports: &Ports) -> Value {
    let at = |port: u16| json!({"endpoint": format!("127.0.0.1:{port}")});
    json!({
        "receivers": {
            "otlp": {"protocols": {"http": at(ports.otlp_http), "grpc": at(ports.otlp_grpc)}},
            "zipkin": at(ports.zipkin),
        },
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
        "extensions": {
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": CAPACITY}}}},
            "jaeger_query": {
                "storage": {"traces": "memory"},
                "http": at(ports.query_http),
                "grpc": at(ports.query_grpc),
            },
            "healthcheckv2": {"use_v2": true, "http": at(ports.health)},
        },
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {
                "receivers": ["otlp", "zipkin"], "exporters": ["jaeger_storage_exporter"],
            }},
        },
    })
}
