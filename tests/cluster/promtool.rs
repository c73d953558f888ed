//! Runs `promtool test rules` on many small files, as many at a time as there are cores.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use agentslo::foreign::PrometheusRuleSpec;
use agentslo::simulate::RULE_FILE;
use serde::Serialize;

/// One test file and the rules that it tests.
pub(crate) struct Trial {
    pub(crate) name: String,
    pub(crate) rules: PrometheusRuleSpec,
    /// The text of the test file.
    pub(crate) test: String,
}

/// What promtool complained of, by trial; those that passed are not in it.
pub(crate) fn failures(trials: Vec<Trial>) -> BTreeMap<String, String> {
    assert!(!trials.is_empty(), "there should be something to run");
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    let promtool = find();
    let (waiting, failed) = (Mutex::new(VecDeque::from(trials)), Mutex::new(BTreeMap::new()));
    let next = || waiting.lock().expect("no thread should have panicked").pop_front();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(trial) = next() {
                    if let Some(complaint) = run(&promtool, folder.path(), &trial) {
                        failed.lock().expect("no thread should have panicked").insert(trial.name, complaint);
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no thread should have panicked")
}

/// The real one: without it nothing is proven, so nothing passes.
fn find() -> PathBuf {
    let promtool = bed::servers_folder().expect("the servers should be there").join("promtool");
    assert!(promtool.exists(), "{} should exist; `make servers` builds it", promtool.display());
    promtool
}

fn run(promtool: &Path, folder: &Path, trial: &Trial) -> Option<String> {
    let folder = folder.join(&trial.name);
    std::fs::create_dir_all(&folder).expect("a temporary folder should be possible");
    let test = folder.join("test.yaml");
    std::fs::write(folder.join(RULE_FILE), yaml(&trial.rules)).expect("a temporary file should be possible");
    std::fs::write(&test, &trial.test).expect("a temporary file should be possible");
    let output =
        Command::new(promtool).args(["test", "rules"]).arg(test).output().expect("promtool should start");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (!output.status.success()).then_some(said)
}

/// As it is written to a file.
pub(crate) fn yaml(value: &impl Serialize) -> String {
    serde_saphyr::to_string(value).expect("rules and tests should have only string keys")
}
