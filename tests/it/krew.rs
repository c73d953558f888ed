//! The manifest by which krew installs the plugin: filled in at a release, and complete then.

use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::workspace;

const PLATFORMS: [&str; 3] = ["linux-amd64", "linux-arm64", "darwin-arm64"];

fn make(folder: &std::path::Path) -> std::process::Output {
    let settings =
        ["VERSION=v1.2.3", "RELEASE_URL=https://example.com/v1.2.3", "HOMEPAGE=https://example.com"];
    Command::new("make")
        .args(["-s", "-C", &workspace::path("").display().to_string(), "krew"])
        .args(settings)
        .arg(format!("DIST={}", folder.display()))
        .output()
        .expect("make should run")
}

#[test]
fn a_release_fills_in_the_whole_manifest() {
    let folder = tempfile::tempdir().unwrap();
    for platform in PLATFORMS {
        std::fs::write(folder.path().join(format!("agentslo-{platform}.tar.gz")), platform).unwrap();
    }
    let output = make(folder.path());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !text.contains('@'), "{text}");
    let manifest: Value = serde_saphyr::from_str(&text).expect("the manifest should be YAML");
    assert_eq!(manifest["spec"]["version"], "v1.2.3");
    let platforms = manifest["spec"]["platforms"].as_array().expect("it lists platforms");
    assert_eq!(platforms.len(), PLATFORMS.len());
    for (entry, name) in platforms.iter().zip(PLATFORMS) {
        let digest = Sha256::digest(name.as_bytes());
        let digest = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(entry["sha256"], digest.as_str());
        assert_eq!(entry["uri"], format!("https://example.com/v1.2.3/agentslo-{name}.tar.gz").as_str());
        assert_eq!(entry["bin"], "kubectl-agentslo");
    }
}

#[test]
fn a_release_without_an_archive_has_no_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let output = make(folder.path());
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
}
