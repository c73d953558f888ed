//! Waiting for something that another process does, without sleeping longer than needed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Short enough not to be noticed, long enough not to slow down what is waited for.
const PAUSE: Duration = Duration::from_millis(50);

/// Tries again until the attempt yields something, or the deadline has passed.
///
/// *Guarantees* at least one attempt; an attempt under way at the deadline is not cut short.
pub async fn eventually<T, F, A>(deadline: Duration, mut attempt: F) -> Option<T>
where
    F: FnMut() -> A,
    A: Future<Output = Option<T>>,
{
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = attempt().await {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        sleep(PAUSE).await;
    }
}
