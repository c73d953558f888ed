//! Waiting for something that another process does, without sleeping longer than needed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// After the first attempt: short enough not to be noticed.
const PAUSE: Duration = Duration::from_millis(50);
/// After many: an attempt may start a process, and must not slow down what is waited for.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Tries again until the attempt yields something, or the deadline has passed.
///
/// *Guarantees* at least one attempt; an attempt under way at the deadline is not cut short.
pub async fn eventually<T, F, A>(deadline: Duration, mut attempt: F) -> Option<T>
where
    F: FnMut() -> A,
    A: Future<Output = Option<T>>,
{
    let end = Instant::now() + deadline;
    let mut pause = PAUSE;
    loop {
        if let Some(found) = attempt().await {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause.mul_f64(1.5));
    }
}
