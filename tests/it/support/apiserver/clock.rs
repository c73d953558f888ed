//! What time it is to the server: far from that of the tests, and as fast as that.

use httpdate::fmt_http_date;
use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::store::CREATED;

/// A clock.
#[derive(Debug)]
pub(super) struct Clock {
    began: Timestamp,
    at: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self::set(CREATED)
    }
}

impl Clock {
    /// A clock that is set to a time now.
    pub(super) fn set(time: &str) -> Self {
        Self { began: time.parse().expect("a time should be one"), at: Instant::now() }
    }

    /// What it shows, as a header says it.
    pub(super) fn date(&self) -> String {
        fmt_http_date((self.began + self.at.elapsed()).into())
    }
}
