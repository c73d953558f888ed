//! The key of the pseudonyms.

use std::path::Path;

use agentslo_ledger::intake::{Policy, PseudonymKey};

use crate::cli::files::unreadable;

/// Reads it.
///
/// # Errors
/// If there is none in the file.
pub(super) fn key(file: &Path) -> Result<PseudonymKey, String> {
    let key = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    Policy::pseudonyms(&key).map_err(|why| format!("{}: {why}", file.display()))
}
