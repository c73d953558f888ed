//! What time it is to the API server, which dates all its answers. Objects are stamped with its time, so what a
//! status says of times should be in it as well, and the clock of this pod may be wrong.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::DATE;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use tokio::time::Instant;

use super::poison::locked;

/// Longest time for which an answer may be under way. One that is dated further back than that tells of a clock
/// that was put back.
const LONGEST_WAY: SignedDuration = SignedDuration::from_secs(10);

/// The clock of the API server, or that of this pod as long as nothing was heard. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    told: Arc<Mutex<Option<Told>>>,
}

/// A time that was told, and when that was.
#[derive(Clone, Copy, Debug)]
struct Told {
    time: Timestamp,
    at: Instant,
}

impl Told {
    fn now(self) -> Timestamp {
        self.time + self.at.elapsed()
    }
}

impl Clock {
    /// A clock, and a client from whose answers it learns the time.
    pub(super) fn listen(client: Client) -> (Self, Client) {
        let clock = Self::default();
        let namespace = client.default_namespace().to_owned();
        let listening = {
            let clock = clock.clone();
            tower::service_fn(move |request| {
                let (clock, client) = (clock.clone(), client.clone());
                async move {
                    let answer = client.send(request).await?;
                    clock.hear(answer.headers());
                    Ok::<_, kube::Error>(answer)
                }
            })
        };
        (clock, Client::new(listening, namespace))
    }

    /// What time it is; never later than it is to the API server.
    pub(super) fn now(&self) -> Timestamp {
        locked(&self.told).map_or_else(Timestamp::now, Told::now)
    }

    fn hear(&self, answer: &HeaderMap) {
        let Some(time) = date(answer) else { return };
        let mut told = locked(&self.told);
        // Of answers that were under way for different times the fastest tells the time best.
        let is_late = |told: Told| {
            let late = told.now().duration_since(time);
            (SignedDuration::ZERO..LONGEST_WAY).contains(&late)
        };
        if !told.is_some_and(is_late) {
            *told = Some(Told { time, at: Instant::now() });
        }
    }
}

/// When an answer was made.
fn date(answer: &HeaderMap) -> Option<Timestamp> {
    let text = answer.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    /// What a clock says after an answer that was dated at a second of a day in 2020.
    fn after_hearing(clock: &Clock, second: u8) -> String {
        let text = format!("Wed, 01 Jan 2020 00:00:{second:02} GMT");
        let text = HeaderValue::from_str(&text).expect("a date should be a legal value");
        clock.hear(&[(DATE, text)].into_iter().collect());
        clock.now().to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_is_that_of_the_newest_answer_that_came_fast() {
        let clock = Clock::default();
        assert!(clock.now().to_string().as_str() > "2026", "nothing was heard yet");
        clock.hear(&HeaderMap::new());
        assert_eq!(after_hearing(&clock, 30), "2020-01-01T00:00:30Z");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now().to_string(), "2020-01-01T00:00:35Z");
        assert_eq!(after_hearing(&clock, 33), "2020-01-01T00:00:35Z", "it was under way for two seconds");
        assert_eq!(after_hearing(&clock, 40), "2020-01-01T00:00:40Z");
        assert_eq!(after_hearing(&clock, 10), "2020-01-01T00:00:10Z", "the clock was put back");
    }
}
