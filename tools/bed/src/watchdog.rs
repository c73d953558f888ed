//! What has to happen when this process dies without a chance to do it itself.
//!
//! A watchdog is a shell that reads from a pipe whose other end only we hold: when we end in any
//! way (return, panic, Ctrl-C, SIGKILL), the kernel closes the pipe, the read returns, and the
//! shell runs its last will. The Linux alternative, a parent-death signal, needs unsafe code here,
//! exists on Linux only, and fires when the *thread* that started the child ends, which in an async
//! program is much too early.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A last will, withdrawn when dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Ends a process group when we die: politely, then by force.
    pub(crate) fn ending_group(group: rustix::process::Pid) -> io::Result<Self> {
        let group = group.as_raw_nonzero().to_string();
        Self::running(r#"kill -s TERM -- "-$1"; sleep 3; kill -s KILL -- "-$1""#, OsStr::new(&group))
    }

    /// Removes a folder when we die, once the servers that write to it have ended.
    pub(crate) fn removing_folder(folder: &Path) -> io::Result<Self> {
        Self::running(r#"sleep 4; rm -rf -- "$1""#, folder.as_os_str())
    }

    /// A process group of its own, so that a Ctrl-C meant for us does not end the watchdog too.
    fn running(will: &str, argument: &OsStr) -> io::Result<Self> {
        let shell = Command::new("sh")
            .arg("-c")
            .arg(format!("trap '' HUP INT TERM; read -r _; {will}"))
            .arg("bed-watchdog")
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Killed before its pipe closes: fields drop after this.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
