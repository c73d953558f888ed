//! The real Loki, in one process: logs in by OTLP, out by LogQL.
//!
//! Of the resource only a few attributes become labels (`service.name` is `service_name`); all others,
//! and those of the record, are structured metadata. An answer has both in `stream`.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{Bed, Error, Probe, Process, ask::find, site::write};

/// The name of its binary, its log and its data folder.
const NAME: &str = "loki";

/// A Loki that ends when dropped.
#[derive(Debug)]
pub struct Loki {
    process: Process,
    url: String,
}

impl Loki {
    /// Starts the bed's Loki: one per bed.
    ///
    /// # Errors
    /// As [`Process::launch`].
    pub async fn start(bed: &Bed) -> Result<Self, Error> {
        let site = &bed.site;
        let (folder, http, grpc) = (site.data(NAME)?, site.port()?, site.port()?);
        let file = folder.join("loki.yaml");
        write(&file, format!("{:#}", configuration(&folder, http, grpc)))?;
        let url = format!("http://127.0.0.1:{http}");
        let launch = site
            .launch(NAME, Probe::Url(format!("{url}/ready")))?
            .arg(format!("-config.file={}", file.display()))
            .folder(&folder);
        Ok(Self { process: Process::launch(launch).await?, url })
    }

    /// Its process, to stop, freeze, kill and restart it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where it listens, up or down.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it takes logs: the base URL of an OTLP exporter.
    #[must_use]
    pub fn otlp_url(&self) -> String {
        format!("{}/otlp", self.url)
    }

    /// What a LogQL expression yields over the last so long: `result` of the answer, streams of
    /// `[time, line]` in `values`, or a matrix.
    ///
    /// # Errors
    /// With Loki's reason if it refuses, or if it cannot be reached.
    pub async fn query_range(&self, expression: &str, since: Duration) -> Result<Value, Error> {
        let since = format!("{}s", since.as_secs());
        let parameters = [("query", expression), ("since", since.as_str()), ("limit", "5000")];
        self.ask("query_range", &parameters).await
    }

    /// What a LogQL expression of numbers yields now: `result` of the answer.
    ///
    /// # Errors
    /// As [`Loki::query_range`].
    pub async fn query(&self, expression: &str) -> Result<Value, Error> {
        self.ask("query", &[("query", expression)]).await
    }

    async fn ask(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Value, Error> {
        let answer = find(&format!("{}/loki/api/v1/{what}", self.url), parameters).await?;
        Ok(answer.map_or(Value::Null, |answer| answer["data"]["result"].clone()))
    }
}

/// JSON, which is YAML.
fn configuration(folder: &Path, http: u16, grpc: u16) -> Value {
    let below = |name: &str| folder.join(name).display().to_string();
    json!({
        "auth_enabled": false,
        // It would report to its makers.
        "analytics": {"reporting_enabled": false},
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": http,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": grpc,
            "log_level": "warn",
        },
        "common": {
            "path_prefix": below(""),
            "instance_addr": "127.0.0.1",
            "replication_factor": 1,
            "ring": {"kvstore": {"store": "inmemory"}, "instance_addr": "127.0.0.1"},
            "storage": {
                "filesystem": {"chunks_directory": below("chunks"), "rules_directory": below("rules")},
            },
        },
        "schema_config": {"configs": [{
            "from": "2020-01-01",
            "store": "tsdb",
            "object_store": "filesystem",
            "schema": "v13",
            "index": {"prefix": "index_", "period": "24h"},
        }]},
        // Ready at once, instead of 15 seconds after the ring is.
        "ingester": {"lifecycler": {"min_ready_duration": "0s"}},
        // Or it looks for its own scheduler in the ring, and finds it after ten seconds.
        "query_scheduler": {"use_scheduler_ring": false},
        "frontend_worker": {"frontend_address": format!("127.0.0.1:{grpc}")},
        // A test may send what happened long ago.
        "limits_config": {"reject_old_samples": false},
    })
}
