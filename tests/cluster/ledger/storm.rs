//! Whoever dies, and when: what was answered is there, once, in a chain that is whole.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bed::eventually;
use futures::future::join_all;
use tokio::time::Instant;

use super::{Ledger, agent, event, now};

/// Agents that send at once.
const WRITERS: usize = 32;
/// Events that each sends at a time.
const BATCH: usize = 5;
/// How long they do, in seconds; `make soak` says more.
const USUAL_SECONDS: u64 = 12;
/// Longest pause between two deaths, in milliseconds.
const LONGEST_PAUSE: u64 = 3_000;

/// How long the storm lasts.
fn length() -> Duration {
    let written = std::env::var("LEDGER_SOAK_SECONDS").ok();
    let seconds =
        written.map_or(USUAL_SECONDS, |text| text.parse().expect("it should be a number of seconds"));
    Duration::from_secs(seconds)
}

/// Numbers that look like chance, from a seed that is told.
struct Chance(u64);

impl Chance {
    fn up_to(&mut self, most: u64) -> u64 {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) % most
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_entered_twice_when_sink_and_database_die() {
    let ledger = Ledger::start().await;
    let (sink, url) = ledger.sink("sink").await;
    let (seed, length) = (now(), length());
    let (until, taken) = (Instant::now() + length, AtomicUsize::new(0));
    let write = async |writer: usize| {
        let agent = agent(&url, "support");
        for round in 0.. {
            if Instant::now() > until {
                return;
            }
            let first = (round * WRITERS + writer) * BATCH;
            let events: Vec<_> = (first..first + BATCH).map(event).collect();
            let answered = async || agent.logs(events.clone()).await.ok();
            eventually(Duration::from_mins(2), answered).await.expect("the events should be taken at last");
            taken.fetch_add(BATCH, Ordering::Relaxed);
            if round.is_multiple_of(3) {
                // An answer that was lost on its way.
                let _ = agent.logs(events).await;
            }
        }
    };
    let deaths = async {
        let mut chance = Chance(seed);
        let mut died = 0;
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(chance.up_to(LONGEST_PAUSE))).await;
            let of_sink = chance.up_to(2) == 0;
            let process = if of_sink { &sink } else { ledger.postgres.process() };
            process.kill9();
            // Those who served connections end after their PostgreSQL, and until then it does not start.
            let started = async || process.start().await.ok();
            eventually(Duration::from_mins(2), started).await.expect("it should start again");
            died += 1;
        }
        died
    };
    let (_, died) = tokio::join!(join_all((0..WRITERS).map(write)), deaths);
    let taken = taken.into_inner();
    let storm = format!("{died} deaths from seed {seed} in {length:?}, {taken} events");
    assert!(died > 2 && taken > WRITERS * BATCH, "{storm}");
    // For a while after its start PostgreSQL lets nobody in.
    let verified = async || Some(ledger.run(&["verify"])).filter(|(code, _)| *code != Some(3));
    let (code, said) = eventually(Duration::from_mins(1), verified).await.expect("it should be reached");
    assert_eq!(code, Some(0), "{storm}: {said}");
    assert!(said.starts_with(&format!("team-a/support: {taken} entries, intact")), "{storm}: {said}");
    eprintln!("{storm}");
    sink.stop().await;
}
