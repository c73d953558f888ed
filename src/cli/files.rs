//! From `-f` to texts: files, directories, standard input, and how large they may be.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// Largest file that is read, in bytes. The API server takes 1.5 MiB for one object.
const LARGEST: u64 = 4 * 1024 * 1024;

/// One file.
pub(super) struct Source {
    /// How messages name it.
    pub(super) name: String,
    /// Its text, or why it has none.
    pub(super) text: Result<String, &'static str>,
}

/// Reads every file that the paths name: `-` is standard input, and a directory stands for every YAML
/// and JSON file in it, however deep.
///
/// # Errors
/// A sentence, if one of them cannot be opened.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Vec<Source>, String> {
    let mut seen = BTreeSet::new();
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let text = read(io::stdin().lock()).map_err(|error| unreadable(path, &error))?;
            sources.push(Source { name: "stdin".to_owned(), text });
            continue;
        }
        for file in files_in(path)? {
            if seen.insert(file.clone()) {
                sources.push(open(&file)?);
            }
        }
    }
    Ok(sources)
}

/// The text of a file that is no resource, such as a key.
///
/// # Errors
/// A sentence, if it cannot be read.
pub(super) fn text_of(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// The file itself, or every YAML and JSON file in the directory, in the order of their names. Hidden
/// ones are left out, as they are by kubectl.
fn files_in(path: &Path) -> Result<Vec<PathBuf>, String> {
    let walk = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    let mut files = Vec::new();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        let entry = entry.map_err(|error| format!("cannot read '{}': {error}", path.display()))?;
        let wanted = entry.depth() == 0 || is_manifest(entry.path());
        if wanted && !entry.file_type().is_dir() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}

fn open(path: &Path) -> Result<Source, String> {
    let text = File::open(path).and_then(read).map_err(|error| unreadable(path, &error))?;
    Ok(Source { name: path.display().to_string(), text })
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read '{}': {error}", path.display())
}

fn read(from: impl Read) -> io::Result<Result<String, &'static str>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Ok(Err("file is larger than 4 MiB"));
    }
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    Ok(text.ok_or("must be text in UTF-8"))
}
