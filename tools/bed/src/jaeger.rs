//! The real Jaeger, in one process and in memory: traces in by OTLP, out by id or service.
//!
//! Its memory keeps spans in its own older form: the attributes of links are lost, a list or map in an
//! attribute comes out as the text of its JSON, and schema URLs are gone. To see that something was
//! removed before it reached the store, look at those where the Collector writes a file.

use std::time::Duration;

use serde_json::Value;

use crate::{Bed, Error, Probe, Process, ask::find};

/// The name of its binary, its log.
const NAME: &str = "jaeger-all-in-one";

/// A Jaeger that ends when dropped, and forgets.
#[derive(Debug)]
pub struct Jaeger {
    process: Process,
    url: String,
    otlp_http: u16,
    otlp_grpc: u16,
}

impl Jaeger {
    /// Starts the bed's Jaeger: one per bed.
    ///
    /// # Errors
    /// As [`Process::launch`].
    pub async fn start(bed: &Bed) -> Result<Self, Error> {
        let site = &bed.site;
        let (admin, query, otlp_http, otlp_grpc) = (site.port()?, site.port()?, site.port()?, site.port()?);
        // Those that nobody uses would be on ports of everyone.
        let (old_grpc, old_http, query_grpc) = (site.port()?, site.port()?, site.port()?);
        let listen = |what: &str, port: u16| format!("--{what}.host-port=127.0.0.1:{port}");
        let launch = site
            .launch(NAME, Probe::Url(format!("http://127.0.0.1:{admin}/")))?
            .arg(listen("admin.http", admin))
            .arg(listen("query.http-server", query))
            .arg(listen("collector.otlp.http", otlp_http))
            .arg(listen("collector.otlp.grpc", otlp_grpc))
            .arg(listen("collector.grpc-server", old_grpc))
            .arg(listen("collector.http-server", old_http))
            .arg(listen("query.grpc-server", query_grpc))
            // Or it traces itself, to port 4317 of this machine, and when asked to end it waits ten
            // seconds for someone there to take the last of it.
            .env("OTEL_TRACES_SAMPLER", "always_off")
            .grace(Duration::from_secs(2));
        let process = Process::launch(launch).await?;
        Ok(Self { process, url: format!("http://127.0.0.1:{query}"), otlp_http, otlp_grpc })
    }

    /// Its process, to stop, freeze, kill and restart it. Its traces go with it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where it answers, up or down.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it takes traces: the base URL of an OTLP exporter over HTTP.
    #[must_use]
    pub fn otlp_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.otlp_http)
    }

    /// The same for an exporter over gRPC, as host and port.
    #[must_use]
    pub fn otlp_grpc(&self) -> String {
        format!("127.0.0.1:{}", self.otlp_grpc)
    }

    /// The trace of this id as OTLP's JSON, `{"resourceSpans": [...]}`; none while it is not there.
    ///
    /// # Errors
    /// With Jaeger's reason if it refuses, or if it cannot be reached.
    pub async fn trace(&self, id: &str) -> Result<Option<Value>, Error> {
        let answer = find(&format!("{}/api/v3/traces/{id}", self.url), &[]).await?;
        Ok(answer.map(|answer| answer["result"].clone()))
    }

    /// All traces of a service in one, in the form of [`Jaeger::trace`]; none while it has none.
    ///
    /// # Errors
    /// As [`Jaeger::trace`].
    pub async fn traces(&self, service: &str) -> Result<Option<Value>, Error> {
        let parameters = [
            ("query.service_name", service),
            // Required: all of time.
            ("query.start_time_min", "2000-01-01T00:00:00Z"),
            ("query.start_time_max", "2100-01-01T00:00:00Z"),
            ("query.num_traces", "10000"),
        ];
        let answer = find(&format!("{}/api/v3/traces", self.url), &parameters).await?;
        Ok(answer.map(|answer| answer["result"].clone()))
    }
}
