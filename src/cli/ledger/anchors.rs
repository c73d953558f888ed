//! Files of anchors.

use std::collections::BTreeMap;
use std::path::Path;

use agentslo_ledger::anchor::{Anchor, PublicKey};
use agentslo_ledger::hash::Sha256;

use crate::cli::files::text_of;

/// The hashes of the links of a stream that were anchored, by place.
pub(super) type Anchored = BTreeMap<u64, Sha256>;

/// What a key is known by.
///
/// # Errors
/// If the file has none.
pub(super) fn public_key(file: &Path) -> Result<PublicKey, String> {
    PublicKey::from_pem(text_of(file)?.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))
}

/// The anchors of a file, by stream.
///
/// # Errors
/// If one cannot be read.
pub(super) fn read(file: &Path) -> Result<BTreeMap<String, Vec<Anchor>>, String> {
    let mut anchors: BTreeMap<String, Vec<Anchor>> = BTreeMap::new();
    for (number, line) in text_of(file)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let anchor: Anchor = serde_json::from_str(line)
            .map_err(|error| format!("{}: line {}: {error}", file.display(), number + 1))?;
        anchors.entry(anchor.statement.stream.clone()).or_default().push(anchor);
    }
    Ok(anchors)
}

/// What the anchors of a file prove, by stream.
///
/// # Errors
/// If one cannot be read or proves nothing.
pub(super) fn proven(file: &Path, key: &PublicKey) -> Result<BTreeMap<String, Anchored>, String> {
    let heads = agentslo_ledger::anchor::proven(&text_of(file)?, key);
    let heads = heads.map_err(|why| format!("{}: {why}", file.display()))?;
    let by_place = |heads: Vec<_>| {
        heads.into_iter().map(|head: agentslo_ledger::chain::Head| (head.sequence, head.hash)).collect()
    };
    Ok(heads.into_iter().map(|(stream, heads)| (stream, by_place(heads))).collect())
}
