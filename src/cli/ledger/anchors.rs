//! Where anchors are kept: a file, or an object in Kubernetes. Neither is where the entries are.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use agentslo_ledger::anchor::{self, Anchor, PublicKey};
use agentslo_ledger::chain::Head;
use agentslo_ledger::hash::Sha256;
use clap::Args;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

use crate::cli::cluster::{Stop, Target};
use crate::cli::files::{text_of, unreadable};

/// The hashes of the links of a stream that were anchored, by place.
pub(super) type Anchored = BTreeMap<u64, Sha256>;

/// Key of a ConfigMap under which its anchors are.
const KEY: &str = "anchors.jsonl";
/// Bytes of anchors in a ConfigMap: an API server takes a megabyte.
const MOST_BYTES: usize = 900_000;
/// Times that somebody else may have written between our reading and our writing.
const ATTEMPTS: usize = 5;

/// Where anchors are kept.
#[derive(Args, Debug)]
pub(super) struct Place {
    /// File with anchors, one in each line. Those that are made are added to it.
    #[arg(long = "anchors", value_name = "FILE")]
    file: Option<PathBuf>,
    /// ConfigMap with anchors, in the cluster of the kubeconfig or around the pod. Those that are made are added to it,
    /// and of more than it holds the oldest go.
    #[arg(long = "anchors-configmap", value_name = "NAMESPACE/NAME", value_parser = parse_name, conflicts_with = "file")]
    config_map: Option<MapName>,
}

/// Namespace and name.
type MapName = (String, String);

fn parse_name(text: &str) -> Result<MapName, &'static str> {
    let parts = text.split_once('/').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty());
    let (namespace, name) = parts.ok_or("should be a namespace and a name, for example ledger/anchors")?;
    Ok((namespace.to_owned(), name.to_owned()))
}

impl Place {
    /// Whether anybody says where.
    pub(super) fn is_named(&self) -> bool {
        self.file.is_some() || self.config_map.is_some()
    }

    /// What is kept there, as lines; nothing where nobody says where.
    ///
    /// # Errors
    /// If it cannot be read, or is not there: who names a place counts on what is kept in it.
    pub(super) async fn read(&self) -> Result<String, Stop> {
        match (self.read_if_there().await?, self) {
            (Some(lines), _) => Ok(lines),
            (None, Self { file: Some(file), .. }) => {
                Err(Stop::Usage(format!("there are no anchors in {}: there is no such file", file.display())))
            }
            (None, Self { config_map: Some((namespace, name)), .. }) => {
                Err(Stop::Usage(format!("there is no ConfigMap '{namespace}/{name}' with anchors")))
            }
            (None, Self { file: None, config_map: None }) => Ok(String::new()),
        }
    }

    /// The same, and none where nothing was kept yet.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) async fn read_if_there(&self) -> Result<Option<String>, Stop> {
        if let Some(file) = &self.file {
            return match std::fs::read_to_string(file) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                read => read.map(Some).map_err(|error| Stop::Usage(unreadable(file, &error))),
            };
        }
        let Some((namespace, name)) = &self.config_map else { return Ok(None) };
        let map = maps(namespace).await?.get_opt(name).await;
        Ok(map.map_err(|error| Stop::of("ConfigMaps", &error))?.map(text))
    }

    /// Keeps further lines there. They are there for good when this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) async fn add(&self, lines: &str) -> Result<(), Stop> {
        if let Some(file) = &self.file {
            return append(file, lines).map_err(Stop::Usage);
        }
        match &self.config_map {
            Some((namespace, name)) => add_to_map(&maps(namespace).await?, name, lines).await,
            None => Ok(()),
        }
    }
}

async fn maps(namespace: &str) -> Result<Api<ConfigMap>, Stop> {
    let cluster = Target::default().open().await?;
    Ok(Api::namespaced(cluster.client, namespace))
}

fn text(map: ConfigMap) -> String {
    map.data.unwrap_or_default().remove(KEY).unwrap_or_default()
}

fn append(file: &Path, lines: &str) -> Result<(), String> {
    let write = || {
        let mut opened = OpenOptions::new().create(true).append(true).open(file)?;
        opened.write_all(lines.as_bytes())?;
        opened.sync_all()
    };
    write().map_err(|error| format!("cannot add to {}: {error}", file.display()))
}

/// Nothing that somebody else adds at the same time is lost.
async fn add_to_map(maps: &Api<ConfigMap>, name: &str, lines: &str) -> Result<(), Stop> {
    let failed = |error: &kube::Error| Stop::of("ConfigMaps", error);
    for _ in 0..ATTEMPTS {
        let before = maps.get_opt(name).await.map_err(|error| failed(&error))?;
        let is_new = before.is_none();
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let mut map = before.unwrap_or_else(|| ConfigMap { metadata, ..ConfigMap::default() });
        let data = map.data.get_or_insert_default();
        let kept = data.remove(KEY).unwrap_or_default() + lines;
        data.insert(KEY.to_owned(), newest(&kept, MOST_BYTES).to_owned());
        let parameters = PostParams::default();
        let written = if is_new {
            maps.create(&parameters, &map).await
        } else {
            maps.replace(name, &parameters, &map).await
        };
        match written {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            written => return written.map(|_| ()).map_err(|error| failed(&error)),
        }
    }
    Err(Stop::Unreachable(format!("somebody else keeps writing ConfigMap '{name}'")))
}

/// The last whole lines that are no longer than so many bytes together.
fn newest(lines: &str, most: usize) -> &str {
    let Some(over) = lines.len().checked_sub(most).filter(|over| *over > 0) else { return lines };
    let begins = lines.bytes().enumerate().skip(over - 1).find(|(_, byte)| *byte == b'\n');
    begins.map_or("", |(end, _)| &lines[end + 1..])
}

/// What a key is known by.
///
/// # Errors
/// If the file has none.
pub(super) fn public_key(file: &Path) -> Result<PublicKey, String> {
    PublicKey::from_pem(text_of(file)?.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))
}

/// Anchors, by stream, in the order of their lines.
///
/// # Errors
/// If a line is none.
pub(super) fn parsed(lines: &str) -> Result<BTreeMap<String, Vec<Anchor>>, String> {
    let mut anchors: BTreeMap<String, Vec<Anchor>> = BTreeMap::new();
    for (number, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let anchor: Anchor =
            serde_json::from_str(line).map_err(|error| format!("anchors: line {}: {error}", number + 1))?;
        anchors.entry(anchor.statement.stream.clone()).or_default().push(anchor);
    }
    Ok(anchors)
}

/// What anchors prove, by stream.
///
/// # Errors
/// If a line is none, or proves nothing.
pub(super) fn proven(lines: &str, key: &PublicKey) -> Result<BTreeMap<String, Anchored>, String> {
    let heads = anchor::proven(lines, key).map_err(|why| format!("anchors: {why}"))?;
    let by_place =
        |heads: Vec<Head>| heads.into_iter().map(|head| (head.sequence, head.hash)).collect::<Anchored>();
    Ok(heads.into_iter().map(|(stream, heads)| (stream, by_place(heads))).collect())
}

/// What the last anchor of each stream proves.
///
/// # Errors
/// If one of the last proves nothing.
pub(super) fn last_proven(
    anchors: &BTreeMap<String, Vec<Anchor>>,
    key: &PublicKey,
) -> Result<BTreeMap<String, Anchored>, String> {
    let last = anchors.iter().filter_map(|(stream, anchors)| Some((stream, anchors.last()?)));
    let proven = last.map(|(stream, anchor)| {
        let head = key.open(anchor).map_err(|why| format!("anchors: {why}"))?;
        Ok((stream.clone(), Anchored::from([(head.sequence, head.hash)])))
    });
    proven.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_than_it_holds_the_oldest_go() {
        let lines = "one\ntwo\nthree\n";
        assert_eq!(newest(lines, 100), lines);
        assert_eq!(newest(lines, lines.len()), lines);
        assert_eq!(newest(lines, lines.len() - 1), "two\nthree\n");
        assert_eq!(newest(lines, 6), "three\n");
        assert_eq!(newest(lines, 5), "");
    }

    #[test]
    fn a_config_map_is_named_with_its_namespace() {
        assert_eq!(parse_name("ledger/anchors"), Ok(("ledger".to_owned(), "anchors".to_owned())));
        for bad in ["anchors", "/anchors", "ledger/"] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }
}
