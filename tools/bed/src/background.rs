//! A runtime of the bed's own, for what has to outlive the runtime of whoever started it: tests
//! that share a bed have one each, and the first would take the kubelet with it.

use tokio::runtime::{Builder, Handle, Runtime};

use crate::Error;

/// Ends its tasks when dropped, inside another runtime too (where dropping a plain one panics).
#[derive(Debug)]
pub(crate) struct Background(Option<Runtime>);

impl Background {
    pub(crate) fn new() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bed")
            .enable_all()
            .build()
            .map_err(Error::io("start the bed's runtime"))?;
        Ok(Self(Some(runtime)))
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.0.as_ref().expect("it is there until the end").handle()
    }

    /// Ends its tasks, and closes their connections.
    pub(crate) fn end(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.end();
    }
}
