//! One server of the bed, and the ways to end, freeze and revive it.

use std::{
    path::Path,
    process::ExitStatus,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{Error, Launch, loopback, running::Running};

/// How many lines of a log an error carries.
const TAIL: usize = 20;

/// A server that ends when dropped: politely, then by force.
///
/// It ends too when this process panics, is interrupted or is killed.
#[derive(Debug)]
pub struct Process {
    launch: Launch,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Running>,
    ready_after: Duration,
}

impl Process {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// The last lines of its log are in it, when it ends early or is late.
    pub async fn launch(launch: Launch) -> Result<Self, Error> {
        let process = Self { launch, state: Mutex::default() };
        process.start().await?;
        Ok(process)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.launch.name
    }

    /// Its log file, of all its lives.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.launch.log
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let mut state = self.state();
        let running = state.running.as_mut()?;
        running.has_ended().is_none().then(|| running.pid())
    }

    /// How long its last start took until it was ready.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.state().ready_after
    }

    /// Starts it as it was started before (same ports, same data), and waits until it is ready.
    /// Does nothing if it runs.
    ///
    /// # Errors
    /// As [`Process::launch`].
    pub async fn start(&self) -> Result<(), Error> {
        if self.pid().is_some() {
            return Ok(());
        }
        let begin = Instant::now();
        let running =
            Running::start(&self.launch).map_err(Error::io(format!("start {}", self.launch.name)))?;
        self.state().running = Some(running);
        self.wait_until_ready().await?;
        self.state().ready_after = begin.elapsed();
        Ok(())
    }

    /// Waits until it is ready: after [`Process::resume`], say.
    ///
    /// # Errors
    /// As [`Process::launch`].
    pub async fn wait_until_ready(&self) -> Result<(), Error> {
        let probing = loopback::client();
        let begin = Instant::now();
        loop {
            if let Some(status) = self.end_status() {
                return Err(self.ended(status));
            }
            if self.launch.probe.succeeds(&probing).await {
                return Ok(());
            }
            if begin.elapsed() > self.launch.deadline {
                return Err(self.late());
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Ends it: politely, then by force. Does nothing if it does not run.
    pub async fn stop(&self) {
        let Some(running) = self.state().running.take() else {
            return;
        };
        // Waiting for its end blocks, so it is done where blocking is allowed.
        let _ = tokio::task::spawn_blocking(move || drop(running)).await;
    }

    /// Ends it by force, with no chance to write anything (`kill -9`).
    pub fn kill9(&self) {
        if let Some(running) = self.state().running.take() {
            running.signal(Signal::KILL);
        }
    }

    /// Stops it and starts it again.
    ///
    /// # Errors
    /// As [`Process::launch`].
    pub async fn restart(&self) -> Result<(), Error> {
        self.stop().await;
        self.start().await
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Process::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = &self.state().running {
            running.signal(signal);
        }
    }

    fn end_status(&self) -> Option<ExitStatus> {
        self.state().running.as_mut()?.has_ended()
    }

    fn ended(&self, status: ExitStatus) -> Error {
        Error::Ended {
            name: self.launch.name.clone(),
            status,
            log: self.launch.log.clone(),
            tail: tail(&self.launch.log),
        }
    }

    fn late(&self) -> Error {
        Error::NotReady {
            name: self.launch.name.clone(),
            waited: self.launch.deadline,
            log: self.launch.log.clone(),
            tail: tail(&self.launch.log),
        }
    }

    /// A panic elsewhere does not make the state wrong: it is replaced as a whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last lines of a log; empty if it cannot be read, since this only decorates an error.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
