//! Python with its packages, and Node with its: found on PATH, installed once into the cache under the hash
//! of what pins them. Nothing is written inside the checkout.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// The agent in Python: program and first arguments.
pub(super) fn python() -> (PathBuf, Vec<String>) {
    let version = said(Command::new("python3").arg("--version"), PYTHON_IS_MISSING);
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    assert!(version.starts_with("Python 3.") && minor >= Some(11), "{PYTHON_IS_MISSING} Found: {version}");
    let pins = read(&source("python/requirements.txt"));
    let installed = installed("python", &[&version, &pins], |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder), PYTHON_IS_MISSING);
        let requirements = source("python/requirements.txt");
        let mut pip = Command::new(folder.join("bin/python"));
        run(pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements), "");
    });
    // No byte code beside the sources.
    let agent = source("python/agent.py").display().to_string();
    (installed.join("bin/python"), vec!["-B".to_owned(), agent])
}

const PYTHON_IS_MISSING: &str = "The Python example needs python3, 3.11 or later, with its venv module, on PATH (Debian: apt-get install python3-venv).";

/// The agent in TypeScript, compiled into `build`: program and first arguments.
pub(super) fn typescript(build: &Path) -> (PathBuf, Vec<String>) {
    let modules = node_modules("node", &source("typescript"));
    for name in ["package.json", "tsconfig.json"] {
        copy(&source("typescript").join(name), &build.join(name));
    }
    copy_folder(&source("typescript/src"), &build.join("src"));
    std::os::unix::fs::symlink(modules, build.join("node_modules")).expect("a link should be possible");
    let mut compile = Command::new("node");
    compile.arg(build.join("node_modules/typescript/bin/tsc")).arg("--project").arg(build);
    run(&mut compile, "");
    (PathBuf::from("node"), vec![build.join("dist/agent.js").display().to_string()])
}

/// The packages that a folder pins.
pub(crate) fn node_modules(name: &str, pinned: &Path) -> PathBuf {
    let version = said(Command::new("node").arg("--version"), NODE_IS_MISSING);
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    assert!(major >= Some(20), "{NODE_IS_MISSING} Found: {version}");
    let pins = read(&pinned.join("package-lock.json"));
    let installed = installed(name, &[&version, &pins], |folder| {
        std::fs::create_dir_all(folder).expect("the cache should be writable");
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            copy(&pinned.join(name), &folder.join(name));
        }
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder), NODE_IS_MISSING);
    });
    installed.join("node_modules")
}

const NODE_IS_MISSING: &str =
    "The TypeScript example and Claude Code need node and npm, 20 or later, on PATH.";

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/instrument").join(path)
}

/// The folder in the cache for these pins, filled by `install` if it is not there.
///
/// It comes by rename, so that nobody sees half of one; whoever is late takes the other's.
fn installed(name: &str, pins: &[&str], install: impl FnOnce(&Path)) -> PathBuf {
    let hash = Sha256::digest(pins.join("\n"));
    let folder = cache().join(format!("{name}-{}", super::hex(&hash[..8])));
    if folder.exists() {
        return folder;
    }
    std::fs::create_dir_all(cache()).expect("the cache should be writable");
    let new = tempfile::Builder::new()
        .prefix("installing.")
        .tempdir_in(cache())
        .expect("the cache should be writable");
    let filled = new.path().join("new");
    install(&filled);
    if let Err(error) = std::fs::rename(&filled, &folder) {
        assert!(folder.exists(), "{} could not be put in place: {error}", folder.display());
    }
    folder
}

/// Where `tools/servers` keeps its things too.
fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").expect("HOME should be set").join(".cache");
    let ours = || set("XDG_CACHE_HOME").unwrap_or_else(home).join("agentslo");
    std::path::absolute(set("AGENTSLO_CACHE").unwrap_or_else(ours))
        .expect("a path should not be empty")
        .join("agents")
}

/// What a program prints.
fn said(command: &mut Command, where_missing: &str) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{where_missing} ({error})"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn run(command: &mut Command, where_missing: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{where_missing} ({error})"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let program =
        Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    assert!(output.status.success(), "{program} failed. {where_missing}\n{text}");
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{} should be readable: {error}", path.display()))
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder of the bed should be writable");
    for entry in std::fs::read_dir(from).expect("the sources should be readable") {
        let entry = entry.expect("the sources should be readable");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy_folder(&from, &to) } else { copy(&from, &to) }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap_or_else(|error| panic!("{} should copy: {error}", from.display()));
}
