//! Eventually stable reconciliation: whatever happened, once nothing goes wrong any more the cluster becomes
//! what a fresh operator would make of the same specs, soon and with few writes, and then nobody writes
//! anything.

use std::fs::{OpenOptions, read_to_string};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::outcome::{Outcome, differences, orphans, outcome};
use super::stage::{Stage, on_a_jumping_clock, pass};
use super::steps::{Step, Storm, steps};

/// Storms of a run of the tests; `make soak` has as many as one wants, and longer ones.
const STORMS: u64 = 500;
/// Longest of these storms.
const STEPS: usize = 16;
/// Longest storm of a soak.
const STEPS_OF_A_SOAK: usize = 200;
/// Longest time until everything is as it should be: the longest pause after failures, and then the look
/// for what a lost event hid.
const CALM: Duration = Duration::from_mins(18);
const TICK: Duration = Duration::from_secs(10);
/// A hundred ticks, in which everything is looked at.
const REST: Duration = Duration::from_secs(1000);

/// A watch that went silent is given up after five minutes, and until then its cache is behind.
const MOST_CONFLICTS: usize = 20;

/// Seeds of storms that were not withstood, which are kept.
const KEPT: &str = "proptest-regressions/faults/storm.txt";

/// AC5.
#[test]
fn any_storm_ends_as_if_there_had_been_none() {
    let soak = std::env::var("SOAK").ok().map(|seeds| seeds.parse().expect("SOAK should be a number"));
    let fresh = (0..soak.unwrap_or(STORMS))
        .map(|seed| Seed { number: seed, steps: if soak.is_some() { STEPS_OF_A_SOAK } else { STEPS } });
    let seeds: Vec<Seed> = kept().into_iter().chain(fresh).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    seed.withstand();
                }
            });
        }
    });
}

/// What a storm follows from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Seed {
    number: u64,
    /// Most steps.
    steps: usize,
}

impl Seed {
    fn withstand(&self) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.number.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config { cases: 1, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new_with_rng(config, random)
            .run(&(any::<u64>(), steps(self.steps)), |(weather, steps)| {
                on_a_jumping_clock(storm(weather, &steps)).map_err(TestCaseError::fail)
            });
        if let Err(error) = result {
            self.keep();
            panic!("the storm of seed {} with up to {} steps: {error}", self.number, self.steps);
        }
    }

    /// Has it tried again in every run from now on.
    fn keep(&self) {
        if !kept().contains(self) {
            let file = OpenOptions::new().append(true).create(true).open(kept_in());
            let written = file.and_then(|mut file| writeln!(file, "{} {}", self.number, self.steps));
            written.expect("the seed should be kept");
        }
    }
}

fn kept_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT)
}

/// A seed a line: its number, and the most steps.
fn kept() -> Vec<Seed> {
    let text = read_to_string(kept_in()).expect("the kept seeds should be there");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let seed = |line: &str| {
        let (number, steps) = line.split_once(' ')?;
        Some(Seed { number: number.parse().ok()?, steps: steps.parse().ok()? })
    };
    lines.map(|line| seed(line).unwrap_or_else(|| panic!("'{line}' should be a seed"))).collect()
}

async fn storm(weather: u64, steps: &[Step]) -> Result<(), String> {
    let mut storm = Storm::new();
    storm.stage.server.set_weather(Some(weather));
    for step in steps {
        storm.take(step).await;
    }
    storm.calm().await;
    let start = storm.stage.server.logged();
    let expected = undisturbed(&storm).await;
    let is_at_rest = comes_to_rest(&storm.stage).await;
    let writes = storm.stage.writes_since(start);
    let found = outcome(&storm.stage.server);
    let mut wrong = differences(&found, &expected);
    wrong.extend(orphans(&storm.stage.server).into_iter().map(|orphan| format!("{orphan} is an orphan")));
    let (done, refused): (Vec<_>, Vec<_>) = writes.iter().partition(|write| write.ends_with(" 200"));
    if done.len() > 2 * (found.len() + 2) || refused.len() > MOST_CONFLICTS * found.len() {
        wrong.push(format!("{} writes for {} objects: {writes:#?}", writes.len(), found.len()));
    }
    if !is_at_rest {
        wrong.push(format!("it does not come to rest; the last write is {:?}", writes.last()));
    }
    storm.stage.stop(0).await;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Whether nobody writes anything at last, before the longest time is over, and for a hundred ticks.
async fn comes_to_rest(stage: &Stage) -> bool {
    let (mut passed, mut silent) = (Duration::ZERO, Duration::ZERO);
    while silent < REST && passed < CALM + REST {
        let start = stage.server.logged();
        pass(TICK).await;
        passed += TICK;
        silent = if stage.writes_since(start).is_empty() { silent + TICK } else { Duration::ZERO };
    }
    silent >= REST
}

/// What a fresh operator makes of the same in a fresh cluster.
async fn undisturbed(storm: &Storm) -> Outcome {
    let mut fresh = storm.anew();
    pass(TICK * 10).await;
    let expected = outcome(&fresh.stage.server);
    fresh.stage.kill(0).await;
    expected
}
