//! Free loopback ports that no other bed takes, for as long as this bed lives.
//!
//! Holding a listener until just before a server starts leaves a gap, and leaves the port open to
//! others while a server is down between two starts. So a port is reserved by locking a file named
//! after it: the kernel gives up the lock with the process, however that ends.

use std::{
    fs::{File, create_dir_all},
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    path::{Path, PathBuf},
};

use crate::Error;

/// Below 32768, where Linux begins to take the local ports of outgoing connections.
const PORTS: Range<u16> = 20_000..32_000;

/// A port that is ours until dropped.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// Holds the lock.
    _reservation: File,
}

impl Port {
    /// Reserves a port that nothing listens on.
    pub(crate) fn reserve() -> Result<Self, Error> {
        let folder = reservations();
        create_dir_all(&folder).map_err(Error::io(format!("create {}", folder.display())))?;
        candidates().find_map(|number| try_reserve(&folder, number)).ok_or_else(|| Error::Io {
            what: format!("find a free port in {PORTS:?}"),
            source: std::io::ErrorKind::AddrInUse.into(),
        })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

/// One folder for all beds of a user: another user's files could not be locked.
fn reservations() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("agentslo-bed-ports-{user}"))
}

/// All ports, from a random one on, so that concurrent beds rarely meet.
fn candidates() -> impl Iterator<Item = u16> {
    let count = u64::from(PORTS.end - PORTS.start);
    let first = u16::try_from(random() % count).expect("a remainder of 12000 fits 16 bits");
    let first = PORTS.start + first;
    (first..PORTS.end).chain(PORTS.start..first)
}

fn try_reserve(folder: &Path, number: u16) -> Option<Port> {
    let file = folder.join(number.to_string());
    let reservation = File::options().create(true).append(true).open(file).ok()?;
    reservation.try_lock().ok()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
    Some(Port { number, _reservation: reservation })
}

/// A number nobody guesses; the standard library seeds its hashers from the operating system.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
