//! One life of a server, from start to end.
//!
//! Starting goes through a gate: a shell that waits for a line before it becomes the server (by
//! `exec`, so the process id stays). Between the two the watchdog is armed, hence there is no
//! moment at which our sudden death would leave a server behind.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Launch, watchdog::Watchdog};

/// One life of a server.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// The server leads a process group of its own.
    group: Pid,
    grace: Duration,
    /// Withdrawn as soon as the end is seen, so that it never meets another process of that id.
    watchdog: Option<Watchdog>,
}

impl Running {
    pub(crate) fn start(launch: &Launch) -> io::Result<Self> {
        let mut child = gate(launch)?.spawn()?;
        let group = Pid::from_child(&child);
        let mut running = match Watchdog::ending_group(group) {
            Ok(watchdog) => Self { child, group, grace: launch.grace, watchdog: Some(watchdog) },
            Err(error) => {
                child.kill()?;
                return Err(error);
            }
        };
        running.open_gate()?;
        Ok(running)
    }

    fn open_gate(&mut self) -> io::Result<()> {
        let mut gate = self.child.stdin.take().expect("the gate's input is piped");
        gate.write_all(b"go\n")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // Fails only if it has ended already, which is what every caller can live with.
        let _ = kill_process_group(self.group, signal);
    }

    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        self.watchdog = None;
        Some(status)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn ends_within(&mut self, grace: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < grace {
            if self.has_ended().is_some() {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_ended().is_some() {
            return;
        }
        self.signal(Signal::TERM);
        // A paused one would never see the request to end.
        self.signal(Signal::CONT);
        if !self.ends_within(self.grace) {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// A shell that becomes the server once it reads a line, and never does if we die before.
fn gate(launch: &Launch) -> io::Result<Command> {
    let log = File::options().create(true).append(true).open(&launch.log)?;
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"read -r _ && exec "$@" </dev/null"#, "bed-gate"])
        .arg(&launch.program)
        .args(&launch.args)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    if let Some(folder) = &launch.folder {
        command.current_dir(folder);
    }
    if let Some(user) = launch.user {
        command.uid(user).gid(user);
    }
    Ok(command)
}
