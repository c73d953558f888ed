//! The ground a bed stands on: its folder, its ports, its binaries.
//!
//! ```text
//! <folder>/data/<server>/      what a server stores
//! <folder>/logs/<server>.log   what it says
//! <folder>/kubeconfigs/<user>  how to talk to the apiserver as someone
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;
use tokio::process::Command;

use crate::{Error, Launch, Probe, port::Port, servers::Servers, watchdog::Watchdog};

/// Keeps a bed's folder when set.
const KEEP: &str = "AGENTSLO_BED_KEEP";

#[derive(Debug)]
pub(crate) struct Site {
    servers: Servers,
    ports: Mutex<Vec<Port>>,
    /// Withdrawn before the folder is removed: fields drop in this order.
    _watchdog: Option<Watchdog>,
    folder: TempDir,
}

impl Site {
    pub(crate) fn new(keep: bool) -> Result<Self, Error> {
        let servers = Servers::find()?;
        let mut folder = tempfile::Builder::new()
            .prefix("agentslo-bed-")
            .tempdir()
            .map_err(Error::io("create the bed's folder"))?;
        let keep = keep || std::env::var_os(KEEP).is_some();
        folder.disable_cleanup(keep);
        let watchdog = (!keep)
            .then(|| Watchdog::removing_folder(folder.path()))
            .transpose()
            .map_err(Error::io("guard the bed's folder"))?;
        let site = Self { servers, ports: Mutex::default(), _watchdog: watchdog, folder };
        site.subfolder("logs")?;
        Ok(site)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A port that stays the bed's until the end.
    pub(crate) fn port(&self) -> Result<u16, Error> {
        let port = Port::reserve()?;
        let number = port.number();
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).push(port);
        Ok(number)
    }

    /// A binary, or another thing that comes with the binaries.
    pub(crate) fn server(&self, name: &str) -> Result<PathBuf, Error> {
        self.servers.path(name)
    }

    /// A folder below the bed's, created if need be.
    pub(crate) fn subfolder(&self, path: &str) -> Result<PathBuf, Error> {
        let folder = self.folder().join(path);
        fs::create_dir_all(&folder).map_err(Error::io(format!("create {}", folder.display())))?;
        Ok(folder)
    }

    /// The folder of a server's data.
    pub(crate) fn data(&self, name: &str) -> Result<PathBuf, Error> {
        self.subfolder(&format!("data/{name}"))
    }

    /// Where the apiserver writes who asked for what.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.logs().join("audit.log")
    }

    /// The folder of all logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }

    /// How to start the server of that name.
    pub(crate) fn launch(&self, name: &str, probe: Probe) -> Result<Launch, Error> {
        let log = self.logs().join(format!("{name}.log"));
        Ok(Launch::new(name, &self.server(name)?, &log, probe))
    }

    /// Runs a tool to its end and returns what it printed.
    pub(crate) async fn run(&self, name: &str, args: &[&str]) -> Result<String, Error> {
        self.run_with(name, args, &[]).await
    }

    /// The same with variables in the environment.
    pub(crate) async fn run_with(
        &self,
        name: &str,
        args: &[&str],
        env: &[(String, String)],
    ) -> Result<String, Error> {
        let output = Command::new(self.server(name)?)
            .args(args)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(Error::io(format!("run {name}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into());
        }
        Err(Error::Tool {
            command: format!("{name} {}", args.join(" ")),
            status: output.status,
            said: String::from_utf8_lossy(&output.stderr).into(),
        })
    }
}

/// Writes a file, creating or replacing it.
pub(crate) fn write(file: &Path, contents: impl AsRef<[u8]>) -> Result<(), Error> {
    fs::write(file, contents).map_err(Error::io(format!("write {}", file.display())))
}
