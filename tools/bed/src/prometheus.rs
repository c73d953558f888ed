//! The real Prometheus: its configuration, its targets, its past.
//!
//! Its configuration is the bed's, not the one prometheus-operator generates, which discovers pods
//! that do not exist here. Its rules do come from prometheus-operator, by way of the kubelet.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    Error, Options, Part, Probe, Process, Target,
    alertmanager::Alertmanager,
    reload::{Reload, reload},
    site::{Site, write},
};

/// The folder of targets that are scraped as they are.
const PLAIN: &str = "targets";
/// The folder of targets whose classic histograms become native ones.
const CONVERTED: &str = "converted-targets";
const TARGETS: [&str; 2] = [PLAIN, CONVERTED];

/// Where one Prometheus is, whether or not it runs.
#[derive(Debug)]
pub(crate) struct Prometheus {
    folder: PathBuf,
    port: u16,
}

impl Prometheus {
    /// Reserves its port and writes its configuration.
    pub(crate) fn prepare(
        site: &Site,
        options: &Options,
        alertmanager: Option<&Alertmanager>,
    ) -> Result<Self, Error> {
        let prometheus = Self { folder: site.data(Part::Prometheus.name())?, port: site.port()? };
        let folders = [prometheus.rules(), prometheus.own_rules()];
        for folder in folders.into_iter().chain(TARGETS.map(|targets| prometheus.folder.join(targets))) {
            fs::create_dir_all(&folder).map_err(Error::io(format!("create {}", folder.display())))?;
        }
        let configuration = configuration(options, alertmanager);
        write(&prometheus.configuration(), format!("{configuration:#}"))?;
        for target in &options.targets {
            prometheus.scrape(target)?;
        }
        Ok(prometheus)
    }

    pub(crate) async fn start(&self, site: &Site, options: &Options) -> Result<Process, Error> {
        let storage = self.folder.join("tsdb");
        if let Some(history) = &options.history {
            fill(site, history, &storage).await?;
        }
        let launch = site
            .launch(Part::Prometheus.name(), Probe::Url(format!("{}/-/ready", self.url())))?
            .arg(format!("--config.file={}", self.configuration().display()))
            .arg(format!("--storage.tsdb.path={}", storage.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .args(["--web.enable-lifecycle", "--web.enable-admin-api"])
            .args(options.prometheus_args.iter().cloned());
        Process::launch(launch).await
    }

    /// Scrapes a target from now on; Prometheus watches the folder.
    pub(crate) fn scrape(&self, target: &Target) -> Result<(), Error> {
        let mut labels = target.labels.clone();
        labels.insert("job".to_owned(), target.job.clone());
        let address = format!("127.0.0.1:{}", target.port);
        let text = json!([{"targets": [address], "labels": labels}]).to_string();
        let (folder, other) = if target.is_converted { (CONVERTED, PLAIN) } else { (PLAIN, CONVERTED) };
        let file = |folder: &str| self.folder.join(folder).join(format!("{}.json", target.job));
        // Renamed into place: a half-written file must not be read.
        let (file, old) = (file(folder), file(other));
        let draft = file.with_extension("draft");
        write(&draft, text)?;
        fs::rename(&draft, &file).map_err(Error::io(format!("write {}", file.display())))?;
        match fs::remove_file(&old) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io(format!("remove {}", old.display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// Writes a rule file and loads it.
    pub(crate) async fn load_rules(&self, name: &str, yaml: &str) -> Result<(), Error> {
        write(&self.own_rules().join(format!("{name}.yaml")), yaml)?;
        let failed = |said| Error::Reload { url: self.url(), said };
        match reload(&self.url()).await {
            Ok(Reload::Done) => Ok(()),
            Ok(Reload::Refused(said)) => Err(failed(said)),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the kubelet puts rule files.
    pub(crate) fn rules(&self) -> PathBuf {
        self.folder.join("rules")
    }

    /// Where callers put rule files; the kubelet would remove them from its folder.
    fn own_rules(&self) -> PathBuf {
        self.folder.join("own-rules")
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("prometheus.yml")
    }
}

/// JSON, which is YAML. Paths are relative to the file.
fn configuration(options: &Options, alertmanager: Option<&Alertmanager>) -> Value {
    let alertmanagers: Vec<Value> = alertmanager
        .map(|alertmanager| json!({"static_configs": [{"targets": [alertmanager.address()]}]}))
        .into_iter()
        .collect();
    let strategy = options.name_translation.as_deref().unwrap_or("UnderscoreEscapingWithSuffixes");
    json!({
        "otlp": {"translation_strategy": strategy},
        "global": {
            "scrape_interval": duration(options.scrape_interval),
            "evaluation_interval": duration(options.evaluation_interval),
            "scrape_native_histograms": true,
        },
        // As long as the longest SLO window, and some.
        "storage": {"tsdb": {"retention": {"time": "100d"}}},
        "rule_files": ["rules/*.yaml", "own-rules/*.yaml"],
        "alerting": {"alertmanagers": alertmanagers},
        "scrape_configs": [scrape_config(PLAIN), scrape_config(CONVERTED)],
    })
}

/// Targets bring a `job` label of their own.
fn scrape_config(targets: &str) -> Value {
    json!({
        "job_name": targets,
        "convert_classic_histograms_to_nhcb": targets == CONVERTED,
        "file_sd_configs": [{"files": [format!("{targets}/*.json")], "refresh_interval": "5s"}],
    })
}

/// Prometheus knows no fractions of a millisecond.
fn duration(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// promtool reads the whole file once per block, so blocks are as long as it can make them: 30 days
/// in the usual blocks of 2 hours took 33 seconds, in these it takes a third of one.
async fn fill(site: &Site, history: &Path, storage: &Path) -> Result<(), Error> {
    let history = history.display().to_string();
    let storage = storage.display().to_string();
    let create = ["tsdb", "create-blocks-from", "--max-block-duration=486h", "openmetrics"];
    let args = [&create[..], &[&history, &storage]].concat();
    site.run("promtool", &args).await?;
    Ok(())
}
