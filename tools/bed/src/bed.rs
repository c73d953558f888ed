//! The bed itself: what runs, and how to reach it. How it comes to run is in `start.rs`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use kube::Client;

use crate::{
    Error, Part, Process, Receiver, Target, alertmanager::Alertmanager, apply::apply_yaml,
    background::Background, kubernetes::Kubernetes, prometheus::Prometheus, site::Site,
};

/// The user the bed acts as.
pub(crate) const ADMIN: &str = "admin";

/// Real servers on free loopback ports, stopped in reverse order when dropped.
///
/// It does not depend on the async runtime it was started on: tests may share one.
#[derive(Debug)]
pub struct Bed {
    /// Runs the kubelet and the receiver.
    pub(crate) background: Background,
    pub(crate) processes: BTreeMap<Part, Process>,
    pub(crate) kubernetes: Option<Kubernetes>,
    pub(crate) prometheus: Option<Prometheus>,
    pub(crate) alertmanager: Option<Alertmanager>,
    pub(crate) receiver: Option<Receiver>,
    /// Last, for the folder goes when nobody writes to it any more.
    pub(crate) site: Site,
}

impl Bed {
    /// A server by its part, to stop, freeze, kill and restart it.
    ///
    /// # Panics
    /// If the options did not ask for it.
    #[must_use]
    pub fn server(&self, part: Part) -> &Process {
        self.processes
            .get(&part)
            .unwrap_or_else(|| panic!("no {} here: ask for it in the options", part.name()))
    }

    /// Every server, in the order of starting.
    pub fn servers(&self) -> impl Iterator<Item = &Process> {
        self.processes.values()
    }

    /// A client of the apiserver that acts as a user. Make one per runtime.
    ///
    /// # Errors
    /// If the options named no such user.
    pub fn client(&self, user: &str) -> Result<Client, Error> {
        self.kubernetes(user)?.client(user)
    }

    /// The kubeconfig file of a user.
    ///
    /// # Errors
    /// If the options named no such user.
    pub fn kubeconfig(&self, user: &str) -> Result<PathBuf, Error> {
        self.kubernetes(user)?.kubeconfig(user)
    }

    /// Applies a YAML text of any number of documents, as admin, by server-side apply.
    ///
    /// # Errors
    /// At the first object that is refused, with the apiserver's reason.
    pub async fn apply_yaml(&self, text: &str) -> Result<(), Error> {
        apply_yaml(&self.client(ADMIN)?, text).await
    }

    /// Runs kubectl as admin and returns what it printed.
    ///
    /// # Errors
    /// With what it wrote to its standard error.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String, Error> {
        let kubeconfig = self.kubeconfig(ADMIN)?.display().to_string();
        let args = [&["--kubeconfig", &kubeconfig], args].concat();
        self.site.run("kubectl", &args).await
    }

    /// Where Prometheus listens, up or down.
    ///
    /// # Panics
    /// If the options did not ask for Prometheus.
    #[must_use]
    pub fn prometheus_url(&self) -> String {
        self.prometheus().url()
    }

    /// Where Alertmanager listens, up or down.
    ///
    /// # Panics
    /// If the options did not ask for Alertmanager.
    #[must_use]
    pub fn alertmanager_url(&self) -> String {
        let alertmanager = self.alertmanager.as_ref();
        alertmanager.expect("no alertmanager here: ask for it in the options").url()
    }

    /// Where Alertmanager's notifications end.
    ///
    /// # Panics
    /// If the options did not ask for Alertmanager.
    #[must_use]
    pub fn receiver(&self) -> &Receiver {
        let receiver = self.receiver.as_ref();
        receiver.expect("no alertmanager here, hence no receiver: ask for it in the options")
    }

    /// Makes Prometheus scrape a target from now on (within 5 seconds); replaces the job's old one.
    ///
    /// # Errors
    /// If the file of targets cannot be written.
    ///
    /// # Panics
    /// If the options did not ask for Prometheus.
    pub fn scrape(&self, target: &Target) -> Result<(), Error> {
        self.prometheus().scrape(target)
    }

    /// Gives Prometheus a rule file without Kubernetes, and waits until it is loaded.
    ///
    /// # Errors
    /// With Prometheus' reason if it refuses the file.
    ///
    /// # Panics
    /// If the options did not ask for Prometheus.
    pub async fn load_rules(&self, name: &str, yaml: &str) -> Result<(), Error> {
        self.prometheus().load_rules(name, yaml).await
    }

    /// A loopback port that is the caller's until the bed is gone: for a server of its own.
    ///
    /// # Errors
    /// If none is free.
    pub fn port(&self) -> Result<u16, Error> {
        self.site.port()
    }

    /// The folder of logs, one file per server.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.site.logs()
    }

    /// The bed's folder: data, logs, kubeconfigs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.site.folder()
    }

    /// Stops everything, as dropping does, without blocking the runtime.
    pub async fn stop(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    fn kubernetes(&self, user: &str) -> Result<&Kubernetes, Error> {
        self.kubernetes.as_ref().ok_or_else(|| Error::UnknownUser { name: user.to_owned() })
    }

    fn prometheus(&self) -> &Prometheus {
        let prometheus = self.prometheus.as_ref();
        prometheus.expect("no prometheus here: ask for it in the options")
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // The kubelet's watches would keep the apiserver waiting for their end.
        self.background.end();
        while let Some((_, process)) = self.processes.pop_last() {
            drop(process);
        }
    }
}
