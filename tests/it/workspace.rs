//! Files of the checkout, by paths relative to its root.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// A path in the checkout.
pub(crate) fn path(relative: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The text of a file of the checkout.
pub(crate) fn read(relative: impl AsRef<Path>) -> String {
    let path = path(relative);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()))
}

/// Whether the name of a file ends like this.
pub(crate) fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|found| found == extension)
}

/// Every file below a folder, relative to the root and sorted; none where there is no such folder.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let root = path("");
    WalkDir::new(path(folder))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let below = entry.path().strip_prefix(&root).expect("walked files should be below the root");
            below.to_string_lossy().into_owned()
        })
        .collect()
}
