//! The real Alertmanager, and the route from it to the receiver.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    Error, Part, Probe, Process, Receiver,
    site::{Site, write},
};

/// The file that the kubelet replaces by what prometheus-operator generates.
pub(crate) const CONFIGURATION: &str = "alertmanager.yaml";

/// Where one Alertmanager is, whether or not it runs.
#[derive(Debug)]
pub(crate) struct Alertmanager {
    folder: PathBuf,
    port: u16,
}

impl Alertmanager {
    /// Reserves its port and writes a configuration that needs no prometheus-operator.
    pub(crate) fn prepare(site: &Site, routes: &str) -> Result<Self, Error> {
        let name = Part::Alertmanager.name();
        let alertmanager =
            Self { folder: site.subfolder(&format!("data/{name}/configuration"))?, port: site.port()? };
        write(&alertmanager.folder.join(CONFIGURATION), routes)?;
        Ok(alertmanager)
    }

    pub(crate) async fn start(&self, site: &Site) -> Result<Process, Error> {
        let name = Part::Alertmanager.name();
        let configuration = self.folder.join(CONFIGURATION);
        let launch = site
            .launch(name, Probe::Url(format!("{}/-/ready", self.url())))?
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.path={}", site.data(name)?.display()))
            .arg(format!("--web.listen-address={}", self.address()))
            // Alone: no gossip, no port for it.
            .arg("--cluster.listen-address=");
        Process::launch(launch).await
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where the kubelet puts [`CONFIGURATION`].
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }
}

/// Everything to the receiver (if there is one), fast: the base into which `AlertmanagerConfigs` are
/// merged. The receiver also stands for services whose address only this base can set. JSON, which is YAML.
pub(crate) fn routes(receiver: Option<&Receiver>) -> String {
    let webhooks: Vec<Value> =
        receiver.map(|receiver| json!({"url": receiver.url(), "send_resolved": true})).into_iter().collect();
    let global = receiver.map(|receiver| {
        json!({
            "pagerduty_url": format!("{}pagerduty", receiver.url()),
            "opsgenie_api_url": format!("{}opsgenie/", receiver.url()),
            "smtp_require_tls": false,
        })
    });
    let routes = json!({
        "global": global.unwrap_or_else(|| json!({})),
        "route": {
            "receiver": "bed",
            "group_by": ["alertname"],
            "group_wait": "1s",
            "group_interval": "5s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "bed", "webhook_configs": webhooks}],
    });
    format!("{routes:#}")
}
