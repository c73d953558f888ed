//! The real OpenTelemetry Collector, with a configuration under test.
//!
//! The text is taken as it is. What depends on the machine is laid over it in files of their own, which
//! the Collector merges key by key (lists are replaced): the addresses of a test by
//! [`Configuration::over`], and by the bed the address of the health check and of its own metrics,
//! which any two Collectors on one machine would fight for.

use serde_json::{Value, json};

use crate::{
    Bed, Error, Launch, Probe, Process, Target, ask,
    site::{Site, write},
};

/// The name of its binary.
const BINARY: &str = "otelcol";

/// What a Collector is to run.
#[derive(Debug, Clone)]
pub struct Configuration {
    name: String,
    text: String,
    layers: Vec<Value>,
    env: Vec<(String, String)>,
}

impl Configuration {
    /// A configuration in YAML. The name is that of the log and the data folder: one Collector, one name.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), layers: Vec::new(), env: Vec::new() }
    }

    /// Lays other values over those of the text, such as
    /// `{"receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:20001"}}}}}`.
    #[must_use]
    pub fn over(mut self, values: Value) -> Self {
        self.layers.push(values);
        self
    }

    /// Sets an environment variable, for `${env:NAME}`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the files; the arguments that name them.
    fn write(&self, site: &Site, layer: &Value) -> Result<Vec<String>, Error> {
        let folder = site.data(&self.name)?;
        let mut layers = vec![self.text.clone()];
        layers.extend(self.layers.iter().chain([layer]).map(|layer| format!("{layer:#}")));
        let files = layers.iter().enumerate().map(|(index, text)| {
            let file = folder.join(format!("{index}.yaml"));
            write(&file, text)?;
            Ok(format!("--config=file:{}", file.display()))
        });
        files.collect()
    }
}

/// A Collector that ends when dropped.
#[derive(Debug)]
pub struct Collector {
    process: Process,
    metrics: u16,
}

impl Collector {
    /// Validates a configuration, starts a Collector and waits until its health check says that it is
    /// ready.
    ///
    /// # Errors
    /// With the Collector's reason if the configuration is invalid, or else as [`Process::launch`]: much
    /// that is wrong shows at the start only.
    pub async fn start(bed: &Bed, configuration: &Configuration) -> Result<Self, Error> {
        let site = &bed.site;
        let (health, metrics) = (Health::of(configuration, site.port()?)?, site.port()?);
        let files = configuration.write(site, &layer(&health, metrics))?;
        validate(site, configuration, &files).await?;
        let log = site.logs().join(format!("{}.log", configuration.name));
        let launch = Launch::new(&configuration.name, &site.server(BINARY)?, &log, Probe::Url(health.url()));
        let launch = configuration.env.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        Ok(Self { process: Process::launch(launch.args(files)).await?, metrics })
    }

    /// Only validates a configuration. It does not see ports and files that cannot be had, extensions
    /// that a component names and nobody defined, nor panics.
    ///
    /// # Errors
    /// With the Collector's reason if it is invalid.
    pub async fn validate(bed: &Bed, configuration: &Configuration) -> Result<(), Error> {
        let files = configuration.write(&bed.site, &json!({}))?;
        validate(&bed.site, configuration, &files).await
    }

    /// Its process, to stop, freeze, kill and restart it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its own metrics, as job `job` of Prometheus.
    #[must_use]
    pub fn target(&self, job: &str) -> Target {
        Target::new(job, self.metrics)
    }

    /// Its own metrics (`otelcol_…`) in the text format of Prometheus.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn metrics(&self) -> Result<String, Error> {
        ask::text(&format!("http://127.0.0.1:{}/metrics", self.metrics)).await
    }
}

async fn validate(site: &Site, configuration: &Configuration, files: &[String]) -> Result<(), Error> {
    let mut args = vec!["validate"];
    args.extend(files.iter().map(String::as_str));
    site.run_with(BINARY, &args, &configuration.env).await?;
    Ok(())
}

/// The health check that the bed waits for: the configuration's own, or else one beside its extensions.
struct Health {
    id: String,
    path: String,
    port: u16,
    /// All extensions of the service, for lists are replaced.
    extensions: Vec<Value>,
}

impl Health {
    fn of(configuration: &Configuration, port: u16) -> Result<Self, Error> {
        let text = configuration.text.as_str();
        let values: Value = serde_saphyr::from_str(text).map_err(|error| Error::Yaml(Box::new(error)))?;
        let mut extensions = values["service"]["extensions"].as_array().cloned().unwrap_or_default();
        let own = extensions.iter().filter_map(Value::as_str).find(|id| is_health_check(id));
        let id = own.unwrap_or("health_check/bed").to_owned();
        if !extensions.iter().any(|extension| *extension == id.as_str()) {
            extensions.push(id.as_str().into());
        }
        let path = values["extensions"][&id]["path"].as_str().unwrap_or("/").to_owned();
        Ok(Self { id, path, port, extensions })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }
}

fn is_health_check(id: &str) -> bool {
    id == "health_check" || id.starts_with("health_check/")
}

/// What the bed needs to know of every Collector.
fn layer(health: &Health, metrics: u16) -> Value {
    let reader = json!({"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": metrics}}}});
    let id = &health.id;
    json!({
        "extensions": {id: {"endpoint": format!("127.0.0.1:{}", health.port)}},
        "service": {
            "extensions": health.extensions,
            "telemetry": {"metrics": {"readers": [reader]}},
        },
    })
}
