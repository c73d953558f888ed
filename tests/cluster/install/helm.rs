//! Helm and kubectl, run as people run them, and what they print.

use std::path::{Path, PathBuf};
use std::process::Command;

use bed::Bed;
use serde_json::Value;
use tempfile::TempDir;

/// The chart, relative to the root of the checkout.
pub(crate) const CHART: &str = "charts/agentslo";
/// The namespace of the operator.
pub(crate) const NAMESPACE: &str = "agentslo-system";

/// Helm with folders of its own, so that nothing of the machine it runs on plays a part.
pub(crate) struct Helm {
    home: TempDir,
    kubeconfig: PathBuf,
}

impl Helm {
    /// Without a cluster.
    pub(crate) fn offline() -> Self {
        Self::with(PathBuf::from("/dev/null"))
    }

    /// As the admin of a bed.
    pub(crate) fn on(bed: &Bed) -> Self {
        Self::with(bed.kubeconfig("admin").expect("the bed should know its admin"))
    }

    fn with(kubeconfig: PathBuf) -> Self {
        Self { home: tempfile::tempdir().expect("there should be room for a folder"), kubeconfig }
    }

    /// What it prints, or what it complains of.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(tool("helm"));
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(folder, self.home.path());
        }
        output(command.env("KUBECONFIG", &self.kubeconfig).args(arguments))
    }

    /// The objects of release `agentslo`, as text.
    pub(crate) fn template(&self, arguments: &[&str]) -> Result<String, String> {
        self.run(&[&["template", "agentslo", CHART, "--namespace", NAMESPACE], arguments].concat())
    }
}

/// What `kubectl kustomize` makes of a folder.
pub(crate) fn kustomize(folder: &str) -> String {
    output(Command::new(tool("kubectl")).args(["kustomize", folder])).expect("the folder should build")
}

/// One of the programs that `make servers` finds or builds.
pub(crate) fn tool(name: &str) -> PathBuf {
    let tool = bed::servers_folder().expect("the servers should be there").join(name);
    assert!(tool.exists(), "{} should exist; `make servers` builds it", tool.display());
    tool
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.current_dir(root()).output().expect("the program should start");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The objects of a text.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).expect("the documents should parse");
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// The objects of a kind.
pub(crate) fn of_kind(objects: &[Value], kind: &str) -> Vec<Value> {
    objects.iter().filter(|object| object["kind"] == kind).cloned().collect()
}

/// A text that is kept in the checkout: `BLESS=1` writes it, otherwise it must be what it was.
pub(crate) fn kept(file: &str, text: &str) {
    let path = root().join(file);
    if std::env::var_os("BLESS").is_some() {
        let folder = path.parent().expect("kept files should be in a folder");
        std::fs::create_dir_all(folder).expect("the folder should be made");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("failed to write {file}: {error}"));
        return;
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(before == text, "{file} is stale; run `make bless` and read the difference");
}
