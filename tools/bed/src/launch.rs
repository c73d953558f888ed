//! How to start a server, and how to see that it is ready.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How to see that a server is ready.
#[derive(Debug, Clone)]
pub enum Probe {
    /// A GET of this URL succeeds, whatever its certificate.
    Url(String),
    /// Something listens on this loopback port.
    Port(u16),
}

/// How to start a server: all that is needed to start it again.
#[derive(Debug, Clone)]
pub struct Launch {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) user: Option<u32>,
    pub(crate) log: PathBuf,
    pub(crate) probe: Probe,
    pub(crate) deadline: Duration,
    pub(crate) grace: Duration,
}

impl Launch {
    /// A program under a name; its output is appended to `log`.
    #[must_use]
    pub fn new(name: &str, program: &Path, log: &Path, probe: Probe) -> Self {
        Self {
            name: name.to_owned(),
            program: program.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            folder: None,
            user: None,
            log: log.to_owned(),
            probe,
            deadline: Duration::from_mins(1),
            grace: Duration::from_secs(5),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Runs as this user and its group, which only root can ask for.
    #[must_use]
    pub(crate) fn user(mut self, user: Option<u32>) -> Self {
        self.user = user;
        self
    }

    /// Forces it this long after asking it to end, instead of 5 seconds.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Waits this long for it to be ready, instead of a minute.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl Probe {
    pub(crate) async fn succeeds(&self, client: &reqwest::Client) -> bool {
        match self {
            Self::Url(url) => client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()),
            Self::Port(port) => tokio::net::TcpStream::connect(("127.0.0.1", *port)).await.is_ok(),
        }
    }
}
