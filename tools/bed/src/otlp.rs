//! Telemetry as an agent sends it: OTLP over HTTP, as protobuf. How it is made is in `otlp/signals.rs`,
//! what the fields are called in the re-exported modules: whatever the functions here leave out, a test
//! sets on their results.
//!
//! ```no_run
//! # async fn example(collector: &str) -> Result<(), bed::Error> {
//! use bed::otlp::{self, Sender};
//! use serde_json::json;
//!
//! let agent = Sender::to(collector).resource(&json!({"service.name": "support-agent"}));
//! agent.logs(vec![otlp::event("tool_result", &json!({"tool_name": "Bash", "success": false}))]).await?;
//! # Ok(())
//! # }
//! ```

mod attributes;
mod signals;

use std::time::Duration;

use opentelemetry_proto::tonic::collector::{
    logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse},
    metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse},
    trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
};
use prost::Message;
use serde_json::{Value, json};

use crate::{
    Error,
    ask::{answered, reached},
    loopback,
};

pub use attributes::{attributes, value};
pub use opentelemetry_proto::tonic::{common, logs, metrics, resource, trace};
pub use signals::{Temporality, counter, event, failed, gauge, histogram, log, span, trace_id, within};

use common::v1::InstrumentationScope;
use logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use resource::v1::Resource;
use trace::v1::{ResourceSpans, ScopeSpans, Span};

/// How long a request may take. A receiver that is short of memory answers late, and says so.
const PATIENCE: Duration = Duration::from_secs(20);

/// Someone who sends telemetry about one resource to one receiver.
#[derive(Debug, Clone)]
pub struct Sender {
    url: String,
    resource: Value,
    headers: Vec<(String, String)>,
    client: reqwest::Client,
}

impl Sender {
    /// Sends to a receiver by its base URL, to which `/v1/logs` and so on are added.
    #[must_use]
    pub fn to(url: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self { url, resource: json!({}), headers: Vec::new(), client: loopback::client() }
    }

    /// Speaks of a resource with these attributes, such as `service.name`.
    #[must_use]
    pub fn resource(mut self, attributes: &Value) -> Self {
        self.resource = attributes.clone();
        self
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends log records in one request.
    ///
    /// # Errors
    /// If the receiver refuses some of them, with its reason, or cannot be reached.
    pub async fn logs(&self, log_records: Vec<LogRecord>) -> Result<(), Error> {
        let scope_logs = vec![ScopeLogs { scope: Some(scope()), log_records, ..Default::default() }];
        let logs = ResourceLogs { resource: Some(self.about()), scope_logs, ..Default::default() };
        let request = ExportLogsServiceRequest { resource_logs: vec![logs] };
        let answer: ExportLogsServiceResponse = self.post("logs", &request).await?;
        let partly = answer.partial_success;
        self.all_taken(partly.map(|partly| (partly.rejected_log_records, partly.error_message)))
    }

    /// Sends spans in one request.
    ///
    /// # Errors
    /// As [`Sender::logs`].
    pub async fn spans(&self, spans: Vec<Span>) -> Result<(), Error> {
        let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, ..Default::default() }];
        let spans = ResourceSpans { resource: Some(self.about()), scope_spans, ..Default::default() };
        let request = ExportTraceServiceRequest { resource_spans: vec![spans] };
        let answer: ExportTraceServiceResponse = self.post("traces", &request).await?;
        let partly = answer.partial_success;
        self.all_taken(partly.map(|partly| (partly.rejected_spans, partly.error_message)))
    }

    /// Sends metrics in one request.
    ///
    /// # Errors
    /// As [`Sender::logs`].
    pub async fn metrics(&self, metrics: Vec<Metric>) -> Result<(), Error> {
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics, ..Default::default() }];
        let metrics = ResourceMetrics { resource: Some(self.about()), scope_metrics, ..Default::default() };
        let request = ExportMetricsServiceRequest { resource_metrics: vec![metrics] };
        let answer: ExportMetricsServiceResponse = self.post("metrics", &request).await?;
        let partly = answer.partial_success;
        self.all_taken(partly.map(|partly| (partly.rejected_data_points, partly.error_message)))
    }

    async fn post<A: Message + Default>(&self, signal: &str, request: &impl Message) -> Result<A, Error> {
        let url = format!("{}/v1/{signal}", self.url);
        let mut post = self.client.post(&url).timeout(PATIENCE);
        for (name, value) in &self.headers {
            post = post.header(name, value);
        }
        let post = post.header("content-type", "application/x-protobuf").body(request.encode_to_vec());
        let answer = answered(&url, post.send().await.map_err(reached(&url))?).await?;
        let body = answer.bytes().await.map_err(reached(&url))?;
        A::decode(body).map_err(|error| Error::Answer { url, said: error.to_string() })
    }

    /// A receiver may take a part and answer with success all the same.
    fn all_taken(&self, partly: Option<(i64, String)>) -> Result<(), Error> {
        match partly {
            Some((rejected, said)) if rejected > 0 => {
                Err(Error::Rejected { url: self.url.clone(), rejected, said })
            }
            _ => Ok(()),
        }
    }

    fn about(&self) -> Resource {
        Resource { attributes: attributes(&self.resource), ..Default::default() }
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope { name: "bed".to_owned(), ..Default::default() }
}
