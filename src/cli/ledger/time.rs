//! Times of the command line and of the ledger.

use std::time::{Duration, SystemTime};

use k8s_openapi::jiff::Timestamp;

use crate::domain::window::Window;

/// The time now.
#[allow(clippy::disallowed_methods, reason = "the command line is part of the shell")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// In nanoseconds since the epoch.
pub(super) fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or_default()
}

/// So long before.
pub(super) fn before(time: Timestamp, window: Window) -> SystemTime {
    SystemTime::from(time) - Duration::from_mins(u64::from(window.minutes()))
}

/// A length of time, for an argument.
pub(super) fn parse_window(text: &str) -> Result<Window, &'static str> {
    Window::parse(text).ok_or("should be a length of time, for example 30d, 24h or 90m")
}
