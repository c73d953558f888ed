//! Plays kubelet and config reloader: carries what prometheus-operator writes to the real servers.
//!
//! Watching decides which files there should be; delivering makes it so and reloads the server.
//! The two meet in a channel that holds only the newest wish, so that many changes at once are one
//! reload. Delivery is immediate, where a real kubelet may take a minute or two.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs::{self, File},
    io::{self, Read, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use flate2::read::GzDecoder;
use futures::{StreamExt, join};
use k8s_openapi::{
    api::core::v1::{ConfigMap, Secret},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    serde::de::DeserializeOwned,
};
use kube::{
    Api, Client, Resource,
    runtime::{WatchStreamExt, reflector, watcher},
};
use tokio::{sync::watch, time::sleep};

use crate::{
    alertmanager::CONFIGURATION,
    prometheus_operator::{NAME, NAMESPACE},
    reload::{Reload, reload},
};

/// From a failed attempt to the next one.
const PAUSE: Duration = Duration::from_millis(500);

/// File names and contents: all that should be in a folder.
type Files = BTreeMap<String, String>;

/// Where files go, and whom to tell.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Nothing else may be in it.
    pub(crate) folder: PathBuf,
    /// The server that reads it.
    pub(crate) url: String,
    /// Where to write what happened.
    pub(crate) log: PathBuf,
}

/// Carries rule files to Prometheus, for ever.
pub(crate) async fn carry_rules(client: Client, prometheus: Destination, hastened: bool) {
    let config_maps: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let ours = watcher::Config::default().labels(&format!("prometheus-name={NAME}"));
    let files = if hastened { hastened_rule_files } else { rule_files };
    carry(config_maps, ours, files, prometheus).await;
}

/// Carries the generated configuration to Alertmanager, for ever.
pub(crate) async fn carry_routes(client: Client, alertmanager: Destination) {
    let secrets: Api<Secret> = Api::namespaced(client, NAMESPACE);
    let generated = format!("metadata.name=alertmanager-{NAME}-generated");
    let ours = watcher::Config::default().fields(&generated);
    carry(secrets, ours, routes_file, alertmanager).await;
}

/// Rules are spread over as many `ConfigMaps` as their size needs.
#[allow(clippy::unnecessary_wraps)]
fn rule_files(config_maps: &[Arc<ConfigMap>]) -> Option<Files> {
    let data = config_maps.iter().filter_map(|map| map.data.clone());
    Some(data.flatten().collect())
}

/// The same with the slow groups made fast; see `Options::hastened`.
fn hastened_rule_files(config_maps: &[Arc<ConfigMap>]) -> Option<Files> {
    let hasten = |(name, text): (String, String)| (name, text.replace("interval: 5m\n", "interval: 15s\n"));
    rule_files(config_maps).map(|files| files.into_iter().map(hasten).collect())
}

/// None until prometheus-operator has written it: Alertmanager keeps what it has.
fn routes_file(secrets: &[Arc<Secret>]) -> Option<Files> {
    let data = secrets.first()?.data.as_ref()?;
    let packed = data.get(&format!("{CONFIGURATION}.gz"))?;
    let mut text = String::new();
    GzDecoder::new(packed.0.as_slice()).read_to_string(&mut text).ok()?;
    Some([(CONFIGURATION.to_owned(), text)].into())
}

async fn carry<K>(
    api: Api<K>,
    ours: watcher::Config,
    files: fn(&[Arc<K>]) -> Option<Files>,
    destination: Destination,
) where
    K: Resource<DynamicType = ()> + k8s_openapi::Metadata<Ty = ObjectMeta>,
    K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (wish, wishes) = watch::channel(None);
    join!(watch_wishes(api, ours, files, wish), deliver(wishes, destination));
}

async fn watch_wishes<K>(
    api: Api<K>,
    ours: watcher::Config,
    files: fn(&[Arc<K>]) -> Option<Files>,
    wish: watch::Sender<Option<Files>>,
) where
    K: Resource<DynamicType = ()> + k8s_openapi::Metadata<Ty = ObjectMeta>,
    K: Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let mut events = watcher(api, ours).reflect(writer).boxed();
    while let Some(event) = events.next().await {
        match event {
            // While a list comes in, the store still holds what was before it.
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => {}
            Ok(_) => drop(wish.send_replace(files(&store.state()))),
            // The apiserver is down or was replaced; the watcher goes on by itself.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn deliver(mut wishes: watch::Receiver<Option<Files>>, destination: Destination) {
    while wishes.changed().await.is_ok() {
        let Some(files) = wishes.borrow_and_update().clone() else {
            continue;
        };
        match destination.place(&files) {
            Ok(Change::None) => {}
            Ok(Change::Some) => destination.reload().await,
            Err(error) => destination.note(&format!("failed to write files: {error}")),
        }
    }
}

/// Whether placing files changed anything.
enum Change {
    None,
    Some,
}

impl Destination {
    /// Makes the folder hold these files and no others.
    fn place(&self, files: &Files) -> io::Result<Change> {
        let mut change = Change::None;
        for name in self.present()?.iter().filter(|&name| !files.contains_key(name)) {
            fs::remove_file(self.folder.join(name))?;
            change = Change::Some;
        }
        for (name, text) in files {
            let file = self.folder.join(name);
            if fs::read(&file).ok().as_deref() != Some(text.as_bytes()) {
                fs::write(file, text)?;
                change = Change::Some;
            }
        }
        Ok(change)
    }

    fn present(&self) -> io::Result<BTreeSet<String>> {
        fs::read_dir(&self.folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    /// Asks until there is an answer; a refusal is one, since asking again would not change it.
    async fn reload(&self) {
        loop {
            match reload(&self.url).await {
                Ok(Reload::Done) => return self.note(&format!("reloaded {}", self.url)),
                Ok(Reload::Refused(said)) => return self.note(&said),
                Err(error) => self.note(&format!("{} does not answer: {error}", self.url)),
            }
            sleep(PAUSE).await;
        }
    }

    /// A log that cannot be written is not worth failing for.
    fn note(&self, line: &str) {
        let log = File::options().create(true).append(true).open(&self.log);
        let _ = log.and_then(|mut log| writeln!(log, "{line}"));
    }
}
