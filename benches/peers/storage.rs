//! Gives the history to a Prometheus. Blocks are kept between runs, outside of the checkout.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use bed::{Bed, Part};
use sha2::{Digest, Sha256};

use crate::history::History;
use crate::servers;

/// Puts the blocks of a history into the bed's Prometheus, which is restarted for that.
pub(crate) async fn fill(bed: &Bed, history: &History) -> Result<(), Box<dyn Error>> {
    let blocks = blocks(history)?;
    let prometheus = bed.server(Part::Prometheus);
    prometheus.stop().await;
    copy(&blocks, &bed.folder().join("data/prometheus/tsdb"))?;
    prometheus.start().await?;
    Ok(())
}

/// The folder of the blocks. They are made in a minute or two, from a text of two gigabytes.
fn blocks(history: &History) -> Result<PathBuf, Box<dyn Error>> {
    let version = servers::run("promtool", &["--version"])?;
    let folder = cache()?.join(format!("rules-{}", key(&format!("{version}{}", history.fingerprint()))));
    if folder.exists() {
        return Ok(folder);
    }
    eprintln!("writing 31 days of history, once, to {}", folder.display());
    let draft = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&draft)?;
    let text = draft.join("history.txt");
    history.write(BufWriter::with_capacity(1 << 20, File::create(&text)?))?;
    // promtool reads the text once for each block, so blocks are as long as it can make them.
    let create = ["tsdb", "create-blocks-from", "--max-block-duration=486h", "openmetrics"];
    let paths = [text.display().to_string(), draft.display().to_string()];
    servers::run("promtool", &[&create[..], &[&paths[0], &paths[1]]].concat())?;
    fs::remove_file(text)?;
    fs::rename(&draft, &folder)?;
    Ok(folder)
}

fn key(content: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    digest.iter().take(8).fold(String::new(), |mut key, byte| {
        write!(key, "{byte:02x}").expect("a String takes all text");
        key
    })
}

/// Beside what `tools/servers` keeps.
fn cache() -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::var_os("AGENTSLO_CACHE").map(PathBuf::from);
    let users = || std::env::var_os("XDG_CACHE_HOME").map(|folder| Path::new(&folder).join("agentslo"));
    let home = || std::env::var_os("HOME").map(|folder| Path::new(&folder).join(".cache/agentslo"));
    Ok(own.or_else(users).or_else(home).ok_or("neither AGENTSLO_CACHE nor HOME is set")?.join("benches"))
}

fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
