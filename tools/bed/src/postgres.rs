//! The real PostgreSQL, on a free port and with data of its own. It refuses to run as root, so where that is who runs
//! the tests it runs as nobody.

use std::fs::{self, Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::authority::{Authority, Identity};
use crate::{Bed, Error, Launch, Probe, Process};

/// The name of its binary, its log and its data folder.
const NAME: &str = "postgres";

/// Who may do everything there. Nobody is asked for a password but the members of [`GUARDED`]: it listens on loopback
/// only.
const SUPERUSER: &str = "postgres";

/// A role that a test may make: its members are let in with a password, and over TLS.
const GUARDED: &str = "guarded";

/// The user and the group that every Unix has for whoever should own nothing.
const NOBODY: u32 = 65_534;

/// A PostgreSQL that ends when dropped.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    authority: String,
}

impl Postgres {
    /// Starts the bed's PostgreSQL: one per bed.
    ///
    /// # Errors
    /// As [`Process::launch`], and if its data cannot be made.
    pub async fn start(bed: &Bed) -> Result<Self, Error> {
        let site = &bed.site;
        let port = site.port()?;
        let user = rustix::process::geteuid().is_root().then_some(NOBODY);
        let data = make_data(bed, user)?;
        let authority = Authority::new()?;
        guard(&data, &authority, user)?;
        let (program, log) = (itself(&site.server(NAME)?)?, site.logs().join(format!("{NAME}.log")));
        let launch = Launch::new(NAME, &program, &log, Probe::Port(port))
            .args(["-D", &data.display().to_string()])
            .args(["-p", &port.to_string(), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "ssl=on"])
            .user(user);
        Ok(Self { process: Process::launch(launch).await?, port, authority: authority.root() })
    }

    /// Its process, to stop, freeze, kill and restart it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The certificate of whoever vouches for it, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// How a database of it is reached, without saying by whom.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        format!("postgres://127.0.0.1:{}/{database}", self.port)
    }

    /// How a user reaches a database of it.
    #[must_use]
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// How whoever may do everything reaches a database of it.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(SUPERUSER, database)
    }
}

/// A binary where it is: a link to it may be in a home that others cannot enter.
fn itself(binary: &Path) -> Result<PathBuf, Error> {
    binary.canonicalize().map_err(Error::io(format!("find {}", binary.display())))
}

/// Gives it a certificate, and says who is asked for a password.
fn guard(data: &Path, authority: &Authority, user: Option<u32>) -> Result<(), Error> {
    let Identity { certificate, key } = authority.identify(NAME)?;
    for (name, text) in [("server.crt", certificate), ("server.key", key)] {
        let file = data.join(name);
        fs::write(&file, text).map_err(Error::io("write a certificate"))?;
        set_permissions(&file, Permissions::from_mode(0o600)).map_err(Error::io("guard a key"))?;
        chown(&file, user, user).map_err(Error::io("give a certificate away"))?;
    }
    let file = data.join("pg_hba.conf");
    let usual = fs::read_to_string(&file).map_err(Error::io("read pg_hba.conf"))?;
    let guarded = format!(
        "hostssl all +{GUARDED} 127.0.0.1/32 scram-sha-256\nhostnossl all +{GUARDED} 127.0.0.1/32 reject\n"
    );
    fs::write(&file, guarded + &usual).map_err(Error::io("write pg_hba.conf"))
}

/// A folder of data that belongs to whoever runs the server, and that they can reach.
fn make_data(bed: &Bed, user: Option<u32>) -> Result<PathBuf, Error> {
    let folder = bed.site.data(NAME)?;
    let data = folder.join("data");
    let mut initdb = Command::new(itself(&bed.site.server("initdb")?)?);
    initdb.arg("-D").arg(&data).args([
        "-U",
        SUPERUSER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    if let Some(user) = user {
        for above in folder.ancestors().take_while(|above| above.starts_with(bed.site.folder())) {
            set_permissions(above, Permissions::from_mode(0o711))
                .map_err(Error::io("open the bed's folder"))?;
        }
        chown(&folder, Some(user), Some(user)).map_err(Error::io("give the data away"))?;
        initdb.uid(user).gid(user).current_dir("/");
    }
    let output = initdb.output().map_err(Error::io("run initdb"))?;
    if output.status.success() {
        return Ok(data);
    }
    let said = String::from_utf8_lossy(&output.stderr).into();
    Err(Error::Tool { command: "initdb".to_owned(), status: output.status, said })
}
