//! Where the servers' binaries are. Building them is `make servers`' business.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

/// Names a folder of binaries to use instead of those that `make servers` built.
const OVERRIDE: &str = "AGENTSLO_SERVERS";

/// The folder of binaries.
#[derive(Debug, Clone)]
pub(crate) struct Servers {
    folder: PathBuf,
}

impl Servers {
    /// Takes the folder from the environment, or else asks the script that builds the binaries.
    pub(crate) fn find() -> Result<Self, Error> {
        let folder = match env::var_os(OVERRIDE) {
            Some(folder) => PathBuf::from(folder),
            None => ask(&Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("servers"))?,
        };
        Ok(Self { folder })
    }

    /// The path of a binary, or of another thing in the folder.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(path);
        }
        Err(Error::MissingServer { name: name.to_owned(), folder: self.folder.clone() })
    }
}

fn ask(script: &Path) -> Result<PathBuf, Error> {
    let unanswered = |said: String| Error::NoServers { script: script.to_owned(), said };
    let output = Command::new(script).arg("dir").output().map_err(|error| unanswered(error.to_string()))?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || folder.is_empty() {
        return Err(unanswered(String::from_utf8_lossy(&output.stderr).into()));
    }
    Ok(folder.into())
}

/// The folder of binaries, for what a caller runs or reads itself.
///
/// # Errors
/// If nobody says where it is.
pub fn servers_folder() -> Result<PathBuf, Error> {
    Servers::find().map(|servers| servers.folder)
}
