//! The cluster that a command asks: which one, as whom, and what of it. The arguments are kubectl's.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config, ResourceExt};
use tokio::runtime::Builder;

use super::complete::slo_names;
use super::print::{refuse, unreachable};
use crate::api::v1alpha1::AgentSlo;

/// Which cluster is asked, and as whom.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Target {
    /// Namespace; that of the context where none is given.
    #[arg(short, long, value_name = "NAMESPACE", help_heading = "Cluster")]
    pub(super) namespace: Option<String>,
    /// Context of the kubeconfig.
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub(super) context: Option<String>,
    /// The kubeconfig, in place of KUBECONFIG and ~/.kube/config.
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub(super) kubeconfig: Option<PathBuf>,
}

/// Which AgentSLOs are meant.
#[derive(Args, Clone, Debug)]
pub(super) struct Selection {
    /// Names of AgentSLOs; all where none is given.
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(slo_names))]
    pub(super) names: Vec<String>,
    /// All namespaces.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "names"])]
    pub(super) all_namespaces: bool,
    /// Only AgentSLOs with these labels. Example: `team=support,tier!=test`.
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names")]
    pub(super) selector: Option<String>,
}

/// Why a command ends before its time: what is said, and with which exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The arguments do not fit what is there.
    #[error("{0}")]
    Usage(String),
    /// What was asked for is not there.
    #[error("{0}")]
    Finding(String),
    /// A server does not answer, or not to us.
    #[error("{0}")]
    Unreachable(String),
}

impl Stop {
    /// Says why, and ends.
    pub(super) fn report(&self) -> ExitCode {
        match self {
            Self::Usage(message) => refuse(message),
            Self::Unreachable(message) => unreachable(message),
            Self::Finding(message) => {
                super::print::write_note(&super::print::escaped(&format!("error: {message}")));
                ExitCode::FAILURE
            }
        }
    }

    /// An answer of the API server that is none.
    // Whatever it did not say is some way of not answering, and kube may find more of them.
    #[allow(clippy::wildcard_enum_match_arm)]
    pub(super) fn of(what: &str, error: &kube::Error) -> Self {
        match error {
            // Of a kind that is not installed nothing is said but the code.
            kube::Error::Api(status) if status.code == 404 && status.details.is_none() => {
                Self::Finding(format!(
                    "{what} are not installed in this cluster; `kubectl agentslo doctor` says what is missing"
                ))
            }
            kube::Error::Api(status) if status.is_not_found() => {
                Self::Finding(format!("{what}: {}", status.message))
            }
            kube::Error::Api(status) => Self::Unreachable(format!("{what}: {}", status.message)),
            error => Self::Unreachable(format!("{what}: the cluster does not answer: {}", chain(error))),
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}

/// A cluster that can be asked.
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
}

impl Target {
    /// Finds the cluster; asks it nothing yet.
    pub(super) async fn open(&self) -> Result<Cluster, Stop> {
        let mut config = self.config().await?;
        // Somebody waits, and can try again.
        config.default_retry = false;
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| {
            Stop::Unreachable(format!("the kubeconfig cannot be used: {}", chain(&error)))
        })?;
        Ok(Cluster { client, namespace })
    }

    async fn config(&self) -> Result<Config, Stop> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let unusable = |error: KubeconfigError| {
            let message = format!("the kubeconfig cannot be used: {}", chain(&error));
            if matches!(error, KubeconfigError::LoadContext(_) | KubeconfigError::ReadConfig(..)) {
                Stop::Usage(message)
            } else {
                Stop::Unreachable(message)
            }
        };
        if let Some(file) = &self.kubeconfig {
            let kubeconfig = Kubeconfig::read_from(file).map_err(unusable)?;
            return Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable);
        }
        if self.context.is_some() {
            return Config::from_kubeconfig(&options).await.map_err(unusable);
        }
        Config::infer().await.map_err(|_| {
            Stop::Unreachable(
                "there is no kubeconfig; set KUBECONFIG, or name one with --kubeconfig".to_owned(),
            )
        })
    }
}

impl Cluster {
    /// The AgentSLOs that are meant, in the order of namespaces and names, or of the names given.
    pub(super) async fn slos(&self, selection: &Selection) -> Result<Vec<AgentSlo>, Stop> {
        let api = self.api(selection);
        let mut slos = Vec::new();
        for name in &selection.names {
            slos.push(api.get(name).await.map_err(|error| Stop::of("AgentSLOs", &error))?);
        }
        if selection.names.is_empty() {
            let parameters =
                ListParams { label_selector: selection.selector.clone(), ..ListParams::default() };
            slos = api.list(&parameters).await.map_err(|error| Stop::of("AgentSLOs", &error))?.items;
            slos.sort_by_key(|slo| (slo.namespace(), slo.name_any()));
        }
        Ok(slos)
    }

    /// Where these AgentSLOs are asked for.
    pub(super) fn api(&self, selection: &Selection) -> Api<AgentSlo> {
        if selection.all_namespaces {
            Api::all(self.client.clone())
        } else {
            Api::namespaced(self.client.clone(), &self.namespace)
        }
    }
}

/// Carries out what waits for servers, and says why where it cannot.
pub(super) fn block_on(command: impl Future<Output = Result<ExitCode, Stop>>) -> ExitCode {
    block_on_by(Builder::new_current_thread(), command)
}

/// The same for a command that has work for every core.
#[cfg(feature = "ledger")]
pub(super) fn block_on_all_cores(command: impl Future<Output = Result<ExitCode, Stop>>) -> ExitCode {
    block_on_by(Builder::new_multi_thread(), command)
}

fn block_on_by(mut builder: Builder, command: impl Future<Output = Result<ExitCode, Stop>>) -> ExitCode {
    // Several crates bring a provider for TLS; one has to be named before the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(runtime) = builder.enable_all().build() else {
        return refuse("the system gives no resources to wait with");
    };
    runtime.block_on(command).unwrap_or_else(|stop| stop.report())
}
