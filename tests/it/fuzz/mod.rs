//! Random specs and random input, through everything that reads them: nothing panics, nothing grows without
//! bounds, what is accepted is rendered to what its consumers parse, and what is refused is told where.
//!
//! A test run tries the same cases each time, so that what turns it red is a change of the code. `make fuzz`
//! tries others, FUZZ_TIMES as many, and keeps what fails in `corpus/`, made small. Everything in there
//! is tried in each run, before anything random.
//!
//! Cases come from proptest: it shrinks what fails to a document that a person can read, and runs on stable.
//! Fuzzers that follow coverage want a nightly compiler and a binary for each target, and reach what is behind
//! a schema later than what is made from it.

mod answers;
mod bends;
mod changes;
mod consumers;
mod documents;
mod judgement;
mod mends;
mod queries;
mod samples;
mod specs;
mod statuses;
mod yaml;

use std::collections::BTreeSet;
use std::env;
use std::fmt::Debug;
use std::fs;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use sha2::{Digest, Sha256};

use crate::workspace;

/// Where inputs are kept that have failed once, a folder for each target.
const CORPUS: &str = "tests/it/fuzz/corpus";
/// Most that one input may become, in bytes.
const LARGEST_OUTPUT: usize = 16 * 1024 * 1024;
/// Where random cases begin in a test run. Any number will do, but the same each time.
const SEED: u64 = 1;

/// A kind of input, as it is in memory and as it is kept in a file.
trait Input: Debug {
    fn from_bytes(bytes: &[u8]) -> Self;
    fn to_bytes(&self) -> Vec<u8>;
}

impl Input for Vec<u8> {
    fn from_bytes(bytes: &[u8]) -> Self {
        bytes.to_vec()
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

/// Tries what failed once and then as many random inputs as are asked for.
fn fuzz<I: Input>(
    target: &str,
    in_a_test_run: u32,
    inputs: &impl Strategy<Value = I>,
    check: impl Fn(&I) -> Result<(), String>,
) {
    for (file, bytes) in kept(target) {
        check(&I::from_bytes(&bytes)).unwrap_or_else(|why| panic!("{file}: {why}"));
    }
    let times: Option<u32> =
        env::var("FUZZ_TIMES").ok().map(|text| text.parse().expect("FUZZ_TIMES should be a number"));
    let config = Config {
        cases: in_a_test_run * times.unwrap_or(1),
        max_shrink_iters: 100,
        failure_persistence: None,
        rng_seed: if times.is_some() { RngSeed::Random } else { RngSeed::Fixed(SEED) },
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(inputs, |input| check(&input).map_err(TestCaseError::fail));
    match tried {
        Ok(()) => {}
        Err(TestError::Fail(why, input)) => {
            let bytes = input.to_bytes();
            if times.is_some() {
                keep(target, &bytes);
            }
            panic!("{target}: {why}\n{}", String::from_utf8_lossy(&bytes));
        }
        Err(TestError::Abort(why)) => panic!("{target}: {why}"),
    }
}

/// What failed once, by file.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = workspace::files(&format!("{CORPUS}/{target}")).into_iter();
    let read = |file: String| {
        let bytes = fs::read(workspace::path(&file)).expect("the corpus should be readable");
        (file, bytes)
    };
    files.map(read).collect()
}

fn keep(target: &str, bytes: &[u8]) {
    let folder = workspace::path(format!("{CORPUS}/{target}"));
    fs::create_dir_all(&folder).expect("the corpus should be a folder");
    let digest = Sha256::digest(bytes);
    let name = digest.iter().take(8).fold(0_u64, |name, byte| name << 8 | u64::from(*byte));
    fs::write(folder.join(format!("{name:016x}")), bytes).expect("the corpus should take a file");
}

/// A file in a folder that no target reads is tried by nobody.
#[test]
fn every_kept_input_belongs_to_a_target() {
    let targets =
        [specs::TARGET, queries::TARGET, yaml::TARGET, samples::EXPOSITION, samples::LOG, answers::TARGET];
    let targets: BTreeSet<String> = targets.iter().map(|target| format!("{CORPUS}/{target}")).collect();
    for file in workspace::files(CORPUS) {
        let folder = file.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
        assert!(targets.contains(&folder), "{file} is in none of {targets:?}");
    }
}
