//! What can go wrong in a bed. Every message says what to look at or what to run.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why a bed, or one of its servers, could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server's binary is not there.
    #[error("no {name} in {}: run `make servers`", folder.display())]
    MissingServer {
        /// The binary's file name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The folder of the servers' binaries could not be found.
    #[error("failed to learn from {} where the servers are: run `make servers`: {said}", script.display())]
    NoServers {
        /// The script that was asked.
        script: PathBuf,
        /// What it wrote to its standard error, or why it did not run.
        said: String,
    },
    /// A server ended by itself while the bed waited for it to be ready.
    #[error("{name} ended ({status}) before it was ready; {} ends with:\n{tail}", log.display())]
    Ended {
        /// The server.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },
    /// A server runs but did not become ready in time.
    #[error("{name} was not ready after {waited:?}; {} ends with:\n{tail}", log.display())]
    NotReady {
        /// The server.
        name: String,
        /// How long the bed waited.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },
    /// A tool that runs to its end (promtool, kubectl) failed.
    #[error("{command} failed ({status}):\n{said}")]
    Tool {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to its standard error.
        said: String,
    },
    /// Something expected of a running server did not happen in time.
    #[error("{what} did not happen within {waited:?}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
    },
    /// No user of that name was named in the options.
    #[error("the bed has no user {name}: name it with `Options::user`, and ask for an apiserver")]
    UnknownUser {
        /// The name asked for.
        name: String,
    },
    /// A YAML text does not parse.
    #[error("failed to parse YAML")]
    Yaml(#[source] Box<serde_saphyr::Error>),
    /// An object in a YAML text lacks what makes it an object.
    #[error("an object to apply has no {field}: {object}")]
    Object {
        /// The missing field.
        field: &'static str,
        /// The object.
        object: String,
    },
    /// The apiserver refused, or could not be reached.
    #[error("failed to {what}")]
    Kubernetes {
        /// What was asked of it.
        what: String,
        /// Its answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// A kubeconfig could not be used.
    #[error("failed to use a kubeconfig")]
    Kubeconfig(#[from] Box<kube::config::KubeconfigError>),
    /// A server refused its new configuration, or did not answer.
    #[error("failed to reload {url}; its log says more than its answer: {said}")]
    Reload {
        /// The server.
        url: String,
        /// What it answered, or why it did not.
        said: String,
    },
    /// A server could not be reached.
    #[error("failed to reach {url}")]
    Unreached {
        /// Its address.
        url: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// A server refused what it was asked or sent, or its answer makes no sense.
    #[error("{url} answered {said}")]
    Answer {
        /// Its address.
        url: String,
        /// The status and its reason.
        said: String,
    },
    /// A server took only a part of the telemetry.
    #[error("{url} took only a part, and not {rejected} of it: {said}")]
    Rejected {
        /// Its address.
        url: String,
        /// How many records, spans or points it did not take.
        rejected: i64,
        /// Its reason.
        said: String,
    },
    /// A certificate or key could not be made.
    #[error("failed to make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The operating system refused.
    #[error("failed to {what}")]
    Io {
        /// What was attempted.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Names what was attempted when the operating system refused.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Names what was attempted when the apiserver refused.
    pub(crate) fn kubernetes(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Kubernetes { what, source: Box::new(source) }
    }
}
