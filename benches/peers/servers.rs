//! The tools that the benchmark runs: `tools/servers ensure test bench` builds them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs one of the tools and returns what it printed.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    run_program(&program(name)?, arguments)
}

/// Where one of the tools is.
pub(crate) fn program(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let program = folder()?.join(name);
    if !program.exists() {
        return Err(format!("{} is missing: run `tools/servers ensure test bench`", program.display()).into());
    }
    Ok(program)
}

/// Runs a program and returns what it printed.
pub(crate) fn run_program(program: &Path, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} {} failed: {said}", program.display(), arguments.join(" ")).into())
}

/// The folder in which the test bed finds them too.
fn folder() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(folder) = std::env::var_os("AGENTSLO_SERVERS") {
        return Ok(folder.into());
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/servers");
    let output = Command::new(script).arg("dir").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
