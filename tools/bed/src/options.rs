//! What to ask of a bed: which servers, which users, what Prometheus knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

/// What a bed can consist of, in the order of starting; stopped in reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The apiserver's store.
    Etcd,
    /// kube-apiserver with RBAC. Nothing runs pods.
    Apiserver,
    /// kube-controller-manager, only to collect garbage, to empty deleted namespaces and to check the types of
    /// admission policies.
    ControllerManager,
    /// The CRDs of prometheus-operator. Not a process.
    MonitoringCrds,
    /// The webhook that refuses `PrometheusRules` and `AlertmanagerConfigs` that do not parse.
    AdmissionWebhook,
    /// prometheus-operator with a `Prometheus` and an `Alertmanager` named `bed` in `monitoring`,
    /// which select all rules and routes of all namespaces.
    PrometheusOperator,
    /// Alertmanager; brings a [`Receiver`](crate::Receiver) along.
    Alertmanager,
    /// Prometheus.
    Prometheus,
}

impl Part {
    /// Every part, in the order of starting.
    pub const ALL: [Self; 8] = [
        Self::Etcd,
        Self::Apiserver,
        Self::ControllerManager,
        Self::MonitoringCrds,
        Self::AdmissionWebhook,
        Self::PrometheusOperator,
        Self::Alertmanager,
        Self::Prometheus,
    ];

    /// The name of its binary, its log and its data folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Apiserver => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::MonitoringCrds => "prometheus-operator-crd",
            Self::AdmissionWebhook => "admission-webhook",
            Self::PrometheusOperator => "prometheus-operator",
            Self::Alertmanager => "alertmanager",
            Self::Prometheus => "prometheus",
        }
    }

    /// The part it cannot be without.
    fn needs(self) -> Option<Self> {
        match self {
            Self::Etcd | Self::Alertmanager | Self::Prometheus => None,
            Self::Apiserver => Some(Self::Etcd),
            Self::ControllerManager | Self::MonitoringCrds => Some(Self::Apiserver),
            Self::AdmissionWebhook | Self::PrometheusOperator => Some(Self::MonitoringCrds),
        }
    }
}

/// Someone who may talk to the apiserver.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

impl User {
    pub(crate) fn new(name: &str, groups: &[&str]) -> Self {
        Self { name: name.to_owned(), groups: groups.iter().map(|&group| group.to_owned()).collect() }
    }
}

/// Something Prometheus scrapes on the loopback interface.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) job: String,
    pub(crate) port: u16,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) is_converted: bool,
}

impl Target {
    /// The metrics at `http://127.0.0.1:<port>/metrics`, as job `job`. One job, one target.
    #[must_use]
    pub fn new(job: &str, port: u16) -> Self {
        Self { job: job.to_owned(), port, labels: BTreeMap::new(), is_converted: false }
    }

    /// Adds a label to every series of the target, as a namespace label would be added.
    #[must_use]
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Scrapes another path than `/metrics`.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        self.label("__metrics_path__", path)
    }

    /// Has Prometheus store its classic histograms as native ones with custom buckets.
    #[must_use]
    pub fn converted(mut self) -> Self {
        self.is_converted = true;
        self
    }
}

/// What to ask of a bed. The default is an apiserver with users `admin` and `operator`.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) parts: BTreeSet<Part>,
    pub(crate) users: Vec<User>,
    pub(crate) scrape_interval: Duration,
    pub(crate) evaluation_interval: Duration,
    pub(crate) targets: Vec<Target>,
    pub(crate) history: Option<PathBuf>,
    pub(crate) prometheus_args: Vec<String>,
    pub(crate) name_translation: Option<String>,
    pub(crate) hastened: bool,
    pub(crate) keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::nothing().with(Part::Apiserver)
    }
}

impl Options {
    /// No server at all: for a Prometheus alone, `Options::nothing().with(Part::Prometheus)`.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            parts: BTreeSet::new(),
            users: vec![User::new("admin", &["system:masters"]), User::new("operator", &[])],
            scrape_interval: Duration::from_secs(5),
            evaluation_interval: Duration::from_secs(5),
            targets: Vec::new(),
            history: None,
            prometheus_args: Vec::new(),
            name_translation: None,
            hastened: false,
            keep: false,
        }
    }

    /// Every part.
    #[must_use]
    pub fn everything() -> Self {
        Part::ALL.into_iter().fold(Self::nothing(), Self::with)
    }

    /// Adds a part, and the parts it cannot be without.
    #[must_use]
    pub fn with(mut self, part: Part) -> Self {
        let mut next = Some(part);
        while let Some(part) = next {
            self.parts.insert(part);
            next = part.needs();
        }
        self
    }

    /// Adds a user of the apiserver; RBAC objects are the caller's to apply.
    #[must_use]
    pub fn user(mut self, name: &str, groups: &[&str]) -> Self {
        self.users.push(User::new(name, groups));
        self
    }

    /// Scrapes every target this often, instead of every 5 seconds.
    #[must_use]
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.scrape_interval = interval;
        self
    }

    /// Evaluates rule groups without an interval of their own this often, instead of every
    /// 5 seconds.
    #[must_use]
    pub fn evaluation_interval(mut self, interval: Duration) -> Self {
        self.evaluation_interval = interval;
        self
    }

    /// Scrapes a target from the start.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Fills Prometheus' storage from an `OpenMetrics` file with timestamps before it starts.
    #[must_use]
    pub fn history(mut self, file: impl Into<PathBuf>) -> Self {
        self.history = Some(file.into());
        self
    }

    /// Adds an argument to Prometheus' command line, such as `--web.enable-otlp-receiver`.
    #[must_use]
    pub fn prometheus_arg(mut self, arg: &str) -> Self {
        self.prometheus_args.push(arg.to_owned());
        self
    }

    /// Takes metrics by OTLP, and stores their names by this strategy of Prometheus.
    #[must_use]
    pub fn otlp(mut self, name_translation: &str) -> Self {
        self.name_translation = Some(name_translation.to_owned());
        self.prometheus_arg("--web.enable-otlp-receiver")
    }

    /// Evaluates rule groups of five minutes every 15 seconds, so that a test need not wait for them.
    /// Groups of another interval, and what the rules compute, stay as they are.
    #[must_use]
    pub fn hastened(mut self) -> Self {
        self.hastened = true;
        self
    }

    /// Keeps the bed's folder after the bed is gone, as `AGENTSLO_BED_KEEP` in the environment does.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}
